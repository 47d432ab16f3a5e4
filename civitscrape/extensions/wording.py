"""Scrapy's words for answers and items, put together only where somebody reads them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy.logformatter import LogFormatter

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.http import Response
    from scrapy.logformatter import LogFormatterResult
    from twisted.python.failure import Failure

_engine, _scraper = map(logging.getLogger, ("scrapy.core.engine", "scrapy.core.scraper"))


class Wording(LogFormatter):
    """Says nothing of what would be logged at a level that is switched off: Scrapy words it all the same.

    Nothing is None, which Scrapy takes, though its types do not say so.
    """

    def crawled(  # type: ignore[override]
        self, request: Request, response: Response, spider: Spider
    ) -> LogFormatterResult | None:
        """Word that an answer came."""
        return super().crawled(request, response, spider) if _engine.isEnabledFor(logging.DEBUG) else None

    def scraped(  # type: ignore[override]
        self, item: Any, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult | None:
        """Word that an item is done."""
        return super().scraped(item, response, spider) if _scraper.isEnabledFor(logging.DEBUG) else None
