"""The bytes of the sandbox's files: abstract pictures drawn from a seed, in the formats that people upload."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFilter
from PIL.PngImagePlugin import PngInfo

from civitscrape.items import MediaType
from civitscrape.sandbox import videos
from civitscrape.sandbox.drawn import DRAWN_FROM, Drawn
from civitscrape.sandbox.records import generation_data

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
}

EMBEDS = frozenset({"flat", "resources", "text_numbers", "huge_seed", "clip_skip", "many_scripts"})
"""Shapes of generation data that a PNG original of the sandbox carries inside, as A1111 writes it."""

KEPT_SIZES = 50_000

CHUNK, BOX, SEGMENT, COMMENT = 12, 8, 4, 4
"""Bytes of an empty PNG chunk, MP4 box or RIFF chunk, JPEG segment, and the smallest GIF comment."""


def original(record: Record) -> bytes:
    """Make the bytes of an upload: the same for the same record, padded to its ``file_size`` when that is larger."""
    if record.type is MediaType.AUDIO:
        made = videos.mp3(Random(record.seed))
    elif record.type is MediaType.VIDEO:
        made = videos.mp4(_frames(record, 6))
    else:
        made = _encode(record)
    missing = (record.file_size or 0) - len(made)
    return pad(made, record.format, missing) if missing > 0 else made


def body(record: Record) -> bytes | Drawn:
    """Return the bytes of an upload; those of a big video are drawn while they are sent."""
    missing = (record.file_size or 0) - DRAWN_FROM
    if record.type is not MediaType.VIDEO or missing < 0:
        return original(record)
    made = original(replace(record, file_size=None))
    free = struct.pack(">I4s", (record.file_size or 0) - len(made), b"free")
    return Drawn(made + free, record.seed, record.file_size or 0)


@lru_cache(maxsize=KEPT_SIZES)
def size(record: Record) -> int:
    """Return how many bytes an upload has: it is made once to know."""
    return len(body(record))


def rendition(record: Record, width: int, *, webp: bool) -> bytes:
    """Make a smaller JPEG or WebP of a record, as the CDN does for ``width=``; never larger than the original."""
    picture = paint(record.seed, record.width, record.height)
    if width < record.width:
        picture = picture.resize((width, max(1, record.height * width // record.width)), Image.Resampling.LANCZOS)
    return _save(picture, "WEBP", quality=80, method=2) if webp else _save(picture, "JPEG", quality=82)


def film(record: Record, width: int) -> bytes:
    """Make a smaller MP4 of a video, as the CDN does for ``transcode=true,width=``."""
    size = (width, max(2, record.height * width // record.width))
    return videos.mp4([one.resize(size, Image.Resampling.LANCZOS) for one in _frames(record, 6)])


def paint(seed: int, width: int, height: int, *, phase: int = 0) -> Image.Image:
    """Draw lanterns over water under a soft sky; ``phase`` moves the water, for videos."""
    draw = Random(seed)
    sky = Image.new("RGB", (4, 5))
    base = [draw.randrange(30, 200) for _ in range(3)]
    sky.putdata([tuple((one + draw.randrange(-30, 90)) % 256 for one in base) for _ in range(20)])
    picture = sky.resize((width, height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture, "RGBA")
    horizon = height * draw.randrange(50, 72) // 100
    for row in range(4):
        shade = (*[one * (5 - row) // 8 for one in base], 120)
        tops = [(x, horizon + row * height // 11 + _wave(x, row, phase, height)) for x in range(0, width + 8, 8)]
        pen.polygon([(0, height), *tops, (width, height)], fill=shade)
    lights = [
        (draw.randrange(width), draw.randrange(height), draw.randrange(2, 5)) for _ in range(draw.randrange(5, 14))
    ]
    unit = max(width, height) / 100
    glow = Image.new("RGB", (max(width // 4, 1), max(height // 4, 1)))
    halo = ImageDraw.Draw(glow)
    for x, y, size in lights:
        reach = size * unit / 2
        halo.ellipse((x / 4 - reach, y / 4 - reach, x / 4 + reach, y / 4 + reach), fill=(150, 92, 30))
    glow = glow.filter(ImageFilter.GaussianBlur(max(unit / 2, 0.5))).resize((width, height), Image.Resampling.BILINEAR)
    lit = Image.composite(Image.new("RGB", picture.size, (255, 190, 96)), picture, glow.convert("L"))
    picture = Image.blend(picture, lit, 0.85)
    pen = ImageDraw.Draw(picture)
    for x, y, size in lights:
        reach = size * unit / 3
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(255, 226, 168))
    return picture


def _wave(x: int, row: int, phase: int, height: int) -> int:
    """Height of the water at x: arcs of parabolas, in whole numbers so that every machine agrees."""
    along = (x * 2 + phase * 8 + row * 67) % 480 - 240
    arc = 60 - (120 - abs(along)) ** 2 // 240
    return (arc if along < 0 else 60 - arc) * height // 1200


def _frames(record: Record, count: int) -> list[Image.Image]:
    return [paint(record.seed, record.width, record.height, phase=step * 4) for step in range(count)]


def _encode(record: Record) -> bytes:
    picture = paint(record.seed, record.width, record.height)
    match record.format:
        case "png":
            return _save(picture, "PNG", pnginfo=_embedded(record), compress_level=3)
        case "jpeg":
            return _save(picture, "JPEG", quality=88)
        case "webp":
            return _save(picture, "WEBP", quality=84, method=2)
        case "gif":
            small = [one.quantize(48) for one in _frames(record, 3)]
            return _save(small[0], "GIF", save_all=True, append_images=small[1:], duration=240, loop=0)
        case other:
            raise ValueError(
                f"format of image {record.id}: {other!r} is not drawn here; known are png, jpeg, webp, gif"
            )


def _save(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _embedded(record: Record) -> PngInfo:
    """Write the generation data as A1111 does: prompt, negative prompt, one line of parameters."""
    info = PngInfo()
    data = generation_data(record)
    if data is None or record.shape not in EMBEDS:
        return info
    names = {"steps": "Steps", "sampler": "Sampler", "cfgScale": "CFG scale", "seed": "Seed"}
    skipped = {"prompt", "negativePrompt", "hashes", "resources"}
    line = ", ".join(f"{names.get(name, name)}: {value}" for name, value in data.items() if name not in skipped)
    text = f"{data['prompt']}\nNegative prompt: {data['negativePrompt']}\n{line}"
    if text.isascii():
        info.add_text("parameters", text)
    else:
        info.add_itxt("parameters", text)
    return info


def pad(made: bytes, kind: str, missing: int) -> bytes:
    """Lengthen a file by exactly ``missing`` bytes where its format allows, so that it stays valid.

    A gap smaller than a chunk's own header cannot be filled and is left.
    """
    match kind:
        case "png":
            # Before IEND, which is an empty chunk.
            return made if missing < CHUNK else made[:-CHUNK] + _png_chunk(bytes(missing - CHUNK)) + made[-CHUNK:]
        case "jpeg":
            return made[:2] + _jpeg_comments(missing) + made[2:]
        case "webp":
            return _riff_chunk(made, missing)
        case "gif":
            return made[:-1] + _gif_comment(missing) + made[-1:]
        case "mp4":
            return made if missing < BOX else made + struct.pack(">I4s", missing, b"free") + bytes(missing - BOX)
        case _:
            return made + bytes(missing)


def _png_chunk(data: bytes) -> bytes:
    body = b"paDd" + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _jpeg_comments(missing: int) -> bytes:
    """COM segments: two bytes of marker, two of length, the text."""
    out = bytearray()
    while missing >= SEGMENT:
        size = min(missing, 65_537)
        if 0 < missing - size < SEGMENT:
            size -= SEGMENT
        out += struct.pack(">HH", 0xFFFE, size - 2) + b" " * (size - SEGMENT)
        missing -= size
    return bytes(out)


def _riff_chunk(made: bytes, missing: int) -> bytes:
    """An unknown RIFF chunk at the end; chunks are even, so an odd byte is left."""
    missing -= missing % 2
    if missing < BOX:
        return made
    chunk = struct.pack("<4sI", b"PADD", missing - BOX) + bytes(missing - BOX)
    return made[:4] + struct.pack("<I", len(made) - 8 + missing) + made[8:] + chunk


def _gif_comment(missing: int) -> bytes:
    """A comment extension: two bytes, blocks of up to 255 with a length byte each, a zero."""
    if missing < COMMENT:
        return b""
    left, out = missing - 3, bytearray(b"\x21\xfe")
    while left:
        size = min(left, 256)
        if left - size == 1:
            size -= 1
        out += bytes((size - 1,)) + b" " * (size - 1)
        left -= size
    return bytes(out) + b"\x00"
