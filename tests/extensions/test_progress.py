"""How far a crawl has come, in one line."""

from __future__ import annotations

import pytest
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from civitscrape.extensions.progress import errors, line


@pytest.fixture
def stats() -> MemoryStatsCollector:
    return MemoryStatsCollector(get_crawler())


def test_at_the_start_everything_is_nought(stats):
    assert line(stats, 0) == "0 pages · 0 entries · 0 files · 0 bytes (0 bytes/s) · 0 errors · 0:00"


def test_numbers_sizes_and_times_are_written_for_people(stats):
    for name, value in {"pages": 5, "listed": 1000, "files_stored": 940, "bytes": 188_000_000, "refused": 2}.items():
        stats.set_value(f"civitscrape/{name}", value)

    assert line(stats, 94) == "5 pages · 1000 entries · 940 files · 188.0 MB (2.0 MB/s) · 2 errors · 1:34"


def test_everything_that_went_wrong_for_good_is_an_error(stats):
    for name in ("files_failed", "refused", "walks_broken"):
        stats.set_value(f"civitscrape/{name}", 3)
    stats.set_value("spider_exceptions/count", 3)
    stats.set_value("retry/count", 50)

    assert errors(stats) == 12
