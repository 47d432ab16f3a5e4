from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox.edge import Edge
from civitscrape.sandbox.server import Sandbox
from tests.sandbox.conftest import KEY, WORLD, Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

IMAGES = "/api/v1/images?username=lampwright&limit=10"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[Sandbox]:
    async with Sandbox(WORLD, edge=Edge(clock=clock)) as running:
        yield running


@pytest.fixture
def caller(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(sandbox, session)


async def test_the_same_address_is_answered_from_the_edge(caller: Caller, clock: Clock):
    first = await caller.ask(IMAGES)
    clock.now += 100
    second = await caller.ask(IMAGES)

    assert [one.headers["CF-Cache-Status"] for one in (first, second)] == ["MISS", "HIT"]
    assert second.headers["Age"] == "100"
    assert second.body == first.body


async def test_an_answer_is_forgotten_after_five_minutes(caller: Caller, clock: Clock):
    await caller.ask(IMAGES)
    clock.now += 300

    again = await caller.ask(IMAGES)

    assert again.headers["CF-Cache-Status"] == "MISS"


async def test_another_spelling_is_another_address(caller: Caller):
    await caller.ask(IMAGES)

    reordered = await caller.ask("/api/v1/images?limit=10&username=lampwright")
    padded = await caller.ask(f"{IMAGES}&again=1")
    red = await caller.ask(IMAGES, red=True)

    assert {one.headers["CF-Cache-Status"] for one in (reordered, padded, red)} == {"MISS"}


async def test_errors_and_empty_pages_are_kept_too(caller: Caller):
    caller.sandbox.faults.add({"fault": "empty_page", "times": 1})
    await caller.ask(IMAGES)
    await caller.ask("/api/v1/images?limit=999")

    empty = await caller.ask(IMAGES)
    error = await caller.ask("/api/v1/images?limit=999")

    assert (empty.headers["CF-Cache-Status"], empty.json()["items"]) == ("HIT", [])
    assert (error.headers["CF-Cache-Status"], error.status) == ("HIT", 400)


async def test_a_503_is_never_kept(caller: Caller):
    caller.sandbox.faults.add({"fault": "status", "status": 503, "origin": True, "times": 1})

    busy = await caller.ask(IMAGES)
    again = await caller.ask(IMAGES)

    assert [busy.status, again.status] == [503, 200]


@pytest.mark.parametrize(("origin", "expected"), [(True, [500, 500]), (False, [500, 200])])
async def test_a_status_is_kept_when_it_comes_from_behind_the_edge(caller: Caller, origin, expected):
    caller.sandbox.faults.add({"fault": "status", "status": 500, "origin": origin, "times": 1})

    statuses = [(await caller.ask(IMAGES)).status for _ in range(2)]

    assert statuses == expected


@pytest.mark.parametrize("headers", [KEY, {"Cookie": "civ-token=sandbox-session"}])
async def test_personal_requests_pass_by_the_edge(caller: Caller, headers):
    await caller.ask(IMAGES)

    reply = await caller.ask(IMAGES, headers=headers)

    assert "CF-Cache-Status" not in reply.headers


async def test_new_images_show_only_at_a_new_address(caller: Caller):
    newest = "/api/v1/images?username=lampwright&sort=Newest&limit="
    before = (await caller.ask(f"{newest}200")).json()
    caller.sandbox.world = WORLD.with_images("lampwright", 3)

    stale = (await caller.ask(f"{newest}200")).json()
    fresh = (await caller.ask(f"{newest}199")).json()

    assert stale == before
    assert fresh["items"][0]["createdAt"] > before["items"][0]["createdAt"]


async def test_pages_are_kept_by_the_edges_own_rule(caller: Caller):
    await caller.ask("/user/lampwright")

    again = await caller.ask("/user/lampwright")

    assert again.headers["CF-Cache-Status"] == "HIT"


async def test_files_are_not_the_edges_business(caller: Caller):
    record = WORLD.creators["lampwright"].records[0]

    reply = await caller.ask(f"{caller.sandbox.media_url}/{record.key}/original=true/x.jpeg")

    assert "CF-Cache-Status" not in reply.headers


async def test_the_edge_can_be_emptied(caller: Caller):
    await caller.ask(IMAGES)
    await caller.ask("/_sandbox/edge", method="DELETE")

    again = await caller.ask(IMAGES)

    assert again.headers["CF-Cache-Status"] == "MISS"
