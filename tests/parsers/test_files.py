"""Files of versions: hashes, addresses, places and the odd things that come with them."""

from __future__ import annotations

from reprlib import repr as shown
from typing import Any

import pytest

from civitscrape.items import Model, ModelFile, ModelVersion
from civitscrape.parsers import models
from tests.parsers import model_entries as entries

SITE = "https://site.example"
WHERE = {"site": SITE, "media_url": entries.MEDIA}


def of(kind: type, found: list[Any]) -> list[Any]:
    return [one for one in found if isinstance(one, kind)]


def file_of(**fields: Any) -> Any:
    return of(ModelFile, models.from_version(entries.by_number(files=[entries.file(**fields)]), **WHERE))[0]


def test_an_archived_model_has_nothing_to_download():
    entry = entries.listed(mode="Archived")

    found = models.from_rest(entry, **WHERE)

    assert [one.download_url for one in of(ModelVersion, found) + of(ModelFile, found)] == [None, None, None]
    assert [one.mode for one in of(Model, found)] == ["Archived"]


def test_a_version_of_an_archived_model_has_nothing_to_download():
    entry = entries.by_number(model={"name": "Lantern", "mode": "Archived"})

    found = models.from_version(entry, **WHERE)

    assert [one.download_url for one in of(ModelVersion, found) + of(ModelFile, found)] == [None, None]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2026-07-02T10:20:31.905", "2026-07-02T10:20:31.905Z"),
        ("2026-07-02T10:20:31.9", "2026-07-02T10:20:31.900Z"),
        ("2026-07-02T10:20:31", "2026-07-02T10:20:31.000Z"),
        ("2026-07-02T10:20:31.905Z", "2026-07-02T10:20:31.905Z"),
        ("yesterday", None),
        (1782987631, None),
    ],
)
def test_a_time_of_a_scan_needs_neither_a_zone_nor_zeros(told, kept):
    file = file_of(scannedAt=told)

    assert file.scanned_at == kept


def test_lists_mark_the_primary_file_only():
    other = entries.file(id=3100002)
    del other["primary"]
    entry = entries.listed(modelVersions=[entries.version(files=[entries.file(), other])])

    found = models.from_rest(entry, **WHERE)

    assert [one.is_primary for one in of(ModelFile, found)] == [True, False]


def test_a_linked_vae_belongs_to_the_version_it_is_of():
    vae = entries.file(id=31, type="VAE")
    del vae["primary"]
    entry = entries.listed(modelVersions=[entries.version(vaeId=300, files=[entries.file(), vae])])

    found = models.from_rest(entry, **WHERE)

    file = of(ModelFile, found)[1]
    assert (file.version_id, file.download_url) == (300, f"{SITE}/api/download/models/300?fileId=31")
    assert file.is_primary is None


def test_a_vae_of_its_own_stays_with_its_version():
    entry = entries.listed(modelVersions=[entries.version(files=[entries.file(id=31, type="VAE")])])

    found = models.from_rest(entry, **WHERE)

    assert of(ModelFile, found)[0].version_id == 2900002


@pytest.mark.parametrize(
    ("field", "told", "column", "kept"),
    [
        ("overrideName", "lantern (fp8).safetensors", "name", "lantern (fp8).safetensors"),
        ("metadata", {"format": "GGUF", "quantType": "Q4_K_M"}, "quant_type", "Q4_K_M"),
        ("metadata", "GGUF", "format", None),
        ("sizeKB", "large", "size_kb", None),
        ("sizeKB", 12, "size_kb", 12.0),
        ("hashes", {"AutoV3": "B7E4D1A09C63"}, "autov3", "b7e4d1a09c63"),
        ("hashes", {"SHA256": "9C1F..."}, "sha256", None),
        ("hashes", [{"type": "CRC32", "hash": "7E21B0C4"}, {"type": "CRC64"}, "?"], "crc32", "7e21b0c4"),
        ("hashes", "9C1F", "sha256", None),
        ("mirrors", [], "mirrors", []),
        ("mirrors", "https://elsewhere.example", "mirrors", None),
        ("name", 7, "name", None),
    ],
    ids=shown,
)
def test_an_odd_field_of_a_file_is_null_and_a_good_one_kept(field, told, column, kept):
    file = file_of(**{field: told})

    assert getattr(file, column) == kept
    assert (file.id, file.type) == (3100001, "Model")


def test_mirrors_of_older_answers_are_kept_whole():
    mirrors = [{"filename": "lantern.safetensors", "url": "https://elsewhere.example/1", "deletedAt": "2025-05-01"}]

    file = file_of(mirrors=mirrors)

    assert file.mirrors == mirrors


def test_a_bare_address_of_the_site_may_end_with_a_slash():
    found = models.from_version(entries.by_number(), site=f"{SITE}/", media_url="")

    assert of(ModelVersion, found)[0].download_url == f"{SITE}/api/download/models/2900002"
