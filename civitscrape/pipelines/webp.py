"""Convert stored pictures to WebP, in threads of their own."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import NotConfigured

from civitscrape.archive import companions, conversions, sidecars
from civitscrape.archive.conversions import Site, Wanted
from civitscrape.archive.converter import Tally
from civitscrape.archive.pictures import memory
from civitscrape.archive.pictures.convert import Converted
from civitscrape.archive.pictures.options import Options
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.items import Image
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Collection

    from scrapy.crawler import Crawler

    from civitscrape.archive.conversions import Done


class Webp:
    """Comes after the store: a kill loses no more than the conversions in work, which the next run finds again."""

    def __init__(
        self,
        crawler: Crawler,
        books: Books,
        store: Path,
        *,
        wanted: Wanted,
        options: Options,
        site: Site,
        beside: Collection[str],
    ) -> None:
        self._crawler = crawler
        self._books = books
        self._tally = books.webp = Tally()
        self._store = store
        self._find = partial(conversions.find, wanted=wanted, site=site)
        self._make = partial(conversions.make, store, options=options)
        self._book = partial(conversions.book, store=store, keep=wanted.keep, beside=beside)
        self._sweep = partial(conversions.sweep, store=store)
        self._keep = wanted.keep
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="convert", initializer=memory.keep)
        self._work: dict[str, asyncio.Task[Done | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read whether, which, and how.

        Raises:
            NotConfigured: nothing is to be converted.
        """
        settings = crawler.settings
        if not settings.getbool("WEBP_ENABLED"):
            raise NotConfigured
        return cls(
            crawler,
            Books.of(crawler),
            Path(settings["MEDIA_STORE"]),
            wanted=Wanted(
                only_tagged=settings.getbool("WEBP_ONLY_TAGGED"), keep=settings.getbool("WEBP_KEEP_ORIGINAL")
            ),
            options=Options(quality=settings.getint("WEBP_QUALITY"), method=settings.getint("WEBP_METHOD")),
            site=Site(url=settings["CIVITAI_URL"], mature_url=settings["CIVITAI_MATURE_URL"]),
            beside=sidecars.kinds_of(settings["SIDECARS"], settings["MEDIA_PATH"]),
        )

    async def open_spider(self) -> None:
        """Finish what an earlier run was killed in."""
        try:
            self._tally.removed = await self._books.archive.run(self._sweep)
        except ArchiveError as error:
            self._books.stop(error)

    def close_spider(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    async def process_item(self, item: Any) -> Any:
        """Convert the picture of an image, unless the crawl is about to end; then `civitscrape convert` finds it."""
        if not isinstance(item, Image) or item.key is None or item.media_state != MediaState.STORED or item.rendition:
            return item
        before = self._work.get(item.key)
        if before is None and self._crawler.crawling:
            before = self._work[item.key] = asyncio.create_task(self._convert(item.key))
            before.add_done_callback(lambda _: self._work.pop(item.key or "", None))
        done = await before if before is not None else None
        if done is not None and not self._keep and item.path is not None:
            item.path = companions.WEBP.of(item.path)
        return item

    async def _convert(self, key: str) -> Done | None:
        """Convert one picture, however many images it is the file of; None when there is no new WebP of it."""
        try:
            done = await self._converted(key)
        except ArchiveError as error:
            self._books.stop(error)
            return None
        if done is None:
            return None
        stats = self._crawler.stats
        self._tally.add(done)
        if not isinstance(done.fate, Converted):
            stats.inc_value("civitscrape/webp_left")
            return None
        stats.inc_value("civitscrape/webp_converted")
        stats.inc_value("civitscrape/webp_saved", done.size - len(done.fate.content))
        return done

    async def _converted(self, key: str) -> Done | None:
        archive = self._books.archive
        jobs = await archive.run(partial(self._find, key=key))
        if not jobs:
            return None
        done = await asyncio.get_running_loop().run_in_executor(self._pool, self._make, jobs[0])
        await archive.run(partial(self._book, done=[done]))
        if not self._keep:
            removed = await archive.run(self._sweep)
            self._tally.removed += removed  # never `+= await`: others count meanwhile
        return done
