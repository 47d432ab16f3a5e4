"""What a request is for; slots, pace, credentials and robots follow this role, not the host's name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from scrapy import Request


class Role(StrEnum):
    """One host and port may serve several of these (tests, mirrors)."""

    API = "api"
    """``/api/v1`` and ``/api/trpc``: paced, with credentials, documented for public use."""
    PAGE = "page"
    """HTML pages: paced, with credentials, and robots.txt is obeyed."""
    MEDIA = "media"
    """Files of the CDN: many at once, never with credentials."""
    STORAGE = "storage"
    """Signed addresses of model files: never with credentials."""


_ROLES: dict[str, Role] = {str(role): role for role in Role}


def slot(role: Role, url: str) -> str:
    """Name the download slot of a role on a host.

    >>> slot(Role.API, "https://civitai.com/api/v1/images")
    'api civitai.com'
    """
    return f"{role} {urlsplit(url).netloc}"


def browser_slot(url: str) -> str:
    """Name the slot of pages that a browser opens, several at once.

    >>> browser_slot("https://civitai.com/images/7")
    'page civitai.com browser'
    """
    return f"{slot(Role.PAGE, url)} browser"


def stamp(role: Role, url: str) -> dict[str, Any]:
    """Make the ``meta`` that carries a role; every key in it is Scrapy's own."""
    meta: dict[str, Any] = {"download_slot": slot(role, url)}
    if role is not Role.PAGE:
        meta["dont_obey_robotstxt"] = True
    if role in {Role.MEDIA, Role.STORAGE}:
        meta["autothrottle_dont_adjust_delay"] = True
    return meta


def role_of(request: Request) -> Role | None:
    """Read the role of a request; None for those that Scrapy makes itself, such as robots.txt."""
    return _ROLES.get(str(request.meta.get("download_slot", "")).partition(" ")[0])


NAMED = 3
"""Calls of a batch that its address names where it is written down."""


def brief(url: str) -> str:
    """Shorten the address of a batch, for people: its first calls, and how many there are.

    >>> brief("https://civitai.com/api/trpc/tag.a,tag.b,tag.c,tag.d?batch=1&input=%7B%7D")
    'https://civitai.com/api/trpc/tag.a,tag.b,tag.c,… (4 calls)'
    """
    place, _, calls = url.partition("?")[0].rpartition("/")
    names = unquote(calls).split(",")
    if not place.endswith("/api/trpc") or len(names) <= NAMED:
        return url
    return f"{place}/{','.join(names[:NAMED])},… ({len(names)} calls)"


def shown(request: Request) -> str:
    """Give a request's address as it may be written down: one of a file without its query, which may be a signature.

    That of a batch is shortened. A download that the site sent on counts as one of a file before it has its new role,
    too: Scrapy logs it then.

    >>> from scrapy import Request
    >>> shown(Request("https://s3.example/a.png?sig=1", meta={"download_slot": "media s3.example"}))
    'https://s3.example/a.png'
    """
    sent_on = "download_to" in request.meta and "redirect_urls" in request.meta
    if role_of(request) not in {Role.MEDIA, Role.STORAGE} and not sent_on:
        return brief(request.url)
    return urlsplit(request.url)._replace(query="", fragment="").geturl()


def within(url: str, prefix: str) -> bool:
    """Tell whether an address lies under a configured one: same scheme, host and port, and the path below it.

    >>> within("https://civitai.com/api/v1/images", "https://civitai.com")
    True
    >>> within("https://civitai.com.example.org/", "https://civitai.com")
    False
    """
    ours, theirs = urlsplit(prefix.rstrip("/")), urlsplit(url)
    same_host = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
    return same_host and (theirs.path == ours.path or theirs.path.startswith(ours.path + "/"))
