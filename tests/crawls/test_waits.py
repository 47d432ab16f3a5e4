"""Whole crawls while the site says how long to wait: it is waited for, by everything that talks to that host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.ask import Role
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, world

if TYPE_CHECKING:
    from civitscrape.sandbox.log import Line

pytestmark = pytest.mark.crawl

BOTH = ((Level.PG, 1.0), (Level.R, 1.0))
GRAIN = 0.05
"""Seconds by which the clocks of two ends may be read apart."""


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def too_early(lines: list[Line], status: int, window: float) -> list[str]:
    """Name the requests that came within a window which an answer to the same host and role had just named."""
    refused = [line for line in lines if line.status == status]
    return [
        f"{later.url} came {later.at - one.at:.2f} s after {one.url} was told to wait {window:g} s"
        for one in refused
        for later in lines
        if later.host == one.host and later.role is one.role and 0 < later.at - one.at < window - GRAIN
    ]


async def test_every_third_call_put_off_costs_time_and_nothing_else(crawl):
    sight = world(110, levels=BOTH)
    headers = {"Retry-After": "1"}
    wait = Rule(fault=Fault.STATUS, status=429, headers=headers, body="{}", role=Role.API, after=2, every=3)

    with Sandbox(sight, faults=[wait]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**ASK, "level": "all"})

    assert wait.hit >= 3
    assert too_early(sandbox.log.of("api"), 429, 1) == []
    assert crawled.archive.differences(sight.truth(NAME, 31)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_a_site_that_is_busy_for_two_seconds_is_left_alone_for_two_in_each_role(crawl):
    sight = world(60, levels=BOTH)
    busy = {
        "fault": "status",
        "status": 503,
        "headers": {"Retry-After": "2"},
        "body": '{"error":"Server busy, please retry shortly."}',
        "times": 1,
    }
    rules = [{**busy, "role": role, "after": after} for role, after in (("page", 0), ("api", 1), ("media", 3))]

    with Sandbox(sight, faults=rules).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**ASK, "level": "all"}, MEDIA_CONCURRENCY=1)

    lines = list(sandbox.log.lines)
    assert sorted(line.role for line in lines if line.status == 503) == ["api", "media", "page"]
    assert too_early(lines, 503, 2) == []
    assert crawled.archive.differences(sight.truth(NAME, 31)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
