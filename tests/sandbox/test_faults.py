from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest

from civitscrape.sandbox.faults import Faults
from tests.sandbox.conftest import WORLD, Caller, ids

RECORD = next(one for one in WORLD.creators["lampwright"].records if one.format == "png" and not one.deleted)
LAMPWRIGHT = "/api/v1/images?username=lampwright&limit=10&sort=Oldest"


def original(caller: Caller) -> str:
    return f"{caller.sandbox.media_url}/{RECORD.key}/original=true/x.jpeg"


async def test_a_status_is_answered_with_its_headers(caller: Caller):
    rule = {
        "fault": "status",
        "role": "api",
        "status": 429,
        "headers": {"Retry-After": "7"},
        "body": '{"error":"slow"}',
    }
    caller.sandbox.faults.add(rule)

    reply = await caller.ask(LAMPWRIGHT)

    assert (reply.status, reply.headers["Retry-After"], reply.json()) == (429, "7", {"error": "slow"})


@pytest.mark.parametrize("status", [200, 403, 503])
async def test_a_challenge_is_html(caller: Caller, status):
    caller.sandbox.faults.add({"fault": "challenge", "status": status})

    reply = await caller.ask(LAMPWRIGHT)

    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert b"Just a moment..." in reply.body


async def test_a_rule_waits_for_its_turn_and_ends(caller: Caller):
    caller.sandbox.faults.add({"fault": "status", "status": 500, "after": 1, "times": 2})

    statuses = [(await caller.ask(LAMPWRIGHT)).status for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]


async def test_a_rule_may_hit_every_third(caller: Caller):
    caller.sandbox.faults.add({"fault": "status", "status": 500, "every": 3})

    statuses = [(await caller.ask(LAMPWRIGHT)).status for _ in range(7)]

    assert statuses == [500, 200, 200, 500, 200, 200, 500]


async def test_a_rule_is_bound_to_role_path_and_text(caller: Caller):
    caller.sandbox.faults.add({"fault": "status", "status": 500, "role": "page"})
    caller.sandbox.faults.add({"fault": "status", "status": 501, "path": "/api/v1/", "contains": "cursor=10%7C"})

    profile = await caller.ask("/user/lampwright")
    first = await caller.ask(LAMPWRIGHT)
    second = await caller.ask(f"{LAMPWRIGHT}&cursor=10%7C1")
    file = await caller.ask(original(caller))

    assert [one.status for one in (profile, first, second, file)] == [500, 200, 501, 200]


async def test_malformed_json_breaks_off_with_a_true_length(caller: Caller):
    caller.sandbox.faults.add({"fault": "malformed"})

    reply = await caller.ask(LAMPWRIGHT)

    assert int(reply.headers["Content-Length"]) == len(reply.body)
    with pytest.raises(json.JSONDecodeError):
        reply.json()


async def test_a_raw_control_byte_makes_the_body_invalid_json(caller: Caller):
    caller.sandbox.faults.add({"fault": "control_byte"})

    reply = await caller.ask(LAMPWRIGHT)

    with pytest.raises(json.JSONDecodeError, match="control character"):
        reply.json()
    assert json.loads(reply.body, strict=False)["items"]


async def test_an_empty_answer_is_a_200(caller: Caller):
    caller.sandbox.faults.add({"fault": "empty"})

    reply = await caller.ask(LAMPWRIGHT)

    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize("fault", ["truncate", "length"])
async def test_a_broken_promise_of_length_is_noticed(caller: Caller, fault):
    caller.sandbox.faults.add({"fault": fault, "role": "media", "times": 1})

    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.ask(original(caller))

    assert (await caller.ask(original(caller))).status == 200


async def test_a_reset_is_not_an_end(caller: Caller):
    caller.sandbox.faults.add({"fault": "reset", "times": 1})
    reader, writer = await asyncio.open_connection(caller.sandbox.host, caller.sandbox.port)
    writer.write(f"GET {LAMPWRIGHT} HTTP/1.1\r\nHost: {caller.sandbox.host}\r\n\r\n".encode())

    with pytest.raises(ConnectionResetError):
        await reader.read()

    writer.close()
    assert caller.sandbox.log.lines[-1].status == 0


@pytest.mark.parametrize("fault", ["stall", "drip", "delay"])
async def test_a_slow_answer_is_whole(caller: Caller, fault):
    whole = (await caller.ask(original(caller))).body
    caller.sandbox.faults.add({"fault": fault, "seconds": 0.2})

    start = time.monotonic()
    reply = await caller.ask(original(caller))

    assert time.monotonic() - start >= 0.2
    assert reply.body == whole


async def test_an_empty_page_has_no_cursor(caller: Caller, schema):
    caller.sandbox.faults.add({"fault": "empty_page", "times": 1})

    empty = (await caller.ask(LAMPWRIGHT)).json()
    again = (await caller.ask(LAMPWRIGHT)).json()

    schema("ImagesResponse", empty)
    assert empty == {"items": [], "metadata": {}}
    assert again["items"]


async def test_zero_stats_touch_nothing_else(caller: Caller, schema):
    true = (await caller.ask(LAMPWRIGHT)).json()
    caller.sandbox.faults.add({"fault": "zero_stats"})

    page = (await caller.ask(LAMPWRIGHT)).json()

    schema("ImagesResponse", page)
    assert all(set(one["stats"].values()) == {0} for one in page["items"])
    assert ids([page]) == ids([true])


async def test_a_cursor_may_repeat(caller: Caller):
    caller.sandbox.faults.add({"fault": "repeat_cursor", "contains": "cursor="})

    page = (await caller.ask(f"{LAMPWRIGHT}&cursor=10%7C1")).json()

    assert page["metadata"]["nextCursor"] == "10|1"
    assert page["metadata"]["nextPage"].endswith("cursor=10%7C1")


async def test_fields_can_be_dropped_and_set(caller: Caller):
    caller.sandbox.faults.add({"fault": "drop", "field": "stats.likeCount", "times": 1})
    caller.sandbox.faults.add({"fault": "set", "field": "username", "value": 2802169344506})

    dropped = (await caller.ask(LAMPWRIGHT)).json()
    changed = (await caller.ask(LAMPWRIGHT)).json()

    assert all("likeCount" not in one["stats"] for one in dropped["items"])
    assert {one["username"] for one in changed["items"]} == {2802169344506}


async def test_fields_of_chosen_entries_alone_are_hit(caller: Caller):
    true = (await caller.ask(LAMPWRIGHT)).json()
    chosen = [one["id"] for one in true["items"]][2:4]
    caller.sandbox.faults.add({"fault": "set", "field": "width", "value": "wide", "ids": chosen})

    page = (await caller.ask(LAMPWRIGHT)).json()

    assert [one["id"] for one in page["items"] if one["width"] == "wide"] == chosen
    assert [one for one in page["items"] if one["id"] not in chosen] == [
        one for one in true["items"] if one["id"] not in chosen
    ]


async def test_the_paging_can_lie(caller: Caller):
    caller.sandbox.faults.add({"fault": "paging", "field": "nextPage", "value": "http://elsewhere.invalid/"})

    true = (await caller.ask(f"{LAMPWRIGHT}&x=1")).json()
    metadata = true["metadata"]

    assert metadata["nextPage"] == "http://elsewhere.invalid/"
    assert metadata["nextCursor"].startswith("10|")


async def test_the_world_changes_when_a_request_comes_in(caller: Caller):
    first = ids([(await caller.ask(LAMPWRIGHT)).json()])
    change = {"delete": first[:2], "publish": {"username": "lampwright", "count": 1}}
    caller.sandbox.faults.add({"fault": "world", "contains": "x=1", "value": change, "times": 1})
    before = len(caller.sandbox.world.records)

    after = ids([(await caller.ask(f"{LAMPWRIGHT}&x=1")).json()])

    assert after[: len(first) - 2] == first[2:]
    assert len(caller.sandbox.world.records) == before - 2 + 1


async def test_more_may_come_than_was_promised(caller: Caller):
    caller.sandbox.faults.add({"fault": "length", "delta": -100, "role": "media", "times": 1})
    reader, writer = await asyncio.open_connection(caller.sandbox.host, caller.sandbox.port)
    path = original(caller).removeprefix(caller.sandbox.url)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {caller.sandbox.host}\r\n\r\n".encode())

    head, _, body = (await reader.read()).partition(b"\r\n\r\n")

    writer.close()
    [length] = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    assert len(body) == int(length) + 100


async def test_latency_is_by_role(caller: Caller):
    caller.sandbox.faults.slow({"api": 150})

    start = time.monotonic()
    await caller.ask("/user/lampwright")
    page = time.monotonic() - start
    await caller.ask(LAMPWRIGHT)

    assert page < 0.1
    assert time.monotonic() - start - page >= 0.15


async def test_faults_are_set_and_cleared_over_http(caller: Caller):
    rules = {"rules": [{"fault": "status", "status": 502, "role": "api"}], "latency": {"media": 1}}

    added = await caller.ask("/_sandbox/faults", method="POST", body=rules)
    broken = await caller.ask(LAMPWRIGHT)
    told = (await caller.ask("/_sandbox/faults")).json()
    cleared = await caller.ask("/_sandbox/faults", method="DELETE")

    assert [added.status, broken.status] == [200, 502]
    assert (told["rules"][0]["hit"], told["latency"]) == (1, {"media": 1})
    assert cleared.json() == {"rules": [], "latency": {}}


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "flood"},
        {"fault": "status", "colour": 3},
        {"role": "api"},
        {"fault": "stall", "seconds": 1e9},
        {"fault": "status", "every": 0},
    ],
)
async def test_a_wrong_rule_is_refused_with_a_sentence(caller: Caller, rule):
    reply = await caller.ask("/_sandbox/faults", method="POST", body=rule)

    assert reply.status == 400
    assert reply.json()["error"]
    assert caller.sandbox.faults.rules == []


def test_rules_are_bounded():
    faults = Faults()
    for _ in range(1000):
        faults.add({"fault": "reset"})

    with pytest.raises(ValueError, match="1000 rules are enough"):
        faults.add({"fault": "reset"})
