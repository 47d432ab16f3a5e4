"""Pictures as people upload them: in their formats, with what their tools write into them."""

from __future__ import annotations

import json
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from civitscrape.archive.pictures.metadata import About
from civitscrape.sandbox.pictures import paint

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = (160, 120)

PARAMETERS = (
    "amber lantern over the harbour, (best quality:1.2), 夜の港 🏮\n"
    "Negative prompt: blurry, naïve\n"
    "Steps: 30, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 4242, Size: 832x1216, Model: emberlight"
)
WORKFLOW = json.dumps({"nodes": [{"id": 1, "text": "港 — a:b, {c}", "type": "KSampler"}]}, ensure_ascii=False)
PROMPT = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 1, "is_changed": [float("nan")]}}})

ABOUT = About(
    tags=["lantern", "night & <sea>", "夜"],
    creator="lampwright",
    source="https://civitai.com/images/7",
    record={"image": {"id": 7, "prompt": "a\0\u0001\ufffe 港", "meta": {"steps": 30}}, "tags": [{"name": "lantern"}]},
)

KEYWORDS = {"parameters": PARAMETERS, "prompt": PROMPT, "workflow": WORKFLOW}


def drawn(seed: int = 7, size: tuple[int, int] = SIZE, mode: str = "RGB") -> Image.Image:
    """Draw a picture; one that can be seen through has a soft edge."""
    picture = paint(seed, *size)
    if mode == "RGBA":
        picture.putalpha(Image.radial_gradient("L").resize(size))
    return picture.convert(mode)


def noise(width: int, height: int) -> Image.Image:
    """Draw what no format can make small, and WebP smaller than PNG."""
    return Image.merge("RGB", [Image.effect_noise((width, height), 60) for _ in range(3)])


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Save a picture."""
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png_of(
    texts: Mapping[str, str], picture: Image.Image | None = None, *, packed: bool = False, exif: bytes | None = None
) -> bytes:
    """Save a PNG with texts, as Pillow writes them: Latin-1 as tEXt, anything else as iTXt."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text, zip=packed)
    return saved(picture or drawn(), "PNG", pnginfo=info, exif=exif)


def with_chunk(content: bytes, name: bytes, body: bytes, *, before: bytes = b"IEND") -> bytes:
    """Put a chunk into a PNG."""
    place = content.index(before) - 4
    return content[:place] + chunk(name, body) + content[place:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def with_segment(content: bytes, marker: int, body: bytes) -> bytes:
    """Put a segment into a JPEG, before all others."""
    return content[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + content[2:]


def exif_of(comment: bytes | None = None, *, order: str = "<", **tags: Any) -> bytes:
    """Make an EXIF block as Pillow writes it, with the least significant byte first or, for ``>``, last."""
    exif = Image.Exif()
    exif.endian = order
    for name, value in tags.items():
        exif[ExifTags.Base[name]] = value
    if comment is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    return exif.tobytes()


def packet(inner: str, attributes: str = "") -> bytes:
    """Make an XMP packet as another program writes it."""
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:harbour="http://example.com/ns/"'
    description = f'<rdf:Description rdf:about="" {dc} {attributes}>{inner}</rdf:Description>'
    body = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {rdf}>{description}</rdf:RDF></x:xmpmeta>'
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def profile() -> bytes:
    """Make an ICC profile for RGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def uploads() -> dict[str, bytes]:
    """Collect pictures of every kind that is converted, each with something in it."""
    comment = b"UNICODE\0" + PARAMETERS.encode("utf-16-be")
    return {
        "png with A1111's text": png_of({"parameters": PARAMETERS}),
        "png with packed texts": png_of(KEYWORDS, packed=True),
        "png with ComfyUI's chunks": png_of({"prompt": PROMPT, "workflow": WORKFLOW}),
        "png that can be seen through": png_of(KEYWORDS, drawn(mode="RGBA")),
        "png of few colours": png_of(KEYWORDS, drawn().quantize(200)),
        "png in grey": png_of({"Software": "harbour"}, drawn(mode="L")),
        "jpeg with a comment": saved(drawn(), "JPEG", quality=95, exif=exif_of(comment, Orientation=6)),
        "jpeg with a profile": saved(drawn(), "JPEG", quality=95, icc_profile=profile(), xmp=packet("")),
        "jpeg in grey": saved(drawn(mode="L"), "JPEG", quality=95),
        "gif": saved(drawn().quantize(200), "GIF", comment="from the harbour"),
    }
