"""Any text that a person pastes, and the target it stands for."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from civitscrape.civitai import calls, media, routes, targets
from civitscrape.civitai.filters import USERNAME
from civitscrape.civitai.roles import within
from civitscrape.civitai.targets import Target
from civitscrape.exceptions import ArgumentError, UnarchivableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MEDIA", "MIRRORS", "PAGES", "SITES", "USERNAME", "Target", "address", "masked", "shown", "target", "username"
]  # fmt: skip

SITES = frozenset({"civitai.com", "civitai.red", "civitai.green"})
"""Hosts of the site, each also with ``www.``."""

MIRRORS = frozenset({"civarchive.com", "civitaiarchive.com"})
"""Archives of others whose pages carry the site's own ids and hashes."""

MEDIA = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"
"""Where media lie (rest.md §10); the settings call it CIVITAI_MEDIA_URL."""

PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "user": ("user", "username"),
        "model": ("models", "model_id"),
        "version": ("model-versions", "version_id"),
        "image": ("images", "image_id"),
        "post": ("posts", "post_id"),
        "collection": ("collections", "collection_id"),
        "tag": ("tag", "tag"),
    }
)
"""Spider → first folder of a thing's page, and the argument that names the thing."""

_CDN = re.compile(r"(?:image|imagecache|image-[a-z0-9]+)\.civitai\.(?:com|red|green)")
_AIR = re.compile(
    r"(?:urn:)?(?:air:)?(?:[a-z0-9_.-]+:[a-z0-9_.-]+:)?civitai:([0-9]+)(?:@([0-9]+))?(?::[\w.-]+)?(?:\.[a-z0-9]+)?",
    re.IGNORECASE | re.ASCII,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WEB_PORTS = {None, 80, 443}
_UPLOAD_TIME = 10  # digits of a time in seconds; names of uploads are often times, ids have at most nine
_SECRET = re.compile(
    r"([?&;#][^=&;#]*(?:token|key|sign|sig|secret|credential|auth|pass)[^=&;#]*=)[^&;#\s]*", re.IGNORECASE
)
_PASSWORD = re.compile(r"((?:^|//)[^/?#@:\s]*:)[^/?#\s]*@")
_SHOWN_MAX = 300


def target(text: str, *, hosts: frozenset[str] = SITES, media_url: str = MEDIA) -> Target:
    """Find out what a pasted text stands for.

    Taken are addresses of the site's pages, of its interfaces and of its CDN, pages of ``MIRRORS``, AIR names, hashes
    of model files, and names of creators. Cursors, sizes of pages and rating levels in an address are passed over:
    walks begin at the beginning, and levels are asked for with ``level=``.

    >>> target("https://www.civitai.com/models/123/amber-lantern?modelVersionId=456")
    Target(spider='version', arguments={'version_id': '456'})
    >>> target("urn:air:sdxl:lora:civitai:123"), target("lampwright")
    (Target(spider='model', arguments={'model_id': '123'}), Target(spider='user', arguments={'username': 'lampwright'}))

    A word of 8, 10, 12 or 64 hexadecimal digits is a hash, though it might be a name: paste the profile's address then.
    The argument of a hash is ``sha256`` whatever its kind.

    Args:
        text: what a person pasted; the scheme may be missing.
        hosts: hosts of the site, in lower case and without ``www.``. Those of this machine are taken with any port, and
            ``host:port`` with that port.
        media_url: CIVITAI_MEDIA_URL.

    Raises:
        UnarchivableError: it names nothing that can be archived; one sentence: the text, the reason and the way out.
    """
    pasted = text.strip().strip("\ufeff\u200b<>\"'").strip()
    try:
        return _read(pasted, hosts, media_url)
    except UnarchivableError as error:
        raise UnarchivableError(f"{shown(pasted)} cannot be archived: {error}") from error


def address(spider: str, identifier_: str | int, base: str) -> str:
    """Return the address of a thing's page on the site.

    >>> address("tag", "base model", "https://civitai.com"), address("image", 98000001, "https://civitai.red/")
    ('https://civitai.com/tag/base%20model', 'https://civitai.red/images/98000001')

    Args:
        spider: one of ``PAGES``.
        identifier_: a creator's name, a tag's name, or the id of anything else.
        base: address of the site.

    Raises:
        KeyError: no page belongs to the spider.
    """
    return f"{base.rstrip('/')}/{PAGES[spider][0]}/{quote(str(identifier_), safe='')}"


def _read(text: str, hosts: frozenset[str], media_url: str) -> Target:
    """Tell a word from an AIR name from an address."""
    if not text.isprintable() or not text:
        raise UnarchivableError("it is empty or holds characters that cannot be printed; paste one address")
    if USERNAME.fullmatch(text):
        return _word(text)
    if found := _AIR.fullmatch(text):
        model, version = found.groups()
        targets.by_id("model", model)
        return targets.by_id("version", version) if version else targets.by_id("model", model)
    if text.lower().startswith(("urn:", "air:")):
        raise UnarchivableError("it does not name a model of Civitai; such a name ends in civitai:MODEL@VERSION")
    if not re.search(r"[/.:]", text):
        raise UnarchivableError("it is neither an address nor a name; names have only letters, digits and _")
    return _from_url(text, hosts, media_url)


def _word(text: str) -> Target:
    """Tell a hash from a number from a creator's name."""
    if text.isdigit():
        raise UnarchivableError(
            "a number may be the id of anything; say which: image_id=, post_id=, model_id=, version_id=, "
            "collection_id= or sha256= with the spider of that name"
        )
    return calls.hashed(text) if calls.HASH.fullmatch(text) else targets.user(text)


def _from_url(text: str, hosts: frozenset[str], media_url: str) -> Target:
    """Tell the site from its CDN, its mirrors and the rest of the world."""
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"https://{text.removeprefix('//')}")
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError as error:
        raise UnarchivableError("it is not an address; one looks like https://civitai.com/images/1") from error
    if parts.scheme not in {"http", "https"}:
        raise UnarchivableError(
            f"the scheme {parts.scheme!r} is not of the web; paste what the browser's address bar shows"
        )
    if "@" in parts.netloc or "\\" in parts.netloc or not parts.netloc.isascii():
        raise UnarchivableError("characters in or before its host hide where it leads; paste it without them")
    folders = [unquote(folder) for folder in parts.path.split("/") if folder]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    name = host.removeprefix("www.")
    if within(parts.geturl(), media_url) or (_CDN.fullmatch(host) and port in _WEB_PORTS):
        return _from_cdn(parts, media_url)
    if f"{name}:{port}" in hosts or (name in hosts and (port in _WEB_PORTS or name in _LOOPBACK)):
        return calls.call(folders[1:], pairs) if folders[:1] == ["api"] else routes.page(folders, pairs)
    if name in MIRRORS and port in _WEB_PORTS:
        return _from_mirror(folders, pairs)
    known = ", ".join(sorted(hosts))
    raise UnarchivableError(f"{host or 'an address without a host'} is not the site; hosts of the site are {known}")


def _from_cdn(parts: SplitResult, media_url: str) -> Target:
    """Take the image's id out of a CDN address, where the name of the file is one (rest.md §5.2, §7.4)."""
    *folders, name = [unquote(folder) for folder in parts.path.split("/") if folder] or [""]
    stem = name.partition(".")[0]
    if "width=96" in folders:  # An avatar: its name is the creator's (rest.md §5.1), who may be called 12345.
        raise UnarchivableError(
            "it is a thumbnail or an avatar without a record; paste the address of the image's page"
        )
    if re.fullmatch(r"[1-9][0-9]*", stem) and len(stem) < _UPLOAD_TIME:
        return targets.by_id("image", stem)
    key = media.key_of(parts.geturl(), base=media_url)
    what = f"the key {key}" if key else "it"
    raise UnarchivableError(
        f"{what} does not say which image it is, and the site offers no look-up by key: the file can be downloaded as "
        "it is but has no record; paste the address of the image's page"
    )


def _from_mirror(folders: list[str], pairs: list[tuple[str, str]]) -> Target:
    """Take the hash or the ids out of a page of a mirror."""
    match folders:
        case ["sha256", text]:
            return calls.hashed(text)
        case ["models", *rest] if rest:
            return routes.model_page(rest, pairs)
    raise UnarchivableError(
        "of this mirror only pages of models and hashes are understood: /models/ID and /sha256/HASH"
    )


def masked(text: str) -> str:
    """Cover credentials in all addresses of a text; what holds none stays as it is.

    >>> masked("https://me:word@civitai.com/images/1 civitai.com/images/2?token=abc&page=3 civitai:123@456")
    'https://me:…@civitai.com/images/1 civitai.com/images/2?token=…&page=3 civitai:123@456'
    """
    return re.sub(r"\S+", lambda word: _masked_word(word[0]), text)


def _masked_word(word: str) -> str:
    if _AIR.fullmatch(word) or word.lower().startswith(("urn:", "air:")):  # Its @ stands before a version.
        return word
    return _PASSWORD.sub(r"\1…@", _SECRET.sub(r"\1…", word))


def shown(text: str) -> str:
    """Quote a text without credentials, and not at endless length."""
    whole = masked(text)
    return repr(whole if len(whole) <= _SHOWN_MAX else whole[:_SHOWN_MAX] + "…")


def username(text: str, hosts: frozenset[str] = SITES) -> str:
    """Read a username, or the address of a profile.

    >>> username("lampwright"), username("https://www.civitai.red/user/lampwright/images?sort=Newest")
    ('lampwright', 'lampwright')

    Args:
        text: what a person typed.
        hosts: hosts whose profile addresses are taken.

    Raises:
        ArgumentError: it is neither.
    """
    typed = text.strip()
    name = _from_address(typed, hosts) if "/" in typed else typed
    if not USERNAME.fullmatch(name):
        given = shown(name) if name else "empty"
        raise ArgumentError(f"spider argument username: {given}: only letters, digits and _, or a profile's address")
    return name


def _from_address(text: str, hosts: frozenset[str]) -> str:
    """Take the name out of ``…/user/NAME…``."""
    refusal = ArgumentError(
        f"spider argument username: {shown(text)} is not a profile's address; one looks like https://civitai.com/user/NAME"
    )
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError as error:
        raise refusal from error
    folders = [unquote(folder) for folder in parts.path.split("/") if folder]
    if host not in hosts or len(folders) < 2 or folders[0] != "user":  # noqa: PLR2004 (user and its name)
        raise refusal
    return folders[1]
