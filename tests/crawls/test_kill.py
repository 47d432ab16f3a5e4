"""A crawl that is killed anywhere goes on from there: nothing lost, nothing damaged, nothing left lying about."""

from __future__ import annotations

import hashlib
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import PATIENCE, SCRAPY, project, run, start
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.sandbox.truth import Truth

pytestmark = pytest.mark.crawl

KILLS = 5
WORDS = ("crawl", "user", "-a", f"username={NAME}")


def kill_after(sandbox: Sandbox, requests: int, pause: float, folder: Path) -> bool:
    """Start a crawl and kill it some seconds after so many requests; tell whether it was still at work."""
    before = len(sandbox.log.lines)
    process = start(SCRAPY, *WORDS, folder=folder, settings=sandbox.settings())
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
