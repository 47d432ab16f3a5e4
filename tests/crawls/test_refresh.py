"""Records brought anew: what changed keeps its history, what vanished is asked for by its id, marked, and kept."""

from __future__ import annotations

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.faults import Fault, Rule
from civitscrape.sandbox.world import default_world
from tests.crawls.worlds import ASK, NAME, PAGE, world

pytestmark = pytest.mark.crawl

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
REFRESH = {**ASK, "mode": "refresh"}


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def gone(crawled) -> set[int]:
    return {row["id"] for row in crawled.archive.rows("SELECT id FROM images WHERE gone_at IS NOT NULL")}


@pytest.mark.parametrize("settings", [{}, KEY], ids=["anonymous", "with a key"])
async def test_what_the_site_deleted_is_marked_and_its_file_stays(crawl, settings):
    sight = world(70)
    deleted = sight.truth(NAME, 3).ids[5:45:10]

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK, **settings)
        sandbox.world = sight.without(*deleted)
        sandbox.log.reset()
        refreshed = await crawl(sandbox, "user", REFRESH, **settings)
        requests = sandbox.log.of("media")

    kept = [row["path"] for row in refreshed.archive.rows("SELECT path FROM images WHERE gone_at IS NOT NULL")]
    assert gone(refreshed) == set(deleted)
    assert all((refreshed.archive.media / path).is_file() for path in kept)
    assert requests == []
    assert refreshed.outcome == "complete", refreshed.report["reasons"]


async def test_what_is_back_is_unmarked(crawl):
    sight = world(50)
    deleted = sight.truth(NAME, 3).ids[7]

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.world = sight.without(deleted)
        without = await crawl(sandbox, "user", REFRESH)
        marked = gone(without)
        sandbox.world = sight
        back = await crawl(sandbox, "user", REFRESH)

    assert marked == {deleted}
    assert gone(back) == set()


async def test_what_was_given_another_rating_is_not_gone(crawl):
    sight = world(50, levels=((Level.PG, 1.0),))
    rerated = sight.rerated({sight.truth(NAME, 3).ids[7]: Level.R})

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.world = rerated
        refreshed = await crawl(sandbox, "user", REFRESH)

    levels = {row["level"] for row in refreshed.archive.rows("SELECT level FROM images")}
    assert gone(refreshed) == set()
    assert levels == {Level.PG, Level.R}


async def test_an_empty_answer_that_is_a_time_out_marks_nothing(crawl):
    sight = world(50, levels=((Level.PG, 1.0),))
    rerated = sight.truth(NAME, 3).ids[7]
    timeout = Rule(fault=Fault.EMPTY_PAGE, path="/api/v1/images?imageId=", contains="browsingLevel=28", times=1)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.world = sight.rerated({rerated: Level.X})
        sandbox.faults.add(timeout)
        refreshed = await crawl(sandbox, "user", REFRESH)

    assert timeout.hit == 1
    assert gone(refreshed) == set()


async def test_a_record_that_changed_keeps_what_it_was(crawl):
    sight = world(30)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.faults.add(Rule(fault=Fault.SET, field="baseModel", value="Ernie", path="/api/v1/images"))
        refreshed = await crawl(sandbox, "user", REFRESH)

    versions = refreshed.archive.rows("SELECT count(*) AS n FROM payloads WHERE kind = 'rest.image' GROUP BY entry_id")
    assert {row["n"] for row in versions} == {2}
    assert {row["base_model"] for row in refreshed.archive.rows("SELECT base_model FROM images")} == {"Ernie"}


async def test_a_model_that_was_deleted_is_marked(crawl):
    sight = default_world()
    number = sight.model_truth("lampwright", mask=3).models[0]["id"]
    words = {"username": "lampwright", "content": "models"}

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", words)
        sandbox.world = sight.without_models(number)
        refreshed = await crawl(sandbox, "user", {**words, "mode": "refresh"})

    marked = refreshed.archive.rows("SELECT id FROM models WHERE gone_at IS NOT NULL")
    assert [row["id"] for row in marked] == [number]
