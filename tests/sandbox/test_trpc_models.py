from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.world import World
from tests.sandbox.procedures import ask, call, ids, pages_of, refused, walk

if TYPE_CHECKING:
    from tests.sandbox.conftest import Caller

CROWD = World.build(
    seed=7,
    creators=[
        CreatorSpec(
            username="lampwright",
            images=160,
            models=24,
            draft_models=2,
            archived_models=2,
            unsearchable_models=2,
            private_models=1,
            minor_models=2,
            childhood_models=1,
            early_access_models=2,
            nsfw_models=2,
        ),
        CreatorSpec(username="harbourmaster", images=12, models=4),
    ],
)
ALL = "model.getAll"
OWN = {"username": "lampwright", "limit": 4, "sort": "Oldest", "browsingLevel": 3}
MODELS = CROWD.creators["lampwright"].models


@pytest.fixture(autouse=True)
def crowd(caller: Caller) -> None:
    caller.sandbox.world = CROWD


def first_has_image(number: int, mask: int = 31) -> bool:
    version = next(one for one in CROWD.models[number].visible_versions if one.level & mask)
    return version.id in CROWD.showcases


async def test_a_walk_by_oldest_holds_every_model_that_has_an_image(caller: Caller):
    models = await walk(caller, ALL, OWN | {"archived": True})

    expected = {one.id for one in MODELS if one.visible and one.level & 3 and first_has_image(one.id, 3)}
    assert set(ids(models)) == expected
    assert expected < {one.id for one in MODELS if one.visible and one.level & 3}


async def test_newest_loses_a_model_at_each_boundary(caller: Caller):
    oldest = set(ids(await walk(caller, ALL, OWN)))

    newest = set(ids(await walk(caller, ALL, OWN | {"sort": "Newest"})))

    assert newest < oldest


@pytest.mark.parametrize("sort", ["Highest Rated", "Most Downloaded", "Most Collected"])
async def test_ranked_walks_lose_nothing_and_repeat_tails(caller: Caller, sort):
    pages = await pages_of(caller, ALL, OWN | {"sort": sort})

    found = [one for page in pages for one in ids(page["items"])]
    assert set(found) == set(ids(await walk(caller, ALL, OWN)))
    assert max(len(page["items"]) for page in pages) > 4
    assert len(found) > len(set(found))


async def test_archived_models_need_to_be_asked_for(caller: Caller):
    plain = await walk(caller, ALL, OWN)
    archived = await walk(caller, ALL, OWN | {"archived": True})

    assert {one["mode"] for one in plain} == {None}
    assert {one["mode"] for one in archived} >= {"Archived"}


async def test_asking_for_more_levels_hides_minor_and_child_related_models(caller: Caller):
    mild = set(ids(await walk(caller, ALL, OWN | {"archived": True})))
    all_levels = set(ids(await walk(caller, ALL, OWN | {"archived": True, "browsingLevel": 31})))

    hidden = mild - all_levels
    assert hidden
    assert all(CROWD.models[one].minor or CROWD.models[one].childhood for one in hidden)


async def test_unsearchable_models_are_listed_by_username_only(caller: Caller):
    own = await walk(caller, ALL, OWN)
    every = await walk(caller, ALL, OWN | {"username": ""})

    unsearchable = {one["id"] for one in own if one["availability"] == "Unsearchable"}
    assert unsearchable or not any(one.availability == "Unsearchable" and first_has_image(one.id, 3) for one in MODELS)
    assert not unsearchable & set(ids(every))


async def test_cursors_are_readable(caller: Caller):
    ranked = await call(caller, ALL, OWN | {"sort": "Highest Rated"})
    dated = await call(caller, ALL, OWN)

    assert ranked["nextCursor"].count("|") == 2
    assert len(dated["nextCursor"].partition("|")[0]) == len("2026-05-01 10:00:00.123")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"limit": 101}, 400),
        ({"page": 1}, 400),
        ({"sort": "Oldest", "cursor": "|123"}, 400),
        ({"username": "nobody_here"}, 404),
        ({"types": "Lantern"}, 400),
        ({"favorites": True}, 401),
    ],
)
async def test_what_cannot_be_asked_is_refused(caller: Caller, given, status):
    assert (await refused(caller, ALL, given, keyed=False))[0] == status


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"types": "LORA"}, lambda one: one.type == "LORA"),
        ({"types": ["LORA", "Checkpoint"]}, lambda one: one.type in ("LORA", "Checkpoint")),
        ({"excludedTagIds": [5100]}, lambda one: 5100 not in one.tag_ids),
        ({"limit": "100"}, lambda _: True),
    ],
)
async def test_filters_narrow(caller: Caller, given, holds):
    every = await walk(caller, ALL, OWN)

    found = await walk(caller, ALL, OWN | given)

    assert set(ids(found)) == {one for one in ids(every) if holds(CROWD.models[one])}


async def test_a_tag_that_nobody_knows_finds_nothing(caller: Caller):
    assert (await call(caller, ALL, {"tagname": "no such tag"}))["items"] == []


async def test_models_of_a_collection_are_its_members(caller: Caller):
    collection = next(one for one in CROWD.collections.values() if one.type == "Model")

    found = await walk(caller, ALL, {"collectionId": collection.id, "limit": 3, "sort": "Oldest"})

    assert found
    assert set(ids(found)) <= {one.entry_id for one in collection.accepted}


async def test_a_model_is_told_whole_with_its_published_versions_and_posts(caller: Caller):
    model = next(one for one in MODELS if one.visible and any(v.id in CROWD.showcases for v in one.versions))

    told = await call(caller, "model.getById", {"id": model.id}, keyed=False, red=False)

    assert ids(told["modelVersions"]) == [one.id for one in model.visible_versions]
    for version in told["modelVersions"]:
        assert [one["id"] for one in version["posts"]] == list(
            dict.fromkeys(one.post_id for one in CROWD.showcases.get(version["id"], ()))
        )
        assert [one["id"] for one in version["files"]] == [
            one.id for one in CROWD.versions[version["id"]].listed_files
        ] or not version["canDownload"]


async def test_showcases_come_by_version_too(caller: Caller):
    version, records = next(iter(CROWD.showcases.items()))

    told = await call(caller, "image.getImagesForModelVersion", {"id": version})

    assert ids(told[str(version)]["images"]) == [one.id for one in records[:20]]


async def test_drafts_private_and_missing_models_are_404_by_number(caller: Caller):
    for number in (1, *(one.id for one in MODELS if not one.visible)):
        assert await refused(caller, "model.getById", {"id": number}) == (404, f"No model with id {number}")


async def test_versions_are_listed_with_drafts_unless_declined(caller: Caller):
    draft = next(one for one in MODELS if one.status == "Draft")

    every = await call(caller, "model.getVersions", {"id": draft.id})
    published = await call(caller, "model.getVersions", {"id": draft.id, "excludeUnpublished": True})

    assert (ids(every), published) == ([one.id for one in draft.versions], [])


async def test_a_version_comes_without_files_unless_asked(caller: Caller):
    version = MODELS[0].versions[0]

    plain = await ask(caller, "modelVersion.getById", {"id": version.id})
    whole = await call(caller, "modelVersion.getById", {"id": version.id, "withFiles": True})

    data = plain.json()["result"]["data"]
    assert (data["json"]["files"], data["meta"]["values"]["files"]) == (None, ["undefined"])
    assert data["json"]["model"]["id"] == MODELS[0].id
    assert isinstance(whole["files"], list)


async def test_names_of_versions_come_by_fifty_and_resources_by_a_hundred(caller: Caller):
    known = [one.id for one in CROWD.versions.values() if one.visible][:3]

    names = await call(caller, "modelVersion.getVersionsByIds", {"ids": [*known, 1]})
    resources = await call(caller, "generation.getResourceDataByIds", {"ids": [*known, 1]})

    assert ids(names) == ids(resources) == known
    assert (await refused(caller, "modelVersion.getVersionsByIds", {"ids": [1] * 51}))[0] == 400
    assert (await refused(caller, "generation.getResourceDataByIds", {"ids": []}))[0] == 400


async def test_hashes_are_looked_up_by_post_only(caller: Caller):
    card = (await walk(caller, ALL, OWN))[0]
    body = {"json": {"hashes": [card["hashes"][0], "00"]}}

    posted = await caller.ask(
        "/api/trpc/model.getModelsByHash", method="POST", headers={"Authorization": "Bearer sandbox-key"}, body=body
    )
    got = await refused(caller, "model.getModelsByHash", {"hashes": []})

    found = posted.json()["result"]["data"]["json"]
    assert card["id"] in {one["modelId"] for one in found}
    assert got[0] == 405


async def test_lists_of_models_are_kept_for_anonymous_callers_alone(caller: Caller):
    anonymous = await ask(caller, ALL, {"limit": 1}, keyed=False)
    keyed = await ask(caller, ALL, {"limit": 1})

    assert anonymous.headers["Cache-Control"] == "public, max-age=60, s-maxage=60, stale-while-revalidate=30"
    assert keyed.headers["Cache-Control"] == "max-age=0, private, no-cache"


async def test_a_paid_gate_has_prices_and_a_permanent_one_no_end(caller: Caller):
    gated = [(model, one) for model in MODELS for one in model.versions if one.gated and model.visible]
    assert gated

    for model, version in gated:
        told = await call(caller, "model.getById", {"id": model.id})
        gate = next(one["paidAccess"] for one in told["modelVersions"] if one["id"] == version.id)

        assert gate["terms"]["download"]["price"] > 0
        assert (gate["endsAt"] is None) is (gate["timeframeDays"] is None) is version.paid_forever
