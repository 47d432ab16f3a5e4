"""Pictures become WebP while a crawl goes on, and later crawls know them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from civitscrape.sandbox import Sandbox
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

QUICK = {"WEBP_ENABLED": True, "WEBP_METHOD": 0}
PADDED = 30_000
"""Bytes of each file: the sandbox's own are so small that a WebP is hardly smaller."""


def pictures(archive: Archived) -> list[dict[str, object]]:
    """Ask for the PNG files; JPEGs are padded with comments, which are carried over, so that no WebP is smaller."""
    return archive.rows("SELECT * FROM media WHERE state = 'stored' AND content_type = 'image/png'")


async def test_a_crawl_leaves_a_webp_beside_each_picture(crawl):
    sight = world(40, file_size=PADDED)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": NAME}, **QUICK)

    found = pictures(crawled.archive)
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
        asked = len([line for line in sandbox.log.lines if line.role == "media"])
        second = await crawl(sandbox, "user", {"username": NAME}, **QUICK, WEBP_KEEP_ORIGINAL=False)
        again = len([line for line in sandbox.log.lines if line.role == "media"])

    found = pictures(second.archive)
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
    assert {row["key"] for row in pictures(crawled.archive) if row["webp_path"]} == {
        row["key"] for row in pictures(crawled.archive) if row["key"] in keys
    }
