"""A clock that was set back harms nothing here, but what the archive says of times is then out of order: said once."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from scrapy import signals

from civitscrape.extensions.books import Books

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

MARGIN = 60.0
"""Seconds that a clock may be corrected by without a word; two machines that share an archive differ as much."""


class Clock:
    """Watches this machine's clock: against the last run at the start, against the time that passed at the end."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._wall, self._passed = time.time(), time.monotonic()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the crawl to begin and to end."""
        clock = cls(crawler)
        crawler.signals.connect(clock.compare, signal=signals.spider_opened)
        crawler.signals.connect(clock.measure, signal=signals.spider_closed)
        return clock

    async def compare(self) -> None:
        """Say so when the last run is still to come."""
        last = await Books.of(self._crawler).last_moment()
        if last is not None:
            self._tell((datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds(), "since the last run")

    def measure(self) -> None:
        """Say so when less time has passed by the clock than has passed."""
        self._tell((time.time() - self._wall) - (time.monotonic() - self._passed), "while the crawl ran")

    def _tell(self, seconds: float, when: str) -> None:
        if seconds < -MARGIN:
            logger.warning(
                "the clock of this machine was set back by %.0f s %s: nothing is lost by it, "
                "but times in the archive are not in their order",
                -seconds,
                when,
            )
