"""Recorded answers of every year: each entry is read without loss, or refused with file, entry and field named."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.civitai import media, pages
from civitscrape.civitai.encoding import decode
from civitscrape.exceptions import EntryError
from civitscrape.items import Image, ImageTag, Tag
from civitscrape.parsers.generation import innermost, normalise
from civitscrape.parsers.images import from_rest
from tests.parsers import recorded

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not recorded.REAL.is_dir(), reason=recorded.MISSING)

LISTINGS = recorded.files(
    "rest-images-*.json",
    "docs-devsite-images*.json",
    "docs-wiki-images-*.json",
    "quirk-*username*.json",
    "quirk-rating*.json",
)
OTHERS = recorded.files("rest-model*.json", "docs-wiki-model*.json", "docs-devsite-model*.json", "trpc-*.json")

# Path of a leaf of an entry -> field of the image that holds its very value.
SAME = {
    "id": "id",
    "url": "url",
    "hash": "hash",
    "width": "width",
    "height": "height",
    "type": "type",
    "nsfw": "nsfw",
    "browsingLevel": "level",
    "createdAt": "created_at",
    "postId": "post_id",
    "stats.cryCount": "cry_count",
    "stats.laughCount": "laugh_count",
    "stats.likeCount": "like_count",
    "stats.heartCount": "heart_count",
    "stats.commentCount": "comment_count",
    "modelVersionIds": "model_version_ids",
}
# Leaves that are left to the payload on purpose, and the only value they ever had.
UNKEPT: dict[str, Any] = {"stats.dislikeCount": 0, "thumbnail": None}
LABELS: dict[str, set[int | None]] = {"None": {1, None}, "Soft": {2}, "Mature": {4}, "X": {8, 16}, "Blocked": {32}}


def holds(found: list[Any], path: str, value: Any) -> bool:
    """Tell whether the items of an entry hold one of its leaves."""
    image = found[0]
    assert isinstance(image, Image)
    if path in SAME:
        return bool(getattr(image, SAME[path]) == value)
    match path:
        case "nsfwLevel":
            return image.level in LABELS[value]
        case "username":
            return image.creator == (None if value in {None, "unknown"} else str(value))
        case "baseModel":
            return image.base_model == (value or None)
        case "modelVersionIds[]":
            return value in (image.model_version_ids or [])
        case "tags[].id":
            return any(isinstance(one, ImageTag) and one.tag_id == value for one in found)
        case "tags[].name":
            return any(isinstance(one, Tag) and one.name == value for one in found) and value in image.tags
        case "tags":
            return image.tags == []
    return path in UNKEPT and UNKEPT[path] == value


def lost(entry: dict[str, Any], found: list[Any]) -> list[str]:
    """Return the leaves of an entry that its items do not hold."""
    image = found[0]
    bare = {key: value for key, value in entry.items() if key != "meta"}
    missing = [f"{path}={value!r}" for path, value in recorded.leaves(bare) if not holds(found, path, value)]
    if image.meta != innermost(entry.get("meta")):
        missing.append("meta")
    return missing


def readable(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip())


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: path.name)
def test_every_entry_of_a_listing_is_read_without_loss(path: Path) -> None:
    entries = recorded.load(path)["items"]

    for entry in entries:
        try:
            found = from_rest(entry)
        except EntryError as error:
            pytest.fail(f"{path.name}: {error}")
        assert lost(entry, found) == [], f"{path.name}: entry {entry['id']}"

    assert entries


def test_a_leaf_that_nobody_knows_yet_is_noticed() -> None:
    entry = {"id": 7, "stats": {"likeCount": 1, "sparkleCount": 2}, "tags": []}

    found = from_rest(entry)

    assert lost(entry, found) == ["stats.sparkleCount=2"]


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: path.name)
def test_every_entry_with_a_prompt_gives_it(path: Path) -> None:
    for entry in recorded.load(path)["items"]:
        meta = innermost(entry.get("meta"))
        image = from_rest(entry)[0]
        assert isinstance(image, Image)

        if isinstance(meta, dict) and readable(meta.get("prompt")):
            assert image.prompt == meta["prompt"]
            assert image.meta_state == "visible"
        if isinstance(meta, dict) and readable(meta.get("negativePrompt")):
            assert image.negative_prompt == meta["negativePrompt"]


def test_entries_that_carry_an_account_s_address_have_its_uuid_as_key() -> None:
    urls = [entry["url"] for path in LISTINGS for entry in recorded.load(path)["items"] if "url" in entry]

    keys = {url: media.key_of(url) for url in urls}

    assert len(keys) > 20
    for url, key in keys.items():
        assert key is None if url.startswith("https://img/") else (key is not None and f"/{key}" in url)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_generation_data_of_showcases_and_trpc_are_read_without_loss(path: Path) -> None:
    metas = [
        (place, one["meta"])
        for place, one in recorded.objects(recorded.load(path))
        if isinstance(one.get("meta"), dict) and "values" not in one["meta"]
    ]

    for place, meta in metas:
        found = normalise(meta)
        inner = innermost(meta)

        assert found.meta == inner, f"{path.name}{place}"
        for key, value in {
            "prompt": found.prompt,
            "negativePrompt": found.negative_prompt,
            "sampler": found.sampler,
            "steps": found.steps,
            "cfgScale": found.cfg_scale,
            "seed": found.seed,
            "Size": found.size,
            "Model": found.model,
        }.items():
            # An empty text says as little as a missing one.
            if inner and inner.get(key) not in (None, ""):
                assert value == inner[key], f"{path.name}{place}: {key}"


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_addresses_of_showcases_and_trpc_have_a_key(path: Path) -> None:
    for place, one in recorded.objects(recorded.load(path)):
        if {"url", "width", "hash"} <= one.keys() and one["url"] is not None:
            assert media.key_of(one["url"]) is not None, f"{path.name}{place}: {one['url']}"


def test_keys_of_csv_dumps_are_keys() -> None:
    for path in recorded.files("csv-*.csv"):
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                assert media.key_of(row["image_url"]) == row["image_url"], path.name


@pytest.mark.parametrize("path", recorded.files("trpc-*.json"), ids=lambda path: path.name)
def test_recorded_results_are_opened(path: Path) -> None:
    for place, one in recorded.objects(recorded.load(path)):
        data = one.get("data")
        if isinstance(data, dict) and "json" in data:
            assert decode(data) == data["json"], f"{path.name}{place}"


def test_a_body_with_a_raw_control_byte_is_read() -> None:
    (path,) = recorded.files("quirk-raw-control-byte*")

    (entry,) = recorded.load(path)["items"]

    assert from_rest(entry) == [Image(id=entry["id"])]


def test_the_queries_of_a_recorded_page_are_found_by_name() -> None:
    (path,) = recorded.files("html-nextdata-*.html")

    found = pages.queries(pages.next_data(path.read_text()))

    model = found.first("model.getById")
    assert model is not None
    assert model.data["id"] == 4242
    assert model.input["browsingLevel"] == 1
