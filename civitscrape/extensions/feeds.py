"""Scrapy's feeds, that a disk without room ends in one line and with whole rows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.extensions.feedexport import FeedExporter, FeedSlot, FileFeedStorage

from civitscrape.exceptions import ArchiveError
from civitscrape.exports.feeds import cut_to_rows
from civitscrape.extensions.books import Books

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler


class Feeds(FeedExporter):
    """Scrapy's extension; what it cannot write stops the crawl, where Scrapy's own logs a traceback a row."""

    _broken = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._kinds: set[type] = set()

    def item_scraped(self, item: Any, spider: Spider) -> None:
        """Write an item into the feeds that take it."""
        if self._broken:
            return
        try:
            if type(item) not in self._kinds:
                # Scrapy would make the folder again; where a disk was, that would be hidden once the disk is back.
                Books.of(self.crawler).folder.stat()
                self._kinds.add(type(item))
            super().item_scraped(item, spider)
        except OSError as error:
            self._stop(error)

    def flush(self) -> None:
        """Write what is still held back, so that the run is judged by feeds that are whole."""
        try:
            for slot in self.slots:
                if slot.file is not None and not slot.file.closed:
                    slot.file.flush()
        except OSError as error:
            self._stop(error)

    async def _close_slot(self, slot: FeedSlot, spider: Spider) -> None:
        self.flush()
        if not self._broken:
            try:
                await super()._close_slot(slot, spider)
            except OSError as error:
                self._stop(error)
        if self._broken:
            _leave(slot)

    def _stop(self, error: OSError) -> None:
        if not self._broken:
            self._broken = True
            books = Books.of(self.crawler)
            books.stop(
                ArchiveError(
                    f"the feeds in {str(books.folder / 'feeds')!r} cannot be written: {error.strerror or error}"
                )
            )


def _leave(slot: FeedSlot) -> None:
    """Close a feed that cannot be finished, after its last whole row."""
    if slot.file is None:
        return
    with suppress(OSError):
        slot.file.close()
    if isinstance(slot.storage, FileFeedStorage) and Path(slot.storage.path).is_file():
        with suppress(OSError):
            cut_to_rows(Path(slot.storage.path))
