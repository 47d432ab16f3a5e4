"""When the site says to wait, everything that talks to that host in that role waits."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import IgnoreRequest

from civitscrape.civitai import answers
from civitscrape.civitai.roles import role_of, shown
from civitscrape.downloads.downloader import PacedDownloader

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.core.downloader import Downloader
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

BUSY = frozenset({429, 503})
"""Statuses that speak of the host's load, not of the one request."""


def seconds(header: str, *, at: datetime) -> float | None:
    """Read a ``Retry-After``: seconds, or a date.

    >>> seconds("2", at=datetime(2026, 8, 1, tzinfo=UTC))
    2.0
    >>> seconds("Sat, 01 Aug 2026 00:00:30 GMT", at=datetime(2026, 8, 1, tzinfo=UTC))
    30.0
    >>> seconds("soon", at=datetime(2026, 8, 1, tzinfo=UTC)) is None
    True
    """
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - at).total_seconds())


class Pace:
    """Hold a slot for as long as the site asks; refuse to wait longer than ``RETRY_AFTER_MAX``."""

    def __init__(self, crawler: Crawler, longest: float) -> None:
        self._crawler = crawler
        self._longest = longest
        self._closed: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read the longest wait, and listen for answers."""
        pace = cls(crawler, crawler.settings.getfloat("RETRY_AFTER_MAX"))
        # Before any middleware sees an answer, the downloader has already sent the next request of the slot.
        crawler.signals.connect(pace.hear, signal=signals.response_downloaded)
        return pace

    def process_request(self, request: Request) -> None:
        """Count a request; give up at once what a host has put off for too long.

        Raises:
            IgnoreRequest: the slot is closed for this run.
        """
        self._crawler.stats.inc_value(f"civitscrape/requests_{role_of(request) or 'other'}")
        reason = self._closed.get(request.meta.get("download_slot", ""))
        if reason:
            raise IgnoreRequest(reason)

    def process_response(self, request: Request, response: Response) -> Response:
        """Give the reason in place of an answer that closed its slot."""
        if response.status in BUSY and (reason := self._closed.get(request.meta["download_slot"])):
            # Not raised: what a middleware raises about an answer reaches no other middleware, and no callback.
            return answers.no_answer(request, reason)
        return response

    def hear(self, request: Request, response: Response) -> None:
        """Hold the slot of a host that says how long to wait; close it when that is too long."""
        header = response.headers.get("Retry-After") if response.status in BUSY else None
        if header is None:
            return
        wait = seconds(header.decode("latin-1"), at=datetime.now(UTC))
        if wait is None:
            logger.warning(
                "%s answered with Retry-After %r, which is no time; backing off instead", shown(request), header
            )
            return
        name, downloader = request.meta["download_slot"], self._crawler.engine.downloader
        if wait > self._longest:
            self._close(name, wait, downloader)
        elif isinstance(downloader, PacedDownloader) and wait > downloader.held(name):
            logger.info("%s answered %d: %s waits %.0f s", shown(request), response.status, name, wait)
            downloader.hold(name, wait)
        self._crawler.stats.inc_value("civitscrape/held")

    def _close(self, name: str, wait: float, downloader: Downloader) -> None:
        """Send nothing more in a slot, not even what is in its queue already."""
        reason = f"{name} asks to wait {wait:.0f} s, longer than RETRY_AFTER_MAX ({self._longest:.0f} s); run later"
        self._closed[name] = reason
        self._crawler.stats.set_value("civitscrape/postponed", reason)
        slot = downloader.slots.get(name)
        while slot is not None and slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(IgnoreRequest(reason))
