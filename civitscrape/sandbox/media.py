"""The CDN: originals and renditions by key, with ranges and true content types (contract rest.md §10)."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import MediaType
from civitscrape.sandbox import pictures
from civitscrape.sandbox.ask import Answer
from civitscrape.sandbox.drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

BUCKET = "xG1nkqKTMzGDvpLrqFT7WA"
"""First part of media paths, as on the site."""
CACHE_PREFIX = "/file/civitai-media-cache/"
"""What paths on image-b2.civitai.com start with."""
LADDER = (96, 320, 450, 512, 800, 1200, 1600, 2200)
WIDEST = 1800
ROOM = 600 * 1024 * 1024
"""Bytes of files kept in memory: about 3,000 of 200 KB, a whole benchmark."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class File(NamedTuple):
    """What one address gives."""

    body: bytes | Drawn
    content_type: str
    etag: str

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes."""
        return 0 if isinstance(self.body, Drawn) else len(self.body)


class Wish(NamedTuple):
    """What an address asks for."""

    key: str
    width: int | None
    """Width on the ladder for a rendition; null for the original."""
    webp: bool
    still: bool
    """Whether a picture is wanted of whatever it is: a poster."""


def parse(path: str) -> Wish | None:
    """Read ``/{bucket}/{key}/{params}/{name}`` or the cache's form of it; null when it is neither.

    >>> parse("/xG1nkqKTMzGDvpLrqFT7WA/aaa/width=500,optimized=true/x.jpeg")
    Wish(key='aaa', width=512, webp=True, still=False)
    """
    if path.startswith(CACHE_PREFIX):
        key, _, params = path.removeprefix(CACHE_PREFIX).partition("/")
    else:
        parts = path.split("/")
        if len(parts) != 5 or parts[1] != BUCKET:  # noqa: PLR2004 - the leading slash makes the fifth
            return None
        key, params = parts[2], parts[3]
    options = dict(one.partition("=")[::2] for one in params.split(","))
    width = None
    if options.get("original") in (None, "false") and options.get("width", "").isdecimal():
        asked = int(options["width"])
        width = min(next((step for step in LADDER if step >= asked), LADDER[-1]), WIDEST)
    return Wish(key, width, options.get("optimized") == "true", options.get("anim") == "false")


class Files:
    """Bytes of files, made when first asked for and kept while there is room."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._used = 0
        self._kept: OrderedDict[Wish, tuple[Record, File]] = OrderedDict()

    def kept(self, record: Record, wish: Wish) -> File | None:
        """Return a file that was made before of the very same record; another world may use its key again."""
        found = self._kept.get(wish)
        return found[1] if found and found[0] is record else None

    def keep(self, record: Record, wish: Wish, made: File) -> None:
        """Keep a file; the oldest go when the room is full."""
        old = self._kept.pop(wish, None)
        self._kept[wish] = record, made
        self._used += made.weight - (old[1].weight if old else 0)
        while self._used > self._room and len(self._kept) > 1:
            self._used -= self._kept.popitem(last=False)[1][1].weight


def make(record: Record, wish: Wish) -> File:
    """Make the file that an address gives."""
    etag = f'"{record.key}-{wish.width or 0}{"w" if wish.webp else ""}{"s" if wish.still else ""}"'
    if wish.still and record.type is MediaType.VIDEO:
        return File(pictures.rendition(record, wish.width or record.width, webp=False), "image/jpeg", etag)
    if wish.width is not None and wish.width < record.width and record.type is MediaType.VIDEO:
        return File(pictures.film(record, wish.width), "video/mp4", etag)
    if wish.width is None or record.type is not MediaType.IMAGE:
        return File(pictures.body(record), pictures.CONTENT_TYPES[record.format], etag)
    body = pictures.rendition(record, wish.width, webp=wish.webp)
    return File(body, "image/webp" if wish.webp else "image/jpeg", etag)


def find(site: Site, path: str) -> tuple[Record, Wish] | None:
    """Find what a path speaks of; null when there is no such key or its bytes are gone."""
    wish = parse(path)
    record = site.world.keys.get(wish.key) if wish else None
    if wish is None or record is None or record.deleted:
        return None
    return record, wish


def missing() -> Answer:
    """Answer 404 as the CDN does."""
    return Answer(404, b"Not Found", {"Content-Type": "text/plain", "Cache-Control": "no-cache"})


def redirect(wish: Wish, *, real: bool) -> Answer:
    """Send the caller on to the cache's host, which on the loopback is this one."""
    host = "https://image-b2.civitai.com" if real else ""
    params = f"width={wish.width}" if wish.width else "original"
    return Answer(302, b"", {"Location": f"{host}{CACHE_PREFIX}{wish.key}/{params}", "Cache-Control": "no-cache"})


def answer(file: File, headers: Mapping[str, str]) -> Answer:
    """Answer with a file, a part of it, or the news that nothing changed."""
    head = {"ETag": file.etag, "Accept-Ranges": "bytes", "Cache-Control": "public, max-age=31536000"}
    if headers.get("If-None-Match") == file.etag:
        return Answer(304, b"", head)
    head["Content-Type"] = file.content_type
    asked = headers.get("Range")
    if asked is None or headers.get("If-Range", file.etag) != file.etag:
        return Answer(200, file.body, head)
    part = _part(asked, len(file.body))
    if part is None:
        return Answer(200, file.body, head)
    start, stop = part
    if start >= stop:
        return Answer(416, b"", head | {"Content-Range": f"bytes */{len(file.body)}"})
    head["Content-Range"] = f"bytes {start}-{stop - 1}/{len(file.body)}"
    return Answer(206, file.body[start:stop], head)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """Read a single byte range as start and stop; null when it is of another kind and to be ignored."""
    found = _RANGE.fullmatch(asked)
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        return max(size - int(found[2]), 0), size
    return int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
