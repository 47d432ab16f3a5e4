"""A crawl that is killed anywhere goes on from there: nothing lost, nothing damaged, nothing left lying about."""

from __future__ import annotations

import hashlib
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from civitscrape.items import Level
from civitscrape.sandbox import CreatorSpec, Sandbox, World
from tests.crawls.archive import Archived
from tests.crawls.processes import PATIENCE, SCRAPY, project, run, start
from tests.crawls.worlds import LONG_AGO, NAME, world

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from civitscrape.sandbox.truth import Truth

pytestmark = pytest.mark.crawl

KILLS = 5
LONG = 600
"""Seconds that a crawl of thousands may take on a busy machine."""
WORDS = ("crawl", "user", "-a", f"username={NAME}")


def kill_after(sandbox: Sandbox, requests: int, pause: float, folder: Path, words: tuple[str, ...] = WORDS) -> bool:
    """Start a crawl and kill it some seconds after so many requests; tell whether it was still at work."""
    before = len(sandbox.log.lines)
    process = start(SCRAPY, *words, folder=folder, settings=sandbox.settings())
    deadline = time.monotonic() + PATIENCE
    while len(sandbox.log.lines) < before + requests and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(pause)
    at_work = process.poll() is None
    process.kill()
    process.communicate()
    return at_work


def damaged(archive: Archived, truth: Truth) -> list[str]:
    """Find files under a final name whose bytes are not those of the image."""
    sums = {str(one["id"]): one["sha256"] for one in truth.images}
    finals = [path for path in archive.files() if path.suffix != ".part"]
    return [path.name for path in finals if hashlib.sha256(path.read_bytes()).hexdigest() != sums[path.stem]]


MANY = 20
CREATOR = CreatorSpec(username=NAME, images=2000, file_size=8_000, levels=((Level.PG, 7.0), (Level.R, 3.0)))
EVERYTHING = (*WORDS, "-a", "level=all")
OPEN_WALKS = 2
"""Passes of a creator at all levels, each a walk of its own."""


def crawl_all(sandbox: Sandbox, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(SCRAPY, *EVERYTHING, folder=folder, settings=sandbox.settings(), patience=LONG)


def undisturbed(sight: World, folder: Path) -> tuple[int, int]:
    """Crawl without a kill; tell how many API calls and how many requests in all that takes."""
    with Sandbox(sight).in_thread() as sandbox:
        done = crawl_all(sandbox, project(folder))
        assert done.returncode == 0, done.stderr
        return len(sandbox.log.of("api")), len(sandbox.log.lines)


@pytest.mark.soak
def test_a_crawl_of_two_thousand_images_killed_twenty_times_ends_as_if_nothing_had_happened(tmp_path):
    draw = Random(20261121)
    sight = World.build(seed=7, creators=[CREATOR], now=LONG_AGO)
    truth, folder = sight.truth(NAME, 31), project(tmp_path / "killed")
    archive = Archived(folder / "output")
    calls, requests = undisturbed(sight, tmp_path / "undisturbed")

    with Sandbox(sight, latency={"media": 15, "api": 40}).in_thread() as sandbox:
        at_work = []
        for _ in range(MANY):
            share = draw.randrange(1, 2 * requests // MANY)
            at_work.append(kill_after(sandbox, share, draw.uniform(0, 0.05), folder, EVERYTHING))
            assert damaged(archive, truth) == []
        done = crawl_all(sandbox, folder)
        asked = len(sandbox.log.of("api"))

    assert sum(at_work) >= MANY - 2  # a crawl that was quicker than its kill is done; the next kill finds it idle
    assert done.returncode == 0, done.stderr
    assert archive.differences(truth) == []
    assert archive.latest_report()["outcome"] == "complete"
    assert asked <= calls + sum(at_work) * OPEN_WALKS


def test_a_crawl_killed_five_times_ends_as_if_nothing_had_happened(tmp_path):
    draw = Random(20261120)
    sight = world(430, file_size=20_000)
    truth, folder = sight.truth(NAME, 3), project(tmp_path)
    archive = Archived(folder / "output")

    with Sandbox(sight, latency={"media": 15, "api": 40}).in_thread() as sandbox:
        at_work = []
        for _ in range(KILLS):
            at_work.append(kill_after(sandbox, draw.randrange(1, 110), draw.uniform(0, 0.05), folder))
            assert damaged(archive, truth) == []
        done = run(SCRAPY, *WORDS, folder=folder, settings=sandbox.settings())

    assert at_work == [True] * KILLS
    assert done.returncode == 0, done.stderr
    assert archive.differences(truth) == []
    assert archive.latest_report()["outcome"] == "complete"
    assert [row["outcome"] for row in archive.rows("SELECT outcome FROM runs ORDER BY started_at")][-1] == "complete"
    assert {row["state"] for row in archive.rows("SELECT state FROM walks")} == {"complete"}
