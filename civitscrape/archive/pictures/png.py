"""A PNG taken apart into its chunks (PNG, third edition): texts are read here, and kept from the decoder.

Pillow refuses a picture whose packed texts are longer than a million letters, and sees texts after the pixels only once
these are decoded.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from civitscrape.archive.pictures.source import MOST_TEXT, Embedded, Source, limit, text_of
from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP = "XML:com.adobe.xmp"
_CHUNK = 12
"""Bytes of an empty chunk: length, name, checksum."""
_HEADER = 13
_MOST_BITS = 8
_TAKEN_OUT = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"})
_EXIF = b"Exif\0\0"
"""What JPEG has before the block; some programs write it into a PNG too, and viewers look behind it."""
_MOST_CHUNKS = 4096
"""Chunks beside the pixels; real pictures have a dozen."""
_NAMED = frozenset({b"iCCP", b"sRGB"})
"""Chunks that name the colours; viewers then look at no other."""
_SRGB = {
    b"gAMA": ((45_455,), 455),
    b"cHRM": ((31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000), 300),
}
"""What chunks say that describe sRGB by numbers, and how far off they may be: some programs round."""


def read(content: bytes) -> Source:
    """Take a PNG apart.

    Raises:
        PictureError: it is broken, moves, or has colours that WebP cannot hold.
    """
    embedded, bare, header, colours = Embedded(), [SIGNATURE], b"", dict[bytes, bytes]()
    used = 0
    for name, chunk, body in _chunks(content):
        if name == b"IHDR":
            header = body
        elif name == b"acTL":
            raise PictureError("it is animated")
        elif name == b"cICP":
            raise PictureError("it has a colour space that WebP cannot name")
        elif name in _SRGB or name in _NAMED:
            colours[name] = body
        if name in _TAKEN_OUT:
            used += _take(embedded, name, body, used)
        else:
            bare.append(chunk)
    if len(header) != _HEADER:
        raise PictureError("it has no header")
    if not colours.keys() & _NAMED:
        _require_srgb(colours)
    width, height, bits = struct.unpack_from(">LLB", header)
    if bits > _MOST_BITS:
        raise PictureError(f"it has {bits} bits a colour, and WebP has 8")
    return Source(
        format="PNG", width=width, height=height, embedded=limit(embedded), bare=b"".join(bare), lossless=True
    )


def _require_srgb(colours: dict[bytes, bytes]) -> None:
    """Refuse colours that are described by numbers and are not sRGB: nobody would see them in a WebP.

    Raises:
        PictureError: they are others.
    """
    for name, body in colours.items():
        wanted, far = _SRGB[name]
        found = struct.unpack_from(f">{len(wanted)}L", body)
        if any(abs(one - other) > far for one, other in zip(found, wanted, strict=True)):
            raise PictureError(
                f"its chunk {name.decode()} says that its colours are not sRGB, and WebP cannot say that"
            )


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Give name, whole and body of each chunk to the last; nothing may follow that."""
    place, beside = len(SIGNATURE), 0
    while place + _CHUNK <= len(content):
        size, name = struct.unpack_from(">L4s", content, place)
        end = place + _CHUNK + size
        if end > len(content):
            raise PictureError("it is cut short")
        (checksum,) = struct.unpack_from(">L", content, end - 4)
        if zlib.crc32(memoryview(content)[place + 4 : end - 4]) != checksum:
            raise PictureError(f"its chunk {text_of(name)!r} is broken")
        beside += name != b"IDAT"
        if beside > _MOST_CHUNKS:
            raise PictureError(f"it has more than {_MOST_CHUNKS} chunks beside its pixels")
        yield name, content[place:end], content[place + 8 : end - 4]
        if name == b"IEND":
            if content[end:].strip(b"\0"):
                raise PictureError(f"{len(content) - end} bytes follow its end")
            return
        place = end
    raise PictureError("it is cut short")


def _take(embedded: Embedded, name: bytes, body: bytes, used: int) -> int:
    """Keep what a chunk says; tell how much that is, beside what is ``used`` already."""
    if name == b"eXIf":
        embedded.exif = body.removeprefix(_EXIF)
        return len(body)
    keyword, _, rest = body.partition(b"\0")
    if name == b"tEXt":
        said = rest
    elif name == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:]
        said = rest.split(b"\0", 2)[-1]
        said = _unpacked(said, used) if packed else said
    else:
        said = _unpacked(rest[1:], used)
    if name == b"iCCP":
        embedded.icc = said
    elif text_of(keyword) == XMP and embedded.xmp is None:
        embedded.xmp = said
    else:
        embedded.texts.append((text_of(keyword), text_of(said)))
    return len(keyword) + len(said)


def _unpacked(packed: bytes, used: int) -> bytes:
    """Unpack, but never more than may be kept: a kilobyte can hold a gigabyte."""
    room = max(MOST_TEXT - used, 0)
    unpacker = zlib.decompressobj()
    try:
        said = unpacker.decompress(packed, room + 1)
    except zlib.error as error:
        raise PictureError(f"a text in it cannot be unpacked: {error}") from error
    if len(said) > room:
        raise PictureError(f"more than {MOST_TEXT >> 20} MiB of text are embedded in it")
    if not unpacker.eof:
        raise PictureError("a text in it is cut short")
    return said
