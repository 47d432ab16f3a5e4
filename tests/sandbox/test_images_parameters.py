from __future__ import annotations

import json

import pytest

from tests.sandbox.conftest import WORLD, Caller, ids

LAMPWRIGHT = "username=lampwright&sort=Oldest&limit=200"


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("limit=201", ["limit"], "Too big: expected number to be <=200"),
        ("limit=-1", ["limit"], "Too small: expected number to be >=0"),
        ("limit=abc", ["limit"], "'abc' cannot be converted to a number"),
        ("limit=1e999", ["limit"], "'1e999' cannot be converted to a number"),
        ("postId=x1", ["postId"], "'x1' cannot be converted to a number"),
        ("username=a-b", ["username"], "Invalid string: must match pattern /^[A-Za-z0-9_]*$/"),
        ("sort=newest", ["sort"], 'Invalid option: expected one of "Most Reactions"|"Most Comments"|'),
        ("period=Decade", ["period"], 'Invalid option: expected one of "Day"|'),
        ("type=film", ["type"], 'Invalid option: expected one of "image"|"video"|"audio"'),
        ("withMeta=maybe", ["withMeta"], 'Invalid option: expected one of "true"|"1"|"yes"|'),
        ("withMeta=", ["withMeta"], 'Invalid option: expected one of "true"|"1"|"yes"|'),
        ("flatMeta=2", ["flatMeta"], "Invalid option"),
        ("nsfw=maybe", ["nsfw"], "Invalid input"),
        ("baseModels=SDXL%201.0,Nothing", ["baseModels", 1], 'Invalid option: expected one of "Anima"|'),
        ("tags=1,x", ["tags", 1], "'x' cannot be converted to a number"),
        ("sort=Newest&sort=Oldest", ["sort"], "Invalid input: expected string, received array"),
    ],
)
async def test_a_wrong_parameter_is_a_zod_error(caller: Caller, schema, query, path, message):
    reply = await caller.ask(f"/api/v1/images?{query}")

    assert reply.status == 400
    schema("ErrorZodObject", reply.json())
    issues = json.loads(reply.json()["error"]["message"])
    assert issues[0]["path"] == path
    assert issues[0]["message"].startswith(message)


async def test_one_answer_names_all_problems(caller: Caller):
    reply = await caller.ask("/api/v1/images?limit=500&sort=Best&nsfw=perhaps")

    issues = json.loads(reply.json()["error"]["message"])

    assert {one["path"][0] for one in issues} == {"limit", "sort", "nsfw"}


async def test_unknown_parameters_are_ignored(caller: Caller):
    plain = await caller.images(LAMPWRIGHT)
    strange = await caller.images(f"{LAMPWRIGHT}&tools=3&excludedTagIds=4&ids=1&lanterns=many")

    assert ids([strange]) == ids([plain])


async def test_the_default_is_100_entries_by_reactions(caller: Caller):
    default = await caller.images("")
    named = await caller.images("limit=100&sort=Most%20Reactions&period=AllTime")

    assert ids([default]) == ids([named])
    reactions = [
        sum(one["stats"][f"{name}Count"] for name in ("cry", "laugh", "like", "heart")) for one in default["items"]
    ]
    assert reactions == sorted(reactions, reverse=True)


async def test_limit_zero_gives_nothing_and_no_cursor(caller: Caller):
    page = await caller.images("username=lampwright&limit=0")

    assert page == {"items": [], "metadata": {}}


async def test_an_unknown_username_is_an_empty_success(caller: Caller):
    reply = await caller.ask("/api/v1/images?username=nobody_here")

    assert (reply.status, reply.json()) == (200, {"items": [], "metadata": {}})


async def test_usernames_are_found_in_any_case(caller: Caller):
    page = await caller.images("username=LAMPWRIGHT&limit=200&sort=Oldest")

    assert ids([page]) == ids([await caller.images(LAMPWRIGHT)])


async def test_tags_are_any_of(caller: Caller):
    first, second = (one for one in WORLD.creators["lampwright"].records[0].tag_ids[:2])

    by_comma = await caller.images(f"{LAMPWRIGHT}&browsingLevel=31&tags={first},{second}")
    repeated = await caller.images(f"{LAMPWRIGHT}&browsingLevel=31&tags={first}&tags={second}")

    assert ids([by_comma]) == ids([repeated])
    found = [WORLD.records[one].tag_ids for one in ids([by_comma])]
    assert all(first in tags or second in tags for tags in found)
    assert any(first not in tags for tags in found)


async def test_type_selects_videos(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&browsingLevel=31&type=video")

    assert {one["type"] for one in page["items"]} == {"video"}
    assert len(page["items"]) == 4


async def test_base_models_select(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&browsingLevel=31&baseModels=SD%201.5,Pony")

    assert page["items"]
    assert all({"SD 1.5", "Pony"} & {one["baseModel"]} or one["baseModel"] is None for one in page["items"])


async def test_a_post_and_a_version_select(caller: Caller):
    record = next(one for one in WORLD.creators["lampwright"].records if one.used and one.listed and one.level == 1)

    post = await caller.images(f"postId={record.post_id}&browsingLevel=31")
    version = await caller.images(f"modelVersionId={record.used[0]}&browsingLevel=31&limit=200")

    assert record.id in ids([post])
    assert {one["postId"] for one in post["items"]} == {record.post_id}
    assert record.id in ids([version])


async def test_period_counts_back_from_the_worlds_own_hour(caller: Caller):
    year = await caller.images(f"{LAMPWRIGHT}&period=Year&browsingLevel=31")
    all_time = await caller.images(f"{LAMPWRIGHT}&browsingLevel=31")

    assert 0 < len(year["items"]) < len(all_time["items"])
    assert min(one["createdAt"] for one in year["items"]) > "2025-10"


async def test_requiring_meta_is_always_empty(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&requiringMeta=true")

    assert page == {"items": [], "metadata": {}}


async def test_random_is_newest_on_the_search_route(caller: Caller):
    random = await caller.images("username=lampwright&limit=200&sort=Random")
    newest = await caller.images("username=lampwright&limit=200&sort=Newest")

    assert ids([random]) == ids([newest])
