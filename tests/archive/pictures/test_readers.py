"""What exiftool and Pillow read in an upload is what they read in its WebP, in every script and byte order."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from PIL import ExifTags, Image

from civitscrape.archive.pictures.convert import Converted, Left, convert
from civitscrape.archive.pictures.options import Options
from civitscrape.archive.retagging import retold
from tests.archive.pictures.making import ABOUT, PARAMETERS, PROMPT, drawn, exif_of, png_of, saved

ORDERS = {"least significant first": "<", "most significant first": ">"}
UTF16 = {"<": "utf-16-le", ">": "utf-16-be"}
TAIL = "\nNegative prompt: 霧\nSteps: 30, Sampler: Euler a, Seed: 4242"
PROMPTS = {
    "Latin": PARAMETERS,
    "Japanese": f"夜の港、灯籠、波、(提灯:1.2){TAIL}",
    "emoji": f"🏮 lantern, 👩‍🚀 astronaut, 🌊🌊{TAIL}",
    "accents": f"naïve façade, Zoë, ñandú{TAIL}",
}
JAPANESE = f"夜の港、灯籠、波{TAIL}"


def converted(content: bytes) -> bytes:
    fate = convert(content, ABOUT, Options())
    assert isinstance(fate, Converted), fate.reason
    return fate.content


def block_of(order: str, comment: bytes | None = None, **tags: Any) -> bytes:
    """Make an EXIF block in a byte order."""
    block = exif_of(comment, order=order, **tags)
    assert block.removeprefix(b"Exif\0\0")[:2] == {"<": b"II", ">": b"MM"}[order]
    return block


def comment_of(content: bytes) -> bytes:
    """Read UserComment with Pillow."""
    said: bytes = Image.open(BytesIO(content)).getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    return said


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("prefix", ["UNICODE", "UNICODE, the most significant first", "ASCII"])
def test_a_jpeg_s_comment_is_read_as_it_went_in(exiftool, prefix, text, order):
    comment = {
        "UNICODE": b"UNICODE\0" + text.encode(UTF16[order]),
        "UNICODE, the most significant first": b"UNICODE\0" + text.encode("utf-16-be"),  # as A1111, in any block
        "ASCII": b"ASCII\0\0\0" + text.encode(),
    }[prefix]
    content = saved(drawn(), "JPEG", quality=95, exif=block_of(order, comment))

    made = converted(content)

    assert exiftool(made)["ExifIFD:UserComment"] == exiftool(content)["ExifIFD:UserComment"] == text
    assert comment_of(made) == comment_of(content) == comment


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_comment_in_jis_is_read_as_it_went_in(exiftool, order):
    comment = b"JIS\0\0\0\0\0" + JAPANESE.encode("iso2022_jp")
    content = saved(drawn(), "JPEG", quality=95, exif=block_of(order, comment))

    made = converted(content)

    assert exiftool(made)["ExifIFD:UserComment"] == exiftool(content)["ExifIFD:UserComment"]
    assert comment_of(made) == comment
    assert comment_of(made)[8:].decode("iso2022_jp") == JAPANESE


@pytest.mark.parametrize("order", [None, *ORDERS.values()], ids=["no block", *ORDERS])
@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS)
def test_a_png_s_text_is_read_as_it_went_in_whatever_the_order_of_its_block(exiftool, text, order):
    block = block_of(order, Artist="Zoe", Orientation=3) if order else None
    content = png_of({"parameters": text}, exif=block)

    made = converted(content)

    found = exiftool(made)
    assert found["ExifIFD:UserComment"] == exiftool(content)["PNG:Parameters"] == text
    assert comment_of(made) == b"UNICODE\0" + text.encode("utf-16-be")
    assert order is None or found["IFD0:Artist"] == "Zoe"


@pytest.mark.parametrize("order", [None, *ORDERS.values()], ids=["no block", *ORDERS])
def test_a_png_s_workflow_is_json_and_says_what_it_said(exiftool, order):
    workflow = json.dumps({"nodes": [{"text": text} for text in PROMPTS.values()]}, ensure_ascii=False)
    block = block_of(order, Artist="Zoe") if order else None

    made = converted(png_of({"prompt": PROMPT, "workflow": workflow}, exif=block))

    found, seen = exiftool(made), Image.open(BytesIO(made)).getexif()
    for said in (found["IFD0:Make"], seen[ExifTags.Base.Make]):
        assert json.loads(said.removeprefix("workflow:")) == json.loads(workflow)
    assert found["IFD0:Model"] == seen[ExifTags.Base.Model] == f"prompt:{PROMPT}"


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS)
def test_a_webp_s_exif_is_read_as_it_went_in_once_its_tags_are_written(exiftool, text, order):
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    workflow = json.dumps({"nodes": [{"text": text}]})  # in ASCII, as ComfyUI writes it
    block = block_of(order, comment, Make=f"workflow:{workflow}", Model=f"prompt:{PROMPT}", Orientation=6)
    content = saved(drawn(), "WEBP", exif=block)

    made = retold(content, ABOUT)

    before, after = exiftool(content), exiftool(made)
    assert after["ExifIFD:UserComment"] == text
    assert json.loads(after["IFD0:Make"].removeprefix("workflow:")) == {"nodes": [{"text": text}]}
    assert after["XMP-dc:Subject"] == ABOUT.tags
    exif = {name: said for name, said in before.items() if name.startswith(("IFD0:", "ExifIFD:"))}
    assert len(exif) >= 4
    assert exif.items() <= after.items()
    assert comment_of(made) == comment


def test_a_webp_is_left_as_it_came():
    fate = convert(saved(drawn(), "WEBP", exif=block_of("<", b"ASCII\0\0\0a")), ABOUT, Options())

    assert fate == Left(reason="it is a WebP already")
