"""A JPEG taken apart into its segments (ITU T.81, annex B), up to where the pixels begin."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import TYPE_CHECKING

from civitscrape.archive.pictures.source import Embedded, Source, limit, text_of
from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIF, XMP, MORE_XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
ICC, IPTC = b"ICC_PROFILE\0", b"Photoshop 3.0\0"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header; the three left out are tables."""
_APP1, _APP2, _APP13, _COMMENT, _SCAN, _END = 0xE1, 0xE2, 0xED, 0xFE, 0xDA, b"\xff\xd9"
_LONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a body."""
_START, _MARK, _LENGTH = b"\xff\xd8", 0xFF, 2
"""What a file and a marker begin with, and bytes of a segment's length."""
_COLOURS = (1, 3)
_BITS = 8
_NOISE = bytes(number * 151 % 255 for number in range(256))
"""Bytes that mean some pixels, whatever the tables; no marker is in them."""
_MORE_XMP_HEAD = 40
"""A digest, the whole length and a place stand before each part."""


def read(content: bytes) -> Source:
    """Take a JPEG apart.

    Raises:
        PictureError: it is broken, holds several pictures, or colours that WebP cannot hold.
    """
    segments = list(_segments(content))
    sizes = [_frame(body) for marker, body in segments if marker in _FRAMES]
    if not sizes:
        raise PictureError("it has no header")
    embedded = Embedded(texts=[text for marker, body in segments for text in _texts(marker, body)])
    embedded.exif = b"".join(_after(EXIF, _APP1, segments)) or None
    embedded.xmp = next(iter(_after(XMP, _APP1, segments)), None)
    if more := [part[_MORE_XMP_HEAD:] for part in _after(MORE_XMP, _APP1, segments)]:
        embedded.texts.append(("xmp extension", text_of(b"".join(more))))
    parts = {part[:1]: part[2:] for part in _after(ICC, _APP2, segments)}  # a number, and how many there are
    embedded.icc = b"".join(parts[number] for number in sorted(parts)) or None
    if _after(b"MPF\0", _APP2, segments):
        raise PictureError("it holds several pictures")
    size = sizes[0]
    return Source(format="JPEG", width=size[0], height=size[1], embedded=limit(embedded), bare=content, lossless=False)


def padded(content: bytes) -> bytes:
    """Put noise before the end, at every mark where a decoder may go on: it changes only pictures that lack pixels.

    Decoders fill up with grey what is not there when the end comes, and do not say so.
    """
    restarts = b"".join(b"\xff" + bytes([0xD0 + number]) + _NOISE for number in range(8))
    return content.rstrip(b"\0").removesuffix(_END) + _NOISE + restarts + _END


def _after(name: bytes, marker: int, segments: list[tuple[int, bytes]]) -> list[bytes]:
    """Find what follows a name in the segments that begin with it."""
    return [body[len(name) :] for found, body in segments if found == marker and body.startswith(name)]


def _texts(marker: int, body: bytes) -> list[tuple[str, str]]:
    if marker == _COMMENT:
        return [("Comment", text_of(body.rstrip(b"\0")))]
    if marker == _APP13 and body.startswith(IPTC):
        return [("iptc base64", b64encode(body[len(IPTC) :]).decode())]
    return []


def _frame(body: bytes) -> tuple[int, int]:
    bits, height, width, colours = struct.unpack_from(">BHHB", body)
    if bits != _BITS:
        raise PictureError(f"it has {bits} bits a colour, and WebP has 8")
    if colours not in _COLOURS:
        raise PictureError(f"it has {colours} colours for print, and WebP has three for screens")
    return width, height


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Give marker and body of each segment before the pixels; the end must be where the file's is."""
    if not content.rstrip(b"\0").endswith(_END):
        raise PictureError("it is cut short, or something follows its end")
    place = len(_START)
    while place + 4 <= len(content):
        if content[place] != _MARK:
            raise PictureError("a segment of it is broken")
        marker = content[place + 1]
        if marker == _MARK:  # padding
            place += 1
            continue
        if marker in _LONE:
            place += 2
            continue
        (size,) = struct.unpack_from(">H", content, place + 2)
        if size < _LENGTH or place + 2 + size > len(content):
            raise PictureError("a segment of it is broken")
        if marker == _SCAN:
            return
        yield marker, content[place + 4 : place + 2 + size]
        place += 2 + size
    raise PictureError("it has no pixels")
