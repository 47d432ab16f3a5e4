"""Crawls that ask for less, or ask another host, between two that ask for all: neither is taken for the other."""

from __future__ import annotations

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.faults import Fault, Rule
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.archive import Archived
from tests.crawls.processes import SCRAPY, project, start
from tests.crawls.worlds import ASK, LONG_AGO, NAME, PAGE, world

pytestmark = pytest.mark.crawl

NEW = {**ASK, "mode": "new"}
RECORDS = {"download": "none"}
BOTH = ((Level.PG, 1.0), (Level.PG13, 1.0))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def lacking(crawled, truth) -> set[int]:
    return set(truth.ids) - {row["id"] for row in crawled.archive.rows("SELECT id FROM images")}


@pytest.mark.parametrize("narrow", [{"level": "pg"}, {"content": "images"}, {"max_items": "30"}], ids=str)
async def test_what_a_narrower_crawl_has_seen_does_not_end_a_wider_one(crawl, narrow):
    sight = world(60, levels=BOTH, videos=10)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK | RECORDS)
        sandbox.world = sight = sight.with_images(NAME, 70)
        await crawl(sandbox, "user", ASK | RECORDS | narrow)
        new = await crawl(sandbox, "user", NEW | RECORDS)

    assert lacking(new, sight.truth(NAME, 3, hashes=False)) == set()
    assert new.outcome == "complete", new.report["reasons"]


async def test_what_one_host_shows_is_no_proof_of_what_the_other_does(crawl):
    spec = CreatorSpec(username=NAME, images=60, levels=((Level.PG, 3.0), (Level.R, 1.0)), stricter=6)
    sight = World.build(seed=7, creators=[spec], now=LONG_AGO)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK | RECORDS)
        new = await crawl(sandbox, "user", NEW | RECORDS | {"level": "all"})

    assert lacking(new, sight.truth(NAME, 31, red=True, hashes=False)) == set()
    assert new.outcome == "complete", new.report["reasons"]


@pytest.mark.parametrize("spider", ["user", "retry"])
async def test_a_walk_from_the_newest_end_that_broke_is_walked_to_what_was_known_before_it(crawl, spider):
    sight = world(60)
    breaks = Rule(fault=Fault.STATUS, status=500, body="{}", path="/api/v1/images", contains="cursor=", times=4)
    invalid = {"status": 400, "body": '{"error":"Invalid cursor"}', "contains": "cursor="}
    refuses = Rule(fault=Fault.STATUS, path="/api/v1/images", times=1, **invalid)  # type: ignore[arg-type]

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK | RECORDS)
        sandbox.world = sight = sight.with_images(NAME, 130)
        sandbox.faults.add(breaks)
        broken = await crawl(sandbox, "user", NEW | RECORDS, RETRY_TIMES=3)
        sandbox.faults.clear()
        if spider == "retry":  # which goes on at the stored cursor
            sandbox.faults.add(refuses)
        later = await crawl(sandbox, spider, {} if spider == "retry" else NEW | RECORDS)

    assert broken.outcome == "incomplete"
    assert lacking(later, sight.truth(NAME, 3, hashes=False)) == set()
    assert later.outcome == "complete", later.report["reasons"]


@pytest.mark.parametrize("how", [RECORDS, {"mode": "refresh"}], ids=str)
def test_who_wants_no_files_fetches_none_that_a_killed_crawl_wanted(tmp_path, how):
    sight = world(60, file_size=20_000)
    words = [f"-a{name}={value}" for name, value in (ASK | how).items()]

    with Sandbox(sight, latency={"media": 5000}).in_thread() as sandbox:
        folder, settings = project(tmp_path), sandbox.settings()
        killed = start(SCRAPY, "crawl", "user", "-a", f"username={NAME}", folder=folder, settings=settings)
        while len(sandbox.log.of("api")) < 2 and killed.poll() is None:
            pass
        while not Archived(tmp_path / "output").rows("SELECT 1 FROM media") and killed.poll() is None:
            pass
        killed.kill()
        killed.communicate()
        sandbox.faults.clear()
        sandbox.log.reset()
        process = start(SCRAPY, "crawl", "user", *words, folder=folder, settings=settings)
        _, said = process.communicate()

    assert process.returncode == 0, said
    assert sandbox.log.of("media") == []


async def test_a_site_that_tells_nothing_by_numbers_marks_nothing_as_gone(crawl):
    sight = world(50, levels=((Level.PG, 1.0),))
    silent = Rule(fault=Fault.EMPTY_PAGE, path="/api/v1/images?imageId=")

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK | RECORDS)
        sandbox.world = sight.rerated({sight.truth(NAME, 3).ids[7]: Level.R})
        sandbox.faults.add(silent)
        refreshed = await crawl(sandbox, "user", {**ASK, "mode": "refresh"}, RETRY_TIMES=1)

    assert silent.hit > 0
    assert refreshed.archive.rows("SELECT id FROM images WHERE gone_at IS NOT NULL") == []
    assert refreshed.outcome == "incomplete"
    assert any("is not believed" in reason for reason in refreshed.report["reasons"])
