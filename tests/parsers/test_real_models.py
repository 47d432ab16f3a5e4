"""Recorded models of every year and route: each leaf is in a record, or in a table that says why it is in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from civitscrape.civitai import pages
from civitscrape.items import Image, Model, ModelFile, ModelVersion, VersionImage
from civitscrape.parsers import models, showcases
from civitscrape.parsers.generation import innermost
from tests.parsers import recorded
from tests.parsers.leaves import UNKEPT, lost, parts_of, pictures_of, record_of, unkept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from civitscrape.items import Item

pytestmark = pytest.mark.skipif(not recorded.REAL.is_dir(), reason=recorded.MISSING)

SITE = "https://site.example"
MEDIA = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"

ROUTES: dict[str, Callable[..., list[Item]]] = {
    "rest-model-*.json": models.from_rest,
    "rest-models-*.json": models.from_rest,
    "docs-wiki-model-*.json": models.from_rest,
    "docs-wiki-models-*.json": models.from_rest,
    "docs-devsite-models-*.json": models.from_rest,
    "rest-modelversion-*.json": models.from_version,
    "docs-wiki-modelversion-*.json": models.from_version,
    "docs-devsite-model-versions-2*.json": models.from_version,
    "trpc-model-getById-*.json": models.from_trpc,
    "html-nextdata-model-*.html": models.from_trpc,
    "trpc-model-getAll-*.json": models.from_trpc_listing,
    "trpc-model-getAssociated*.json": models.from_trpc_listing,
    "trpc-model-getByCategory-*.json": models.from_trpc_listing,
    "trpc-modelVersion-getById-*.json": models.version_from_trpc,
    "trpc-har-notes-*.json": models.version_from_trpc,
}
RECORDED = [(path, read) for pattern, read in ROUTES.items() for path in recorded.files(pattern)]

HOLD_NO_MODELS = (
    "trpc-model-getGallerySettings-*",  # what a model's page hides
    "docs-devsite-model-versions-mini-*",  # a route that nothing asks
    "rest-images-*",  # images
)


def entries_of(path: Path) -> list[dict[str, Any]]:
    """Return the models or versions of a file, whatever they are wrapped in."""
    if path.suffix == ".html":
        query = pages.queries(pages.next_data(path.read_text())).first("model.getById")
        assert query is not None
        return [query.data]
    entries: list[dict[str, Any]] = []
    waiting = [recorded.load(path)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif "modelVersion.getById" in one:
            waiting.append(one["modelVersion.getById"])
        elif "result" in one:
            waiting.append(one["result"]["data"]["json"])
        elif "items" in one:
            waiting += one["items"]
        elif "id" in one:
            entries.append(one)
    return entries


def kind_of(read: Callable[..., list[Item]]) -> type:
    return ModelVersion if read in {models.from_version, models.version_from_trpc} else Model


def versions_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry, *entry.get("modelVersions", [])]


def name_of(value: Any) -> str:
    return str(getattr(value, "name", getattr(value, "__name__", value)))


@pytest.mark.parametrize(("path", "read"), RECORDED, ids=name_of)
def test_every_model_is_read_without_loss(path: Path, read: Callable[..., list[Item]]) -> None:
    entries = entries_of(path)

    for entry in entries:
        found = read(entry, site=SITE, media_url=MEDIA)
        assert lost(entry, found, kind_of(read)) == [], f"{path.name}: {entry['id']}"

    assert entries


def test_a_leaf_of_a_model_that_nobody_knows_yet_is_noticed() -> None:
    file = {"id": 3, "sizeKB": 1.5, "sparkle": 7}
    entry = {"id": 1, "name": "Lantern", "modelVersions": [{"id": 2, "files": [file], "glow": True}]}

    found = models.from_rest(entry, site=SITE, media_url=MEDIA)

    assert lost(entry, found, Model) == ["ModelVersion: glow=True", "ModelFile: sparkle=7"]


def test_no_row_of_the_table_of_what_is_left_out_is_without_need() -> None:
    needed = {
        (part.kind, unkept(part.kind, path))
        for file, read in RECORDED
        for entry in entries_of(file)
        for part in parts_of(kind_of(read), entry, read(entry, site=SITE, media_url=MEDIA))
        for path, _ in part.leaves
    }

    rows = {(kind, row) for kind, rows in UNKEPT.items() for row in rows}

    assert rows - needed == set()


@pytest.mark.parametrize(("path", "read"), RECORDED, ids=name_of)
def test_generation_data_of_showcases_are_kept_unless_hidden(path: Path, read: Callable[..., list[Item]]) -> None:
    for entry in entries_of(path):
        found = read(entry, site=SITE, media_url=MEDIA)

        for picture in [one for version in versions_of(entry) for one in pictures_of(version)]:
            image = record_of(found, Image, showcases.number_of(picture))
            assert image.meta == innermost(picture.get("meta"))
            assert (image.meta_state == "visible") is (image.meta is not None)


@pytest.mark.parametrize(("path", "read"), RECORDED, ids=name_of)
def test_every_picture_of_a_version_is_tied_to_it_in_its_place(path: Path, read: Callable[..., list[Item]]) -> None:
    for entry in entries_of(path):
        found = read(entry, site=SITE, media_url=MEDIA)

        for version in versions_of(entry):
            shown = version.get("images") or []
            owner = entry["version"]["id"] if "version" in entry else version["id"]
            ties = [
                VersionImage(
                    version_id=one.get("modelVersionId", owner),
                    image_id=showcases.number_of(one) or 0,
                    position=None if "version" in entry else position,  # cards show only some
                    source="showcase",
                )
                for position, one in enumerate(shown)
            ]
            assert [tie for tie in ties if tie not in found] == []


@pytest.mark.parametrize(("path", "read"), RECORDED, ids=name_of)
def test_addresses_of_downloads_are_ours_and_name_what_the_site_names(
    path: Path, read: Callable[..., list[Item]]
) -> None:
    for entry in entries_of(path):
        found = read(entry, site=SITE, media_url=MEDIA)

        for one in versions_of(entry):
            record = record_of(found, ModelVersion, one["id"])
            told = one.get("downloadUrl")
            if told is not None:
                assert record.download_url == SITE + urlsplit(told).path
        for file in [one for one in found if isinstance(one, ModelFile)]:
            address = f"{SITE}/api/download/models/{file.version_id}?fileId={file.id}"
            assert file.download_url == address


def test_every_recorded_file_about_models_is_read_here() -> None:
    about = set(recorded.files("*model*"))

    others = {path for pattern in HOLD_NO_MODELS for path in recorded.files(pattern)}

    assert about - others - {path for path, _ in RECORDED} == set()
    assert about & others


@pytest.mark.parametrize("path", recorded.files("quirk-rating-labels-*"), ids=name_of)
def test_the_labels_of_ratings_are_read_in_showcases_too(path: Path) -> None:
    pictures = recorded.load(path)["items"]

    found = models.from_version({"id": 1, "images": pictures}, site=SITE, media_url=MEDIA)

    levels = [one.level for one in found if isinstance(one, Image)]
    assert levels == [one["browsingLevel"] for one in pictures]
