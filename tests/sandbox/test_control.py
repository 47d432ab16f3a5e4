from __future__ import annotations

import asyncio

from civitscrape.sandbox.ask import Role
from tests.sandbox.conftest import KEY, WORLD, Caller


async def test_requests_are_remembered_without_their_secrets(caller: Caller):
    await caller.ask("/user/lampwright", headers=KEY | {"User-Agent": "lantern/1"})

    told = (await caller.ask("/_sandbox/requests")).json()

    (line,) = told["requests"]
    assert (line["role"], line["method"], line["url"], line["status"]) == ("page", "GET", "/user/lampwright", 200)
    assert (line["authorized"], line["cookies"], line["user_agent"]) == (True, False, "lantern/1")
    assert "sandbox-key" not in str(told)


async def test_what_is_under_way_at_once_is_counted_by_role(caller: Caller):
    caller.sandbox.faults.slow({"api": 50})

    await asyncio.gather(
        *(caller.ask(f"/api/v1/images?limit={one}") for one in range(5)), caller.ask("/user/lampwright")
    )

    assert caller.sandbox.log.peaks == {Role.API: 5, Role.PAGE: 1}
    assert caller.sandbox.log.in_flight == {Role.API: 0, Role.PAGE: 0}


async def test_the_log_forgets_when_told(caller: Caller):
    await caller.ask("/robots.txt")
    await caller.ask("/_sandbox/requests", method="DELETE")

    told = (await caller.ask("/_sandbox/requests")).json()

    assert told == {"counts": {}, "peaks": {}, "connections": {}, "requests": []}


async def test_connections_are_told_apart(caller: Caller):
    for _ in range(3):
        await caller.ask("/robots.txt")

    assert len({one.port for one in caller.sandbox.log.of("page")}) == 1


async def test_the_truth_is_told_over_http(caller: Caller):
    told = (await caller.ask("/_sandbox/truth/lampwright?level=31&keyed=1")).json()

    assert told == WORLD.truth("lampwright", 31, keyed=True).as_dict()


async def test_the_world_changes_while_it_runs(caller: Caller):
    victim = WORLD.creators["lampwright"].records[0].id
    change = {"delete": [victim], "publish": {"username": "quiet_one", "count": 2}}

    told = (await caller.ask("/_sandbox/world", method="POST", body=change)).json()

    assert told["creators"]["quiet_one"] == 2
    assert victim not in caller.sandbox.world.records
    assert len((await caller.images("username=quiet_one&browsingLevel=31"))["items"]) == 2


async def test_quirks_change_over_http(caller: Caller):
    told = (await caller.ask("/_sandbox/quirks", method="POST", body={"hit_ceiling": 5})).json()
    wrong = await caller.ask("/_sandbox/quirks", method="POST", body={"ceiling": 5})

    assert told["hit_ceiling"] == caller.sandbox.site.quirks.hit_ceiling == 5
    assert wrong.status == 400
    assert "'ceiling' is unknown" in wrong.json()["error"]


async def test_the_sandbox_tells_where_it_is(caller: Caller):
    told = (await caller.ask("/_sandbox")).json()

    assert told["settings"] == caller.sandbox.settings()
    assert told["key"] == "sandbox-key"


async def test_an_unknown_room_is_404(caller: Caller):
    reply = await caller.ask("/_sandbox/cellar")

    assert reply.status == 404
