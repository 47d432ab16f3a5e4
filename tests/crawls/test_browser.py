"""Votes by a real browser against the sandbox, whose page renders its tags by script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scrapy.settings import Settings

from civitscrape.downloads import browser
from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level
from civitscrape.sandbox import tags
from civitscrape.sandbox.content_truth import votes_truth
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.archive import Archived
from tests.crawls.processes import SCRAPY, project, run

if TYPE_CHECKING:
    from pathlib import Path

NAME = "lampwright"
WORLD = World.build(creators=[CreatorSpec(username=NAME, images=40, tags=11)])
RECORDS = (*SCRAPY, "crawl", "user", "-a", f"username={NAME}", "-a", "download=none", "-a", "level=all")
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


def crawled(folder: Path, *commands: tuple[str, ...], sandbox: Sandbox, **settings: str) -> Archived:
    for command in commands:
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
def test_votes_by_browser_agree_with_what_the_pages_show(tmp_path, encoding):
    with Sandbox(WORLD, quirks=Quirks(devalue=encoding)).in_thread() as sandbox:
        archive = crawled(tmp_path, RECORDS, VOTES, sandbox=sandbox)

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
