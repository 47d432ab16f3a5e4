"""Two crawls on one archive at once: no file is fetched twice, no walk is followed twice, and nothing is spoilt."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from civitscrape.items import Level
from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import SCRAPY, project, run, start
from tests.crawls.worlds import ASK, NAME, world

pytestmark = pytest.mark.crawl

WORDS = ("crawl", "user", "-a", f"username={NAME}")


def fetched(sandbox: Sandbox) -> Counter[str]:
    """Count the requests for each file."""
    return Counter(line.url for line in sandbox.log.of("media"))


def test_the_same_command_in_two_terminals_fetches_each_file_once(tmp_path):
    sight = world(300, file_size=20_000)
    folder = project(tmp_path)

    with Sandbox(sight, latency={"media": 20, "api": 100}).in_thread() as sandbox:
        processes = [start(SCRAPY, *WORDS, folder=folder, settings=sandbox.settings()) for _ in range(2)]
        ends = [process.communicate() for process in processes]
        twice = {url: times for url, times in fetched(sandbox).items() if times > 1}
        again = run(SCRAPY, *WORDS, folder=folder, settings=sandbox.settings())

    archive = Archived(folder / "output")
    outcomes = sorted(row["outcome"] for row in archive.rows("SELECT outcome FROM runs"))
    assert [process.returncode for process in processes] == [0, 0], ends
    assert twice == {}
    assert archive.differences(sight.truth(NAME, 3)) == []
    assert outcomes == ["complete", "complete", "incomplete"]
    assert any("is at it right now" in stderr for _, stderr in ends)
    assert again.returncode == 0, again.stderr


async def test_runs_that_ask_different_things_share_the_files_and_the_levels_that_both_want(crawl):
    sight = world(240, levels=((Level.PG, 1.0), (Level.R, 1.0)), file_size=5_000)

    with Sandbox(sight, latency={"media": 10, "api": 30}).in_thread() as sandbox:
        safe, everything = await asyncio.gather(
            crawl(sandbox, "user", ASK), crawl(sandbox, "user", {**ASK, "level": "all"})
        )
        twice = {url: times for url, times in fetched(sandbox).items() if times > 1}

    assert twice == {}
    assert safe.archive.differences(sight.truth(NAME, 31)) == []
    assert {safe.outcome, everything.outcome} <= {"complete", "incomplete"}


async def test_pictures_that_two_targets_share_are_fetched_by_one_of_the_runs(crawl):
    sight = world(60, file_size=5_000)

    with Sandbox(sight, latency={"media": 60, "api": 20}).in_thread() as sandbox:
        both = await asyncio.gather(
            crawl(sandbox, "user", ASK),
            crawl(sandbox, "images", {"username": NAME}),
        )
        twice = {url: times for url, times in fetched(sandbox).items() if times > 1}

    assert twice == {}
    assert both[0].archive.differences(sight.truth(NAME, 3)) == []


def test_what_a_killed_run_had_claimed_is_taken_over_at_once(tmp_path):
    sight = world(120, file_size=20_000)
    folder = project(tmp_path)

    with Sandbox(sight, latency={"media": 200}).in_thread() as sandbox:
        process = start(SCRAPY, *WORDS, folder=folder, settings=sandbox.settings())
        while len(sandbox.log.of("media")) < 20 and process.poll() is None:
            pass
        process.kill()
        process.communicate()
        sandbox.faults.clear()
        done = run(SCRAPY, *WORDS, folder=folder, settings=sandbox.settings())

    archive = Archived(folder / "output")
    assert done.returncode == 0, done.stderr
    assert archive.differences(sight.truth(NAME, 3)) == []
    assert archive.latest_report()["outcome"] == "complete"
    assert not list((folder / "output").glob("*.locks"))
