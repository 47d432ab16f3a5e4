"""Whatever the bytes of a picture are, it becomes a WebP that is the same picture, or stays, with a reason."""

from __future__ import annotations

from io import BytesIO
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from civitscrape.archive.pictures import comments, hashing, metadata, riff, tiff, xmp
from civitscrape.archive.pictures.convert import Converted, Left, convert
from civitscrape.archive.pictures.metadata import About
from civitscrape.archive.pictures.options import Options
from civitscrape.archive.pictures.source import Embedded
from civitscrape.exceptions import PictureError
from tests.archive.pictures.making import ABOUT, drawn, exif_of, noise, png_of, profile, saved, uploads

QUICK = Options(method=0)
REAL = [*uploads().values(), saved(drawn(), "WEBP", exif=exif_of(b"ASCII\0\0\0a"), icc_profile=profile())]

KINDS = ["flip", "cut", "drop", "double", "zero", "insert"]
mutations = st.lists(
    st.tuples(st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 255)),
    min_size=1,
    max_size=6,
)


def mutated(content: bytes, changes: list[tuple[str, float, int]]) -> bytes:
    """Spoil bytes; what stands at the beginning, where the structure is, is spoilt as often as all the rest."""
    for what, where, value in changes:
        place = int(where**3 * len(content))
        rest = content[place:]
        match what:
            case "flip":
                rest = bytes([rest[0] ^ (value or 1)]) + rest[1:] if rest else rest
            case "cut":
                rest = b""
            case "drop":
                rest = rest[value:]
            case "double":
                rest = rest[:value] + rest
            case "zero":
                rest = bytes(min(value, len(rest))) + rest[value:]
            case "insert":
                rest = bytes([value]) * value + rest
        content = content[:place] + rest
    return content


def hostile(number: int) -> list[bytes]:
    """Spoil real pictures in so many ways, some in none."""
    draw = Random(20261121)
    return [
        mutated(
            draw.choice(REAL),
            [(draw.choice(KINDS), draw.random(), draw.randrange(256)) for _ in range(draw.randrange(4))],
        )
        for _ in range(number)
    ]


def is_sound(content: bytes, made: Converted) -> None:
    """Hold a WebP against its original, by Pillow's own decoding."""
    picture = Image.open(BytesIO(made.content))
    assert picture.format == "WEBP"
    original = Image.open(BytesIO(content))
    assert picture.size == original.size
    assert hashing.distance(hashing.look(original), hashing.look(picture)) <= 8


@settings(max_examples=300, deadline=None)
@given(content=st.sampled_from(REAL), changes=mutations)
def test_no_spoilt_picture_is_converted_into_another_or_ends_in_an_error(content, changes):
    spoilt = mutated(content, changes)

    fate = convert(spoilt, ABOUT, QUICK)

    assert isinstance(fate, Converted | Left)
    if isinstance(fate, Left):
        assert fate.reason
    else:
        is_sound(spoilt, fate)


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP"]),
    rest=st.binary(max_size=300),
)
def test_no_bytes_at_all_end_in_an_error(start, rest):
    fate = convert(start + rest, ABOUT, QUICK)

    assert isinstance(fate, Left)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.tuples(st.sampled_from(["parameters", "prompt", "workflow", "Comment"]), st.text()), max_size=5),
    exif=st.one_of(st.none(), st.binary(max_size=200), st.builds(lambda tail: b"MM\0*\0\0\0\x08" + tail, st.binary())),
    xmp_=st.one_of(st.none(), st.binary(max_size=200), st.text().map(lambda text: f"<a>{text}</a>".encode())),
    tags=st.lists(st.text(max_size=20), max_size=5),
    prompt=st.text(),
)
def test_whatever_is_embedded_is_read_back_as_it_was(texts, exif, xmp_, tags, prompt):
    before = Embedded(texts=texts, exif=exif or None, xmp=xmp_ or None, icc=b"profile")
    about = About(tags=tags, creator=prompt, source="https://civitai.com/images/7", record={"prompt": prompt})

    after = metadata.carried(before, about)

    assert metadata.flaw(before, Embedded(exif=after.exif, xmp=after.xmp, icc=after.icc), about) is None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=6), st.sampled_from("<>"))
def test_a_comment_is_read_as_it_was_written_whatever_the_order_of_the_block(text, order):
    said = f"{text}, lanterns"

    assert comments.decode(comments.encode(said), order) == said


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_no_block_and_no_packet_end_in_an_error_of_the_language(content):
    for reader in (tiff.parse, riff.read, xmp.read):
        with pytest.raises(PictureError):
            reader(content)


def test_a_picture_spoilt_in_its_pixels_alone_is_left_or_stays_what_it_shows():
    draw = Random(20261121)
    content = png_of({"parameters": "Steps: 30"}, drawn(mode="RGBA"))
    spoilt = [mutated(content, [("flip", draw.uniform(0.5, 1), draw.randrange(1, 256))]) for _ in range(30)]

    fates = [convert(one, ABOUT, QUICK) for one in spoilt]

    assert {type(fate) for fate in fates} == {Left}


JPEGS = [{}, {"optimize": True}, {"restart_marker_blocks": 5}, {"subsampling": 0, "quality": 95}]


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", JPEGS, ids=str)
def test_a_jpeg_whose_pixels_stop_before_its_end_is_left(options, mode):
    draw, content = Random(20261121), saved(drawn(mode=mode), "JPEG", **options)
    start = content.index(b"\xff\xda") + 16
    cut = [content[: draw.randrange(start, len(content) - 2)] + b"\xff\xd9" for _ in range(40)]
    if "restart_marker_blocks" in options:
        cut.append(content[: content.index(b"\xff\xd3")] + b"\xff\xd9")

    fates = [convert(one, ABOUT, QUICK) for one in cut]

    assert {fate.reason for fate in fates if isinstance(fate, Left)} == {"its pixels stop before its end"}
    assert {type(fate) for fate in fates} == {Left}


@pytest.mark.parametrize("quality", [20, 75, 95])
@pytest.mark.parametrize("options", [*JPEGS, {"progressive": True}], ids=str)
def test_a_whole_jpeg_is_not_taken_for_one_whose_pixels_stop(options, quality):
    pictures = [drawn(), drawn(mode="L"), noise(160, 120), Image.new("RGB", (33, 17), "teal")]
    contents = [saved(one, "JPEG", **options | {"quality": quality}) for one in pictures]

    fates = [convert(content + end, ABOUT, QUICK) for content in contents for end in (b"", b"\0\0")]

    reasons = {fate.reason.partition(":")[0] for fate in fates if isinstance(fate, Left)}
    assert reasons <= {"a WebP of it is no smaller"}


def test_a_fault_of_the_program_leaves_the_picture_and_is_logged(caplog):
    record: dict[str, object] = {}
    record["image"] = record  # no JSON can be made of it

    fate = convert(png_of({}), About(record=record), QUICK)

    assert isinstance(fate, Left)
    assert fate.reason.startswith("it could not be converted: ")
    assert [line.levelname for line in caplog.records] == ["ERROR"]
