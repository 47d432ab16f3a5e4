"""Hand each item to the feeds once all other pipelines are done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import NotConfigured

from civitscrape.extensions.feeds import Feeds

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Feed:
    """Comes last. The signal of an item costs as much as its rows: Scrapy makes a task for each item and receiver."""

    def __init__(self, crawler: Crawler, feeds: Feeds) -> None:
        self._crawler = crawler
        self._feeds = feeds

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Find the feeds.

        Raises:
            NotConfigured: there are none.
        """
        feeds = crawler.get_extension(Feeds)
        if feeds is None:
            raise NotConfigured
        return cls(crawler, feeds)

    def process_item(self, item: Any) -> Any:
        """Write an item into the feeds that take it."""
        if self._crawler.spider is not None:
            self._feeds.item_scraped(item, self._crawler.spider)
        return item
