"""A file is what its bytes say, not what its address or its headers say."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from civitscrape.archive import formats
from civitscrape.archive.formats import sniff
from civitscrape.downloads import part


def picture(pillow_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (48, 32), (40, 90, 140)).save(buffer, pillow_format)
    return buffer.getvalue()


def sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(64))
    return buffer.getvalue()


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = b"".join(compatible)
    return (16 + len(brands)).to_bytes(4) + b"ftyp" + major + bytes(4) + brands + b"\0\0\0\x08free" + bytes(40)


def ebml(doctype: bytes, size: bytes) -> bytes:
    elements = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82" + size + doctype
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(elements)]) + elements + bytes(40)


def ogg(*first_packets: bytes) -> bytes:
    return b"".join(b"OggS\0\x02" + bytes(20) + b"\x01" + bytes([len(one)]) + one for one in first_packets)


def id3(size: bytes, version: int = 3, flags: int = 0) -> bytes:
    return b"ID3" + bytes([version, 0, flags]) + size


FRAME = b"\xff\xfb\x90\x64".ljust(417, b"\0")
"""A frame of MPEG 1 layer III, 128 kbit/s at 44.1 kHz, so 144 * 128000 // 44100 bytes."""

LOW_FRAME = b"\xff\xf3\x40\xc4".ljust(104, b"\0")
"""A frame of MPEG 2 layer III, 32 kbit/s at 22.05 kHz, so 72 * 32000 // 22050 bytes."""


@pytest.mark.parametrize(
    ("pillow_format", "expected"),
    [
        ("JPEG", formats.JPEG),
        ("PNG", formats.PNG),
        ("GIF", formats.GIF),
        ("WEBP", formats.WEBP),
        ("AVIF", formats.AVIF),
        ("BMP", formats.BMP),
        ("TIFF", formats.TIFF),
    ],
)
def test_a_picture_that_pillow_wrote_is_known(pillow_format, expected):
    content = picture(pillow_format)

    found = sniff(content)

    assert found == expected
    assert expected.content_type == Image.MIME[pillow_format]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\x0a\xfa\x1f", formats.JXL),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", formats.JXL),
        (b"MM\0*\0\0\0\x08", formats.TIFF),
        (b"II+\0\x08\0\0\0", formats.TIFF),
        (ftyp(b"heic", b"mif1", b"heic"), formats.HEIC),
        (ftyp(b"mif1", b"mif1", b"heix"), formats.HEIC),
        (ftyp(b"mif1", b"miaf", b"avif"), formats.AVIF),
        (ftyp(b"avis", b"msf1", b"iso8"), formats.AVIF),
        (ftyp(b"isom", b"isom", b"iso2", b"avc1", b"mp41"), formats.MP4),
        (ftyp(b"mp42", b"isom"), formats.MP4),
        (ftyp(b"abcd", b"iso6"), formats.MP4),
        (ftyp(b"M4V ", b"mp42"), formats.M4V),
        (ftyp(b"M4A ", b"mp42", b"isom"), formats.M4A),
        (ftyp(b"qt  "), formats.MOV),
        (b"\0\0\0\x08wide\0\x02\x11\x00mdat", formats.MOV),
        (ebml(b"webm", b"\x84"), formats.WEBM),
        (ebml(b"matroska", b"\x88"), formats.MKV),
        (ebml(b"webm", b"\x01\0\0\0\0\0\0\x04"), formats.WEBM),
        (ogg(b"\x01vorbis" + bytes(22)), formats.OGG),
        (ogg(b"OpusHead" + bytes(11)), formats.OGG),
        (ogg(b"fishead\0" + bytes(56), b"\x80theora" + bytes(34), b"\x01vorbis" + bytes(22)), formats.OGV),
        (sound(), formats.WAV),
        (b"fLaC\0\0\0\x22", formats.FLAC),
        (id3(b"\0\0\x07\x76") + bytes(64), formats.MP3),
        (id3(b"\0\0\0\x04") + bytes(4) + b"fLaC\0\0\0\x22", formats.FLAC),
        (FRAME + FRAME, formats.MP3),
        (LOW_FRAME * 4, formats.MP3),
        (b"\xff\xfb\x92\x64".ljust(418, b"\0") + FRAME, formats.MP3),
        (b"\xff\xfb\xe0\x64" + bytes(508), formats.MP3),
    ],
)
def test_a_head_is_told_by_its_signature(head, expected):
    found = sniff(head)

    assert found == expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0" * 512,
        b"<!DOCTYPE html><html><title>Just a moment...</title>",
        b"\xef\xbb\xbf<html>",
        '\ufeff<html lang="en">'.encode("utf-16-le"),
        '\ufeff{"error":"Unauthorized"}'.encode("utf-16-le"),
        b'{"error":"Unauthorized","message":"The creator of this asset requires you to be logged in"}',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"BM is how this text begins, and it goes on for a while",
        b"ID3 is how this text begins",
        b"RIFF\x24\0\0\0AVI LIST",
        b"abcdftypisom is how a text might begin",
        b"a re-moov-ed lantern is how a text might begin"[1:],
        b"PK\x03\x04\x14\0\0\0",
        b"%PDF-1.7",
        b"OggS\0\x02" + bytes(20) + b"\x01\x08unknown.",
        b"OggS\0" + bytes(600) + b"OpusHead",
        ftyp(b"abcd", b"efgh"),
        b"\0\0\0\x10ftypabcdisom" + bytes(40),
        id3(b"\0\0\x80\x76") + bytes(64),
        id3(b"\0\0\x07\x76", version=9) + bytes(64),
        id3(b"\0\0\x07\x76", flags=1) + bytes(64),
        FRAME + bytes(95),
        FRAME + LOW_FRAME,
        b"\xff\xf1\x50\x80" + bytes(100),
        b"\xff\xfd\x90\x64" + bytes(100),
        b"\xff\xfb\xf0\x64" + bytes(100),
        b"\xff\xfb\x9c\x64" + bytes(100),
        b"\xff\xeb\x90\x64" + bytes(100),
    ],
)
def test_what_is_no_media_file_is_refused(head):
    found = sniff(head)

    assert found is None


@given(st.text(alphabet=st.characters(min_codepoint=32), max_size=300), st.sampled_from(["<", "{", "[", " \n<"]))
def test_no_text_of_a_page_or_an_answer_is_ever_a_picture(text, opening):
    head = (opening + text).encode("utf-8", "surrogatepass")

    found = sniff(head)

    assert found is None


@given(st.binary(max_size=600))
def test_any_bytes_at_all_get_an_answer(head):
    found = sniff(head)

    assert found is None or found.extension.startswith(".")
    assert found == sniff(head[: formats.HEAD_SIZE])


def test_the_kind_is_the_word_that_the_items_use():
    heads = [picture("PNG"), ftyp(b"isom"), sound()]

    found = [sniff(head) for head in heads]

    assert [one and one.kind for one in found] == ["image", "video", "audio"]


def test_a_download_keeps_as_much_of_a_file_as_telling_its_format_takes():
    assert part.HEAD_SIZE == formats.HEAD_SIZE
