"""A WebP taken apart into its chunks (RFC 9649), and put together again with other data beside the same pixels."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from civitscrape.archive.pictures.source import Embedded, Source
from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = 12
_ICC, _ALPHA, _EXIF, _XMP, _MOVES = 0x20, 0x10, 0x08, 0x04, 0x02
"""Flags of the extended header."""
_OWN = frozenset({b"VP8X", b"ICCP", b"EXIF", b"XMP "})
"""Chunks that are written anew."""
_LOSSLESS_MARK = 0x2F


def read(content: bytes) -> Source:
    """Take a WebP apart.

    Raises:
        PictureError: it is broken.
    """
    embedded, size, lossless = Embedded(), None, False
    for name, body in _chunks(content):
        if name == b"EXIF":
            embedded.exif = body.removeprefix(b"Exif\0\0")
        elif name == b"XMP ":
            embedded.xmp = body
        elif name == b"ICCP":
            embedded.icc = body
        elif name in {b"VP8 ", b"VP8L", b"VP8X"}:
            size = size or _size(name, body)
            lossless = lossless or name == b"VP8L"
    if size is None:
        raise PictureError("it has no pixels")
    return Source(format="WEBP", width=size[0], height=size[1], embedded=embedded, bare=content, lossless=lossless)


def replaced(content: bytes, embedded: Embedded) -> bytes:
    """Put other data beside the same pixels; texts have no place of their own in a WebP.

    Raises:
        PictureError: it is broken.
    """
    flags, size, pixels = 0, None, []
    for name, body in _chunks(content):
        if name == b"VP8X":
            flags = body[0] & (_ALPHA | _MOVES)
        if name in {b"VP8 ", b"VP8L", b"VP8X"}:
            size = size or _size(name, body)
        if name == b"VP8L" and body[4] & 0x10:
            flags |= _ALPHA
        if name not in _OWN:
            pixels.append(_chunk(name, body))
    if size is None:
        raise PictureError("it has no pixels")
    for flag, block in ((_ICC, embedded.icc), (_EXIF, embedded.exif), (_XMP, embedded.xmp)):
        flags |= flag if block else 0
    canvas = b"".join((one - 1).to_bytes(3, "little") for one in size)
    chunks = [_chunk(b"VP8X", struct.pack("<L", flags) + canvas)]
    chunks += [_chunk(b"ICCP", embedded.icc)] if embedded.icc else []
    chunks += pixels
    chunks += [_chunk(b"EXIF", embedded.exif)] if embedded.exif else []
    chunks += [_chunk(b"XMP ", embedded.xmp)] if embedded.xmp else []
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<L", len(body)) + body + bytes(len(body) % 2)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:_HEAD] != b"WEBP":
        raise PictureError("it is no WebP")
    place = _HEAD
    end = min(len(content), 8 + struct.unpack_from("<L", content, 4)[0])
    while place + 8 <= end:
        name, size = struct.unpack_from("<4sL", content, place)
        if place + 8 + size > end:
            raise PictureError("it is cut short")
        yield name, content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _size(name: bytes, body: bytes) -> tuple[int, int]:
    try:
        if name == b"VP8X":
            return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
        if name == b"VP8L":
            bits = struct.unpack_from("<xL", body)[0]
            if body[0] != _LOSSLESS_MARK:
                raise PictureError("its pixels are broken")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        width, height = struct.unpack_from("<6xHH", body)
    except struct.error as error:
        raise PictureError("it is cut short") from error
    return width & 0x3FFF, height & 0x3FFF
