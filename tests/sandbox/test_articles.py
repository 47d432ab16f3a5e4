from __future__ import annotations

import re
from typing import Any

import pytest

from civitscrape.items import Level
from tests.sandbox.conftest import KEY, WORLD, Caller, ids
from tests.sandbox.procedures import call

LISTED = [one for one in WORLD.articles.values() if one.listed]
ALL = "/api/v1/articles?nsfw=true"


async def told(caller: Caller, path: str) -> Any:
    reply = await caller.ask(path)
    assert reply.status == 200, reply.body
    return reply.json()


@pytest.mark.parametrize(
    "sort", ["Newest", "Recently Updated", "Most Reactions", "Most Comments", "Most Bookmarks", "Most Collected"]
)
@pytest.mark.parametrize("limit", [1, 3])
async def test_a_walk_loses_and_repeats_nothing(caller: Caller, sort, limit):
    pages = await caller.follow(f"{ALL}&limit={limit}&sort={sort.replace(' ', '%20')}")

    assert sorted(ids(pages)) == sorted(one.id for one in LISTED)
    assert all(len(one["items"]) == limit for one in pages[:-1])
    assert pages[-1]["metadata"] == {}


async def test_a_cursor_is_seconds_and_the_number_of_the_next_article(caller: Caller):
    newest = sorted(LISTED, key=lambda one: (-one.published, -one.id))

    page = await told(caller, f"{ALL}&limit=2")

    seconds, number = page["metadata"]["nextCursor"].split("|")
    assert (float(seconds), int(number)) == (newest[2].published / 1000, newest[2].id)
    assert re.search(r"[?&]cursor=[\d.]+%7C\d+$", page["metadata"]["nextPage"])


async def test_a_cursor_made_by_hand_is_a_watermark(caller: Caller):
    middle = sorted(one.published for one in LISTED)[len(LISTED) // 2]

    page = await told(caller, f"{ALL}&cursor={middle / 1000}%7C0")

    assert set(ids([page])) == {one.id for one in LISTED if one.published < middle}
    assert page["items"]


async def test_articles_of_one_moment_are_told_apart_by_number(caller: Caller):
    pages = await caller.follow(f"{ALL}&limit=1")

    times = [one["publishedAt"] for page in pages for one in page["items"]]
    assert len(set(times)) < len(times)
    assert ids(pages) == [one.id for one in sorted(LISTED, key=lambda one: (-one.published, -one.id))]


async def test_only_pg_is_told_unless_more_is_asked(caller: Caller):
    mild = await told(caller, "/api/v1/articles")
    whole = await told(caller, ALL)

    assert set(ids([mild])) == {one.id for one in LISTED if one.level & Level.PG}
    assert set(ids([whole])) > set(ids([mild]))
    assert {one["coverImage"]["nsfwLevel"] for one in mild["items"] if "coverImage" in one} == {1}
    assert {one["coverImage"]["nsfwLevel"] for one in whole["items"] if "coverImage" in one} > {1}


async def test_articles_are_found_by_title_tag_and_author(caller: Caller):
    wanted = next(one for one in LISTED if one.tag_ids and not one.author.vanished)

    by_title = await told(caller, f"{ALL}&query={wanted.title[:9].upper().replace(' ', '%20')}")
    by_tag = await told(caller, f"{ALL}&tags=1,{wanted.tag_ids[0]}")
    by_author = await told(caller, f"{ALL}&username={wanted.author.username.upper()}")

    assert wanted.id in ids([by_title])
    assert set(ids([by_tag])) == {one.id for one in LISTED if wanted.tag_ids[0] in one.tag_ids}
    assert {one["userId"] for one in by_author["items"]} == {wanted.author.user_id}


async def test_addresses_of_pictures_are_bare_keys(caller: Caller):
    wanted = next(one for one in LISTED if one.cover and one.cover.level == Level.PG and one.pictures)

    whole = await told(caller, f"/api/v1/articles/{wanted.id}")

    assert wanted.cover is not None
    assert whole["coverImage"]["url"] == wanted.cover.key
    assert [one["url"] for one in whole["contentImages"]] == [one.key for one in wanted.pictures]
    assert all("/" not in one["url"] for one in (whole["coverImage"], *whole["contentImages"]))


async def test_the_text_is_told_whatever_its_level_and_a_mature_cover_is_not(caller: Caller):
    mature = next(one for one in LISTED if one.cover and not one.cover.level & Level.PG)

    whole = await told(caller, f"/api/v1/articles/{mature.id}")
    items = (await told(caller, ALL))["items"]

    assert whole["content"].startswith("<h2>")
    assert "coverImage" not in whole
    assert not any({"content", "contentJson", "attachments"} & one.keys() for one in items)


async def test_the_list_tells_deletions_without_a_zone(caller: Caller):
    gone = next(one for one in LISTED if one.author.vanished)

    item = next(one for one in (await told(caller, ALL))["items"] if one["id"] == gone.id)
    whole = await told(caller, f"/api/v1/articles/{gone.id}")

    assert item["user"]["username"] is None
    assert not item["user"]["deletedAt"].endswith("Z")
    assert whole["user"]["deletedAt"].endswith("Z")


async def test_a_draft_is_nowhere(caller: Caller):
    draft = next(one for one in WORLD.articles.values() if not one.listed)

    reply = await caller.ask(f"/api/v1/articles/{draft.id}", headers=KEY)

    assert (reply.status, reply.json()) == (404, {"message": f"No article with id {draft.id}"})
    assert draft.id not in ids([await told(caller, ALL)])


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("?cursor=5", "ErrorString"),
        ("?cursor=x%7C5", "ErrorString"),
        ("?cursor=5%7C1.5", "ErrorString"),
        ("?cursor=5%7C1%7C2", "ErrorString"),
        ("/x", "ErrorString"),
        ("/0", "ErrorString"),
        (f"?cursor={'9' * 99}%7C5", "ErrorZodObject"),
        ("?limit=0", "ErrorZodObject"),
        ("?sort=Oldest", "ErrorZodObject"),
        ("?nsfw=", "ErrorZodObject"),
    ],
)
async def test_wrong_questions_are_refused(caller: Caller, schema, path, shape):
    reply = await caller.ask(f"/api/v1/articles{path}")

    assert reply.status == 400
    schema(shape, reply.json())
    assert shape != "ErrorString" or isinstance(reply.json()["error"], str)


async def test_articles_are_rationed_apart_from_collections(caller: Caller):
    caller.sandbox.site.quirks.articles_per_minute = 2
    address = f"/api/v1/articles/{LISTED[0].id}"

    statuses = [(await caller.ask(one)).status for one in (address, "/api/v1/articles", address)]
    other = await caller.ask("/api/v1/collections")

    assert statuses == [200, 200, 429]
    assert other.status == 200


async def test_profiles_count_what_the_caller_may_see(caller: Caller):
    own = [one for one in LISTED if one.author.username == "lampwright"]

    anonymous = await call(caller, "userProfile.overview", {"username": "lampwright"}, keyed=False)
    keyed = await call(caller, "userProfile.overview", {"username": "lampwright"})

    assert anonymous["articleCount"] == len([one for one in own if one.level & Level.PG])
    assert keyed["articleCount"] == len(own) > anonymous["articleCount"]


def test_publishing_and_deleting_images_moves_no_article():
    before = WORLD.articles
    cover = next(one.cover for one in before.values() if one.cover)

    later, fewer = WORLD.with_images("lampwright", 12).articles, WORLD.without(cover.id).articles

    assert [(one.id, one.title, one.published, one.cover) for one in later.values()] == [
        (one.id, one.title, one.published, one.cover) for one in before.values()
    ]
    for number, one in before.items():
        if cover not in (one.cover, *one.pictures):
            assert fewer[number].cover == one.cover
