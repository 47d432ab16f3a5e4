"""What a picture file is made of, before anything is decoded: its size, what is embedded, and what a decoder needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from civitscrape.exceptions import PictureError

MOST_TEXT = 16 * 2**20
"""Bytes of embedded data, unpacked; the largest ComfyUI workflows have one million."""


@dataclass(slots=True, kw_only=True)
class Embedded:
    """What a picture carries beside its pixels."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    """Texts by the names that the format gives them, such as a PNG's keywords, in their order."""
    exif: bytes | None = None
    """EXIF as a TIFF block, without the letters that JPEG puts before it."""
    xmp: bytes | None = None
    """XMP packet."""
    icc: bytes | None = None
    """ICC profile."""

    @property
    def size(self) -> int:
        """Count bytes, or letters."""
        blocks = sum(len(one) for one in (self.exif, self.xmp, self.icc) if one)
        return blocks + sum(len(name) + len(text) for name, text in self.texts)


@dataclass(slots=True, kw_only=True)
class Source:
    """A picture file, taken apart."""

    format: str
    """``PNG``, ``JPEG``, ``GIF`` or ``WEBP``, as Pillow calls it."""
    width: int
    height: int
    embedded: Embedded
    bare: bytes
    """The file without what is embedded, as far as that could be in a decoder's way."""
    lossless: bool
    """Whether its pixels are what somebody made, bit by bit."""


def limit(embedded: Embedded) -> Embedded:
    """Refuse what is too much to be carried over.

    Raises:
        PictureError: more than ``MOST_TEXT`` is embedded.
    """
    if embedded.size > MOST_TEXT:
        raise PictureError(f"more than {MOST_TEXT >> 20} MiB of text are embedded in it")
    return embedded


def text_of(content: bytes) -> str:
    r"""Read bytes that ought to be Latin-1 and often are UTF-8.

    >>> text_of("港".encode()), text_of(b"caf\xe9")
    ('港', 'café')
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
