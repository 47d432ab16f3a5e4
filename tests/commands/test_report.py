"""`civitscrape report`: the crawl's own words once more, and what is known of a run that came to no report."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, PATIENCE, project, run, start
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from pathlib import Path

REPORT = (*CIVITSCRAPE, "report")
GET = (*CIVITSCRAPE, "get")


def end_of(text: str) -> str:
    """Cut what a crawl says down to its report."""
    return text[text.index("Run 2") :].strip()


@pytest.mark.crawl
def test_the_report_is_printed_as_the_crawl_printed_it(tmp_path):
    folder = project(tmp_path)
    with Sandbox(world(5)).in_thread() as sandbox:
        settings = sandbox.settings()
        complete = run(GET, NAME, folder=folder, settings=settings)
        limited = run(GET, NAME, "-a", "max_items=2", "-a", "level=all", folder=folder, settings=settings)
        failed = run(GET, "nobody_here", folder=folder, settings=settings)
    archive = Archived(folder / "output")
    names = [row["id"] for row in archive.rows("SELECT id FROM runs ORDER BY started_at")]

    again = [run(REPORT, name, folder=folder, settings={}) for name in names]
    latest = run(REPORT, folder=folder, settings={})
    as_json = run(REPORT, names[0], "--json", folder=folder, settings={})
    listed = run(REPORT, "--list", folder=folder, settings={})

    assert [end_of(one.stdout) for one in again] == [end_of(one.stderr) for one in (complete, limited, failed)]
    assert [one.returncode for one in again] == [0, 3, 1]
    assert (latest.stdout, latest.returncode) == (again[2].stdout, 1)
    report = json.loads(as_json.stdout)
    assert (report["run"], report["outcome"], as_json.returncode) == (names[0], "complete", 0)
    cells = [line.split() for line in listed.stdout.splitlines()[1:]]
    assert [(line[0], line[4]) for line in cells] == list(
        zip(names[::-1], ["failed", "incomplete", "complete"], strict=True)
    )
    assert f"scrapy crawl user -a username={NAME}" in listed.stdout


def kill_in_the_middle(sandbox: Sandbox, folder: Path) -> None:
    process = start(GET, NAME, folder=folder, settings=sandbox.settings())
    archive, deadline = Archived(folder / "output"), time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if (folder / "output" / "media").is_dir() and archive.files():
            break
        time.sleep(0.002)
    process.kill()
    process.communicate()


@pytest.mark.crawl
def test_a_run_that_was_killed_is_told_from_its_rows(tmp_path):
    folder = project(tmp_path)
    with Sandbox(world(60), latency={"media": 50}).in_thread() as sandbox:
        kill_in_the_middle(sandbox, folder)

    told = run(REPORT, folder=folder, settings={})
    as_json = json.loads(run(REPORT, "--json", folder=folder, settings={}).stdout)
    listed = run(REPORT, "--list", "--json", folder=folder, settings={})

    assert told.returncode == 3, told.stderr
    assert "has no end: it is still at work, or was killed; its report is not there" in told.stdout
    assert f"to go on: scrapy crawl user -a username={NAME}" in told.stdout
    assert as_json["outcome"] == "unfinished"
    assert [(walk["target"], walk["pages"]) for walk in as_json["walks"]] == [
        (f"user:{NAME}", as_json["walks"][0]["pages"])
    ]
    assert [one["outcome"] for one in json.loads(listed.stdout)] == ["unfinished"]


@pytest.mark.parametrize("words", [(), ("--list",), ("20261120",)])
def test_where_there_is_no_archive_none_is_made(tmp_path, words):
    done = run(REPORT, *words, "-s", "OUTPUT_DIR=nothing", folder=tmp_path, settings={})

    assert done.returncode == 1
    assert done.stderr.startswith(f"civitscrape: there is no archive at {tmp_path}/nothing/civitscrape.sqlite; ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
