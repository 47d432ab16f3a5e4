"""Listings that the site cuts short without a word: split until every part is proven whole, or named as cut short."""

from __future__ import annotations

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import Quirks, Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from tests.crawls.worlds import ASK, NAME, PAGE, world

pytestmark = pytest.mark.crawl

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
CEILING = 2 * PAGE
RECORDS = {**ASK, "download": "none"}
ONE_LEVEL = ((Level.PG, 1.0),)


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def states(crawled) -> list[str]:
    """Name the state of each walk of a run."""
    return [walk["state"] for walk in crawled.report["targets"][0]["walks"]]


def listed(crawled) -> set[int]:
    return {row["id"] for row in crawled.archive.rows("SELECT id FROM images")}


def truth(sight, level: int = 3) -> set[int]:
    return set(sight.truth(NAME, level, hashes=False).ids)


async def test_two_halves_that_meet_are_the_whole_and_cost_only_the_missing_pages(crawl):
    sight = world(70)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=CEILING)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert states(crawled) == ["split", "complete"]
    assert len(sandbox.log.of("api")) <= 3 + 1 + 4


async def test_halves_that_do_not_meet_are_split_by_level_and_by_type(crawl):
    sight = world(400, videos=120)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=6 * PAGE)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", RECORDS)

    assert listed(crawled) == truth(sight)
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert set(states(crawled)) == {"split", "complete"}


async def test_what_nothing_divides_is_capped_and_the_report_says_how_many_were_announced(crawl):
    sight = world(300, levels=ONE_LEVEL, videos=0)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=CEILING)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**RECORDS, "level": "pg"})

    held = len(listed(crawled))
    assert listed(crawled) < truth(sight)
    assert crawled.outcome == "incomplete"
    assert "capped" in states(crawled)
    assert any(f"the site announces 300 images, the archive has {held}" in one for one in crawled.report["reasons"])


async def test_with_a_key_posts_divide_what_nothing_else_does(crawl):
    sight = world(300, levels=ONE_LEVEL, videos=0)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=CEILING)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**RECORDS, "level": "pg"}, **KEY)

    assert listed(crawled) == truth(sight, 1)
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_a_crawl_that_breaks_among_the_parts_goes_on_with_what_is_left_of_them(crawl):
    sight = world(400, videos=120)
    fault = {"fault": "status", "status": 500, "path": "/api/v1/images", "contains": "type=video", "body": "{}"}

    with Sandbox(sight, quirks=Quirks(hit_ceiling=6 * PAGE), faults=[fault]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", RECORDS, RETRY_TIMES=1)
        sandbox.faults.clear()
        sandbox.log.reset()
        whole = await crawl(sandbox, "user", RECORDS)

    assert broken.outcome == "incomplete"
    assert whole.outcome == "complete", whole.report["reasons"]
    assert listed(whole) == truth(sight)
    assert not any("type=image" in line.url for line in sandbox.log.of("api"))


async def test_a_creator_of_five_thousand_behind_a_ceiling_of_a_thousand_is_whole(crawl, monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", 200)
    sight = world(5000, levels=((Level.PG, 4.0), (Level.PG13, 3.0), (Level.R, 3.0)), videos=2250)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=1000)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**RECORDS, "level": "all"})

    assert listed(crawled) == truth(sight, 31)
    assert crawled.outcome == "complete", crawled.report["reasons"]


@pytest.mark.soak
async def test_a_creator_of_sixty_thousand_behind_a_ceiling_of_fifty_thousand_is_whole(crawl, monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", 200)
    sight = world(60_000)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=50_000)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", RECORDS, KEEP_PAYLOADS=False)

    assert listed(crawled) == truth(sight)
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert len(sandbox.log.of("api")) <= 60_000 / 200 * 1.05
