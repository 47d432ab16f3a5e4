"""Collect garbage by the clock: what a page brings lives until it is stored, and looking through it costs a seventh."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.utils.asyncio import create_looping_call

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.utils.asyncio import AsyncioLoopingCall
    from twisted.internet.task import LoopingCall

PAUSE = 10.0
"""Seconds between two looks for garbage. Python looks after 700 new objects; a page of 200 entries makes fifty thousand
that all live on, and a thousand files leave six hundred that only a look removes: less than a megabyte."""

OLDER, ALL = 20, 360
"""Looks after which one goes further back, and one through everything since the start of the crawl: once an hour."""


class Thrift:
    """Sets what starting made aside for good, and collects seldom for the length of a crawl."""

    def __init__(self) -> None:
        self._enabled = False
        self._looks = 0
        self._call: AsyncioLoopingCall | LoopingCall | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the crawl to begin."""
        thrift = cls()
        crawler.signals.connect(thrift.open, signal=signals.spider_opened)
        # A crawl that fails while it opens is closed, but never stopped.
        crawler.signals.connect(thrift.close, signal=signals.spider_closed)
        crawler.signals.connect(thrift.close, signal=signals.engine_stopped)
        return thrift

    def open(self) -> None:
        """Take the collector's pace over."""
        self._enabled = gc.isenabled()
        gc.freeze()
        gc.disable()
        self._call = create_looping_call(self.look)
        self._call.start(PAUSE, now=False)

    def look(self) -> None:
        """Collect what has become garbage lately; now and then what has for longer."""
        self._looks += 1
        gc.collect(2 if self._looks % ALL == 0 else 1 if self._looks % OLDER == 0 else 0)

    def close(self) -> None:
        """Leave the collector as it was."""
        if self._call is None:
            return
        self._call.stop()
        self._call = None
        gc.unfreeze()
        if self._enabled:
            gc.enable()
