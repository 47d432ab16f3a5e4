"""How far a crawl has come: one living line on a terminal, a plain log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.filesize import decimal
from rich.live import Live
from rich.logging import RichHandler
from rich.text import Text
from scrapy import signals
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.log import get_scrapy_root_handler

from civitscrape.extensions.log import mask, secrets_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector
    from scrapy.utils.asyncio import AsyncioLoopingCall
    from twisted.internet.task import LoopingCall

logger = logging.getLogger(__name__)

ON_TERMINAL = 0.25
"""Seconds between two looks at the numbers, on a terminal."""

IN_LOG = 30.0
"""Seconds between two lines in a log."""


def line(stats: StatsCollector, seconds: float) -> str:
    """Say how far a crawl has come."""
    count = stats.get_value
    size = count("civitscrape/bytes", 0)
    parts = [
        f"{count('civitscrape/pages', 0)} pages",
        f"{count('civitscrape/listed', 0)} entries",
        f"{count('civitscrape/files_stored', 0)} files",
        f"{decimal(size)} ({decimal(int(size / seconds)) if seconds else '0 bytes'}/s)",
        f"{errors(stats)} errors",
        f"{int(seconds) // 60}:{int(seconds) % 60:02}",
    ]
    return " · ".join(parts)


def errors(stats: StatsCollector) -> int:
    """Count what went wrong for good."""
    names = ("civitscrape/files_failed", "civitscrape/refused", "civitscrape/walks_broken", "spider_exceptions/count")
    return sum(stats.get_value(name, 0) for name in names)


class Progress:
    """Shows the line; on a terminal the log goes through the same console, so that neither tears the other."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._begun = time.monotonic()
        self._live: Live | None = None
        self._handler: RichHandler | None = None
        self._call: AsyncioLoopingCall | LoopingCall | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the crawl to begin."""
        progress = cls(crawler)
        crawler.signals.connect(progress.open, signal=signals.spider_opened)
        crawler.signals.connect(progress.close, signal=signals.spider_closed)
        return progress

    def open(self) -> None:
        """Begin to show."""
        if sys.stderr.isatty() and get_scrapy_root_handler() is not None:
            self._take_terminal()
        self._call = create_looping_call(self.show)
        self._call.start(ON_TERMINAL if self._live else IN_LOG, now=False)

    def show(self) -> None:
        """Show the line as it is now."""
        text = line(self._crawler.stats, time.monotonic() - self._begun)
        if self._live is not None:
            self._live.update(Text(text, style="bold"), refresh=True)
        else:
            logger.info("%s", text)

    def close(self) -> None:
        """Show the last line and give the terminal back."""
        if self._call is not None and self._call.running:
            self._call.stop()
        self.show()
        if self._live is not None:
            self._live.stop()
        if self._handler is not None:
            logging.root.removeHandler(self._handler)

    def _take_terminal(self) -> None:
        console = Console(stderr=True)
        settings = self._crawler.settings
        plain = get_scrapy_root_handler()
        self._handler = RichHandler(console=console, show_path=False, rich_tracebacks=False)
        self._handler.setLevel(settings["LOG_LEVEL"])
        mask(self._handler, partial(secrets_of, self._crawler))
        if plain is not None:
            logging.root.removeHandler(plain)
        logging.root.addHandler(self._handler)
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._live.start()
