from __future__ import annotations

import asyncio

import pytest

from civitscrape.sandbox import generation, people, tools
from civitscrape.sandbox.tags import TAGS
from tests.sandbox.conftest import WORLD, Caller
from tests.sandbox.procedures import ask, call, ids, pages_of, path, refused, walk

FEED = "image.getInfinite"
LAMPWRIGHT = {"username": "lampwright", "limit": 200, "sort": "Oldest"}
COLLECTION = next(one for one in WORLD.collections.values() if one.name == "Lanterns & water")
POST = max(
    (one for one in WORLD.posts.values() if one.username == "lampwright"),
    key=lambda one: (len([image for image in one.images if image.listed]), one.id),
)


async def test_a_collection_by_oldest_is_lossless_and_in_order_of_id(caller: Caller):
    items = await walk(caller, FEED, {"collectionId": COLLECTION.id, "limit": 5, "sort": "Oldest", "browsingLevel": 3})

    expected = sorted(one.entry_id for one in COLLECTION.accepted if WORLD.records[one.entry_id].level <= 2)
    assert ids(items) == expected
    assert {one["collectionItemStatus"] for one in items} == {"ACCEPTED"}


async def test_any_other_sort_of_the_database_loses_a_row_at_each_boundary(caller: Caller):
    given = {"collectionId": COLLECTION.id, "sort": "Most Reactions", "browsingLevel": 3}
    straight = await walk(caller, FEED, given | {"limit": 200})

    pages = await pages_of(caller, FEED, given | {"limit": 5})

    assert ids(straight) == sorted(ids(straight), reverse=True)
    found = [one for page in pages for one in ids(page["items"])]
    assert set(straight_lost(ids(straight), found)) == {page["nextCursor"] for page in pages[:-1]}


def straight_lost(straight: list[int], found: list[int]) -> list[int]:
    return [one for one in straight if one not in found]


async def test_random_needs_a_collection_and_walks_it_whole(caller: Caller):
    without = await refused(caller, FEED, {"sort": "Random"})

    pages = await pages_of(
        caller, FEED, {"collectionId": COLLECTION.id, "sort": "Random", "limit": 6, "browsingLevel": 3}
    )

    found = [one for page in pages for one in ids(page["items"])]
    assert without == (400, "Random sort requires a collectionId")
    assert sorted(found) == sorted(set(found))
    assert found != sorted(found)
    assert pages[0]["nextCursor"].count(":") == 2


async def test_a_private_collection_is_an_empty_page(caller: Caller):
    theirs, own = (one for one in WORLD.collections.values() if one.read == "Private")

    hidden = await call(caller, FEED, {"collectionId": theirs.id})
    shown = await call(caller, FEED, {"collectionId": own.id, "sort": "Oldest"})
    anonymous = await call(caller, FEED, {"collectionId": own.id}, keyed=False)

    assert hidden["items"] == anonymous["items"] == []
    assert shown["items"]


async def test_a_post_comes_by_index_without_loss(caller: Caller):
    items = await walk(caller, FEED, {"postId": POST.id, "limit": 1})

    assert [one["index"] for one in items] == [one.post_index for one in POST.images if one.listed]


@pytest.mark.parametrize("keyed", [True, False])
async def test_reactions_are_the_callers_own_and_ignored_for_anonymous_callers(caller: Caller, keyed):
    page = await call(caller, FEED, LAMPWRIGHT | {"reactions": ["Like", "Heart"]}, keyed=keyed)

    liked = {one.id for one in WORLD.records.values() if people.reaction(7001, one) in ("Like", "Heart")}
    assert page["items"]
    assert (set(ids(page["items"])) <= liked) is keyed
    assert "source" not in page
    assert bool(page["items"][0]["reactions"]) is keyed


async def test_tools_are_any_of_on_the_index_and_all_of_in_the_database(caller: Caller):
    both = {"tools": list(tools.TOOLS), "limit": 200, "browsingLevel": 3}

    index = await call(caller, FEED, both)
    database = await call(caller, FEED, both | {"collectionId": COLLECTION.id})
    one = await call(caller, FEED, both | {"tools": [33]})

    assert index["items"]
    assert all(item["toolIds"] for item in index["items"])
    assert database["items"] == []
    assert {33} <= set.intersection(*(set(item["toolIds"]) for item in one["items"]))


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"withMeta": True}, lambda one: one["hasMeta"]),
        ({"fromPlatform": True}, lambda one: one["onSite"]),
        ({"excludedTagIds": [5101]}, lambda one: 5101 not in one["tagIds"]),
        ({"tags": [5101]}, lambda one: 5101 in one["tagIds"]),
        ({"followed": True}, lambda one: one["user"]["id"] % 2 == 1),
        ({"remixesOnly": True}, lambda one: one["remixOfId"]),
        ({"techniques": [1]}, lambda one: 1 in one["techniqueIds"]),
        ({"excludedUserIds": [550012]}, lambda one: one["userId"] != 550012),
        ({"types": ["video"]}, lambda one: one["type"] == "video"),
    ],
)
async def test_a_filter_of_the_index_narrows(caller: Caller, given, holds):
    every = await call(caller, FEED, {"limit": 200, "browsingLevel": 31})

    page = await call(caller, FEED, {"limit": 200, "browsingLevel": 31} | given)

    wanted = [one["id"] for one in every["items"] if holds(one)]
    assert 0 < len(page["items"]) < len(every["items"])
    assert sorted(ids(page["items"])) == sorted(wanted)


async def test_followed_is_everybody_for_who_is_not_logged_in(caller: Caller):
    every = await call(caller, FEED, {"limit": 200}, keyed=False)
    followed = await call(caller, FEED, {"limit": 200, "followed": True}, keyed=False)

    assert ids(followed["items"]) == ids(every["items"])


@pytest.mark.parametrize("given", [{"ids": [1]}, {"generation": ["txt2img"]}, {"includeBaseModel": True}])
async def test_what_the_index_does_not_know_it_ignores(caller: Caller, given):
    plain = await call(caller, FEED, LAMPWRIGHT)

    assert await call(caller, FEED, LAMPWRIGHT | given) == plain


async def test_ids_and_generation_count_in_the_database(caller: Caller):
    given = {"collectionId": COLLECTION.id, "limit": 200, "sort": "Oldest"}
    every = await call(caller, FEED, given)

    some = await call(caller, FEED, given | {"ids": ids(every["items"])[:2]})
    made = await call(caller, FEED, given | {"generation": ["txt2img"]})

    assert ids(some["items"]) == ids(every["items"])[:2]
    assert made["items"]
    assert {generation.process(WORLD.records[one]) for one in ids(made["items"])} == {"txt2img"}


async def test_meta_in_the_database_is_a_filter_and_meta_select_the_data(caller: Caller):
    given = {"collectionId": COLLECTION.id, "limit": 200, "sort": "Oldest"}

    filtered = await call(caller, FEED, given | {"include": ["meta"]})
    whole = await call(caller, FEED, given | {"include": ["metaSelect"]})

    assert all(one["hasMeta"] and one["meta"] is None for one in filtered["items"])
    assert len(filtered["items"]) < len(whole["items"])
    assert all(one["meta"]["id"] == one["id"] for one in whole["items"])


async def test_the_two_back_ends_differ_in_the_ways_the_contract_lists(caller: Caller):
    reply = await ask(caller, FEED, {"postId": POST.id, "include": ["tags"], "includeBaseModel": True})
    database = reply.json()["result"]["data"]
    one = next(item for item in database["json"]["items"])
    index = await call(caller, FEED, LAMPWRIGHT | {"username": one["user"]["username"], "browsingLevel": 31})
    same = next(item for item in index["items"] if item["id"] == one["id"])

    assert (one["name"] is None, same["name"] is None) == (False, True)
    assert one["createdAt"] < same["createdAt"] == same["sortAt"] == same["publishedAt"] == one["sortAt"]
    assert "userId" not in one
    assert one["modelVersionIds"] == list(WORLD.records[one["id"]].used)
    assert same["modelVersionIds"] + same["modelVersionIdsManual"] == one["modelVersionIds"]
    assert one["metadata"].keys() - same["metadata"].keys() == {"hash", "size"}
    assert database["meta"]["referentialEqualities"]["items.0.sortAt"] == ["items.0.publishedAt"]


async def test_a_database_that_takes_too_long_looks_like_the_end(caller: Caller):
    caller.sandbox.site.quirks.database_timeout = True

    post = await call(caller, FEED, {"postId": POST.id})
    user = await call(caller, FEED, LAMPWRIGHT)

    assert (post["items"], post["nextCursor"]) == ([], None)
    assert user["items"]


async def test_a_search_in_trouble_is_503_for_the_index_alone(caller: Caller):
    caller.sandbox.site.quirks.search_overloaded = True

    status, message = await refused(caller, FEED, LAMPWRIGHT)
    post = await call(caller, FEED, {"postId": POST.id})

    assert (status, message) == (503, "Image search is temporarily overloaded — please retry.")
    assert post["items"]


@pytest.mark.parametrize(
    ("given", "keyed", "status", "message"),
    [
        ({"hidden": True}, False, 401, "You are not authorized to perform this action"),
        ({"collectionTagId": 5}, True, 400, "collectionTagId requires a collectionId"),
        (
            {"modelVersionId": 1, "prioritizedUserIds": [1], "cursor": 5},
            True,
            400,
            "Cannot use cursor with prioritizedUserIds",
        ),
        ({"skip": 5, "cursor": "5|5"}, True, 500, "Cannot use skip with cursor"),
        ({"postId": POST.id, "cursor": "x"}, True, 400, "Invalid cursor: x"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_words(caller: Caller, given, keyed, status, message):
    assert await refused(caller, FEED, given, keyed=keyed) == (status, message)


async def test_a_showcase_is_what_the_owner_posted_to_a_version(caller: Caller):
    record = next(one for one in WORLD.records.values() if one.posted_to is not None and one.listed)

    page = await call(
        caller, FEED, {"modelVersionId": record.posted_to, "prioritizedUserIds": [record.user_id], "limit": 200}
    )

    shown = [WORLD.records[one] for one in ids(page["items"])]
    assert record in shown
    assert {(one.user_id, one.posted_to) for one in shown} == {(record.user_id, record.posted_to)}
    assert shown == sorted(shown, key=lambda one: (one.post_id, one.post_index))
    assert page["nextCursor"] is None


async def test_images_as_posts_gather_and_a_lazy_gallery_tells_six(caller: Caller):
    name, given = "image.getImagesAsPostsInfinite", {"username": "lampwright", "limit": 4, "sort": "Oldest"}
    page = await call(caller, name, given)
    caller.sandbox.site.quirks.lazy_posts = True

    lazy = await call(caller, name, given)

    post = next(one for one in page["items"] if len(one["images"]) > 1)
    assert len(page["items"]) >= 4
    assert [one["index"] for one in post["images"]] == sorted(one["index"] for one in post["images"])
    assert {one["postId"] for one in post["images"]} == {post["postId"]}
    assert not {"meta", "availability", "baseModel"} & post["images"][0].keys()
    assert {one["postId"]: one["imageCount"] for one in lazy["items"]} == {
        one["postId"]: len(one["images"]) for one in page["items"]
    }


async def test_a_walk_of_images_as_posts_holds_every_image(caller: Caller):
    posts = await walk(caller, "image.getImagesAsPostsInfinite", LAMPWRIGHT | {"limit": 5, "browsingLevel": 3})

    found = {image["id"] for post in posts for image in post["images"]}
    assert found == {one.id for one in WORLD.creators["lampwright"].records if one.listed and one.level <= 2}


async def test_each_feed_of_a_batch_takes_a_slot(caller: Caller):
    caller.sandbox.site.quirks.bulkhead = 2
    names = ",".join([FEED] * 4)

    reply = await caller.ask(f"/api/trpc/{names}?batch=1", headers={"Referer": "https://civitai.red/"})

    assert reply.status == 207
    assert ["result" in one for one in reply.json()] == [True, True, False, False]
    assert reply.json()[-1]["error"]["json"]["message"] == "Server busy — please retry."


async def test_feeds_as_posts_share_the_bulkhead(caller: Caller):
    caller.sandbox.site.quirks.bulkhead = 1
    caller.sandbox.faults.slow({"api": 60})
    address = path("image.getImagesAsPostsInfinite", {"limit": 1})

    replies = await asyncio.gather(
        *(caller.ask(address, headers={"Referer": "https://civitai.red/"}) for _ in range(4))
    )

    assert 429 in {one.status for one in replies}


async def test_a_filter_of_blocked_tags_alone_is_an_empty_page(caller: Caller):
    blocked = next(one.id for one in TAGS.values() if one.name == "candle")

    alone = await call(caller, FEED, LAMPWRIGHT | {"tags": [blocked]})
    beside = await call(caller, FEED, LAMPWRIGHT | {"tags": [blocked, 5101]})

    assert alone["items"] == []
    assert beside["items"]


def test_the_vocabulary_knows_every_tag_of_every_record():
    assert {tag for one in WORLD.records.values() for tag in one.tag_ids} <= set(TAGS)
