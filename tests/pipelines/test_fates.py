"""Which checksum a model file is held against, and what is never taken for one."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.downloads.digests import KNOWN
from civitscrape.downloads.part import PartFile
from civitscrape.downloads.response import FileResponse
from civitscrape.items import ModelFile
from civitscrape.pipelines import fates

if TYPE_CHECKING:
    from pathlib import Path

BODY = b"<\x00\x00\x00\x00\x00\x00\x00" + b'{"lantern":{}}' * 100
"""A safetensors file whose header has sixty bytes begins like a page."""
SHA256 = hashlib.sha256(BODY).hexdigest()
CRC32 = f"{zlib.crc32(BODY):08x}"
URL = "https://s3.example/31"


def blake3_of(body: bytes) -> str:
    digest = KNOWN["blake3"]()
    digest.update(body)
    return digest.hexdigest()


def came(folder: Path, file: ModelFile, body: bytes = BODY, content_type: str = "") -> FileResponse:
    part = PartFile(str(folder / "31.part"), fates.checks_of(file))
    part.finish([body])
    headers = {"Content-Type": content_type}
    about: dict[str, Any] = {"path": part.path, "size": part.size, "sha256": part.sha256, "head": part.head}
    return FileResponse(URL, headers=headers, digests=part.digests, **about)


@pytest.mark.parametrize(
    "stated",
    [
        {"sha256": SHA256},
        {"autov2": SHA256[:10]},
        {"crc32": CRC32},
        {"blake3": blake3_of(BODY)},
        {"crc32": CRC32.upper()},
    ],
    ids=lambda stated: next(iter(stated)),
)
def test_a_file_is_what_any_stated_checksum_says(tmp_path, stated):
    file = ModelFile(id=31, size_kb=1.0, **stated)

    found = fates.fate(came(tmp_path, file), file)

    assert (found["status"], found["checksum"]) == ("stored", SHA256)


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ({"sha256": "0" * 64, "crc32": CRC32}, "SHA-256"),
        ({"autov2": "0" * 10}, "AutoV2"),
        ({"crc32": "0" * 8, "autov2": SHA256[:10]}, "CRC-32"),
        ({"blake3": "0" * 64}, "BLAKE3"),
    ],
)
def test_another_checksum_is_another_file(tmp_path, stated, title):
    file = ModelFile(id=31, **stated)

    found = fates.fate(came(tmp_path, file), file)

    assert found["status"] == "failed"
    assert f"whose {title} is" in found["error"]


def test_where_sha256_is_stated_nothing_else_counts(tmp_path):
    file = ModelFile(id=31, sha256=SHA256, crc32="0" * 8, autov2="0" * 10)

    assert fates.fate(came(tmp_path, file), file)["status"] == "stored"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<!DOCTYPE html><html>", ""),
        (b"\n  <HTML>", ""),
        (b"<?xml version='1.0'?><Error/>", ""),
        (b"Unauthorized", "text/html; charset=utf-8"),
    ],
)
def test_without_a_checksum_a_page_is_no_file(tmp_path, body, content_type):
    file = ModelFile(id=31)

    found = fates.fate(came(tmp_path, file, body, content_type), file)

    assert found["status"] == "failed"
    assert "that are a page" in found["error"]


MESSAGES = {"an error": b'{"error":"Unauthorized"}', "a list": b'\n[{"error": 1}]', "nothing in it": b"{}"}


@pytest.mark.parametrize("body", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("name", ["lantern.safetensors", "lantern.CKPT", "lantern.zip", "lantern", None])
def test_without_a_checksum_a_message_in_json_is_no_file(tmp_path, name, body):
    file = ModelFile(id=31, name=name, size_kb=len(body) / 1024)

    found = fates.fate(came(tmp_path, file, body), file)

    assert found["status"] == "failed"
    assert "that are a page" in found["error"]


def test_a_message_that_is_cut_short_is_known_by_its_type(tmp_path):
    file = ModelFile(id=31, name="lantern.safetensors")

    assert fates.fate(came(tmp_path, file, b"nul", "application/json"), file)["status"] == "failed"


@pytest.mark.parametrize("name", ["lantern.json", "lantern.yaml", "lantern.TXT"])
def test_a_configuration_may_be_json(tmp_path, name):
    file = ModelFile(id=31, name=name)

    assert fates.fate(came(tmp_path, file, b'{"lanterns": 7}', "application/json"), file)["status"] == "stored"


def test_the_length_of_a_safetensors_header_is_not_taken_for_a_brace(tmp_path):
    file = ModelFile(id=31, name="lantern.safetensors")
    body = int.from_bytes(b'{"', "little").to_bytes(8, "little") + b'{"lantern":{}}' * 100

    assert fates.fate(came(tmp_path, file, body), file)["status"] == "stored"


@pytest.mark.parametrize("stated", [{}, {"size_kb": 0.0}, {"size_kb": 0.5}, {"sha256": SHA256}], ids=str)
def test_nothing_is_never_a_file(tmp_path, stated):
    file = ModelFile(id=31, name="lantern.txt", **stated)

    found = fates.fate(came(tmp_path, file, b""), file)

    assert (found["status"], found["error"]) == ("failed", "0 bytes came, which are no model file")


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b'{"error":"Unauthorized"}'])
def test_a_page_is_called_one_where_a_checksum_has_found_it_out_too(tmp_path, body):
    file = ModelFile(id=31, name="lantern.safetensors", sha256=SHA256)

    found = fates.fate(came(tmp_path, file, body), file)

    assert found["error"] == f"{len(body)} bytes came that are a page, not a model file"


@pytest.mark.parametrize(
    ("size_kb", "state"),
    [
        (len(BODY) / 1024, "stored"),
        (round(len(BODY) / 1024, 9), "stored"),
        (round(len(BODY) / 1024, 1), "stored"),
        (float(len(BODY) // 1024), "stored"),
        (None, "stored"),
        (9000.0, "failed"),
        ((len(BODY) + 900) / 1024, "failed"),
    ],
)
def test_without_a_checksum_the_stated_size_counts(tmp_path, size_kb, state):
    file = ModelFile(id=31, size_kb=size_kb)

    assert fates.fate(came(tmp_path, file), file)["status"] == state
