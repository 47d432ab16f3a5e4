"""Write what became of the bytes: file moved, database and sidecar written, many at once in the archive's thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from civitscrape.archive import paths, replacing, shelf, sidecars, summaries
from civitscrape.archive.naming import Unnamed
from civitscrape.archive.template import GRABBER
from civitscrape.archive.voting import untold
from civitscrape.downloads import journal
from civitscrape.downloads.part import BIG
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.items import Image
from civitscrape.ledger import MediaState
from civitscrape.spiders.base import retells

if TYPE_CHECKING:
    from collections.abc import Collection

    from scrapy.crawler import Crawler

    from civitscrape.archive.shelf import Fate


BREATH = 8
"""Items let go before the event loop gets a turn: each still has its feeds to be written."""


GATHER = 0.05
"""Seconds to gather before a transaction: a quick CDN brings thirty files in that time, and each has its price."""


AT_ONCE = 100
"""Images whose files are told at once what they have not been told."""


class Store:
    """Gather fates while a transaction runs, then write them all in the next one."""

    def __init__(self, crawler: Crawler, books: Books, store: Path, *, template: str, beside: Collection[str]) -> None:
        self._crawler = crawler
        self._folder = store
        self._beside = beside
        self._sums_up = template in GRABBER and bool(beside)
        self._shelve = partial(shelf.shelve, store=store, template=template, beside=beside)
        self._sweep = partial(replacing.sweep, store=store)
        self._retells = retells(crawler)
        self._books = books
        self._waiting: list[tuple[Fate, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read where files go."""
        settings = crawler.settings
        store, template = Path(settings["MEDIA_STORE"]), settings["MEDIA_PATH"]
        beside = sidecars.kinds_of(settings["SIDECARS"], template)
        return cls(crawler, Books.of(crawler), store, template=template, beside=beside)

    async def open_spider(self) -> None:
        """Tell files what an earlier run, which was cut off, had no time to tell them."""
        if not self._retells:
            return
        try:
            while ids := await self._books.archive.run(untold, AT_ONCE):
                await self._books.archive.run(partial(sidecars.write, store=self._folder, ids=ids, kinds=self._beside))
                await self._retell(ids)
        except ArchiveError as error:
            self._books.stop(error)

    async def close_spider(self) -> None:
        """Take away the folder of unfinished files, unless some are left in it; sum up tags where that is asked for."""
        with suppress(OSError):
            (self._folder / paths.PARTS_FOLDER).rmdir()
        if self._sums_up and self._books.error is None:
            today = datetime.now(UTC).strftime("%Y%m%d")
            try:
                await self._books.archive.run(summaries.write, self._folder, self._books.run.id, today)
            except ArchiveError as error:
                self._books.left_out.append(f"no summary of the tags: {error}")

    async def process_item(self, item: Any) -> Any:
        """Store what came for an image, and give the image its path."""
        if not isinstance(item, Image) or item.key is None:
            return item
        fate = self._fate(item)
        if fate is None:
            return item
        try:
            await self._put(fate)
        except ArchiveError as error:
            self._books.stop(error)
            item.media_state = MediaState.FAILED
        else:
            item.files[-1]["path"] = fate.path or item.files[-1]["path"] or item.path
            if fate.rendition is None:
                item.path = item.files[-1]["path"]
            if fate.state != MediaState.STORED:
                item.media_state = fate.state
                self._books.lose(fate.state, f"image {item.id}: {fate.error}", kept=len(item.files) > 1)
            self._crawler.stats.inc_value("civitscrape/bytes", fate.size or 0)
            if fate.part is not None:
                self._crawler.stats.inc_value(f"civitscrape/files_{fate.state}")
            if fate.part is not None and (fate.size or 0) >= BIG:
                await asyncio.to_thread(journal.forget, fate.part)
        return item

    def _fate(self, image: Image) -> Fate | None:
        """Tell what is to be written about an image; None for nothing."""
        if image.media_state is None or image.key is None:
            return None
        if image.media_state == MediaState.STORED and image.files[-1]["status"] != MediaState.STORED:
            return self._known(image)
        if not image.files or image.media_state == MediaState.WANTED:
            return None
        found = image.files[-1]
        if image.media_state == MediaState.REFUSED and found["status"] != MediaState.REFUSED:
            return None
        extension = found.get("extension")
        # What is fetched again keeps the name it has: only `civitscrape plan --paths --move` changes names.
        before = image.path if image.rendition is None and extension else None
        path = before if before and PurePosixPath(before).suffix == extension else None
        return shelf.Fate(
            image_id=image.id,
            key=image.media_key or image.key,
            rendition=image.rendition,
            state=found["status"],
            path=path,
            before=before,
            unnamed=_unnamed(image, extension) if extension and path is None else None,
            part=found.pop("part", None),
            sha256=found.get("checksum"),
            size=found.get("size"),
            content_type=found.get("content_type"),
            error=found.get("error"),
            url=found.get("fetched_from", found.get("url")) if found["status"] == MediaState.STORED else None,
        )

    def _known(self, image: Image) -> Fate:
        """See to an image whose bytes are here already: a name of its own, and a sidecar that is up to date."""
        fate = shelf.Fate(image_id=image.id, key=image.media_key or "", state=MediaState.STORED, path=image.path)
        if image.rendition is not None:
            fate.rendition, fate.path = image.rendition, image.files[-1]["path"]
        elif image.path is None:
            fate.unnamed = _unnamed(image, PurePosixPath(image.files[-1]["path"]).suffix)
        return fate

    async def _put(self, fate: Fate) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((fate, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        """Write until nobody waits; each round takes whoever came during the last."""
        while self._waiting:
            await asyncio.sleep(GATHER)
            batch, self._waiting = self._waiting, []
            try:
                await self._shelve_all([fate for fate, _ in batch])
            except Exception as error:  # noqa: BLE001 (handed on to those who wait)
                for _, future in batch:
                    future.set_exception(error)
            else:
                for place, (_, future) in enumerate(batch, 1):
                    future.set_result(None)
                    if place % BREATH == 0:
                        await asyncio.sleep(0)
        self._writer = None

    async def _shelve_all(self, fates: list[Fate]) -> None:
        await self._books.archive.run(partial(self._shelve, fates=fates))
        if any(fate.before not in {None, fate.path} for fate in fates):
            await self._books.archive.run(self._sweep)
        if self._retells:
            await self._retell([fate.image_id for fate in fates if _is_known(fate)])

    async def _retell(self, ids: Collection[int]) -> None:
        """Tell files what came of their images, where that is what a crawl is for."""
        from civitscrape.archive import conversions, retagging  # noqa: PLC0415 (Pillow, which other crawls do without)

        settings, archive = self._crawler.settings, self._books.archive
        site = conversions.Site(url=settings["CIVITAI_URL"], mature_url=settings["CIVITAI_MATURE_URL"])
        written = await archive.run(retagging.prepare, self._folder, ids, site)
        if written:
            await archive.run(retagging.book, self._folder, written)


def _is_known(fate: Fate) -> bool:
    """Tell whether the original of an image was here before."""
    return fate.part is None and fate.state == MediaState.STORED and fate.rendition is None


def _unnamed(image: Image, extension: str) -> Unnamed:
    """Tell of an image what its path is made from; of most templates that is all, and the database is not asked."""
    known = {"id": image.id, "key": image.key, "creator": image.creator, "type": image.type, "ext": extension}
    return Unnamed(id=image.id, extension=extension, known=known)
