from __future__ import annotations

import pytest

from civitscrape.sandbox import people, tags
from civitscrape.sandbox.content_truth import votes_truth
from tests.sandbox.conftest import WORLD, Caller
from tests.sandbox.procedures import call, refused

RECORDS = [one for one in WORLD.records.values() if one.listed]
VOTES = {one.id: tags.votes(one) for one in RECORDS}


def test_a_score_is_a_tenth_of_the_confidence_and_the_weights_of_the_votes():
    for vote in (vote for votes in VOTES.values() for vote in votes):
        detected = vote.score - sum(vote.weights)

        assert 3 <= detected <= 10 if vote.automated else detected == 0
        assert vote.up == sum(one > 0 for one in vote.weights)
        assert vote.down == sum(one < 0 for one in vote.weights)
        assert set(map(abs, vote.weights)) <= {1, 3, 10}
        assert (vote.upvoted_at is None) == (vote.up == 0)


def test_images_were_seen_by_both_detectors_the_older_alone_or_none():
    sources = [frozenset(one.source for one in votes) - {"User", "Computed"} for votes in VOTES.values()]

    assert {frozenset({"WD14", "Rekognition"}), frozenset({"Rekognition"}), frozenset()} <= set(sources)


def test_an_images_own_page_drops_the_older_detectors_tags_but_for_moderation():
    both = [votes for votes in VOTES.values() if {"WD14", "Rekognition"} <= {one.source for one in votes}]

    left = [one for votes in both for one in tags.shown(votes) if one.source == "Rekognition"]
    assert left
    assert {one.tag.type for one in left} == {"Moderation"}


def test_where_the_older_detector_is_alone_its_tags_stay():
    alone = next(votes for votes in VOTES.values() if {one.source for one in votes} == {"Rekognition", "User"})

    assert tags.shown(alone) == alone


async def test_votable_tags_are_what_the_page_shows_best_first(caller: Caller):
    for record in RECORDS[:25]:
        told = await call(caller, "tag.getVotableTags", {"id": record.id, "type": "image"}, keyed=False)

        true = [one for one in votes_truth(WORLD, record.id) if one["shown"]]
        assert [(one["id"], one["score"], one["upVotes"], one["downVotes"], one["lastUpvote"]) for one in told] == [
            (one["tag_id"], one["score"], one["up_votes"], one["down_votes"], one["last_upvote"]) for one in true
        ]
        assert [(-one["score"], one["id"]) for one in told] == sorted((-one["score"], one["id"]) for one in told)
        assert not any({"source", "imageId", "vote"} & one.keys() for one in told)


async def test_feeds_tell_tags_that_the_page_does_not(caller: Caller):
    feed = await call(
        caller,
        "image.getInfinite",
        {"username": "lampwright", "include": ["tags"], "limit": 200, "sort": "Oldest"},
        keyed=False,
    )

    dropped = 0
    for item in feed["items"]:
        votable = await call(caller, "tag.getVotableTags", {"id": item["id"], "type": "image"}, keyed=False)
        every = {one["id"]: one for one in item["tags"]}
        assert {one["id"] for one in votable} <= set(every)
        dropped += len(every) - len(votable)
        for one in votable:
            assert every[one["id"]] == one | {"source": every[one["id"]]["source"], "imageId": item["id"]}
    assert dropped


async def test_take_counts_before_the_filter(caller: Caller):
    record = next(one for one in RECORDS if len(tags.shown(VOTES[one.id][:4])) < 4)

    told = await call(caller, "tag.getVotableTags", {"id": record.id, "type": "image", "take": 4})

    assert len(told) < 4


async def test_own_votes_are_marked(caller: Caller):
    record = next(one for one in RECORDS if any(people.voted(7001, one, tag) for tag in one.tag_ids))

    told = await call(caller, "tag.getVotableTags", {"id": record.id, "type": "image"})

    marked = {one["id"] for one in told if one.get("vote") == 1}
    assert marked <= {tag for tag in record.tag_ids if people.voted(7001, record, tag)}


@pytest.mark.parametrize("kind", ["image", "model"])
async def test_unknown_things_have_no_tags_and_are_no_error(caller: Caller, kind):
    assert await call(caller, "tag.getVotableTags", {"id": 1, "type": kind}) == []


async def test_tags_of_models_have_no_level(caller: Caller):
    model = next(one for one in WORLD.models.values() if one.visible)

    told = await call(caller, "tag.getVotableTags", {"id": model.id, "type": "model"})

    assert {one["id"] for one in told} == set(model.tag_ids)
    assert {one["nsfwLevel"] for one in told} == {0}
    assert not {"automated", "concrete", "lastUpvote"} & told[0].keys()


async def test_names_become_ids_and_ids_names(caller: Caller):
    found = await call(caller, "tag.getTagWithModelCount", {"name": "Lantern"})
    named = await call(caller, "tag.getById", {"id": found[0]["id"]})

    assert named == {"id": 5100, "name": "lantern", "type": "Label"}
    assert await call(caller, "tag.getTagWithModelCount", {"name": "no such"}) == []
    assert await call(caller, "tag.getById", {"id": 1}) is None


async def test_the_vocabulary_is_walked_until_a_page_is_short(caller: Caller):
    names: list[str] = []
    page = 1
    while True:
        told = await call(caller, "tag.getAll", {"limit": 10, "page": page, "include": ["nsfwLevel"]})
        names += [one["name"] for one in told["items"]]
        assert (told["totalItems"], told["totalPages"]) == (0, 1)
        assert {one["nsfwLevel"] for one in told["items"]} == {1}
        if len(told["items"]) < 10:
            break
        page += 1

    assert len(names) == len(set(names))
    assert "picture book" not in names
    prefixed = await call(caller, "tag.getAll", {"query": "picture"})
    assert [one["name"] for one in prefixed["items"]] == ["picture book"]


async def test_a_tag_listing_has_bounds(caller: Caller):
    assert (await refused(caller, "tag.getAll", {"limit": 201}))[0] == 400


async def test_tools_and_techniques_are_listed_whole(caller: Caller):
    tools = await call(caller, "tool.getAll")
    techniques = await call(caller, "technique.getAll")

    assert {33} < {one["id"] for one in tools}
    assert {"txt2img", "txt2vid"} <= {one["name"] for one in techniques}
