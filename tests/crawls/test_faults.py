"""Whole crawls while the site's listing and pages go wrong: what passes is waited out, what lasts is said."""

from __future__ import annotations

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import Edge, Quirks, Sandbox
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

pytestmark = pytest.mark.crawl

API = "/api/v1/images"
PROFILE = f"/user/{NAME}"
NEWEST = "sort=Newest"


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def asked(sandbox: Sandbox) -> list[str]:
    """List the API calls that a sandbox got, oldest first."""
    return [line.url for line in sandbox.log.of("api")]


def walk_of(crawled) -> dict[str, object]:
    walk: dict[str, object] = crawled.report["targets"][0]["walks"][0]
    return walk


PASSING = {
    "500 five times": {"fault": Fault.STATUS, "status": 500, "body": '{"error":"URI malformed"}', "times": 5},
    "502 with a page": {"fault": Fault.STATUS, "status": 502, "body": "<html>Bad gateway</html>"},
    "429 without a time": {"fault": Fault.STATUS, "status": 429, "body": '{"error":"slow down"}'},
    "503 with a time in the past": {
        "fault": Fault.STATUS,
        "status": 503,
        "headers": {"Retry-After": "Sat, 01 Aug 2020 00:00:30 GMT"},
    },
    "challenge 403": {"fault": Fault.CHALLENGE, "status": 403},
    "challenge 503": {"fault": Fault.CHALLENGE, "status": 503},
    "challenge 200": {"fault": Fault.CHALLENGE, "status": 200},
    "JSON that breaks off": {"fault": Fault.MALFORMED},
    "a raw control byte": {"fault": Fault.CONTROL_BYTE},
    "no body": {"fault": Fault.EMPTY},
    "an empty page": {"fault": Fault.EMPTY_PAGE},
    "a body that breaks off": {"fault": Fault.TRUNCATE},
    "a length that is wrong": {"fault": Fault.LENGTH},
    "a reset": {"fault": Fault.RESET, "times": 2},
    "something else than a listing": {"fault": Fault.STATUS, "status": 200, "body": '{"error":"try later"}'},
}


@pytest.mark.parametrize("rule", PASSING.values(), ids=PASSING)
async def test_what_goes_wrong_once_in_the_middle_of_a_listing_costs_nothing(crawl, rule):
    sight = world()

    with Sandbox(sight, faults=[{"path": API, "contains": at(20), "times": 1, **rule}]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


@pytest.mark.parametrize("where", ["sort=Oldest", NEWEST])
async def test_an_empty_page_at_either_end_is_asked_for_again_too(crawl, where):
    sight = world()
    rule = Rule(fault=Fault.EMPTY_PAGE, path=API, contains=where, times=1)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert len(asked(sandbox)) == len(set(asked(sandbox))) == 4 + 1 + 1


async def test_short_pages_are_not_the_end(crawl):
    sight = world(ghosts=25)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_a_page_that_fails_for_ever_breaks_its_walk_only_and_the_next_run_goes_on_there(crawl):
    sight = world(90, levels=((Level.PG, 1.0), (Level.R, 1.0)))
    safe = f"browsingLevel=3&withMeta=true&flatMeta=true&withTags=true&{at(20)}"
    rule = Rule(fault=Fault.STATUS, status=500, body='{"error":"URI malformed"}', path=API, contains=safe)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", {**ASK, "level": "all"})
        sandbox.faults.clear()
        sandbox.log.reset()
        whole = await crawl(sandbox, "user", {**ASK, "level": "all"})

    safe_walk, mature_walk = broken.report["targets"][0]["walks"]
    assert broken.outcome == "incomplete"
    assert (safe_walk["state"], mature_walk["state"]) == ("broken", "complete")
    assert safe_walk["cursor"].startswith("19|")
    assert any("URI malformed" in reason and "at cursor '19|" in reason for reason in broken.report["reasons"])
    assert safe in asked(sandbox)[0]
    assert whole.archive.differences(sight.truth(NAME, 31)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_a_listing_that_fails_from_the_start_is_a_failure_in_the_sites_words(crawl):
    with Sandbox(world(3), quirks=Quirks(region_blocked=True)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.outcome == "failed"
    assert "not available in your region" in crawled.report["reasons"][0]
    assert len(asked(sandbox)) == 1


@pytest.mark.parametrize("status", [403, 503, 200])
async def test_a_challenge_that_passes_leaves_the_announced_counts_known(crawl, status):
    sight = world(5, levels=((Level.PG, 1.0),))
    rule = Rule(fault=Fault.CHALLENGE, status=status, path=PROFILE, times=2)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**ASK, "level": "pg"})

    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert crawled.report["targets"][0]["announced"] == {"image": 5, "video": 0}
    assert walk_of(crawled)["announced"] == 5


@pytest.mark.parametrize("status", [403, 503, 200])
async def test_a_challenge_that_stays_leaves_the_counts_unknown_and_the_crawl_goes_on(crawl, status):
    sight = world(5)
    rule = Rule(fault=Fault.CHALLENGE, status=status, path=PROFILE)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK, RETRY_TIMES=2)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert crawled.report["targets"][0]["announced"] is None
    assert crawled.report["targets"][0]["exists"] is None


async def test_a_repeated_cursor_breaks_the_walk_and_says_so(crawl):
    rule = Rule(fault=Fault.REPEAT_CURSOR, path=API, contains=at(20))

    with Sandbox(world(), faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.outcome == "incomplete"
    assert walk_of(crawled)["state"] == "broken"
    assert "a second time; the listing would never end" in crawled.report["reasons"][0]
    assert len(crawled.archive.rows("SELECT id FROM images")) == 3 * PAGE - 2  # two pages that overlap, and the newest


async def test_a_listing_that_stops_in_silence_is_gone_on_with_from_its_newest_end(crawl):
    rule = Rule(fault=Fault.EMPTY_PAGE, path=API, contains=at(20))

    with Sandbox(world(), faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    states = [walk["state"] for walk in crawled.report["targets"][0]["walks"]]
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert states == ["split", "complete"]


async def test_a_check_that_never_comes_proves_nothing(crawl):
    sight = world()
    rule = Rule(fault=Fault.EMPTY_PAGE, path=API, contains=NEWEST)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", ASK)
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK)

    assert broken.outcome == "incomplete"
    assert "its end is not proven" in broken.report["reasons"][0]
    assert whole.outcome == "complete", whole.report["reasons"]
    assert whole.archive.differences(sight.truth(NAME, 3)) == []


async def test_an_entry_of_somebody_else_stops_the_walk_loudly(crawl, caplog):
    rule = Rule(fault=Fault.SET, field="username", value="harbourmaster", path=API, contains=at(20))

    with Sandbox(world(), faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    sentence = f"asked for the works of '{NAME}', the site gave entry"
    assert crawled.outcome == "incomplete"
    assert sentence in crawled.report["reasons"][0]
    assert any(sentence in record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    assert len(crawled.archive.rows("SELECT id FROM images")) == 2 * PAGE - 1  # the first page and the newest
    assert {row["creator"] for row in crawled.archive.rows("SELECT creator FROM images")} == {NAME}


async def test_mode_new_sees_what_was_published_a_moment_ago_through_an_edge_that_keeps_answers(crawl):
    sight = world(30)

    with Sandbox(sight, edge=Edge()).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        for _ in range(2):
            sandbox.world = sight = sight.with_images(NAME, 3)
            new = await crawl(sandbox, "user", {**ASK, "mode": "new"})

            assert new.archive.differences(sight.truth(NAME, 3)) == []
            assert new.report["requests"]["media"] == 3


@pytest.mark.parametrize("where", [at(20), NEWEST])
async def test_an_error_that_the_edge_keeps_is_got_round_at_once_and_by_the_next_run(crawl, where):
    sight = world()
    kept = Rule(
        fault=Fault.STATUS, status=500, body='{"error":"URI malformed"}', origin=True, path=API, contains=where, times=3
    )

    with Sandbox(sight, edge=Edge(), faults=[kept]).in_thread() as sandbox:
        first = await crawl(sandbox, "user", ASK, RETRY_TIMES=2)
        second = await crawl(sandbox, "user", ASK, RETRY_TIMES=2)

    assert first.outcome == "incomplete"
    assert second.outcome == "complete", second.report["reasons"]
    assert second.archive.differences(sight.truth(NAME, 3)) == []


async def test_when_the_site_says_wait_nothing_of_that_role_is_sent_before(crawl):
    sight = world(120, levels=((Level.PG, 1.0), (Level.R, 1.0)))
    wait = Rule(fault=Fault.STATUS, status=429, headers={"Retry-After": "1"}, body="{}", path="/api/", after=1, times=1)

    with Sandbox(sight, faults=[wait]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**ASK, "level": "all"})

    lines = sandbox.log.of("api")
    refused = next(line for line in lines if line.status == 429)
    after = [line.at - refused.at for line in lines if line.at > refused.at]
    assert len(after) >= 6
    assert min(after) >= 0.95
    assert crawled.archive.differences(sight.truth(NAME, 31)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_a_wait_that_is_too_long_ends_the_run_at_once_and_says_so(crawl):
    sight = world()
    wait = Rule(fault=Fault.STATUS, status=429, headers={"Retry-After": "3600"}, path="/api/", after=2)

    with Sandbox(sight, faults=[wait]).in_thread() as sandbox:
        short = await crawl(sandbox, "user", ASK)
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK)

    assert short.outcome == "incomplete"
    assert "asks to wait 3600 s, longer than RETRY_AFTER_MAX (600 s); run later" in short.report["reasons"][0]
    assert len(short.archive.rows("SELECT id FROM images")) >= 2 * PAGE
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]
