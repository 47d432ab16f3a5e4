"""Hand each item to the feeds once all other pipelines are done with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.conf import build_component_list
from scrapy.utils.misc import load_object

from civitscrape.extensions.feeds import Feeds

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


class Feed:
    """Does as the last pipeline what a signal does else, for which Scrapy makes a task for each item and receiver."""

    def __init__(self, crawler: Crawler, feeds: Feeds) -> None:
        self._crawler = crawler
        self._feeds = feeds

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the feeds over from the signal.

        Raises:
            NotConfigured: there are none, or another pipeline comes behind: then the signal does it.
        """
        feeds = crawler.get_extension(Feeds)
        last = build_component_list(crawler.settings.getwithbase("ITEM_PIPELINES"))[-1:]
        if feeds is None or [load_object(one) for one in last] != [cls]:
            raise NotConfigured
        crawler.signals.disconnect(feeds.item_scraped, signal=signals.item_scraped)
        return cls(crawler, feeds)

    def process_item(self, item: Any) -> Any:
        """Write an item into the feeds that take it; one that a feed cannot take is done all the same."""
        if self._crawler.spider is not None:
            try:
                self._feeds.item_scraped(item, self._crawler.spider)
            except Exception:
                name = f"{type(item).__name__} {getattr(item, 'id', '')}"
                logger.exception("the feeds cannot take %s", name.rstrip())
        return item
