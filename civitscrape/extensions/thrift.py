"""Collect garbage less often: what a page brings lives until it is stored, and looking through it costs a seventh."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Self

from scrapy import signals

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

THRESHOLD = (30_000, 20, 50)
"""Python's default looks after 700 new objects; a page of 200 entries makes fifty thousand that all live on. To look at
that many at once would hold up the event loop for 35 milliseconds."""


class Thrift:
    """Sets what starting made aside for good, and the collector's pace for the length of a crawl."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the crawl to begin."""
        thrift = cls()
        crawler.signals.connect(thrift.open, signal=signals.spider_opened)
        crawler.signals.connect(thrift.close, signal=signals.engine_stopped)
        return thrift

    def open(self) -> None:
        """Slow the collector down."""
        gc.freeze()
        gc.set_threshold(*THRESHOLD)

    def close(self) -> None:
        """Leave the collector as it was."""
        gc.set_threshold(*self._before)
        gc.unfreeze()
