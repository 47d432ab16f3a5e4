"""A picture becomes a WebP, and is proven to be the same picture before anybody is told.

Nothing in here writes a file. Whatever is wrong with a picture ends in ``Left`` and a reason, never in an error.
"""

from __future__ import annotations

import logging
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from civitscrape.archive import formats
from civitscrape.archive.pictures import hashing, jpeg, metadata, riff
from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from civitscrape.archive.pictures.metadata import About
    from civitscrape.archive.pictures.options import Options
    from civitscrape.archive.pictures.source import Source

MOST_SIDE = 16_383
"""Pixels of a side that WebP can hold."""
MOST_PIXELS = 2**26
"""Pixels of a picture that is decoded at all: 8192 by 8192, a quarter of a gigabyte in memory."""
MOST_DISTANCE = 6
"""Bits of the perceptual hash in which a WebP may differ from its original; other pictures differ in twenty."""

logger = logging.getLogger(__name__)

_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A WebP that was proven to be the picture it was made of."""

    content: bytes
    phash: str
    pixels: int
    quality: int
    """Quality that it was made with; 100 for one without loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A picture that is left as it is."""

    reason: str
    phash: str | None = None
    pixels: int = 0


def convert(content: bytes, about: About, options: Options) -> Converted | Left:
    """Make a WebP of the bytes of a picture, with all that is embedded in them and known about it."""
    looked: hashing.Look | None = None
    pixels = 0
    try:
        source = _source(content)
        picture = _decoded(source.bare, source.format, (source.width, source.height))
        _require_whole(picture, source)
        pixels = source.width * source.height
        looked = hashing.look(picture)
        lossless = options.lossless and source.lossless
        made = _encoded(picture, source, about, options, lossless=lossless)
        _require_smaller(len(made), len(content))
        _prove(made, picture, looked, source, about, lossless=lossless)
    except PictureError as error:
        return Left(reason=str(error), phash=looked and str(looked), pixels=pixels)
    except Exception as error:
        logger.exception("a picture could not be converted, and is left as it is")
        return Left(reason=f"it could not be converted: {error!r}", pixels=pixels)
    return Converted(content=made, phash=str(looked), pixels=pixels, quality=100 if lossless else options.quality)


def _require_smaller(made: int, was: int) -> None:
    if made >= was:
        raise PictureError(f"a WebP of it is no smaller: {made} bytes, not {was}")


def _source(content: bytes) -> Source:
    """Take a picture apart, if it is of a kind that is converted."""
    found = formats.sniff(content[: formats.HEAD_SIZE])
    if found is None:
        raise PictureError("it is no picture")
    if found is formats.WEBP:
        raise PictureError("it is a WebP already")
    reader = metadata.READERS.get(found.content_type)
    if reader is None:
        raise PictureError(f"it is {found.content_type}, and PNG, JPEG and GIF are converted")
    try:
        source = reader(content)
    except (struct.error, zlib.error, IndexError, ValueError) as error:
        raise PictureError(f"it is broken: {error}") from error
    width, height = source.width, source.height
    if not width or not height:
        raise PictureError("it has no pixels")
    if max(width, height) > MOST_SIDE:
        raise PictureError(f"it has {width} x {height} pixels, and a side of a WebP at most {MOST_SIDE}")
    if width * height > MOST_PIXELS:
        raise PictureError(f"it has {width} x {height} pixels, which are more than {MOST_PIXELS}")
    return source


def _decoded(content: bytes, kind: str, size: tuple[int, int]) -> Image.Image:
    """Decode a picture to RGB or RGBA.

    Raises:
        PictureError: it cannot be decoded, is of another size, or has colours that would be lost.
    """
    try:
        picture: Image.Image = Image.open(BytesIO(content), formats=[kind])
        _require_sound(picture, size)
        picture.load()
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        return picture if picture.mode == mode else picture.convert(mode)
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError("there is not enough memory to decode it") from error
    except Exception as error:  # decoders fail in every way there is, once bytes are wrong
        raise PictureError(f"it cannot be decoded: {error or type(error).__name__}") from error


def _require_whole(picture: Image.Image, source: Source) -> None:
    """Refuse a JPEG whose pixels stop before its end, which decoders fill up with grey."""
    if source.format != "JPEG":
        return
    again = _decoded(jpeg.padded(source.bare), source.format, picture.size)
    if ImageChops.difference(again, picture).getbbox():
        raise PictureError("its pixels stop before its end")


def _require_sound(opened: Image.Image, size: tuple[int, int]) -> None:
    if opened.size != size:
        raise PictureError(f"it has {opened.width} x {opened.height} pixels, not {size[0]} x {size[1]}")
    if opened.mode not in _MODES:
        raise PictureError(f"its colours are of the kind {opened.mode}, which WebP does not have")


def _encoded(picture: Image.Image, source: Source, about: About, options: Options, *, lossless: bool) -> bytes:
    if source.embedded.icc and picture.getbands()[:3] == ("R", "G", "B") and source.embedded.icc[16:20] != b"RGB ":
        raise PictureError("its colour profile is not for RGB, and WebP has nothing else")
    data = metadata.carried(source.embedded, about)
    out = BytesIO()
    try:
        picture.save(
            out,
            "WEBP",
            quality=options.quality,
            method=options.method,
            lossless=lossless,
            exact=lossless,
            exif=data.exif or b"",
            xmp=data.xmp or b"",
            icc_profile=data.icc or b"",
        )
    except (OSError, ValueError, MemoryError) as error:
        raise PictureError(f"it cannot be encoded: {error}") from error
    return out.getvalue()


def _prove(
    made: bytes, picture: Image.Image, looked: hashing.Look, source: Source, about: About, *, lossless: bool
) -> None:
    """Read a WebP as anybody would, and compare.

    Raises:
        PictureError: something in it is not as it was.
    """
    read = riff.read(made)
    if flaw := metadata.flaw(source.embedded, read.embedded, about):
        raise PictureError(flaw)
    again = _decoded(made, "WEBP", picture.size)
    if lossless:
        if ImageChops.difference(again.convert("RGBA"), picture.convert("RGBA")).getbbox(alpha_only=False):
            raise PictureError("its pixels were not read back as they were")
        return
    if _alpha(again) != _alpha(picture):
        raise PictureError("its transparency was not read back as it was")
    far = hashing.distance(looked, hashing.look(again))
    if far > MOST_DISTANCE:
        raise PictureError(f"the WebP does not look like it: {far} of 64 bits differ")


def _alpha(picture: Image.Image) -> bytes | None:
    """Read the transparency; None where there is none."""
    if picture.mode != "RGBA":
        return None
    alpha = picture.getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha.tobytes()
