"""Whether a picture or film is here to its end, told from the few bytes of it that say so: nothing is decoded.

A server that halves a file and tells the shorter length truthfully betrays itself by nothing but this. What is not
understood passes: a file that the site has is not refused for being odd.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from civitscrape.archive import formats

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_STEPS = 100_000
"""Chunks, segments, blocks or boxes that are stepped over at most; a file of more is not judged."""

_TAIL = 1024
_BLOCK = 64 * 1024

_PNG_START = 8
_PNG_FRAME = 12
"""Bytes of a chunk beside its data: length, name, checksum."""
_PNG_END = b"IEND\xaeB`\x82"

_JPEG_END = b"\xff\xd9"
_MARK, _SCAN = 0xFF, 0xDA
_LONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers of a JPEG without a length: restarts, and the start of the picture."""

_GIF_HEADER = 13
_FRAME_HEADER = 10
_EXTENSION, _FRAME, _GIF_END = b"\x21", b"\x2c", b"\x3b"

_BOXES = frozenset({
    b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"meta", b"free", b"skip", b"wide", b"uuid", b"pnot", b"udta",
    b"styp", b"sidx", b"emsg", b"idat",
})  # fmt: skip
"""Boxes at the top of a film; behind the last of them anything may lie."""
_BOX_HEADER = 8
_LONG_BOX = 1
"""Size of a box that stands for another, which follows in eight bytes."""

_SEGMENT = b"\x18\x53\x80\x67"
"""The element of an EBML file that holds all but its head."""


def flaw(file: BinaryIO, head: bytes) -> str | None:
    """Say that the end of a picture or film is missing; None when it is there, or nobody can tell.

    Args:
        file: what is there of it, open for reading.
        head: its first bytes.

    Raises:
        OSError: it cannot be read.
    """
    known = formats.sniff(head)
    lacks = None if known is None else _LACKS.get(known)
    if lacks is None:
        return None
    lack = lacks(file, file.seek(0, os.SEEK_END))
    return None if lack is None else f"its end is missing: {lack}"


def _png(file: BinaryIO, size: int) -> str | None:
    if _tail(file, size).endswith(_PNG_END):
        return None
    place = _PNG_START
    for _ in range(MOST_STEPS):
        header = _at(file, place, 8)
        place += _PNG_FRAME + int.from_bytes(header[:4])
        if place > size:
            return "a PNG without IEND"
        if header[4:] == b"IEND" or not header[4:].isalpha():  # whatever is behind it
            return None
    return None


def _jpeg(file: BinaryIO, size: int) -> str | None:
    """Look at the last bytes, and where they are something else, for the end of the picture before that.

    It is sought behind the first scan: the small picture that a camera puts before it has an end of its own.
    """
    if _tail(file, size).endswith(_JPEG_END):
        return None
    place = 2
    for _ in range(MOST_STEPS):
        mark, kind, *length = _at(file, place, 4).ljust(4, b"\0")
        if place + 4 > size or (mark == _MARK and kind == _SCAN and not _has(file, place, _JPEG_END)):
            return "a JPEG without EOI"
        if mark != _MARK or kind == _SCAN:
            return None
        if kind == _MARK:  # padding
            place += 1
        else:
            place += 2 if kind in _LONE else 2 + int.from_bytes(bytes(length))
    return None


def _webp(file: BinaryIO, size: int) -> str | None:
    told = 8 + int.from_bytes(_at(file, 4, 4), "little")
    if told <= size + 1:  # some leave out the byte that makes the length even
        return None
    return f"a WebP of {told} bytes has {size}"


def _gif(file: BinaryIO, size: int) -> str | None:
    if _tail(file, size).endswith(b"\0" + _GIF_END):
        return None
    place = _GIF_HEADER + _table(_at(file, 10, 1))
    for _ in range(MOST_STEPS):
        kind = _at(file, place, 1)
        if not kind:
            return "a GIF without a trailer"
        if kind not in {_FRAME, _EXTENSION}:
            return None
        place += _FRAME_HEADER + _table(_at(file, place + 9, 1)) + 1 if kind == _FRAME else 2
        while length := int.from_bytes(_at(file, place, 1)):
            place += 1 + length
        place += 1
    return None


def _table(flags: bytes) -> int:
    """Count the bytes of a colour table."""
    told = int.from_bytes(flags)
    return 3 << (told & 7) + 1 if told & 0x80 else 0


def _film(file: BinaryIO, size: int) -> str | None:
    """Add up the boxes at the top of an ISO base media file."""
    place = 0
    for _ in range(MOST_STEPS):
        header = _at(file, place, 16)
        length = int.from_bytes(header[:4])
        if length == _LONG_BOX:
            length = int.from_bytes(header[8:])
        if header[4:8] not in _BOXES or length < _BOX_HEADER:  # the end, or a box that reaches there
            return None
        place += length
        if place > size:
            return f"boxes of {place} bytes have {size}"
    return None


def _ebml(file: BinaryIO, size: int) -> str | None:
    """Hold the length of the segment against the file; a film that was written as it ran has none."""
    head = _at(file, 0, formats.HEAD_SIZE)
    place, length = _number(head, 4)
    place += length or 0
    if head[place : place + 4] != _SEGMENT:
        return None
    place, length = _number(head, place + 4)
    if length is None or place + length <= size:
        return None
    return f"a film of {place + length} bytes has {size}"


def _number(head: bytes, place: int) -> tuple[int, int | None]:
    """Read a number of EBML: where it ends, and what it is; None for the one that stands for unknown."""
    width = 9 - int.from_bytes(head[place : place + 1]).bit_length()
    most = (1 << 7 * width) - 1
    told = int.from_bytes(head[place : place + width]) & most
    return place + width, None if told == most else told


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _tail(file: BinaryIO, size: int) -> bytes:
    """Read the last bytes, without the zeros that some fill files up with."""
    return _at(file, max(0, size - _TAIL), _TAIL).rstrip(b"\0")


def _has(file: BinaryIO, place: int, sought: bytes) -> bool:
    """Tell whether bytes come anywhere behind a place."""
    before = b""
    while block := _at(file, place, _BLOCK):
        if sought in before + block:
            return True
        before, place = block[-1:], place + len(block)
    return False


_LACKS: dict[formats.Format, Callable[[BinaryIO, int], str | None]] = {
    formats.PNG: _png,
    formats.JPEG: _jpeg,
    formats.WEBP: _webp,
    formats.GIF: _gif,
    **dict.fromkeys((formats.MP4, formats.M4V, formats.MOV, formats.AVIF, formats.HEIC), _film),
    **dict.fromkeys((formats.WEBM, formats.MKV), _ebml),
}
