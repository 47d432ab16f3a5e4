"""The pages of the site, and the target that each stands for (contract trpc-and-pages.md §6.2)."""

from __future__ import annotations

from reprlib import repr as shown
from typing import TYPE_CHECKING

from civitscrape.civitai import targets
from civitscrape.civitai.filters import USERNAME
from civitscrape.exceptions import UnarchivableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from civitscrape.civitai.filters import Pairs
    from civitscrape.civitai.targets import Target

_KNOWN = "it knows pages of users, models, model versions, images, videos, posts, collections and tags"
_TABS = {"images", "videos", "models", "posts", "collections"}
_OWN = {
    "account",
    "downloads",
    "membership",
    "notifications",
    "placements",
    "referrals",
    "transactions",
    "vault",
    "wallet",
}

_SEARCHES = {
    "models": "scrapy crawl models -a query=WORDS",
    "users": "scrapy crawl creators -a query=WORDS",
    "tags": "scrapy crawl tags -a query=WORDS",
}
_BY_TAG = "scrapy crawl tag -a tag=NAME -a of=images"

_REASONS = {
    "generate": "it shows what the person logged in has generated; post the images on the site and paste the post",
    "articles": "articles are not archived; paste the addresses of the images or models they show",
    "bounties": "bounties are not archived; paste the addresses of the images or models entered for them",
    "challenges": "challenges are not archived; paste the address of the collection that holds their entries",
    "comics": "comics are not archived; paste the address of their creator's profile",
    "3d-models": "3D models are not archived; paste the address of their creator's profile",
    "events": "events are not archived; paste the address of the collection that holds their entries",
    "collections": "it lists the person's own collections; paste each collection's address, which ends in its number",
    "tags": "the page lists all tags; use scrapy crawl tags",
    "": "it is the front page, not one thing; paste the address of a creator, a model, a post or an image",
}
"""First folder of pages that hold nothing to archive, and why."""


def page(folders: Sequence[str], pairs: Pairs) -> Target:
    """Find the target of a page of the site.

    >>> page(["models", "123", "amber-lantern"], [("modelVersionId", "456")])
    Target(spider='version', arguments={'version_id': '456'})

    Args:
        folders: parts of the path, decoded; empty ones left out.
        pairs: the query.

    Raises:
        UnarchivableError: the page names nothing that can be archived.
    """
    if ("section", "reactions") in pairs:
        raise UnarchivableError(
            "reactions are shown to the person who gave them only; with that person's cookies: "
            "scrapy crawl feed -a procedure=image.getInfinite -a reactions=Like,Heart,Laugh,Cry"
        )
    first, rest = (folders[0], folders[1:]) if folders else ("", [])
    if rest and first in _THINGS:
        return _THINGS[first](rest, pairs)
    if not rest and first in _LISTINGS:
        return _LISTINGS[first](pairs)
    if first == "search":
        return _search(rest)
    reason = _REASONS.get(first, f"civitscrape knows no page {shown('/' + '/'.join(folders))}; {_KNOWN}")
    raise UnarchivableError(reason)


def model_page(rest: Sequence[str], pairs: Pairs) -> Target:
    """Find the target of ``models/ID/…``: the version that the address names, else the model.

    Raises:
        UnarchivableError: an id is none, or the address names two versions.
    """
    model = targets.by_id("model", rest[0])
    versions = {value for name, value in pairs if name == "modelVersionId" and value}
    if rest[1:2] == ["model-versions"] and len(rest) > 2:  # noqa: PLR2004 (its id follows)
        versions.add(rest[2])
    if len(versions) > 1:
        raise UnarchivableError(f"it names {len(versions)} versions; leave one modelVersionId in the address")
    return targets.by_id("version", versions.pop()) if versions else model


def _user(rest: Sequence[str], pairs: Pairs) -> Target:
    """Take the creator out of ``user/NAME/tab``."""
    username, tab = rest[0], rest[1] if len(rest) > 1 else ""
    if username in _OWN or not USERNAME.fullmatch(username):
        raise UnarchivableError(f"{shown(username)} has no profile; one is at https://civitai.com/user/NAME")
    if tab in {"", "profile"}:
        return targets.user(username)
    if tab not in _TABS:
        raise UnarchivableError(
            f"the tab {shown(tab)} of a profile is not archived; use https://civitai.com/user/{username}"
        )
    return targets.works(tab, username, pairs)


def _search(rest: Sequence[str]) -> Target:
    """Refuse a search page with the nearest thing that can be asked."""
    way = _SEARCHES.get(rest[0] if rest else "models", _BY_TAG)
    raise UnarchivableError(f"search pages ask a private index; the nearest thing is {way}")


def _simple(spider: str) -> Callable[[Sequence[str], Pairs], Target]:
    return lambda rest, _: targets.by_id(spider, rest[0])


_THINGS: Mapping[str, Callable[[Sequence[str], Pairs], Target]] = {
    "models": model_page,
    "model-versions": _simple("version"),
    "images": _simple("image"),
    "videos": _simple("image"),
    "posts": _simple("post"),
    "collections": _simple("collection"),
    "user": _user,
    "tag": lambda rest, _: targets.tag(rest[0]),
}
"""First folder of pages of one thing."""

_LISTINGS: Mapping[str, Callable[[Pairs], Target]] = {
    "models": targets.models,
    "images": targets.images,
    "videos": lambda pairs: targets.images(pairs, types="video"),
    "posts": targets.posts,
}
"""Pages that list things by filters."""
