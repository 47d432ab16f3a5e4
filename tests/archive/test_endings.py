"""A picture or film that stops in its middle is known by its missing end; what is merely odd passes."""

from __future__ import annotations

import io
from random import Random

import pytest
from PIL import Image

from civitscrape.archive import endings
from civitscrape.sandbox import videos
from tests.archive.pictures.making import noise, saved


def box(name: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4) + name + body


def webm(length: bytes, body: bytes) -> bytes:
    head = b"\x42\x82\x84webm"
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(head)]) + head + b"\x18\x53\x80\x67" + length + body


def animated() -> bytes:
    made, frames = io.BytesIO(), [noise(64, 64).convert("P") for _ in range(3)]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:])
    return made.getvalue()


def with_thumbnail() -> bytes:
    small = saved(noise(32, 32), "JPEG")
    made = saved(noise(64, 64), "JPEG")
    return made[:2] + b"\xff\xe1" + (2 + len(small)).to_bytes(2) + small + made[2:]


NOISE = Random(7).randbytes(5000)
FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2")
WHOLE = {
    "PNG": saved(noise(200, 200), "PNG"),
    "JPEG": saved(noise(200, 200), "JPEG"),
    "progressive JPEG": saved(noise(200, 200), "JPEG", progressive=True),
    "JPEG with a thumbnail": with_thumbnail(),
    "WebP": saved(noise(200, 200), "WEBP"),
    "GIF": saved(noise(200, 200).convert("P"), "GIF"),
    "animated GIF": animated(),
    "AVIF": box(b"ftyp", b"avif\0\0\0\0mif1") + box(b"meta", bytes(90)) + box(b"mdat", NOISE),
    "MP4": videos.mp4([Image.new("RGB", (64, 64), (40, 90, tone)) for tone in range(0, 250, 50)]),
    "MP4 of 64 bits": FTYP + box(b"moov", bytes(90)) + b"\0\0\0\1mdat" + (16 + 5000).to_bytes(8) + NOISE,
    "WebM": webm((0x10000000 | len(NOISE)).to_bytes(4), NOISE),
}


def flaw(content: bytes) -> str | None:
    return endings.flaw(io.BytesIO(content), content[:512])


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_whole_file_has_its_end(content):
    assert flaw(content) is None


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_file_that_stops_before_its_end_is_found_out(content, share):
    assert (flaw(content[: int(len(content) * share)]) or "").startswith("its end is missing: ")


BEHIND = {"zeros": bytes(3000), "a few letters": b"\r\n", "another file": Random(3).randbytes(200_000)}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_what_lies_behind_the_end_is_no_harm(content, behind):
    assert flaw(content + behind) is None


ODD = {
    "a film as it ran": webm(b"\x01" + b"\xff" * 7, NOISE),
    "a film whose last box has no size": FTYP + b"\0\0\0\0mdat" + NOISE,
    "a WebP that lacks the byte that makes it even": b"RIFF" + (13).to_bytes(4, "little") + b"WEBPVP8 " + bytes(4),
    "a JPEG with rubbish before its scan": b"\xff\xd8\xff\xe0\x00\x04ab" + NOISE,
    "a PNG with rubbish in it": b"\x89PNG\r\n\x1a\n\0\0\0\1\0\0\0\0" + NOISE,
    "a GIF with rubbish in it": b"GIF89a\1\0\1\0\0\0\0" + b"\x77" + NOISE,
    "a sound": b"fLaC" + NOISE,
    "a text": b'{"lanterns": "',
    "nothing": b"",
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_what_cannot_be_told_passes(content):
    assert flaw(content) is None
