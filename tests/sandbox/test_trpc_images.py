from __future__ import annotations

import json

import pytest

from civitscrape.sandbox.content_truth import resources_truth, votes_truth
from civitscrape.sandbox.records import generation_data
from tests.sandbox.conftest import WORLD, Caller
from tests.sandbox.procedures import ask, call, refused

LISTED = [one for one in WORLD.creators["lampwright"].records if one.listed]
GHOST = next(one for one in WORLD.records.values() if one.ghost)
HIDDEN = next(one for one in LISTED if one.hide_meta and generation_data(one))


async def test_an_image_is_told_whatever_its_level_without_data_and_tags(caller: Caller):
    record = next(one for one in LISTED if one.level > 3)

    told = await call(caller, "image.get", {"id": record.id}, keyed=False, red=False)

    assert (told["id"], told["postId"], told["nsfwLevel"]) == (record.id, record.post_id, record.level)
    assert told["mimeType"].startswith("image/")
    assert not {"meta", "tags", "modelVersionId"} & told.keys()


async def test_the_size_of_a_file_is_told_and_true(caller: Caller):
    for true in WORLD.truth("harbourmaster", 31).stored:
        told = await call(caller, "image.get", {"id": true["id"]})

        assert told["metadata"]["size"] == true["size"]


@pytest.mark.parametrize("number", [1, GHOST.id])
async def test_a_missing_image_is_404_by_number(caller: Caller, number):
    assert await refused(caller, "image.get", {"id": number}) == (404, f"No image with id {number}")


async def test_generation_data_is_told_of_what_the_record_is_refused(caller: Caller):
    ghost = await ask(caller, "image.getGenerationData", {"id": GHOST.id})

    assert ghost.status == 200
    assert await refused(caller, "image.getGenerationData", {"id": 1}) == (404, "Could not find entity")


async def test_hidden_generation_data_is_undefined_and_resources_are_told(caller: Caller):
    reply = await ask(caller, "image.getGenerationData", {"id": HIDDEN.id})

    data = reply.json()["result"]["data"]
    assert data["json"]["meta"] is None
    assert data["meta"]["values"]["meta"] == ["undefined"]
    assert [one["modelVersionId"] for one in data["json"]["resources"]] == list(HIDDEN.used)


async def test_generation_data_is_cleaned(caller: Caller):
    told = {
        one.shape: await call(caller, "image.getGenerationData", {"id": one.id})
        for one in LISTED
        if not one.hide_meta and one.shape in ("comfy", "clip_skip", "flat", "civitai_resources", "engine")
    }

    assert isinstance(told["comfy"]["meta"]["comfy"], dict)
    assert "modelIds" not in told["comfy"]["meta"]
    assert told["clip_skip"]["meta"]["clipSkip"] == 2
    assert "Clip skip" not in told["clip_skip"]["meta"]
    assert told["civitai_resources"]["displayKeys"]
    assert [told[name]["process"] for name in ("comfy", "flat", "clip_skip", "engine")] == [
        *("comfy", "txt2img", "txt2img + Hi-Res", "txt2img"),
    ]


async def test_strengths_are_fractions_of_what_can_have_one(caller: Caller):
    for record in LISTED[:20]:
        told = await call(caller, "image.getGenerationData", {"id": record.id})

        true = resources_truth(WORLD, record.id)
        assert [(one["modelVersionId"], one["strength"]) for one in told["resources"]] == [
            (one["model_version_id"], one["weight"]) for one in true["resources"]
        ]
        assert all(one["strength"] is None for one in told["resources"] if one["modelType"] == "Checkpoint")
        assert [one["name"] for one in told["tools"]] == [one["name"] for one in true["tools"]]


async def test_covers_look_up_any_number_of_images_with_votes_and_raw_data(caller: Caller):
    wanted = [one.id for one in LISTED] + [1, GHOST.id]

    reply = await caller.ask(
        "/api/trpc/image.getEntitiesCoverImage",
        method="POST",
        headers={"Authorization": "Bearer sandbox-key"},
        body={"json": {"entities": [{"entityType": "Image", "entityId": one} for one in wanted]}},
    )

    told = {one["entityId"]: one for one in reply.json()["result"]["data"]["json"]}
    assert set(told) == {one.id for one in LISTED}
    assert (told[HIDDEN.id]["hideMeta"], told[HIDDEN.id]["meta"]) == (True, generation_data(HIDDEN))
    votes = {one["id"]: (one["score"], one["upVotes"], one["source"]) for one in told[HIDDEN.id]["tags"]}
    assert votes == {
        one["tag_id"]: (one["score"], one["up_votes"], one["source"]) for one in votes_truth(WORLD, HIDDEN.id)
    }


async def test_details_name_versions_and_tags_and_showcases_come_by_version(caller: Caller):
    record = next(one for one in LISTED if len(one.used) > 1)

    detail = await call(caller, "image.getDetail", {"id": record.id})
    nothing = await call(caller, "image.getImagesForModelVersion", {"id": 1})

    assert [one["modelVersion"]["id"] for one in detail["resources"]] == list(record.used)
    assert {one["tag"]["id"] for one in detail["tags"]} == set(record.tag_ids)
    assert nothing == {}


async def test_an_unknown_kind_of_cover_is_refused(caller: Caller):
    status, message = await refused(
        caller, "image.getEntitiesCoverImage", {"entities": [{"entityType": "Lantern", "entityId": 1}]}
    )

    assert status == 400
    assert json.loads(message)[0]["path"] == ["entityType"]


async def test_contests_are_told_with_their_post(caller: Caller):
    contest = next(one for one in WORLD.collections.values() if one.mode == "Contest")
    member = contest.members[0]

    told = await call(caller, "image.getContestCollectionDetails", {"id": member.entry_id})
    other = next(one.id for one in LISTED if one.id not in {place.entry_id for place in contest.members})
    nothing = await call(caller, "image.getContestCollectionDetails", {"id": other})

    assert [one["status"] for one in told["collectionItems"]] == [member.status]
    assert told["collectionItems"][0]["tag"]["id"] in (88001, 88002)
    assert told["post"]["title"] == WORLD.posts[WORLD.records[member.entry_id].post_id].title
    assert nothing == {"collectionItems": [], "post": None}


async def test_resources_of_an_image_have_no_strength_and_are_kept_three_minutes(caller: Caller):
    record = next(one for one in LISTED if len(one.used) > 1)

    reply = await ask(caller, "image.getResources", {"id": record.id})

    rows = reply.json()["result"]["data"]["json"]
    assert [one["modelVersionId"] for one in rows] == list(record.used)
    assert sum(one["detected"] for one in rows) == record.detected
    assert "strength" not in rows[0]
    assert reply.headers["Cache-Control"] == "public, max-age=60, s-maxage=180, stale-while-revalidate=30"
