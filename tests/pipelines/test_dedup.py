"""What is fetched, and what is only marked."""

from __future__ import annotations

import pytest
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from civitscrape.items import Creator, Image
from civitscrape.pipelines.dedup import Dedup, decide


@pytest.mark.parametrize(
    ("state", "download", "redownload", "fetched"),
    [
        ("wanted", True, False, True),
        ("failed", True, False, True),
        ("stored", True, False, False),
        ("gone", True, False, False),
        ("refused", True, False, False),
        ("stored", True, True, True),
        ("gone", True, True, True),
        ("refused", True, True, False),
        ("wanted", False, False, False),
        ("failed", False, True, False),
        (None, True, True, False),
    ],
)
def test_bytes_are_fetched_where_they_are_missing_and_asked_for(state, download, redownload, fetched):
    image = Image(id=1, media_state=state)

    assert decide(image, download=download, redownload=redownload) is fetched


async def test_a_known_image_goes_on_and_is_counted():
    stats = MemoryStatsCollector(get_crawler())
    dedup = Dedup(stats, download=True, redownload=False)
    images = [Image(id=1, media_state="stored", known=True), Image(id=2, media_state="failed"), Image(id=3)]

    passed = [await dedup.process_item(image) for image in images]

    assert passed == images
    assert [image.media_state for image in images] == ["stored", "wanted", None]
    assert {name: value for name, value in stats.get_stats().items() if name.startswith("civitscrape/")} == {
        "civitscrape/listed": 3,
        "civitscrape/known": 1,
        "civitscrape/already_stored": 1,
    }


async def test_anything_but_an_image_passes_untouched():
    stats = MemoryStatsCollector(get_crawler())
    creator = Creator(username="lampwright")

    passed = await Dedup(stats, download=True, redownload=False).process_item(creator)

    assert passed is creator
    assert stats.get_value("civitscrape/listed") is None


def test_a_spider_that_brings_no_files_fetches_none():
    dedup = Dedup.from_crawler(get_crawler())

    assert dedup._decide(Image(id=1, media_state="wanted")) is False
