"""When the site says to wait, everything that talks to that host in that role waits."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self

from scrapy.exceptions import IgnoreRequest

from civitscrape.civitai import rest
from civitscrape.civitai.roles import role_of
from civitscrape.downloads.downloader import PacedDownloader

if TYPE_CHECKING:
    from scrapy import Request
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
        """Read the longest wait."""
        return cls(crawler, crawler.settings.getfloat("RETRY_AFTER_MAX"))

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
        """Hold the slot of a host that says how long to wait; close it when that is too long."""
        header = response.headers.get("Retry-After")
        if response.status not in BUSY or header is None:
            return response
        wait = seconds(header.decode("latin-1"), at=datetime.now(UTC))
        if wait is None:
            logger.warning(
                "%s answered with Retry-After %r, which is no time; backing off instead", request.url, header
            )
            return response
        name = request.meta["download_slot"]
        if wait > self._longest:
            self._closed[name] = (
                f"{name} asks to wait {wait:.0f} s, longer than RETRY_AFTER_MAX ({self._longest:.0f} s); run later"
            )
            # Not raised: what a middleware raises about an answer reaches no other middleware, and no callback.
            return rest.no_answer(request, self._closed[name])
        downloader = self._crawler.engine.downloader
        if isinstance(downloader, PacedDownloader) and wait > downloader.held(name):
            logger.info("%s answered %d: %s waits %.0f s", request.url, response.status, name, wait)
            downloader.hold(name, wait)
        self._crawler.stats.inc_value("civitscrape/held")
        return response
