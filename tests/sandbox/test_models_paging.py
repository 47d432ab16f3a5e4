from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from civitscrape.sandbox import model_search
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.model_search import database_time
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import World
from tests.sandbox.conftest import Caller, ids, listed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

ALL = "nsfw=true&archived=true&limit=100"
CROWD = World.build(
    seed=3,
    creators=[CreatorSpec(username="lampwright", models=230, versions_per_model=2, model_file_bytes=(300, 400))],
)


@pytest.fixture
async def crowd(session: aiohttp.ClientSession) -> AsyncIterator[Caller]:
    """Somebody who asks a sandbox with hundreds of models."""
    async with Sandbox(CROWD) as running:
        yield Caller(running, session)


async def test_page_moves_nothing(models: Caller):
    first = (await models.ask("/api/v1/models?limit=3&page=1")).json()
    second = (await models.ask("/api/v1/models?limit=3&page=2")).json()

    assert first["items"] == second["items"]
    assert second["metadata"]["currentPage"] == 2
    assert "page=2" in second["metadata"]["nextPage"]


async def test_too_deep_a_page_is_429_without_retry_after(models: Caller):
    reply = await models.ask("/api/v1/models?limit=100&page=11")

    assert reply.status == 429
    assert reply.json() == {"error": "You've requested too many pages, please use cursors instead"}
    assert "Retry-After" not in reply.headers
    assert reply.headers["Cache-Control"].startswith("public")


async def test_limit_zero_is_one_row_and_no_cursor(models: Caller):
    page = (await models.ask("/api/v1/models?limit=0")).json()

    assert len(page["items"]) <= 1
    assert page["metadata"] == {}


@pytest.mark.parametrize("sort", model_search._COUNTS)
async def test_counts_sort_and_lose_nothing(crowd: Caller, sort):
    whole = set(CROWD.models)

    pages = await crowd.follow(f"/api/v1/models?nsfw=true&limit=30&sort={quote(sort)}")

    assert sorted(ids(pages)) == sorted(whole)
    assert pages[-1]["metadata"] == {}
    assert all(page["metadata"]["nextCursor"].count("|") == 2 for page in pages[:-1])


async def test_newest_loses_one_model_at_each_boundary(crowd: Caller):
    whole = set(CROWD.models)

    pages = await crowd.follow("/api/v1/models?nsfw=true&limit=30&sort=Newest")

    assert len(whole - set(ids(pages))) == len(pages) - 1
    assert len(ids(pages)) == len(set(ids(pages)))


async def test_oldest_loses_nothing(crowd: Caller):
    whole = set(CROWD.models)

    pages = await crowd.follow("/api/v1/models?nsfw=true&limit=30&sort=Oldest")

    assert set(ids(pages)) == whole


def test_zeros_at_the_end_of_a_cursors_fraction_are_trimmed():
    ends = [one.last_version_at or 0 for one in CROWD.models.values()]
    (trimmed, *_), (plain, *_) = (
        [one for one in ends if one % 10 == 0 and one % 1000],
        [one for one in ends if one % 10],
    )

    texts = database_time(trimmed), database_time(plain)

    assert [len(one.partition(".")[2]) for one in texts] == [2, 3]


async def test_a_trimmed_fraction_is_read_as_milliseconds(crowd: Caller):
    model = next(one for one in CROWD.models.values() if 110 < (one.last_version_at or 0) % 1000 < 890)
    second, tenth = (model.last_version_at or 0) // 1000 * 1000, (model.last_version_at or 0) % 1000 // 100 + 1
    newest = f"nsfw=true&limit=1&sort=Newest&cursor={quote(database_time(second))}"

    whole, short = await listed(crowd, f"{newest}.{tenth}00%7C0"), await listed(crowd, f"{newest}.{tenth}%7C0")

    assert whole == [model.id]
    assert short != [model.id]


async def test_a_cursor_stands_still_where_a_page_shares_one_hour(session: aiohttp.ClientSession):
    spec = CreatorSpec(username="lampwright", models=12, batch_models=5, model_file_bytes=(300, 400))

    async with Sandbox(World.build(creators=[spec])) as running:
        caller, cursors, query = (
            Caller(running, session),
            list[str](),
            "username=lampwright&nsfw=true&sort=Oldest&limit=3",
        )
        while len(cursors) < 12:
            page = (await caller.ask(f"/api/v1/models?{query}")).json()
            cursors.append(page["metadata"]["nextCursor"])
            query = f"{query.partition('&cursor')[0]}&cursor={quote(cursors[-1], safe='')}"

    assert len(set(cursors)) < len(cursors)


async def test_a_watermark_made_by_hand_gives_what_came_after(crowd: Caller):
    by_age = sorted((one.last_version_at or 0, one.id) for one in CROWD.models.values())
    mark = by_age[-5][0]

    by_text = await listed(crowd, f"nsfw=true&sort=Oldest&cursor={quote(database_time(mark // 1000 * 1000) + '|0')}")
    by_iso = await listed(
        crowd, f"nsfw=true&sort=Oldest&cursor={quote(database_time(mark // 1000 * 1000, 'T') + '.000Z')}"
    )

    assert by_text == by_iso == [one for _, one in by_age[-5:]]


@pytest.mark.parametrize(("sort", "cursor"), [("Newest", "5"), ("Oldest", "lanterns|1"), ("Highest Rated", "1|2")])
async def test_a_cursor_of_the_wrong_form_is_400(models: Caller, schema, sort, cursor):
    reply = await models.ask(f"/api/v1/models?sort={quote(sort)}&cursor={quote(cursor)}")

    assert (reply.status, reply.json()) == (400, {"message": f"Invalid cursor: {cursor}"})
    schema("ErrorMessage", reply.json())


async def test_the_next_page_repeats_the_question_token_and_all(models: Caller):
    page = (await models.ask("/api/v1/models?limit=2&token=sandbox-key&tag=")).json()

    url = page["metadata"]["nextPage"]
    assert url.startswith(f"{models.sandbox.url}/api/v1/models?limit=2&token=sandbox-key&cursor=")
    assert "%7C" in url
    assert "tag" not in url


async def test_period_counts_from_the_last_version(crowd: Caller):
    found = await listed(crowd, f"{ALL}&period=Month")
    stats = await listed(crowd, f"{ALL}&period=Month&periodMode=stats")

    since = CROWD.now.timestamp() * 1000 - 30 * 86_400_000
    assert found
    assert all((CROWD.models[one].last_version_at or 0) >= since for one in found)
    assert len(stats) == 100


async def test_a_text_search_pages_by_offset(crowd: Caller):
    pages = await crowd.follow("/api/v1/models?query=harbour&limit=4&types=LORA")

    assert [one["metadata"].get("nextCursor") for one in pages][:2] == ["4", "8"]
    assert all("arbour" in item["name"] or "harbour" in item["tags"] for page in pages for item in page["items"])


async def test_a_text_search_may_give_empty_pages(crowd: Caller):
    pages = await crowd.follow("/api/v1/models?query=harbour&limit=1&baseModels=Pony")

    assert any(not one["items"] and "nextCursor" in one["metadata"] for one in pages)


async def test_a_text_search_stops_at_the_ceiling(crowd: Caller):
    crowd.sandbox.site.quirks.hit_ceiling = 6

    pages = await crowd.follow("/api/v1/models?query=harbour&limit=4&nsfw=true")

    assert len(pages) == 2


async def test_a_text_search_refuses_pages(models: Caller):
    reply = await models.ask("/api/v1/models?query=harbour&page=1")

    assert (reply.status, reply.json()) == (
        400,
        {"error": "Cannot use page param with query search. Use cursor-based pagination."},
    )
