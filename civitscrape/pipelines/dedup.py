"""Mark what the archive already has; never drop it: a known entry still refreshes its record and reaches the feeds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

from civitscrape.civitai.media import is_key
from civitscrape.items import Collection, Image, Model, ModelFile, Post
from civitscrape.ledger import MediaState
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

ENTRIES = (Image, Model, Post, Collection)
"""What is counted as listed; versions and files come with their models."""

UNFETCHED = frozenset({MediaState.WANTED, MediaState.FAILED})
"""States of files that are still to come."""

HAD = frozenset({MediaState.STORED, MediaState.GONE, MediaState.REFUSED})
"""States that another download would not better."""


def decide(image: Image, *, download: bool, redownload: bool) -> bool:
    """Tell whether the file of an image shall be fetched.

    >>> decide(Image(id=1, media_state="stored"), download=True, redownload=False)
    False
    """
    if image.media_state is None or not download:
        return False
    if image.media_state == MediaState.REFUSED:  # by the CDN, which may have changed its mind; or for a foreign address
        return redownload and image.key is not None and is_key(image.key)
    return redownload or image.media_state not in HAD


class Dedup:
    """Count what is known, and leave ``wanted`` only where bytes are to be fetched."""

    def __init__(self, stats: StatsCollector, *, download: bool, redownload: bool, files: bool = False) -> None:
        self._stats = stats
        self._files = files
        self._decide = partial(decide, download=download, redownload=redownload)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read from the spider's arguments whether to fetch again."""
        arguments = crawler.spider.args if isinstance(crawler.spider, CivitaiSpider) else None
        if not isinstance(arguments, MediaArguments):
            return cls(crawler.stats, download=False, redownload=False)
        return cls(
            crawler.stats,
            download=arguments.download == "original" and arguments.mode != "refresh",
            redownload=arguments.redownload == "yes",
            files="files" in (getattr(arguments, "content", None) or ()),
        )

    async def process_item(self, item: Any) -> Any:
        """Mark an image."""
        if isinstance(item, ENTRIES):
            self._stats.inc_value("civitscrape/listed")
        if isinstance(item, ModelFile):
            self._mark_file(item)
        if not isinstance(item, Image):
            if getattr(item, "known", False) and isinstance(item, ENTRIES):
                self._stats.inc_value("civitscrape/known")
            return item
        if item.known:
            self._stats.inc_value("civitscrape/known")
        if item.busy:
            self._stats.inc_value("civitscrape/left_to_others")
            item.media_state = None
        elif self._decide(item):
            item.media_state = MediaState.WANTED
        elif item.media_state in UNFETCHED:
            item.media_state = None  # another crawl wants it; this one fetches nothing
        elif item.media_state is not None:
            self._stats.inc_value(f"civitscrape/already_{item.media_state}")
        return item

    def _mark_file(self, file: ModelFile) -> None:
        """Want a model file once more where that was asked for."""
        if file.state not in HAD:
            return
        if self._decide(Image(id=0, media_state=file.state)) and self._files:
            file.state = MediaState.WANTED
        else:
            self._stats.inc_value(f"civitscrape/already_{file.state}")
