"""What failed is taken up, and nothing else is asked for."""

from __future__ import annotations

import pytest

from civitscrape.civitai import rest
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

pytestmark = pytest.mark.crawl

API = "/api/v1/images"
BROKEN_PAGE = Rule(fault=Fault.STATUS, status=500, body="{}", path=API, contains=at(40))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


@pytest.mark.parametrize(
    ("spider", "arguments"),
    [("user", ASK), ("url", {"url": f"https://civitai.com/user/{NAME}/images"})],
    ids=["user", "url"],
)
async def test_a_walk_that_broke_goes_on_at_its_cursor(crawl, spider, arguments):
    sight = world(70)

    with Sandbox(sight, faults=[BROKEN_PAGE]).in_thread() as sandbox:
        broken = await crawl(sandbox, spider, arguments, RETRY_TIMES=1)
        sandbox.faults.clear()
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    asked = [line.url for line in sandbox.log.of("api")]
    assert broken.outcome == "incomplete"
    assert retried.outcome == "complete", retried.report["reasons"]
    assert retried.archive.differences(sight.truth(NAME, 3)) == []
    assert at(40) in asked[0]
    assert len(asked) <= 3


async def test_files_that_failed_are_fetched_and_no_others(crawl):
    sight = world(40)
    keys = [one["key"] for one in sight.truth(NAME, 3).images][:7]
    faults = [Rule(fault=Fault.STATUS, status=500, contains=key) for key in keys]

    with Sandbox(sight, faults=faults).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", ASK, RETRY_TIMES=0)
        sandbox.faults.clear()
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    assert broken.outcome == "incomplete"
    assert retried.outcome == "complete", retried.report["reasons"]
    assert retried.archive.differences(sight.truth(NAME, 3)) == []
    assert len(sandbox.log.of("media")) == len(keys)
    assert sandbox.log.of("api") == []


async def test_where_nothing_failed_nothing_is_asked(crawl):
    with Sandbox(world(5)).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    assert retried.outcome == "complete", retried.report["reasons"]
    assert [line.url for line in sandbox.log.lines if line.role != "page"] == []


async def test_files_that_fail_again_leave_the_run_incomplete_and_say_so(crawl):
    sight = world(10)
    fault = Rule(fault=Fault.STATUS, status=500, contains=sight.truth(NAME, 3).images[0]["key"])

    with Sandbox(sight, faults=[fault]).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK, RETRY_TIMES=0)
        retried = await crawl(sandbox, "retry", {}, RETRY_TIMES=0)

    assert retried.outcome == "incomplete", retried.report["reasons"]
    assert any("1 files could not be fetched" in reason for reason in retried.report["reasons"])
