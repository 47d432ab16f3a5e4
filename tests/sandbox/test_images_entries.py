from __future__ import annotations

import json

import pytest

from civitscrape.sandbox.world import World
from tests.sandbox.conftest import WORLD, Caller

ALL = "username=lampwright&sort=Oldest&limit=200&browsingLevel=31&withMeta=true&withTags=true&flatMeta=true"


@pytest.fixture
async def entries(caller: Caller):
    page = await caller.images(ALL, red=True)
    return {one["id"]: one for one in page["items"]}


async def test_entries_hold_to_the_schema_and_its_order(entries, schema):
    for entry in entries.values():
        schema("ImageItem", entry)

    assert list(next(iter(entries.values()))) == [
        "id", "url", "hash", "width", "height", "nsfwLevel", "type", "nsfw", "browsingLevel", "createdAt", "postId",
        "stats", "meta", "username", "baseModel", "modelVersionIds", "tags",
    ]  # fmt: skip


async def test_entries_agree_with_the_truth(entries):
    told = {one["id"]: one for one in WORLD.truth("lampwright", 31, hashes=False).images}

    for number, entry in entries.items():
        true = told[number]
        assert entry["browsingLevel"] == true["level"]
        assert entry["createdAt"] == true["listed_at"]
        assert entry["postId"] == true["post_id"]
        assert entry["meta"] == true["meta"]
        assert entry["tags"] == true["tags"]
        assert entry["baseModel"] == true["base_model"]
        assert entry["modelVersionIds"] == true["model_version_ids"]
        assert {name: entry["stats"][f"{name}Count"] for name in ("cry", "laugh", "like", "heart", "comment")} == {
            name: count for name, count in true["stats"].items() if name != "collected"
        }


async def test_created_at_is_the_latest_of_creation_scan_and_publication(entries):
    told = {one["id"]: one for one in WORLD.truth("lampwright", 31, hashes=False).images}

    for number, entry in entries.items():
        assert entry["createdAt"] > told[number]["created_at"]
        assert entry["createdAt"] >= told[number]["published_at"]


async def test_addresses_end_in_the_key_and_lie_about_the_format(entries, caller: Caller):
    for number, entry in entries.items():
        record = WORLD.records[number]
        if not record.foreign:
            ending = {"video": "mp4", "audio": "mp3"}.get(record.type, "jpeg")
            assert entry["url"] == f"{caller.sandbox.media_url}/{record.key}/original=true/{record.key}.{ending}"


async def test_a_foreign_key_is_its_own_address(entries):
    foreign = [entry for entry in entries.values() if WORLD.records[entry["id"]].foreign]

    assert [one["url"] for one in foreign] == [WORLD.records[foreign[0]["id"]].key]


async def test_hidden_generation_data_never_leaves(entries):
    hidden = [entry for entry in entries.values() if WORLD.records[entry["id"]].hide_meta]

    assert hidden
    assert all(one["meta"] is None for one in hidden)


async def test_meta_needs_to_be_asked_for(caller: Caller):
    page = await caller.images("username=lampwright&limit=200")

    assert all(one["meta"] is None for one in page["items"])
    assert all("tags" not in one for one in page["items"])


async def test_meta_is_wrapped_when_flat_is_refused(caller: Caller):
    page = await caller.images("username=lampwright&limit=200&withMeta=true&flatMeta=false")

    assert all(one["meta"]["id"] == one["id"] for one in page["items"])
    assert {type(one["meta"]["meta"]).__name__ for one in page["items"]} == {"dict", "NoneType"}


@pytest.mark.parametrize("depth", [0, 1, 2])
async def test_without_flat_meta_the_wrapping_is_the_sites_own_affair(caller: Caller, depth):
    caller.sandbox.site.quirks.meta_nesting = depth

    page = await caller.images("username=lampwright&limit=200&withMeta=true")

    entry = next(one for one in page["items"] if WORLD.records[one["id"]].shape == "flat")
    meta = entry["meta"]
    for _ in range(depth):
        meta = meta["meta"]
    assert "prompt" in meta


async def test_a_comfy_graph_is_json_inside_text(entries):
    comfy = [one["meta"] for one in entries.values() if one["meta"] and "comfy" in one["meta"]]

    assert comfy
    assert json.loads(comfy[0]["comfy"])["prompt"]["6"]["inputs"]["text"] == comfy[0]["prompt"]


async def test_meta_comes_in_shapes_that_a_parser_must_survive(entries):
    metas = [one["meta"] for one in entries.values() if one["meta"]]

    assert any(isinstance(one.get("Model"), dict) for one in metas)
    assert any("prompt" not in one for one in metas)
    assert any(isinstance(one.get("steps"), str) for one in metas)
    assert any(isinstance(one.get("seed"), int) and one["seed"] > 2**64 for one in metas)
    assert any("Clip skip" in one for one in metas)
    assert any(not one.get("prompt", "").isascii() for one in metas)
    assert any("civitaiResources" in one for one in metas)


async def test_a_vanished_account_is_called_unknown(caller: Caller):
    post = WORLD.creators["moved_away"].records[0].post_id

    search = await caller.images(f"postId={post}&browsingLevel=31")
    by_name = await caller.images("username=moved_away")

    assert {one["username"] for one in search["items"]} == {"unknown"}
    assert by_name["items"] == []


async def test_base_model_may_be_null_empty_or_run_together(entries):
    told = {one["baseModel"] for one in entries.values()}

    assert {None, "", "SDXL 1.0"} < told


async def test_another_world_with_the_same_numbers_has_its_own_entries(caller: Caller):
    before = await caller.images("username=harbourmaster&sort=Oldest&browsingLevel=31")
    caller.sandbox.world = World.build(seed=9, creators=WORLD.specs)

    after = await caller.images("username=harbourmaster&sort=Oldest&browsingLevel=31")

    assert not {one["url"] for one in before["items"]} & {one["url"] for one in after["items"]}
