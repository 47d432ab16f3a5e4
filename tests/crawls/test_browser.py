"""Votes by a real browser against the sandbox, whose page renders its tags by script."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from scrapy.settings import Settings

from civitscrape.downloads import browser
from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level
from civitscrape.sandbox import tags
from civitscrape.sandbox.ask import Role
from civitscrape.sandbox.content_truth import votes_truth
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import CreatorSpec, World
from civitscrape.settings import USER_AGENT
from tests.crawls.archive import Archived
from tests.crawls.processes import PATIENCE, SCRAPY, project, run, start
from tests.crawls.worlds import bared

if TYPE_CHECKING:
    from pathlib import Path

NAME = "lampwright"
WORLD = World.build(creators=[CreatorSpec(username=NAME, images=24, tags=11)])
RECORDS = {"username": NAME, "download": "none", "level": "all"}
VOTES = (*SCRAPY, "crawl", "votes", "-a", "votes=browser")


def missing() -> str:
    settings = Settings()
    settings.setmodule("civitscrape.settings")
    try:
        browser.require(settings)
    except ArgumentError as error:
        return str(error)
    return ""


pytestmark = [pytest.mark.crawl, pytest.mark.skipif(bool(missing()), reason=missing() or "there is a browser")]


def browse(folder: Path, sandbox: Sandbox, command: tuple[str, ...] = VOTES, **settings: str) -> Archived:
    """Crawl in a process of its own: scrapy-playwright needs a reactor, which crawls within the tests do without."""
    done = run(command, folder=project(folder), settings={**sandbox.settings(), **settings})
    assert "Traceback" not in done.stderr, done.stderr
    return Archived(folder / "output")


def true_scores(ids: list[int]) -> dict[tuple[int, int], int]:
    """What the pages of images show to everybody on the host for safe works."""
    return {
        (number, one["tag_id"]): one["score"]
        for number in ids
        for one in votes_truth(WORLD, number)
        if one["shown"] and one["level"] & Level.PG
    }


def scores(archive: Archived) -> dict[tuple[int, int], int]:
    query = "SELECT image_id, tag_id, score FROM image_tags WHERE score IS NOT NULL"
    return {(row["image_id"], row["tag_id"]): row["score"] for row in archive.rows(query)}


@pytest.mark.parametrize("encoding", ["never", "always"])
async def test_votes_by_browser_agree_with_what_the_pages_show(crawl, tmp_path, encoding):
    with Sandbox(WORLD, quirks=Quirks(devalue=encoding)).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)
        archive = browse(tmp_path, sandbox)

    mild = [row["id"] for row in archive.rows("SELECT id FROM images WHERE level = 1")]
    above = archive.rows("SELECT id FROM images WHERE level > 1")
    assert len(mild) > 5
    assert scores(archive) == true_scores(mild)
    assert {row["id"] for row in archive.rows("SELECT id FROM images WHERE votes_at IS NULL")} == {
        row["id"] for row in above
    }
    assert any(f"votes of {len(above)} images rated above PG" in one for one in archive.latest_report()["reasons"])
    names = {row["id"]: row["name"] for row in archive.rows("SELECT id, name FROM tags")}
    assert names == {number: tags.TAGS[number].name for number in names}


def test_any_crawl_brings_scores_by_browser_once_all_else_is_done(tmp_path):
    command = (*SCRAPY, "crawl", "user", "-a", f"username={NAME}", "-a", "votes=browser")

    with Sandbox(WORLD).in_thread() as sandbox:
        archive = browse(tmp_path, sandbox, command)
        pages = [line.url for line in list(sandbox.log.lines) if line.url.startswith("/images/")]

    mild = [row["id"] for row in archive.rows("SELECT id FROM images WHERE level = 1")]
    assert scores(archive) == true_scores(mild)
    assert len(pages) == len(mild)


async def test_pictures_and_fonts_are_left_out_and_pages_are_bounded(crawl, tmp_path):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)
        sandbox.faults.latency = {Role.PAGE: 50.0}
        browse(tmp_path, sandbox, BROWSER_PAGES="2")
        lines, most = list(sandbox.log.lines), sandbox.log.peaks[Role.PAGE]

    assert [line.url for line in lines if "woff2" in line.url or line.role == Role.MEDIA] == []
    assert {line.user_agent for line in lines} == {USER_AGENT}
    assert most == 2


async def test_names_that_the_archive_does_not_know_are_asked_for_by_number(crawl, tmp_path):
    with Sandbox(WORLD).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", RECORDS)).archive
        change(archive, "DELETE FROM tags")
        browse(tmp_path, sandbox)

    names = {row["id"]: row["name"] for row in archive.rows("SELECT id, name FROM tags")}
    assert names == {number: tags.TAGS[number].name for number in names}
    assert any(one.shown != one.name for one in tags.TAGS.values() if one.id in names)
    assert {key[1] for key in scores(archive)} <= names.keys()


async def test_an_image_that_is_gone_is_marked_and_one_rated_anew_is_left_out(crawl, tmp_path):
    with Sandbox(WORLD).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", RECORDS)).archive
        lost, *_ = [row["id"] for row in archive.rows("SELECT id FROM images WHERE level = 1 ORDER BY id")]
        risen, *_ = [row["id"] for row in archive.rows("SELECT id FROM images WHERE level = 8 ORDER BY id")]
        change(archive, f"UPDATE images SET level = 1 WHERE id = {risen}")
        sandbox.world = WORLD.without(lost)
        browse(tmp_path, sandbox)

    assert archive.rows("SELECT id FROM images WHERE gone_at IS NOT NULL") == [{"id": lost}]
    assert archive.rows("SELECT level, votes_at FROM images WHERE id = ?", risen) == [{"level": 8, "votes_at": None}]


ERROR = (
    '{"error":{"json":{"message":"no time","code":-32603,"data":{"code":"INTERNAL_SERVER_ERROR","httpStatus":500}}}}'
)
FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 200, "body": ERROR},
    {"fault": "reset"},
)
NEVER: dict[str, Any] = {"fault": "delay", "seconds": 60.0}


@pytest.mark.parametrize(
    "faults", [pytest.param(FAULTS, id="refused"), pytest.param((NEVER,), id="never answered", marks=pytest.mark.soak)]
)
async def test_a_page_whose_own_call_fails_has_not_told_that_there_are_no_tags(crawl, tmp_path, faults):
    bare, *failing = [one.id for one in WORLD.named(NAME).records if one.level == Level.PG][: 1 + len(faults)]
    with Sandbox(bared(WORLD, bare)).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", RECORDS)).archive
        for fault, number in zip(faults, failing, strict=True):
            sandbox.faults.add({**fault, "path": "/api/trpc/tag.getVotableTags", "contains": str(number)})
        browse(tmp_path, sandbox)
        unasked = archive.rows("SELECT id FROM images WHERE level = 1 AND votes_at IS NULL ORDER BY id")
        reasons = archive.latest_report()["reasons"]
        sandbox.faults.clear()
        browse(tmp_path, sandbox)

    mild = [row["id"] for row in archive.rows("SELECT id FROM images WHERE level = 1")]
    assert [row["id"] for row in unasked] == sorted(failing)
    assert any(re.search(rf"\b{len(failing)} pages? could not be read", one) for one in reasons)
    assert scores(archive) == true_scores([one for one in mild if one != bare])
    assert archive.rows("SELECT id FROM images WHERE level = 1 AND votes_at IS NULL") == []


async def test_a_browser_that_crashed_is_started_again_and_its_pages_are_asked_again(crawl, tmp_path):
    with Sandbox(WORLD).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", RECORDS)).archive
        process = start(VOTES, folder=project(tmp_path), settings=sandbox.settings())
        killed = kill_browser_of(process.pid, sandbox)
        _, said = process.communicate(timeout=PATIENCE)

    mild = [row["id"] for row in archive.rows("SELECT id FROM images WHERE level = 1")]
    assert killed
    assert scores(archive) == true_scores(mild), said
    assert "Traceback" not in said


def kill_browser_of(pid: int, sandbox: Sandbox) -> bool:
    """Kill the browser that a crawl has started, once it has opened its first pages."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        opened = [line for line in list(sandbox.log.lines) if "getVotableTags" in line.url]
        for child in psutil.Process(pid).children(recursive=True) if len(opened) > 2 else []:
            if "--type=" not in " ".join(child.cmdline()) and "headless" in " ".join(child.cmdline()[:1]):
                child.kill()
                return True
        time.sleep(0.01)
    return False


def change(archive: Archived, statement: str) -> None:
    with closing(sqlite3.connect(archive.folder / "civitscrape.sqlite")) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"BROWSER_EXECUTABLE": "no-such-browser"}, "BROWSER_EXECUTABLE"), ({"PATH": "/nowhere"}, "and there is none")],
)
def test_without_a_browser_one_line_says_how_to_get_one(tmp_path, settings, words):
    environment = {**settings, "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "CIVITAI_URL": "http://127.0.0.1:9"}

    done = run(VOTES, folder=project(tmp_path), settings=environment)

    assert done.returncode == 1
    assert words in done.stderr
    assert "apt install chromium-headless-shell" in done.stderr
    assert len(done.stderr.splitlines()) == 1


async def test_a_browser_that_does_not_start_is_said_once_and_counts_as_no_page(crawl, tmp_path):
    program = tmp_path / "no-browser"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)
        archive = browse(tmp_path, sandbox, BROWSER_EXECUTABLE=str(program))

    told = archive.latest_report()
    (reason,) = [one for one in told["reasons"] if "no-browser" in one]
    assert "at its first page: no page could be opened: the browser" in reason
    assert "could not be read" not in reason
    assert [walk["pages"] for target in told["targets"] for walk in target["walks"]] == [0]
    assert told["requests"]["page"] == 0
