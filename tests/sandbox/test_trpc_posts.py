from __future__ import annotations

import pytest

from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.content_truth import post_truth, posts_truth
from civitscrape.sandbox.world import World
from tests.sandbox.conftest import WORLD, Caller
from tests.sandbox.procedures import call, ids, refused, walk

LAMPWRIGHT = {"username": "lampwright", "sort": "Newest", "limit": 7}


def test_posts_hold_their_images_in_order_and_no_ghosts():
    for post in WORLD.posts.values():
        assert [one.post_index for one in post.images] == sorted(one.post_index for one in post.images)
        assert {one.post_id for one in post.images} == {post.id}
        assert not any(one.ghost for one in post.images)


def test_titles_are_words_null_or_empty():
    titles = {one.title for one in WORLD.posts.values()}

    assert {None, ""} < titles


def test_publishing_leaves_older_posts_alone():
    grown = WORLD.with_images("lampwright", 9)

    assert {number: grown.posts[number] for number in WORLD.posts} == WORLD.posts
    assert len(grown.posts) > len(WORLD.posts)


async def test_a_post_is_the_truth_without_images(caller: Caller):
    for post in list(WORLD.posts.values())[:30]:
        told = await call(caller, "post.get", {"id": post.id})

        true = post_truth(WORLD, post.id)
        assert (told["title"], told["modelVersionId"], told["publishedAt"], told["nsfwLevel"]) == (
            *(true["title"], true["model_version_id"], true["published_at"], true["level"]),
        )
        assert [one["name"] for one in told["tags"]] == [one["name"] for one in true["tags"]]
        assert "images" not in told


async def test_a_missing_post_is_404(caller: Caller):
    assert (await refused(caller, "post.get", {"id": 1}))[0] == 404


@pytest.mark.parametrize(("keyed", "mask"), [(True, 31), (False, 1)])
async def test_a_walk_by_newest_holds_every_post(caller: Caller, keyed, mask):
    posts = await walk(caller, "post.getInfinite", LAMPWRIGHT, keyed=keyed)

    visible = [
        one
        for one in posts_truth(WORLD, "lampwright", mask=mask)
        if any(not WORLD.records[image].childhood or mask == 1 for image in one["images"])
    ]
    assert ids(posts) == [one["id"] for one in visible]


async def test_a_post_in_a_list_has_eight_images_at_most_and_their_number(caller: Caller):
    posts = await walk(caller, "post.getInfinite", LAMPWRIGHT | {"browsingLevel": 3})

    for post in posts:
        assert len(post["images"]) == min(post["imageCount"], 8)
        assert all(image["nsfwLevel"] <= 2 and image["name"] is None for image in post["images"])


async def test_an_unknown_username_is_the_whole_feed(caller: Caller):
    page = await call(caller, "post.getInfinite", {"username": "nobody_here", "sort": "Newest", "limit": 200})

    assert len({one["user"]["username"] for one in page["items"]}) > 1


async def test_the_most_sorts_leave_out_posts_with_nothing(caller: Caller):
    caller.sandbox.world = World.build(creators=[CreatorSpec(username="lampwright", images=60, per_post=1)])

    newest = await walk(caller, "post.getInfinite", {"sort": "Newest", "limit": 200})
    reacted = await walk(caller, "post.getInfinite", {"sort": "Most Comments", "limit": 200})

    assert len(reacted) < len(newest)
    counts = [one["stats"]["commentCount"] for one in reacted]
    assert counts == sorted(counts, reverse=True)


async def test_posts_of_a_collection_are_its_members(caller: Caller):
    collection = next(one for one in WORLD.collections.values() if one.type == "Post")

    posts = await walk(caller, "post.getInfinite", {"collectionId": collection.id, "sort": "Newest", "limit": 3})

    members = {one.entry_id for one in collection.accepted}
    assert set(ids(posts)) <= members
    assert len(posts) > len(members) / 2


async def test_the_resources_of_a_post_are_one_call(caller: Caller):
    post = next(one for one in WORLD.posts.values() if sum(len(image.used) for image in one.images) > 3)

    rows = await call(caller, "post.getResources", {"id": post.id})

    assert sorted((one["imageId"], one["modelVersionId"]) for one in rows) == sorted(
        (image.id, version) for image in post.images for version in image.used
    )
    assert [one["modelName"] for one in rows] == sorted(one["modelName"] for one in rows)


@pytest.mark.parametrize("cursor", ["5", "yesterday|5", "2026-01-01|x"])
async def test_a_broken_cursor_is_named(caller: Caller, cursor):
    status, message = await refused(caller, "post.getInfinite", LAMPWRIGHT | {"cursor": cursor})

    assert (status, message) == (400, f"Invalid cursor: {cursor}")
