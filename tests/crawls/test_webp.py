"""Pictures become WebP while a crawl goes on, and later crawls know them."""

from __future__ import annotations

import re
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from civitscrape.archive.database import Archive
from civitscrape.ledger import Media, MediaState
from civitscrape.sandbox import Sandbox, media, pictures
from tests.archive.asking import rows
from tests.archive.converting import flaw_of
from tests.archive.pictures.test_hostile import hostile
from tests.crawls.archive import Archived
from tests.crawls.processes import PATIENCE, SCRAPY, project, run, start
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.sandbox.records import Record

pytestmark = pytest.mark.crawl

QUICK = {"WEBP_ENABLED": True, "WEBP_METHOD": 0}
PADDED = 30_000
"""Bytes of each file: the sandbox's own are so small that a WebP is hardly smaller."""


def pngs(archive: Archived) -> list[dict[str, object]]:
    """Ask for the PNG files; JPEGs are padded with comments, which are carried over, so that no WebP is smaller."""
    return archive.rows("SELECT * FROM media WHERE state = 'stored' AND content_type = 'image/png'")


async def test_a_crawl_leaves_a_webp_beside_each_picture(crawl):
    sight = world(40, file_size=PADDED)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": NAME}, **QUICK)

    found = pngs(crawled.archive)
    assert len(found) > 5
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    for row in found:
        assert row["webp_error"] is None
        with Image.open(crawled.archive.media / str(row["webp_path"])) as picture:
            assert picture.format == "WEBP"
    converted = crawled.archive.rows("SELECT 1 FROM media WHERE webp_path IS NOT NULL")
    assert crawled.stats["civitscrape/webp_converted"] == len(converted) >= len(found)
    assert crawled.stats["civitscrape/webp_saved"] > 0


async def test_the_report_says_what_was_converted_what_that_saved_and_why_the_rest_was_left(crawl, capsys):
    with Sandbox(world(40, file_size=PADDED)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": NAME}, **QUICK, WEBP_KEEP_ORIGINAL=False)
        without = await crawl(sandbox, "user", {"username": NAME})

    made = crawled.archive.rows("SELECT size, webp_size FROM media WHERE webp_path IS NOT NULL")
    why = crawled.archive.rows("SELECT webp_error FROM media WHERE webp_error IS NOT NULL")
    told = crawled.report["webp"]
    assert len(made) > 5
    assert (told["converted"], told["removed"]) == (len(made), len(made))
    assert told["before"] == sum(row["size"] for row in made)
    assert told["after"] == sum(row["webp_size"] for row in made)
    assert sum(told["left"].values()) == len(why) > 0
    assert all(re.sub(r"\d+", "…", row["webp_error"]) in told["left"] for row in why)
    assert f"WebP: {len(made)} converted: " in " ".join(capsys.readouterr().err.split())
    assert "webp" not in without.report


async def test_originals_that_are_not_kept_are_not_fetched_again(crawl):
    sight = world(40, file_size=PADDED)

    with Sandbox(sight).in_thread() as sandbox:
        first = await crawl(sandbox, "user", {"username": NAME}, **QUICK, WEBP_KEEP_ORIGINAL=False)
        asked = len([line for line in list(sandbox.log.lines) if line.role == "media"])
        second = await crawl(sandbox, "user", {"username": NAME}, **QUICK, WEBP_KEEP_ORIGINAL=False)
        again = len([line for line in list(sandbox.log.lines) if line.role == "media"])

    found = pngs(second.archive)
    assert again == asked
    assert {row["path"] == row["webp_path"] for row in found} == {True}
    suffixes = {path.suffix for path in second.archive.files()}
    assert suffixes & {".png", ".part"} == set()
    paths = {row["path"] for row in first.archive.rows("SELECT path FROM images WHERE path IS NOT NULL")}
    assert paths == {str(path.relative_to(second.archive.media)) for path in second.archive.files()}
    assert {row["path"] for row in second.archive.latest_feed() if row["path"]} == paths


async def test_only_tagged_pictures_are_converted_where_that_is_asked(crawl):
    sight = world(40, file_size=PADDED)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": NAME}, **QUICK, WEBP_ONLY_TAGGED=True)

    tagged = "SELECT DISTINCT key FROM images JOIN image_tags ON image_id = images.id"
    keys = {row["key"] for row in crawled.archive.rows(tagged)}
    assert {row["key"] for row in pngs(crawled.archive) if row["webp_path"]} == {
        row["key"] for row in pngs(crawled.archive) if row["key"] in keys
    }


def media_of(output: Path) -> list[Media]:
    with closing(Archive(f"sqlite:///{output}/civitscrape.sqlite")) as archive:
        return [row for row in rows(archive, Media) if row.kind == "image"]


async def test_of_500_hostile_pictures_that_a_crawl_meets_none_is_lost(crawl, monkeypatch):
    sight = world(500)
    served = dict(zip(sight.keys, hostile(500), strict=False))

    def serve(record: Record, wish: media.Wish) -> media.File:
        return media.File(served[record.key], "image/png", f'"{wish.key}"')

    monkeypatch.setattr(media, "make", serve)
    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(
            sandbox, "user", {"username": NAME}, **QUICK, WEBP_KEEP_ORIGINAL=False, SIDECARS="none", RETRY_TIMES=0
        )

    found = media_of(crawled.archive.folder)
    stored = [row for row in found if row.state == MediaState.STORED]
    assert len(found) == 500
    assert [row.key for row in stored if flaw_of(row, crawled.archive.media, served[row.key])] == []
    assert all(row.webp_error for row in stored if row.webp_path is None)
    assert all(row.error for row in found if row.state != MediaState.STORED)
    assert crawled.report["webp"]["converted"] == sum(row.webp_path is not None for row in stored) > 50
    assert "log_count/ERROR" not in crawled.stats


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_crawl_stopped_or_killed_while_it_converts_leaves_every_picture_whole(tmp_path, number):
    sight, folder = world(160, file_size=PADDED), project(tmp_path)
    drawn = {key: pictures.body(record) for key, record in sight.keys.items()}
    bodies = {key: body for key, body in drawn.items() if isinstance(body, bytes)}
    words = ("crawl", "user", "-a", f"username={NAME}")
    archive, at_work = Archived(folder / "output"), []

    with Sandbox(sight, latency={"media": 30}).in_thread() as sandbox:
        settings = sandbox.settings() | {"WEBP_ENABLED": "True", "WEBP_METHOD": "0", "WEBP_KEEP_ORIGINAL": "False"}
        for share in (5, 15):
            process = start(SCRAPY, *words, folder=folder, settings=settings)
            deadline = time.monotonic() + PATIENCE
            while made(archive) < share and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            at_work.append(process.poll() is None)
            process.send_signal(number)
            process.communicate(timeout=PATIENCE)
            assert flaws(archive, bodies) == []
            assert number != signal.SIGINT or list(archive.folder.rglob("*.webp.part")) == []
        done = run(SCRAPY, *words, folder=folder, settings=settings)

    assert at_work == [True] * 2
    assert done.returncode == 0, done.stderr
    assert flaws(archive, bodies) == []
    assert all(row.webp_path or row.webp_error for row in media_of(archive.folder))
    assert made(archive) > 30


def made(archive: Archived) -> int:
    if not archive.folder.joinpath("civitscrape.sqlite").exists():
        return 0
    try:
        return len(archive.rows("SELECT 1 FROM media WHERE webp_path IS NOT NULL"))
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def flaws(archive: Archived, bodies: dict[str, bytes]) -> list[str]:
    stored = [row for row in media_of(archive.folder) if row.state == MediaState.STORED]
    return [f"{row.path}: {flaw}" for row in stored if (flaw := flaw_of(row, archive.media, bodies[row.key]))]
