from __future__ import annotations

import pytest

from tests.sandbox.conftest import WORLD, Caller, ids

LAMPWRIGHT = "username=lampwright&browsingLevel=31&sort=Oldest"


async def test_every_page_holds_to_the_schema(caller: Caller, schema):
    pages = await caller.walk(f"{LAMPWRIGHT}&limit=20&withMeta=true&withTags=true&flatMeta=true")

    for page in pages:
        schema("ImagesResponse", page)
    assert len(pages) == 4


async def test_a_cursor_is_an_offset_and_a_time(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&limit=10")

    last = WORLD.records[page["items"][-1]["id"]]
    assert page["metadata"]["nextCursor"] == f"10|{last.sort_at}"


async def test_only_the_offset_of_a_cursor_counts(caller: Caller):
    true = await caller.images(f"{LAMPWRIGHT}&limit=10&cursor=10%7C1744925337225")
    odd = await caller.images(f"{LAMPWRIGHT}&limit=10&cursor=10%7Cbdx:%7B%7D")

    assert ids([true]) == ids([odd])


async def test_pages_run_short_because_entries_are_dropped_after_the_cut(caller: Caller):
    pages = await caller.walk(f"{LAMPWRIGHT}&limit=10")

    short = [page for page in pages[:-1] if len(page["items"]) < 10]
    assert short
    assert all("nextCursor" in page["metadata"] for page in short)


async def test_the_end_has_empty_metadata(caller: Caller):
    pages = await caller.walk(f"{LAMPWRIGHT}&limit=30")

    assert pages[-1]["metadata"] == {}


async def test_the_next_page_echoes_the_query_with_its_token(caller: Caller):
    page = await caller.images("username=lampwright&limit=2&token=sandbox-key&sort=Most%20Reactions&odd=a%26b&empty=")

    cursor = page["metadata"]["nextCursor"].replace("|", "%7C")
    assert page["metadata"]["nextPage"] == (
        f"{caller.sandbox.url}/api/v1/images?username=lampwright&limit=2&token=sandbox-key&sort=Most%20Reactions"
        f"&odd=a%26b&cursor={cursor}"
    )


async def test_following_next_pages_is_the_same_walk(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&limit=25")
    pages = [page]
    while "nextPage" in page["metadata"]:
        page = (await caller.ask(page["metadata"]["nextPage"])).json()
        pages.append(page)

    assert ids(pages) == ids(await caller.walk(f"{LAMPWRIGHT}&limit=25"))


async def test_page_is_inert_and_its_next_page_loops(caller: Caller):
    first = await caller.images(f"{LAMPWRIGHT}&limit=10&page=1")
    third = await caller.images(f"{LAMPWRIGHT}&limit=10&page=3")

    assert ids([first]) == ids([third])
    assert (third["metadata"]["currentPage"], third["metadata"]["pageSize"]) == (3, 10)
    assert third["metadata"]["nextPage"].endswith("&page=4")
    assert "cursor=" not in third["metadata"]["nextPage"]


async def test_too_many_pages_are_a_429_without_retry_after_and_cacheable(caller: Caller, schema):
    reply = await caller.ask("/api/v1/images?limit=100&page=11")

    assert reply.status == 429
    schema("ErrorString", reply.json())
    assert reply.json() == {"error": "You've requested too many pages, please use cursors instead"}
    assert "Retry-After" not in reply.headers
    assert "s-maxage=300" in reply.headers["Cache-Control"]


async def test_a_cursor_lifts_the_cap_on_pages(caller: Caller):
    reply = await caller.ask("/api/v1/images?limit=100&page=11&cursor=0%7C1")

    assert reply.status == 200
    assert "currentPage" not in reply.json()["metadata"]


async def test_the_page_that_crosses_the_ceiling_looks_like_the_end(caller: Caller):
    caller.sandbox.site.quirks.hit_ceiling = 35

    pages = await caller.walk(f"{LAMPWRIGHT}&limit=10")

    assert pages[-1]["metadata"] == {}
    assert len(pages) == 4
    assert 25 < len(ids(pages)) <= 35


async def test_the_ceiling_is_per_query(caller: Caller):
    caller.sandbox.site.quirks.hit_ceiling = 50

    oldest = await caller.walk(f"{LAMPWRIGHT}&limit=10")
    newest = await caller.walk("username=lampwright&browsingLevel=31&sort=Newest&limit=10")

    assert set(ids(oldest)) & set(ids(newest))
    union = {*ids(oldest), *ids(newest)}
    everything = ids(await caller.walk("username=lampwright&browsingLevel=31&sort=Oldest&limit=50"))
    assert union > set(everything)


async def test_new_posts_shift_a_newest_walk_forward(caller: Caller):
    newest = "username=lampwright&browsingLevel=31&sort=Newest&limit=10"
    first = await caller.images(newest)
    caller.sandbox.world = WORLD.with_images("lampwright", 3)

    second = await caller.images(f"{newest}&cursor={first['metadata']['nextCursor'].replace('|', '%7C')}")

    # One of the three places may be a hit that is not shown.
    assert len(set(ids([first])) & set(ids([second]))) >= 2


async def test_deletions_shift_an_oldest_walk_past_survivors(caller: Caller):
    first = await caller.images(f"{LAMPWRIGHT}&limit=10")
    caller.sandbox.world = WORLD.without(*ids([first])[:2])

    rest = await caller.walk(f"{LAMPWRIGHT}&limit=90&cursor={first['metadata']['nextCursor'].replace('|', '%7C')}")

    before = set(ids(await Caller(caller.sandbox, caller.session).walk(f"{LAMPWRIGHT}&limit=90")))
    assert len(before - set(ids([first])) - set(ids(rest))) > 0


async def test_a_pinned_newest_walk_loses_what_is_younger_than_its_minute(caller: Caller):
    newest = "username=lampwright&browsingLevel=31&sort=Newest&limit=10"
    plain = ids(await caller.walk(newest))
    caller.sandbox.site.quirks.pin_first_page = True

    pinned = ids(await caller.walk(newest))

    youngest = WORLD.records[plain[0]]
    head = [one for one in plain if WORLD.records[one].sort_at // 60_000 == youngest.sort_at // 60_000]
    assert len(plain) - len(pinned) == len(head)


@pytest.mark.parametrize("sort", ["Most%20Reactions", "Most%20Comments", "Most%20Collected", "Newest", "Oldest"])
async def test_every_sort_is_complete_while_nothing_moves(caller: Caller, sort):
    pages = await caller.walk(f"username=lampwright&browsingLevel=3&sort={sort}&limit=9")

    found = ids(pages)
    assert len(found) == len(set(found))
    assert set(found) == set(WORLD.truth("lampwright", 3, hashes=False).ids)
