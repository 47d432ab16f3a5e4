"""A GIF taken apart into its blocks (GIF89a): how many frames it has, and what is written in it."""

from __future__ import annotations

import struct

from civitscrape.archive.pictures.source import Embedded, Source, limit, text_of
from civitscrape.exceptions import PictureError

_HEADER = 13
_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF
_XMP = b"XMP DataXMP"
_XMP_TRAILER = b"\x01\xff\xfe"
"""What follows an XMP packet, so that it can be read as blocks."""


def read(content: bytes) -> Source:
    """Take a GIF apart.

    Raises:
        PictureError: it is broken, or moves.
    """
    try:
        return _read(content)
    except (IndexError, struct.error) as error:
        raise PictureError("it is cut short") from error


def _read(content: bytes) -> Source:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    embedded, frames, place = Embedded(), 0, _HEADER + _table(flags)
    while content[place] != _END:
        if content[place] == _FRAME:
            frames += 1
            place = _after_blocks(content, place + 11 + _table(content[place + 9]))[1]
        elif content[place] == _EXTENSION:
            label, (said, end) = content[place + 1], _after_blocks(content, place + 2)
            if label == _COMMENT:
                embedded.texts.append(("Comment", text_of(said)))
            elif label == _APPLICATION and said.startswith(_XMP):
                embedded.xmp = content[place + 3 + len(_XMP) : end].partition(_XMP_TRAILER)[0]
            place = end
        else:
            raise PictureError("a block of it is broken")
    if frames != 1:
        raise PictureError("it is animated" if frames else "it has no pixels")
    return Source(format="GIF", width=width, height=height, embedded=limit(embedded), bare=content, lossless=True)


def _table(flags: int) -> int:
    """Count the bytes of a colour table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(content: bytes, place: int) -> tuple[bytes, int]:
    """Join data blocks; tell where they end."""
    said = []
    while size := content[place]:
        said.append(content[place + 1 : place + 1 + size])
        place += 1 + size
    return b"".join(said), place + 1
