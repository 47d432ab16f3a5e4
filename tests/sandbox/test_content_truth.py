from __future__ import annotations

import json

import pytest

from civitscrape.sandbox.content_truth import (
    collection_truth,
    post_truth,
    posts_truth,
    resources_truth,
    votes_truth,
)
from tests.sandbox.conftest import WORLD, Caller

NAMED = {one.name: one for one in WORLD.collections.values()}
RECORD = next(one for one in WORLD.records.values() if one.listed and len(one.used) > 1)


def test_posts_are_told_with_the_images_of_the_levels_that_are_asked():
    for told in posts_truth(WORLD, "lampwright", mask=3):
        assert told["images"]
        assert all(WORLD.records[one].level <= 2 and WORLD.records[one].listed for one in told["images"])


def test_child_related_images_are_in_the_truth_because_the_passes_are_apart():
    found = {one for post in posts_truth(WORLD, "lampwright") for one in post["images"]}

    assert {one.id for one in WORLD.creators["lampwright"].records if one.childhood and one.listed} <= found
    assert found == set(WORLD.truth("lampwright", 31, hashes=False).ids)


def test_a_collection_is_told_in_the_curators_order_to_who_may_see_it():
    told = collection_truth(WORLD, NAMED["Lanterns & water"].id)

    assert told
    assert told["entries"] == [one.entry_id for one in NAMED["Lanterns & water"].accepted]
    assert collection_truth(WORLD, NAMED["Own drawer"].id) is None


def test_equal_seeds_make_equal_collections_and_votes():
    again = type(WORLD).build(seed=5, creators=WORLD.specs)

    assert again.collections == WORLD.collections
    assert votes_truth(again, RECORD.id) == votes_truth(WORLD, RECORD.id)


@pytest.mark.parametrize(
    ("path", "true"),
    [
        ("posts/lampwright?level=3", posts_truth(WORLD, "lampwright", mask=3)),
        (f"collections/{NAMED['Read when tired'].id}", collection_truth(WORLD, NAMED["Read when tired"].id)),
        (f"collections/{NAMED['Own drawer'].id}", None),
        (f"votes/{RECORD.id}", votes_truth(WORLD, RECORD.id)),
        (f"resources/{RECORD.id}", resources_truth(WORLD, RECORD.id)),
    ],
)
async def test_the_sandbox_tells_its_own_truth(caller: Caller, path, true):
    reply = await caller.ask(f"/_sandbox/{path}")

    assert reply.json() == json.loads(json.dumps(true))


async def test_an_unknown_post_is_a_sentence(caller: Caller):
    with pytest.raises(KeyError):
        post_truth(WORLD, 1)
    reply = await caller.ask("/_sandbox/votes/1")
    keyed = await caller.ask(f"/_sandbox/collections/{NAMED['Own drawer'].id}?keyed=1")

    assert reply.status == 400
    assert keyed.json()["entries"]
