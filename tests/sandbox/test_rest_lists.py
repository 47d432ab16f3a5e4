from __future__ import annotations

from typing import Any

import pytest

from civitscrape.sandbox.limiter import WINDOW, Limiter
from tests.sandbox.conftest import KEY, WORLD, Caller

NAMED = {one.name: one for one in WORLD.collections.values()}


async def get(caller: Caller, path: str, **options: Any) -> Any:
    reply = await caller.ask(path, **options)
    assert reply.status == 200, reply.body
    return reply.json()


async def test_tags_are_never_counted_and_end_with_an_empty_page(caller: Caller, schema):
    names: list[str] = []
    for page in range(1, 50):
        told = await get(caller, f"/api/v1/tags?limit=10&page={page}")
        schema("TagsResponse", told)
        assert told["metadata"] == {"totalItems": 0, "currentPage": page, "pageSize": 10, "totalPages": 1}
        if not told["items"]:
            break
        names += [one["name"] for one in told["items"]]

    assert len(names) == len(set(names)) > 40
    assert not {"picture book", "candle"} & set(names)


async def test_links_of_tags_are_not_encoded(caller: Caller):
    told = await get(caller, "/api/v1/tags?query=pier")

    assert told["items"] == [{"name": "pier & crane", "link": f"{caller.sandbox.url}/api/v1/models?tag=pier & crane"}]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "page=x", "types=Label", "modelId=5", "sort=Newest"])
async def test_wrong_tag_queries_are_a_bare_array(caller: Caller, schema, query):
    reply = await caller.ask(f"/api/v1/tags?{query}")

    assert reply.status == 400
    schema("ErrorZodIssueArray", reply.json())


async def test_users_come_by_number_or_five_by_name(caller: Caller, schema):
    numbers = [one.user_id for one in WORLD.creators.values() if not one.vanished]

    by_number = await get(caller, f"/api/v1/users?ids={','.join(map(str, numbers))},1")
    by_name = await get(caller, "/api/v1/users?query=LAMP")
    few = await get(caller, "/api/v1/users")

    schema("UsersResponse", by_number)
    assert {one["id"] for one in by_number["items"]} == set(numbers)
    assert all(one["username"].startswith("lamp") for one in by_name["items"])
    assert len(few["items"]) == 5


async def test_asking_for_an_address_of_a_person_is_refused_bare(caller: Caller, schema):
    reply = await caller.ask("/api/v1/users?email=a%40b.invalid")

    assert reply.status == 400
    schema("ErrorZodBare", reply.json())


async def test_collections_are_walked_by_number_and_may_repeat_the_last(caller: Caller, schema):
    found: list[int] = []
    cursor = ""
    while True:
        told = await get(caller, f"/api/v1/collections?nsfw=true&limit=2{cursor}")
        schema("CollectionsResponse", told)
        found += [one["id"] for one in told["items"]]
        if told["metadata"] == {}:
            break
        assert f"cursor={told['metadata']['nextCursor']}" in told["metadata"]["nextPage"]
        cursor = f"&cursor={told['metadata']['nextCursor']}"

    public = sorted((one.id for one in NAMED.values() if one.read == "Public"), reverse=True)
    assert list(dict.fromkeys(found)) == public
    assert len(found) > len(public)


async def test_an_unlisted_collection_is_told_by_number_and_a_private_one_is_not(caller: Caller, schema):
    unlisted = await get(caller, f"/api/v1/collections/{NAMED['Kept for later / maybe'].id}")
    contest = await get(caller, f"/api/v1/collections/{NAMED['Harbour prize'].id}")
    private = await caller.ask(f"/api/v1/collections/{NAMED['Own drawer'].id}", headers=KEY)

    schema("CollectionDetail", unlisted)
    schema("CollectionDetail", contest)
    assert (unlisted["isPublic"], "itemCount" in unlisted) == (False, False)
    assert [one["name"] for one in contest["tags"]] == ["first round", "second round"]
    assert private.status == 404


@pytest.mark.parametrize(
    ("path", "shape"),
    [("?limit=101", "ErrorZodObject"), ("?sort=Most%20Followers&cursor=5", "ErrorString"), ("/x", "ErrorString")],
)
async def test_wrong_questions_about_collections_have_shapes_of_their_own(caller: Caller, schema, path, shape):
    reply = await caller.ask(f"/api/v1/collections{path}")

    assert reply.status == 400
    schema(shape, reply.json())


async def test_collections_take_get_only(caller: Caller):
    for method in ("POST", "OPTIONS", "HEAD"):
        assert (await caller.ask("/api/v1/collections", method=method)).status == 405


async def test_collections_are_rationed_by_caller_and_a_login_has_twice_as_much(caller: Caller):
    caller.sandbox.site.quirks.collections_per_minute = 2
    address = f"/api/v1/collections/{NAMED['Harbour prize'].id}"

    anonymous = [await caller.ask(one) for one in (address, "/api/v1/collections", address)]
    keyed = [await caller.ask(address, headers=KEY) for _ in range(5)]
    elsewhere = await caller.ask(address, headers={"CF-Connecting-IP": "192.0.2.7"})

    assert [one.status for one in anonymous] == [200, 200, 429]
    assert [one.status for one in keyed] == [200, 200, 200, 200, 429]
    assert elsewhere.status == 200
    assert anonymous[2].json() == {"error": "Rate limit exceeded, please retry shortly."}
    assert 0 < int(anonymous[2].headers["Retry-After"]) <= WINDOW
    assert anonymous[2].headers["Cache-Control"] == "no-store"


async def test_the_ration_can_be_switched_off(caller: Caller):
    caller.sandbox.site.quirks.collections_per_minute = 0

    assert {(await caller.ask("/api/v1/collections")).status for _ in range(70)} == {200}


async def test_a_window_ends(caller: Caller):
    now = [100.0]
    caller.sandbox.site.limiter = Limiter(clock=lambda: now[0])
    caller.sandbox.site.quirks.collections_per_minute = 1
    statuses = [(await caller.ask("/api/v1/collections")).status for _ in range(2)]
    now[0] += WINDOW

    statuses.append((await caller.ask("/api/v1/collections")).status)

    assert statuses == [200, 429, 200]
