"""Posters of videos come beside them when they are asked for, and never in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.commands.main import app
from civitscrape.sandbox import Sandbox
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

ASK = {"username": NAME, "posters": "yes"}
VIDEOS = 3


def of_posters(archive: Archived) -> list[dict[str, Any]]:
    return archive.rows("SELECT * FROM media WHERE kind = 'poster' ORDER BY key")


def asked(sandbox: Sandbox) -> int:
    return len([line for line in list(sandbox.log.lines) if line.role == "media"])


async def test_each_video_gets_its_poster_once_whenever_it_is_asked_for(crawl) -> None:
    scene = world(8, videos=VIDEOS)

    with Sandbox(scene).in_thread() as sandbox:
        without = await crawl(sandbox, "user", {"username": NAME})
        before = of_posters(without.archive), asked(sandbox)
        crawled = await crawl(sandbox, "user", ASK)
        first = asked(sandbox)
        again = await crawl(sandbox, "user", ASK)
        second = asked(sandbox)

    archive = crawled.archive
    videos = {row["path"] for row in archive.rows("SELECT path FROM images WHERE type = 'video'")}
    assert before == ([], 8)
    assert (first, second) == (8 + VIDEOS, 8 + VIDEOS)
    assert [(row["state"], row["content_type"]) for row in of_posters(archive)] == [("stored", "image/jpeg")] * VIDEOS
    assert {row["path"].replace(".poster.jpeg", ".mp4") for row in of_posters(archive)} == videos
    assert archive.differences(scene.truth(NAME, 3)) == []
    assert again.outcome == "complete"
    verified = CliRunner().invoke(app, ["verify", "-s", f"OUTPUT_DIR={archive.folder}"])
    assert verified.exit_code == 0, verified.output


async def test_a_poster_that_does_not_come_is_told_of_and_costs_no_video(crawl) -> None:
    with Sandbox(world(8, videos=VIDEOS)).in_thread() as sandbox:
        sandbox.faults.add({"contains": "anim=false", "fault": "status", "status": 500})
        crawled = await crawl(sandbox, "user", ASK, RETRY_TIMES=0)
        sandbox.faults.clear()
        again = await crawl(sandbox, "user", ASK)

    assert crawled.outcome == "incomplete"
    assert any(reason.startswith(f"{VIDEOS} posters could not be fetched") for reason in crawled.report["reasons"])
    assert crawled.report["counts"]["stored"] == 8
    assert again.outcome == "complete"
    assert [row["state"] for row in of_posters(again.archive)] == ["stored"] * VIDEOS
