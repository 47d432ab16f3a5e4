"""EXIF as it is stored, a TIFF block: read its directories, and add to it without moving what is there.

Values in a TIFF block are named by their place from its beginning. So a block is never taken apart: directories are
written anew behind it, with the old entries as they were, and maker notes, thumbnails and positions stay where they
were. Pillow's own writing would lose letters beyond ASCII.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE_DESCRIPTION, MAKE, MODEL, ORIENTATION = 0x010E, 0x010F, 0x0110, 0x0112
EXIF_DIRECTORY, USER_COMMENT = 0x8769, 0x9286
"""Numbers of tags (Exif 2.32, tables 4 and 8)."""

ASCII, LONG, UNDEFINED = 2, 4, 7
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of one value, by type (TIFF 6.0, section 2)."""

EMPTY = b"MM\0*\0\0\0\x08"
"""Header of a block whose first directory follows at once; its order is that in which A1111 writes its text."""

MOST_ENTRIES = 4096
"""Entries of a directory; a camera writes some fifty."""

_ENTRY = 12
_HEADER = 8
_IN_PLACE = 4
"""Bytes of a value that fits into its entry."""


class Value(NamedTuple):
    """What a tag says."""

    kind: int
    """Type, by its TIFF number."""
    content: bytes
    """Bytes of the value, in the order of the block."""


@dataclass(slots=True)
class Directory:
    """One directory of a block, read but not understood."""

    entries: dict[int, bytes]
    """The twelve bytes of each entry, by tag."""
    following: int
    """Place of the next directory; 0 for none."""


@dataclass(slots=True)
class Block:
    """An EXIF block."""

    content: bytes
    order: str
    """``<`` for the least significant byte first, else ``>``."""
    image: Directory
    exif: Directory

    def value(self, directory: Directory, tag: int) -> bytes | None:
        """Read a value; None when it is not there, or lies outside the block."""
        entry = directory.entries.get(tag)
        if entry is None:
            return None
        _, kind, count = struct.unpack_from(f"{self.order}HHL", entry)
        size = SIZES.get(kind, 0) * count
        if size <= _IN_PLACE:
            return entry[8 : 8 + size]
        (start,) = struct.unpack_from(f"{self.order}L", entry, 8)
        return self.content[start : start + size] if start + size <= len(self.content) else None


def parse(content: bytes) -> Block:
    """Read the first directory of a block, and the one that it names for EXIF's own tags.

    Raises:
        PictureError: it is no TIFF block.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None or len(content) < _HEADER:
        raise PictureError("its EXIF block has no beginning")
    (start,) = struct.unpack_from(f"{order}L", content, 4)
    image = _directory(content, order, start)
    block = Block(content, order, image, Directory({}, 0))
    place = block.value(image, EXIF_DIRECTORY)
    if place is not None and len(place) == _IN_PLACE:
        block.exif = _directory(content, order, *struct.unpack(f"{order}L", place))
    return block


def _directory(content: bytes, order: str, start: int) -> Directory:
    if start + 2 > len(content):
        raise PictureError(f"its EXIF block of {len(content)} bytes has a directory at {start}")
    (count,) = struct.unpack_from(f"{order}H", content, start)
    end = start + 2 + count * _ENTRY
    if count > MOST_ENTRIES or end > len(content):
        raise PictureError(f"its EXIF block has a directory of {count} entries that does not fit into it")
    entries = [content[place : place + _ENTRY] for place in range(start + 2, end, _ENTRY)]
    following = struct.unpack_from(f"{order}L", content, end)[0] if end + 4 <= len(content) else 0
    return Directory({struct.unpack_from(f"{order}H", one)[0]: one for one in entries}, following)


def amend(block: Block | None, image: Mapping[int, Value], exif: Mapping[int, Value]) -> bytes:
    """Write values into a block, in place of those with the same tags; None makes a new block.

    Directories come before the values, and short values before long ones, so that a reader that stops after 64 KB has
    as much as it can have.
    """
    if block is None:
        block = Block(EMPTY, ">", Directory({}, 0), Directory({}, 0))
    order, head = block.order, block.content + bytes(len(block.content) % 2)
    tags = block.image.entries.keys() | image.keys()
    own = block.exif.entries.keys() | exif.keys()
    if own:
        tags |= {EXIF_DIRECTORY}
    first = len(head)
    second = first + _size_of(len(tags))
    values = second + (_size_of(len(own)) if own else 0)
    named = dict(image)
    if own:
        named[EXIF_DIRECTORY] = Value(LONG, struct.pack(f"{order}L", second))
    places, tail = _lay_out([*named.values(), *exif.values()], values)
    written = _written(order, block.image, tags, named, places)
    if own:
        written += _written(order, block.exif, own, exif, places)
    return head[:4] + struct.pack(f"{order}L", first) + head[8:] + written + tail


def _size_of(entries: int) -> int:
    return 2 + entries * _ENTRY + 4


def _lay_out(values: list[Value], start: int) -> tuple[dict[bytes, int], bytes]:
    """Place the values that need room, the short ones first; equal ones share it."""
    places: dict[bytes, int] = {}
    tail = bytearray()
    for one in sorted({value.content for value in values if len(value.content) > _IN_PLACE}, key=len):
        places[one] = start + len(tail)
        tail += one + bytes(len(one) % 2)
    return places, bytes(tail)


def _written(
    order: str, directory: Directory, tags: set[int], values: Mapping[int, Value], places: Mapping[bytes, int]
) -> bytes:
    out = [struct.pack(f"{order}H", len(tags))]
    for tag in sorted(tags):
        if tag not in values:
            out.append(directory.entries[tag])
            continue
        kind, content = values[tag]
        head = struct.pack(f"{order}HHL", tag, kind, len(content) // SIZES[kind])
        place = places.get(content)
        out.append(head + (content.ljust(_IN_PLACE, b"\0") if place is None else struct.pack(f"{order}L", place)))
    return b"".join(out) + struct.pack(f"{order}L", directory.following)
