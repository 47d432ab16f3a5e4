"""What is in a picture is in its WebP, where those who look for it look: told by Pillow and by exiftool, not by us."""

from __future__ import annotations

import json
import struct
import time
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import ExifTags, Image

from civitscrape.archive.pictures.convert import Converted, Left, convert
from civitscrape.archive.pictures.metadata import About
from civitscrape.archive.pictures.options import Options
from tests.archive.pictures.making import (
    ABOUT,
    KEYWORDS,
    PARAMETERS,
    PROMPT,
    WORKFLOW,
    chunk,
    drawn,
    exif_of,
    noise,
    packet,
    png_of,
    profile,
    saved,
    uploads,
    with_chunk,
    with_segment,
)

CHARSET = 8
RECORD = json.loads(json.dumps(ABOUT.record))


def converted(content: bytes, about: About = ABOUT, **options: Any) -> bytes:
    """Convert, or say why not."""
    fate = convert(content, about, Options(**options))
    assert isinstance(fate, Converted), fate.reason
    return fate.content


def left(content: bytes, about: About = ABOUT, **options: Any) -> str:
    """Say why a picture was left as it is."""
    fate = convert(content, about, Options(**options))
    assert isinstance(fate, Left)
    return fate.reason


def comment_of(content: bytes) -> str:
    """Read UserComment as A1111 does: the charset named, then UTF-16 with the most significant byte first."""
    raw: bytes = Image.open(BytesIO(content)).getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert raw[:CHARSET] == b"UNICODE\0"
    return raw[CHARSET:].decode("utf-16-be")


def comfy_of(content: bytes) -> dict[str, str]:
    """Read as ComfyUI's pages do: every text of the first directory, a byte a letter, cut at its first colon."""
    exif = Image.open(BytesIO(content)).getexif()
    said = [value.partition(":") for value in exif.values() if isinstance(value, str)]
    return {name: text for name, _, text in said}


@pytest.mark.parametrize("kind", sorted(uploads()))
def test_every_kind_of_upload_is_smaller_as_webp_and_looks_the_same(kind):
    content = uploads()[kind]

    made = converted(content)

    picture = Image.open(BytesIO(made))
    assert picture.format == "WEBP"
    assert picture.size == Image.open(BytesIO(content)).size
    assert len(made) < len(content)


@pytest.mark.parametrize("kind", ["png with A1111's text", "png with packed texts", "jpeg with a comment"])
def test_the_text_of_a1111_is_where_its_viewers_look(kind):
    made = converted(uploads()[kind])

    assert comment_of(made) == PARAMETERS


@pytest.mark.parametrize("kind", ["png with ComfyUI's chunks", "png with packed texts", "png that can be seen through"])
def test_the_workflow_is_where_comfyui_looks_and_is_json(kind):
    made = converted(uploads()[kind])

    found = comfy_of(made)
    assert json.loads(found["workflow"]) == json.loads(WORKFLOW)
    assert found["prompt"] == PROMPT
    assert found["workflow"].isascii()


@pytest.mark.parametrize("kind", sorted(uploads()))
def test_exiftool_reads_what_went_in(kind, exiftool):
    made = converted(uploads()[kind])

    found = exiftool(made)

    assert found["XMP-dc:Subject"] == ABOUT.tags
    assert found["XMP-dc:Creator"] == ["lampwright"]
    assert found["XMP-dc:Source"] == ABOUT.source
    assert json.loads(found["XMP-civitscrape:Record"]) == RECORD
    assert found["ExifTool:Validate"] == "OK" or kind == "jpeg with a comment"  # Pillow gives it another type
    if "A1111" in kind or "packed" in kind or "comment" in kind:
        assert found["ExifIFD:UserComment"] == PARAMETERS
    if "ComfyUI" in kind or "packed" in kind:
        assert json.loads(found["IFD0:Make"].removeprefix("workflow:")) == json.loads(WORKFLOW)
        assert found["IFD0:Model"] == f"prompt:{PROMPT}"


def test_a_text_behind_the_pixels_is_found_too():
    content = with_chunk(saved(drawn(), "PNG"), b"tEXt", b"parameters\0Steps: 30")

    assert comment_of(converted(content)) == "Steps: 30"


def test_utf8_where_latin1_should_be_is_read_as_utf8():
    content = with_chunk(saved(drawn(), "PNG"), b"tEXt", b"parameters\0" + PARAMETERS.encode())

    assert comment_of(converted(content)) == PARAMETERS


@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + PARAMETERS.encode("utf-16-le"),
        b"UNICODE\0" + PARAMETERS.encode("utf-16"),
        b"ASCII\0\0\0" + PARAMETERS.encode(),
        bytes(8) + PARAMETERS.encode(),
    ],
    ids=["little end first", "with a mark", "called ASCII", "called nothing"],
)
def test_a_jpeg_s_comment_is_kept_as_it_is_in_whatever_encoding(comment):
    content = saved(drawn(), "JPEG", quality=95, exif=exif_of(comment))

    made = Image.open(BytesIO(converted(content)))

    assert made.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] == comment


def test_texts_without_a_place_of_their_own_are_kept_as_json(exiftool):
    content = png_of({"Software": "NovelAI", "Comment": '{"uc": "港"}', "parameters": PARAMETERS})

    found = exiftool(converted(content))

    assert json.loads(found["XMP-civitscrape:Texts"]) == [["Software", "NovelAI"], ["Comment", '{"uc": "港"}']]


def test_orientation_and_profile_are_kept():
    exif = exif_of(Orientation=6, Artist="Zoë")
    content = saved(drawn(), "JPEG", quality=95, exif=exif, icc_profile=profile())

    made = Image.open(BytesIO(converted(content)))

    assert made.getexif()[ExifTags.Base.Orientation] == 6
    assert made.info["icc_profile"] == profile()


@pytest.mark.parametrize("start", [b"", b"Exif\0\0"])
def test_a_png_s_exif_is_read_in_its_webp_with_or_without_the_start_that_jpeg_has(start, exiftool):
    block = exif_of(b"ASCII\0\0\0from the camera", Orientation=6, Artist="Zoe").removeprefix(b"Exif\0\0")
    content = with_chunk(saved(drawn(), "PNG"), b"eXIf", start + block, before=b"IDAT")

    made = converted(content)

    seen, found = Image.open(BytesIO(made)).getexif(), exiftool(made)
    assert seen[ExifTags.Base.Orientation] == 6
    assert seen.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] == b"ASCII\0\0\0from the camera"
    assert (found["IFD0:Artist"], found["ExifIFD:UserComment"]) == ("Zoe", "from the camera")


def test_a_png_s_exif_is_kept_beside_its_texts():
    plain = saved(drawn(), "PNG", exif=exif_of(b"ASCII\0\0\0from the camera", Make="Harbour", Orientation=3))
    content = with_chunk(plain, b"tEXt", b"workflow\0{}", before=b"IDAT")

    made = converted(with_chunk(content, b"tEXt", b"parameters\0Steps: 30", before=b"IDAT"))

    assert comment_of(made) == "Steps: 30"
    assert comfy_of(made)["workflow"] == "{}"
    assert Image.open(BytesIO(made)).getexif()[ExifTags.Base.Orientation] == 3
    assert b"exif 0x010f base64" in made  # what had to make room is among the texts
    assert b"exif 0x9286 base64" in made


@pytest.mark.parametrize("packed", [True, False])
def test_more_than_64_kib_of_workflow_are_carried_whole(packed, exiftool):
    workflow = json.dumps({"nodes": [{"id": number, "text": f"lantern {number}"} for number in range(9000)]})
    picture = noise(700, 500)

    made = converted(png_of({"parameters": PARAMETERS, "workflow": workflow}, picture, packed=packed))

    assert len(workflow) > 2 * 2**16
    assert comfy_of(made)["workflow"] == workflow
    assert exiftool(made)["ExifIFD:UserComment"] == PARAMETERS
    exif = made[made.index(b"EXIF") + 8 :]
    assert exif.index(PARAMETERS[:9].encode("utf-16-be")) < 2**16  # a reader that stops at 64 KiB has the short texts


def test_packed_text_beyond_pillow_s_limit_is_carried_whole():
    text = "lantern, " * 200_000
    content = png_of({"parameters": text}, noise(1600, 1200), packed=True)

    with pytest.raises(ValueError, match="Decompressed data too large"):
        Image.open(BytesIO(content))

    assert comment_of(converted(content, quality=20, method=0)) == text


def test_the_xmp_of_another_program_stays_letter_by_letter(exiftool):
    before = packet("<harbour:Berth>7 &amp; 8</harbour:Berth>", 'harbour:Light="amber&#xA;green"')

    found = exiftool(made := converted(saved(drawn(), "JPEG", quality=95, xmp=before)))

    assert found["XMP-harbour:Berth"] == "7 & 8"
    assert found["XMP-harbour:Light"] == "amber\ngreen"
    assert found["XMP-dc:Subject"] == ABOUT.tags
    assert b'harbour:Light="amber&#xA;green"' in made


def test_subjects_of_another_program_are_joined_with_the_tags(exiftool):
    bag = "<dc:subject><rdf:Bag><rdf:li>boats</rdf:li><rdf:li>lantern</rdf:li></rdf:Bag></dc:subject>"
    before = packet(f"{bag}<harbour:Berth>7</harbour:Berth>", 'dc:source="a book"')

    found = exiftool(converted(saved(drawn(), "JPEG", quality=95, xmp=before)))

    assert found["XMP-dc:Subject"] == ["boats", "lantern", "night & <sea>", "夜"]
    assert found["XMP-dc:Source"] == ABOUT.source
    assert found["XMP-harbour:Berth"] == 7
    assert json.loads(found["XMP-civitscrape:Texts"]) == [["XML:com.adobe.xmp", before.decode()]]


@pytest.mark.parametrize(
    "before",
    [b"<x:xmpmeta", b"\xff\xfe<\0", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<a>" * 5000],
    ids=["cut short", "no UTF-8", "with entities", "deep"],
)
def test_xmp_that_cannot_be_read_is_kept_among_the_texts(before, exiftool):
    content = with_chunk(saved(noise(300, 200), "PNG"), b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + before)

    found = exiftool(converted(content))

    assert found["XMP-dc:Subject"] == ABOUT.tags
    assert len(json.loads(found["XMP-civitscrape:Texts"])) == 1


def test_a_broken_exif_block_is_kept_among_the_texts(exiftool):
    content = with_chunk(saved(drawn(), "PNG"), b"eXIf", b"no block at all", before=b"IDAT")

    found = exiftool(converted(content))

    assert json.loads(found["XMP-civitscrape:Texts"]) == [["exif base64", "bm8gYmxvY2sgYXQgYWxs"]]


def test_nothing_is_made_up_for_a_picture_that_carries_nothing():
    made = Image.open(BytesIO(converted(saved(drawn(), "PNG"), About())))

    assert {"exif", "xmp", "icc_profile"} & made.info.keys() == set()


def test_what_was_lossless_stays_so_on_demand():
    content = png_of(KEYWORDS, drawn(mode="RGBA"))

    made = converted(content, lossless=True)

    assert Image.open(BytesIO(made)).convert("RGBA").tobytes() == drawn(mode="RGBA").tobytes()
    assert comment_of(made) == PARAMETERS


def test_transparency_is_kept_without_loss():
    made = Image.open(BytesIO(converted(png_of({}, drawn(mode="RGBA")), quality=10)))

    assert made.getchannel("A").tobytes() == drawn(mode="RGBA").getchannel("A").tobytes()


def test_iptc_and_comments_of_a_jpeg_are_kept(exiftool):
    content = with_segment(saved(drawn(), "JPEG", quality=95), 0xFE, b"drawn at the harbour")

    found = exiftool(converted(with_segment(content, 0xED, b"Photoshop 3.0\x008BIM")))

    assert json.loads(found["XMP-civitscrape:Texts"]) == [
        ["iptc base64", "OEJJTQ=="],
        ["Comment", "drawn at the harbour"],
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (saved(drawn(), "WEBP"), "it is a WebP already"),
        (saved(drawn(), "BMP"), "it is image/bmp, and PNG, JPEG and GIF are converted"),
        (b"<!DOCTYPE html>", "it is no picture"),
        (saved(drawn(), "GIF", save_all=True, append_images=[drawn(8)]), "it is animated"),
        (saved(drawn(), "PNG", save_all=True, append_images=[drawn(8)]), "it is animated"),
        (saved(drawn(mode="CMYK"), "JPEG"), "it has 4 colours for print, and WebP has three for screens"),
        (saved(Image.new("I;16", (40, 40)), "PNG"), "it has 16 bits a colour, and WebP has 8"),
        (saved(Image.new("1", (16_384, 2)), "PNG"), "it has 16384 x 2 pixels, and a side of a WebP at most 16383"),
        (saved(Image.new("1", (9000, 9000)), "PNG"), "it has 9000 x 9000 pixels, which are more than 67108864"),
        (saved(Image.new("L", (1, 1)), "PNG"), "a WebP of it is no smaller"),
        (saved(drawn(), "PNG") + b"PK\3\4 an archive", "15 bytes follow its end"),
        (with_chunk(saved(drawn(), "PNG"), b"cICP", b"\x09\x10\0\1", before=b"IDAT"), "WebP cannot name"),
        (saved(drawn(), "PNG")[:-40], "it is cut short"),
        (saved(drawn(), "JPEG")[:-40], "it is cut short, or something follows its end"),
        (saved(drawn(mode="L"), "JPEG", icc_profile=profile()[:16] + b"GRAY" + profile()[20:]), "is not for RGB"),
        (with_chunk(png_of({}), b"tEXt", b"a\0" + b"b" * 2**24), "more than 16 MiB of text"),
    ],
)
def test_what_is_better_left_as_it_is_says_why(content, reason):
    assert reason in left(content)


SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


@pytest.mark.parametrize(
    ("name", "numbers"), [(b"gAMA", (100_000,)), (b"gAMA", (55_556,)), (b"gAMA", (0,)), (b"cHRM", ADOBE)], ids=str
)
def test_colours_that_only_a_png_can_describe_are_left_to_it(name, numbers):
    described = with_chunk(saved(drawn(), "PNG"), name, struct.pack(f">{len(numbers)}L", *numbers), before=b"IDAT")
    named = [
        with_chunk(described, b"sRGB", b"\0", before=b"IDAT"),
        with_chunk(described, b"iCCP", b"harbour\0\0" + zlib.compress(profile()), before=b"IDAT"),
    ]

    assert left(described) == f"its chunk {name.decode()} says that its colours are not sRGB, and WebP cannot say that"
    assert all(converted(one) for one in named)  # viewers go by the name then


@pytest.mark.parametrize(
    ("name", "numbers"), [(b"gAMA", (45_455,)), (b"gAMA", (45_000,)), (b"cHRM", SRGB), (b"cHRM", (31269, *SRGB[1:]))]
)
def test_colours_that_are_described_as_srgb_are_converted(name, numbers):
    content = with_chunk(saved(drawn(), "PNG"), name, struct.pack(f">{len(numbers)}L", *numbers), before=b"IDAT")

    assert Image.open(BytesIO(converted(content))).size == drawn().size


def test_a_kilobyte_that_unpacks_to_a_gigabyte_is_not_unpacked():
    packer = zlib.compressobj(9)
    bomb = b"parameters\0\0" + b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()

    assert left(with_chunk(saved(drawn(), "PNG"), b"zTXt", bomb)) == "more than 16 MiB of text are embedded in it"


def test_what_many_texts_unpack_to_is_counted_together():
    packed = b"note\0\0" + zlib.compress(bytes(2**20))
    content = saved(drawn(), "PNG")
    place = content.index(b"IEND") - 4

    reasons = [
        left(content[:place] + chunk(b"zTXt", packed) * times + content[place:], quality=1, method=0)
        for times in (10, 17)
    ]

    assert reasons[0].startswith("a WebP of it is no smaller")
    assert reasons[1] == "more than 16 MiB of text are embedded in it"


@pytest.mark.parametrize("name", [b"tEXt", b"haRB"])
def test_a_picture_of_300_000_chunks_is_left_at_once(name):
    content = saved(drawn(), "PNG")
    place = content.index(b"IEND") - 4
    begun = time.monotonic()

    reason = left(content[:place] + chunk(name, b"a\0b") * 300_000 + content[place:])

    assert reason == "it has more than 4096 chunks beside its pixels"
    assert time.monotonic() - begun < 5  # it took hours


def test_a_spoilt_chunk_is_not_taken_for_what_it_said():
    good = png_of({"parameters": PARAMETERS.encode("ascii", "ignore").decode()})
    place = good.index(b"lantern")

    assert left(good[:place] + b"L" + good[place + 1 :]) == "its chunk 'tEXt' is broken"


def test_a_picture_whose_header_lies_is_left():
    lying = saved(drawn(), "PNG")
    header = chunk(b"IHDR", lying[16:29].replace((160).to_bytes(4), (16_000).to_bytes(4)))

    reason = left(lying[:8] + header + lying[33:])

    assert reason.startswith("it cannot be decoded")
