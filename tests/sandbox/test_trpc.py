from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import KEY, WORLD, Caller, unpack

REFERER = {"Referer": "https://civitai.com/"}
LAMPWRIGHT = {"username": "lampwright", "limit": 200, "sort": "Oldest", "browsingLevel": 31}


async def call(caller: Caller, procedure: str, given: Any, *, headers=REFERER, meta=None, red: bool = False):
    envelope = {"json": given} | ({"meta": {"values": meta}} if meta else {})
    return await caller.ask(f"/api/trpc/{procedure}?input={quote(json.dumps(envelope))}", headers=headers, red=red)


async def feed(caller: Caller, given: Any, **options: Any) -> Any:
    reply = await call(caller, "image.getInfinite", given, **options)
    assert reply.status == 200, reply.body
    return reply.json()["result"]["data"]["json"]


async def test_without_a_referer_the_public_api_is_named(caller: Caller):
    reply = await call(caller, "image.getInfinite", LAMPWRIGHT, headers=None)

    assert reply.status == 401
    assert reply.json() == {
        "error": {
            "json": {
                "message": "Please use the public API instead: https://developer.civitai.com/",
                "code": -32001,
                "data": {"code": "UNAUTHORIZED", "httpStatus": 401, "path": "image.getInfinite"},
            }
        }
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (REFERER, 200),
        (KEY, 200),
        ({"Origin": "https://civitai.red"}, 200),
        ({"Origin": "https://lanterns.invalid", "Referer": "https://civitai.com/"}, 401),
        ({"Cookie": "civ-token=sandbox-session"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
    ],
)
async def test_the_gate_looks_at_key_origin_and_referer(caller: Caller, headers, status):
    reply = await call(caller, "image.getInfinite", {"username": "lampwright"}, headers=headers)

    assert reply.status == status


async def test_the_gate_stands_before_the_validation(caller: Caller):
    reply = await call(caller, "image.getInfinite", {"limit": "many"}, headers=None)

    assert reply.status == 401


async def test_calls_from_the_sandboxs_own_host_are_welcome(caller: Caller):
    reply = await call(
        caller, "userProfile.overview", {"username": "lampwright"}, headers={"Origin": caller.sandbox.url}
    )

    assert reply.status == 200


@pytest.mark.parametrize(
    ("headers", "red", "levels"),
    [
        (REFERER, False, {1}),
        (REFERER, True, {1}),
        (KEY, False, {1, 2}),
        (KEY, True, {1, 2, 4, 8, 16}),
    ],
)
async def test_levels_are_capped_by_caller_and_host(caller: Caller, headers, red, levels):
    page = await feed(caller, LAMPWRIGHT, headers=headers, red=red)

    assert {one["nsfwLevel"] for one in page["items"]} == levels


async def test_an_empty_intersection_is_the_cap(caller: Caller):
    page = await feed(caller, LAMPWRIGHT | {"browsingLevel": 28})

    assert {one["nsfwLevel"] for one in page["items"]} == {1}


async def test_tags_come_with_votes_and_meta_plain(caller: Caller):
    page = await feed(caller, LAMPWRIGHT | {"include": ["tags", "metaSelect"]}, headers=KEY, red=True)

    told = {one["id"]: one for one in WORLD.truth("lampwright", 31, hashes=False).images}
    for item in page["items"]:
        assert {one["id"] for one in item["tags"]} == {one["id"] for one in told[item["id"]]["tags"]}
        assert item["meta"] == told[item["id"]]["meta"]
        assert item["url"] == told[item["id"]]["key"]
    assert {"score", "upVotes", "downVotes", "automated", "source", "imageId"} <= page["items"][0]["tags"][0].keys()
    assert page["source"] == "meili"


async def test_without_include_there_are_only_tag_ids(caller: Caller):
    page = await feed(caller, LAMPWRIGHT)

    assert all(one["tags"] == [] and one["tagIds"] and one["meta"] is None for one in page["items"])


async def test_dates_of_the_index_are_plain_text_with_marks_on_the_rest(caller: Caller):
    reply = await call(caller, "image.getInfinite", LAMPWRIGHT | {"include": ["tags"]})

    meta = reply.json()["result"]["data"]["meta"]
    assert meta["v"] == 1
    assert not any(name.endswith("createdAt") for name in meta["values"])
    assert any(name.endswith("lastUpvote") and mark == ["Date"] for name, mark in meta["values"].items())
    assert meta["values"]["nextCursor"] == ["undefined"]


async def test_a_walk_by_oldest_is_the_truth_and_pages_run_short(caller: Caller):
    found: list[int] = []
    sizes: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = await feed(caller, LAMPWRIGHT | {"limit": 9} | cursor)
        found += [one["id"] for one in page["items"]]
        sizes.append(len(page["items"]))
        if not page["nextCursor"]:
            break
        cursor = {"cursor": page["nextCursor"]}

    assert found == WORLD.truth("lampwright", 1, hashes=False).ids
    assert min(sizes[:-1]) < 9


async def test_newest_loses_what_is_younger_than_the_first_pages_minute(caller: Caller):
    first = await feed(caller, LAMPWRIGHT | {"sort": "Newest", "limit": 10})
    second = await feed(caller, LAMPWRIGHT | {"sort": "Newest", "limit": 10, "cursor": first["nextCursor"]})

    straight = await feed(caller, LAMPWRIGHT | {"sort": "Newest", "limit": 20})
    skipped = {one["id"] for one in straight["items"]} - {one["id"] for one in first["items"] + second["items"]}
    assert skipped
    assert first["nextCursor"] == f"10|{first['items'][0]['sortAtUnix']}"


async def test_an_undefined_cursor_is_the_first_page_and_a_bare_null_is_refused(caller: Caller):
    marked = await call(caller, "image.getInfinite", LAMPWRIGHT | {"cursor": None}, meta={"cursor": ["undefined"]})
    bare = await call(caller, "image.getInfinite", LAMPWRIGHT | {"cursor": None})

    assert [marked.status, bare.status] == [200, 400]


async def test_too_large_a_limit_is_refused_as_zod_does(caller: Caller):
    reply = await call(caller, "image.getInfinite", LAMPWRIGHT | {"limit": 201})

    error = reply.json()["error"]["json"]
    assert reply.status == 400
    assert error["code"] == -32600
    assert json.loads(error["message"]) == [
        {
            "origin": "number",
            "code": "too_big",
            "maximum": 200,
            "inclusive": True,
            "path": ["limit"],
            "message": "Too big: expected number to be <=200",
        }
    ]


@pytest.mark.parametrize(
    "given", [{"limit": "9"}, {"username": "a-b"}, {"sort": "newest"}, {"cursor": "x", "limit": 1}]
)
async def test_wrong_input_is_a_400(caller: Caller, given):
    reply = await call(caller, "image.getInfinite", given)

    assert (reply.status, reply.json()["error"]["json"]["data"]["code"]) == (400, "BAD_REQUEST")


async def test_an_unknown_username_is_404(caller: Caller):
    reply = await call(caller, "image.getInfinite", {"username": "nobody_here"})

    assert (reply.status, reply.json()["error"]["json"]["message"]) == (404, "User not found")


async def test_an_unknown_procedure_is_404_by_name(caller: Caller):
    reply = await call(caller, "lantern.light", {})

    assert reply.status == 404
    assert reply.json()["error"]["json"]["message"] == 'No procedure found on path "lantern.light"'


async def test_a_bare_object_is_no_input(caller: Caller):
    bare = quote('{"username":"lampwright"}')

    reply = await caller.ask(f"/api/trpc/userProfile.overview?input={bare}", headers=REFERER)

    assert (reply.status, reply.json()["error"]["json"]["message"]) == (400, "Invalid input")


async def test_a_post_is_told_by_the_database(caller: Caller):
    record = next(
        one for one in WORLD.creators["lampwright"].records if one.level == 1 and one.shape == "flat" and one.listed
    )

    reply = await call(
        caller, "image.getInfinite", {"postId": record.post_id, "include": ["metaSelect"]}, headers=KEY, red=True
    )

    data = reply.json()["result"]["data"]
    items = data["json"]["items"]
    assert [one["index"] for one in items] == sorted(one["index"] for one in items)
    assert {one["postId"] for one in items} == {record.post_id}
    assert "source" not in data["json"]
    assert items[0]["meta"]["id"] == items[0]["id"]
    assert data["meta"]["values"]["items.0.createdAt"] == ["Date"]


async def test_a_batch_tells_each_outcome_and_207(caller: Caller):
    given = {"0": {"json": {"username": "lampwright"}}, "1": {"json": {"username": "nobody_here"}}}
    path = f"/api/trpc/userProfile.overview,user.getCreator?batch=1&input={quote(json.dumps(given))}"

    reply = await caller.ask(path, headers=REFERER)

    first, second = reply.json()
    assert reply.status == 207
    assert first["result"]["data"]["json"]["imageCount"] > 0
    assert second["error"]["json"]["data"]["httpStatus"] == 404


async def test_queries_may_be_posted_as_json_only(caller: Caller):
    body = {"json": {"username": "lampwright"}}

    posted = await caller.ask("/api/trpc/userProfile.overview", method="POST", headers=REFERER, body=body)
    plain = await caller.ask("/api/trpc/userProfile.overview", method="POST", headers=REFERER)

    assert [posted.status, plain.status] == [200, 415]


async def test_head_is_204(caller: Caller):
    reply = await caller.ask("/api/trpc/image.getInfinite", method="HEAD")

    assert reply.status == 204


async def test_anonymous_answers_are_kept_for_a_minute_and_errors_never(caller: Caller):
    good = await call(caller, "userProfile.overview", {"username": "lampwright"})
    bad = await call(caller, "userProfile.overview", {"username": "nobody_here"})
    keyed = await call(caller, "userProfile.overview", {"username": "lampwright"}, headers=KEY)

    assert good.headers["Cache-Control"] == "public, max-age=60, s-maxage=60, stale-while-revalidate=30"
    assert bad.headers["Cache-Control"] == keyed.headers["Cache-Control"] == "max-age=0, private, no-cache"


async def test_devalue_and_superjson_say_the_same(caller: Caller):
    plain = await feed(caller, LAMPWRIGHT | {"include": ["tags", "metaSelect"]})
    caller.sandbox.site.quirks.devalue = "always"

    reply = await call(caller, "image.getInfinite", LAMPWRIGHT | {"include": ["tags", "metaSelect"]})

    data = reply.json()["result"]["data"]
    assert isinstance(data, str)
    assert unpack(data) == plain


async def test_encodings_may_alternate_and_errors_too(caller: Caller):
    caller.sandbox.site.quirks.devalue = "alternate"

    replies = [await call(caller, "user.getCreator", {"username": "nobody_here"}) for _ in range(4)]

    assert [type(one.json()["error"]) for one in replies] == [dict, str, dict, str]
    assert unpack(replies[1].json()["error"])["message"] == "Could not find user"


async def test_faults_of_listings_reach_trpc_too(caller: Caller):
    first = await feed(caller, LAMPWRIGHT | {"limit": 9})
    caller.sandbox.faults.add({"fault": "repeat_cursor", "path": "/api/trpc/", "times": 1})
    caller.sandbox.faults.add({"fault": "empty_page", "path": "/api/trpc/"})

    repeated = await feed(caller, LAMPWRIGHT | {"limit": 9, "cursor": first["nextCursor"]})
    empty = await feed(caller, LAMPWRIGHT | {"limit": 9})

    assert repeated["nextCursor"] == first["nextCursor"]
    assert (empty["items"], "nextCursor" in empty) == ([], False)
