"""Whole crawls while the site itself changes under the walk: what was there throughout is stored, or it is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.civitai import rest
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

if TYPE_CHECKING:
    from civitscrape.sandbox.truth import Truth
    from civitscrape.sandbox.world import World

pytestmark = pytest.mark.crawl

IMAGES = 130
Change = dict[str, Any]


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def throughout(before: World, after: World) -> Truth:
    """Tell what was there from the first request to the last."""
    truth, left = before.truth(NAME, 3), set(after.truth(NAME, 3).ids)
    return replace(truth, images=[one for one in truth.images if one["id"] in left])


def missing(crawled: Any, truth: Truth) -> list[str]:
    """Say what is not stored of the truth, or not as it is; more than that may be there."""
    return [flaw for flaw in crawled.archive.differences(truth) if not flaw.endswith(" is too much")]


IDS = world(IMAGES).truth(NAME, 3, hashes=False).ids

CHANGES: dict[str, tuple[str, Change]] = {
    "one deleted before the walk's place": (at(60), {"delete": IDS[2:3]}),
    "many deleted before the walk's place": (at(60), {"delete": IDS[5:20]}),
    "more than a page deleted before the walk's place": (at(80), {"delete": IDS[5:40]}),
    "some deleted before its last page": (at(120), {"delete": IDS[0:12]}),
    "some deleted behind the walk's place": (at(40), {"delete": IDS[90:100]}),
    "some deleted before and some published": (at(60), {"delete": IDS[5:9], "publish": {"username": NAME, "count": 4}}),
    "as many deleted as are published": (at(120), {"delete": IDS[3:8], "publish": {"username": NAME, "count": 5}}),
    "a page of them published": (at(60), {"publish": {"username": NAME, "count": PAGE}}),
}


@pytest.mark.parametrize(("where", "change"), CHANGES.values(), ids=CHANGES)
async def test_what_was_there_throughout_is_stored_or_the_run_says_that_it_is_not(crawl, where, change):
    sight = world(IMAGES)
    rule = Rule(fault=Fault.WORLD, path="/api/v1/images", contains=where, times=1, value=change)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)
        lasting = throughout(sight, sandbox.world)

    assert rule.hit == 1
    assert crawled.outcome == "incomplete" or missing(crawled, lasting) == []


@pytest.mark.parametrize(("where", "change"), list(CHANGES.values())[:2], ids=list(CHANGES)[:2])
async def test_the_next_run_has_everything_that_is_there_then(crawl, where, change):
    sight = world(IMAGES)
    rule = Rule(fault=Fault.WORLD, path="/api/v1/images", contains=where, times=1, value=change)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        later = await crawl(sandbox, "user", ASK)
        now = sandbox.world.truth(NAME, 3)

    assert missing(later, now) == []


@pytest.mark.parametrize("place", [0, 120])
async def test_what_is_published_at_any_moment_of_a_walk_harms_nothing(crawl, place):
    sight = world(IMAGES)
    change = {"publish": {"username": NAME, "count": 7}}
    where = at(place) if place else "sort=Oldest"
    rule = Rule(fault=Fault.WORLD, path="/api/v1/images", contains=where, times=1, value=change)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)
        lasting = throughout(sight, sandbox.world)

    assert rule.hit == 1
    assert missing(crawled, lasting) == []
