"""Whole crawls behind an edge that keeps bad answers for minutes: asked for under another address, then said."""

from __future__ import annotations

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import Edge, Sandbox
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

pytestmark = pytest.mark.crawl

API = "/api/v1/images"
BOTH = ((Level.PG, 1.0), (Level.R, 1.0))
SAFE = f"browsingLevel=3&withMeta=true&flatMeta=true&withTags=true&{at(20)}"
"""The second page of the safe levels; other addresses of it begin alike."""
NEWEST = PAGE - 1
"""Entries of the newest page, which is asked for right after the first."""
TRIES = 3
"""Repetitions of a request in these crawls."""

BAD = {
    "challenge 403": {"fault": Fault.CHALLENGE, "status": 403},
    "challenge 503": {"fault": Fault.CHALLENGE, "status": 503},
    "challenge 200": {"fault": Fault.CHALLENGE, "status": 200},
    "JSON that breaks off": {"fault": Fault.MALFORMED},
    "nothing with 200": {"fault": Fault.EMPTY},
}


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def asked_for(sandbox: Sandbox, text: str) -> list[str]:
    return [line.url for line in sandbox.log.of("api") if text in line.url]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_bad_answer_that_the_edge_keeps_is_asked_for_under_another_address(crawl, bad):
    sight = world()
    rule = Rule(**{"path": API, "contains": at(20), "times": 2, "origin": True, **bad})

    with Sandbox(sight, edge=Edge(), faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK, RETRY_TIMES=TRIES)

    tries = asked_for(sandbox, at(20))
    assert len(tries) == len(set(tries)) == 3
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_an_answer_that_stays_bad_is_said_and_costs_its_own_walk_alone(crawl, bad):
    sight = world(150, levels=BOTH)
    rule = Rule(**{"path": API, "contains": SAFE, "origin": True, **bad})

    with Sandbox(sight, edge=Edge(), faults=[rule]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", {**ASK, "level": "all"}, RETRY_TIMES=TRIES)
        tries = asked_for(sandbox, SAFE)
        left = broken.archive.differences(sight.truth(NAME, 31))
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", {**ASK, "level": "all"}, RETRY_TIMES=TRIES)

    safe, mature = broken.report["targets"][0]["walks"]
    between = sight.truth(NAME, 3, red=True).ids[PAGE:-NEWEST]
    missing = [f"image {number} is missing" for number in sight.truth(NAME, 31).ids if number in between]
    assert len(tries) == len(set(tries)) == 1 + TRIES
    assert broken.outcome == "incomplete"
    assert (safe["state"], mature["state"]) == ("broken", "complete")
    assert safe["cursor"].startswith("19|")
    assert any(f"at cursor {safe['cursor']!r}" in reason for reason in broken.report["reasons"])
    assert len(missing) > PAGE
    assert left == missing
    assert whole.archive.differences(sight.truth(NAME, 31)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_a_raw_control_byte_harms_nothing_however_long_it_comes(crawl):
    sight = world()
    one = Rule(fault=Fault.CONTROL_BYTE, path=API, origin=True)

    with Sandbox(sight, edge=Edge(), faults=[one]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK, RETRY_TIMES=TRIES)

    assert one.hit == len(sandbox.log.of("api"))
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_five_errors_at_one_cursor_are_got_over_in_one_run(crawl):
    sight = world()
    kept = {"path": API, "contains": at(20), "origin": True, "times": 5}
    rule = Rule(fault=Fault.STATUS, status=500, body='{"error":"URI malformed"}', **kept)  # type: ignore[arg-type]

    with Sandbox(sight, edge=Edge(), faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert rule.hit == 5
    assert len(asked_for(sandbox, at(20))) == 6
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_a_cursor_that_fails_for_ever_is_tried_again_by_each_run_and_by_nothing_else(crawl):
    sight = world()
    rule = Rule(fault=Fault.STATUS, status=500, body='{"error":"URI malformed"}', path=API, contains=at(20))

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        runs = []
        for _ in range(2):
            sandbox.log.reset()
            runs.append((await crawl(sandbox, "user", ASK, RETRY_TIMES=TRIES), asked_for(sandbox, API)))
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK, RETRY_TIMES=TRIES)

    (first, _), (second, calls) = runs
    assert [first.outcome, second.outcome] == ["incomplete", "incomplete"]
    assert len(calls) == 1 + TRIES
    assert all(at(20) in call for call in calls)
    walks = whole.archive.rows("SELECT state FROM walks WHERE source != 'page.user'")
    assert [row["state"] for row in walks] == ["complete"]
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]
