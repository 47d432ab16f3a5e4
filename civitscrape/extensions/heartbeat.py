"""The end of a crawl is noticed at once where nothing but items was left to do.

Scrapy looks whether there is anything left after each request, and besides that every five seconds. A crawl whose last
word is an item would wait for that. The interval is a private name of Scrapy's, pinned below 2.20 in pyproject.toml:
look here before that pin moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import signals

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

INTERVAL = 0.25
"""Seconds between two looks; a look costs some microseconds."""


class Heartbeat:
    """Makes Scrapy look more often whether anything is left to do."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the crawl to begin."""
        heartbeat = cls(crawler)
        crawler.signals.connect(heartbeat.quicken, signal=signals.spider_opened)
        return heartbeat

    def quicken(self) -> None:
        """Set the interval, before Scrapy begins to look."""
        if self._crawler.engine is not None:
            self._crawler.engine._SLOT_HEARTBEAT_INTERVAL = INTERVAL  # noqa: SLF001 (there is no setting)
