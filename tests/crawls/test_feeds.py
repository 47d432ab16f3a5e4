"""What reaches the feeds, whatever pipelines there are."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest
from scrapy.exceptions import DropItem

from civitscrape.items import Image
from civitscrape.sandbox import Sandbox
from civitscrape.settings import ITEM_PIPELINES
from tests.crawls.worlds import ASK, world

if TYPE_CHECKING:
    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

RECORDS = {**ASK, "download": "none"}


class DropOdd:
    """A person's own pipeline."""

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Image) and item.id % 2:
            raise DropItem("odd")
        return item


def rows(archive: Archived) -> tuple[list[int], list[int]]:
    """Numbers of the images in both feeds."""
    (table,), (lines,) = (list((archive.folder / "feeds").rglob(f"images.{suffix}")) for suffix in ("csv", "jsonl"))
    with table.open(encoding="utf-8", newline="") as file:
        in_table = [int(row["id"]) for row in csv.DictReader(file)]
    return sorted(in_table), sorted(json.loads(line)["id"] for line in lines.read_text("utf-8").splitlines())


@pytest.mark.parametrize("order", [None, 1100, 600])
async def test_feeds_hold_what_all_pipelines_let_through_whichever_come_last(crawl, order):
    own = ITEM_PIPELINES if order is None else {**ITEM_PIPELINES, DropOdd: order}
    with Sandbox(world(30)).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", RECORDS, ITEM_PIPELINES=own)).archive

    known = [row["id"] for row in archive.rows("SELECT id FROM images ORDER BY id")]
    expected = [one for one in known if order is None or one % 2 == 0]
    assert rows(archive) == (expected, expected)
    assert 0 < len(expected) <= len(known)


async def test_feeds_are_written_by_the_signal_where_no_pipeline_does_it(crawl):
    with Sandbox(world(12)).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", RECORDS, ITEM_PIPELINES={})).archive

    known = [row["id"] for row in archive.rows("SELECT id FROM images ORDER BY id")]
    assert rows(archive) == (known, known)
    assert known


async def test_an_item_that_a_feed_cannot_take_is_done_all_the_same(crawl, tmp_path, caplog):
    feeds = {str(tmp_path / "images.marshal"): {"format": "marshal"}}  # which cannot hold enums
    with Sandbox(world(5)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", RECORDS, FEEDS=feeds)

    assert crawled.outcome == "complete"
    assert "the feeds cannot take Image 9" in caplog.text
    assert "Error processing" not in caplog.text
