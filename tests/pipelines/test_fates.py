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


@pytest.mark.parametrize(("size_kb", "state"), [(len(BODY) / 1024, "stored"), (None, "stored"), (9000.0, "failed")])
def test_without_a_checksum_the_stated_size_counts(tmp_path, size_kb, state):
    file = ModelFile(id=31, size_kb=size_kb)

    assert fates.fate(came(tmp_path, file), file)["status"] == state
