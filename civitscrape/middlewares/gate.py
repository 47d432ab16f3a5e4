"""Items that a spider starts with go into the pipelines a few at a time; Scrapy itself limits those of answers only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy import signals

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class Gate:
    """Lets ``CONCURRENT_ITEMS`` items in, then one for each that is done: what waits for its file takes memory."""

    def __init__(self, crawler: Crawler) -> None:
        self._most = crawler.settings.getint("CONCURRENT_ITEMS")
        self._inside = 0
        self._left = asyncio.Event()
        self._crawler = crawler
        self._watches = False

    async def enter(self) -> None:
        """Wait until there is room for one more."""
        if not self._watches:  # not before: most spiders start with requests, and who hears of items costs time on each
            self._watches = True
            for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
                self._crawler.signals.connect(self._leave, signal=signal)
        while self._inside >= self._most:
            self._left.clear()
            await self._left.wait()
        self._inside += 1

    def _leave(self, response: Response | None) -> None:
        """Make room when an item is done that came from no answer."""
        if response is None:
            self._inside -= 1
            self._left.set()
