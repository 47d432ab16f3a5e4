"""Fetch the original of each image that is wanted, or a rendition, into a ``.part`` file, hashed on the way."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.files import FilesPipeline
from twisted.python.failure import Failure
from w3lib.url import safe_url_string

from civitscrape.archive import endings, formats, paths, replacing, shelf
from civitscrape.civitai import answers, media
from civitscrape.civitai.answers import NO_ANSWER
from civitscrape.civitai.roles import Role, shown, stamp
from civitscrape.downloads import cleaning, part
from civitscrape.downloads.downloader import STOPPED
from civitscrape.downloads.response import INSTEAD, FileResponse
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.items import Image, MediaType
from civitscrape.ledger import MediaState
from civitscrape.pipelines.fates import PAGE_INSTEAD, left_out, too_large
from civitscrape.spiders.arguments import MediaArguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.pipelines.media import MediaPipeline

logger = logging.getLogger(__name__)

GONE = frozenset({404, 410})
"""Statuses by which the CDN says that it has the file no more."""

LOST = frozenset({MediaState.GONE, MediaState.REFUSED, MediaState.FAILED})
"""What became of a file that did not come."""

FORBIDDEN = 403
"""Status by which the CDN keeps a file to itself; with a page, it is the edge that does not like who asks."""

Result = tuple[bool, Any]
"""Whether a file could be asked for, and what became of it; or the failure, as Scrapy's pipelines have it."""


class Media(FilesPipeline):
    """Scrapy's files pipeline over the to-disk download; whether a file is there is asked of the database.

    How an item waits for its file is our own: what Scrapy does for that, a fingerprint, a task, two Deferreds and two
    idle turns of the event loop for each file, is a twentieth of the work; and its memory of results only grows.
    """

    def __init__(self, store: str, *, base: str, crawler: Crawler) -> None:
        super().__init__(store, crawler=crawler)
        self._base = base
        self._store = Path(store)
        self._parts = str(self._store / paths.PARTS_FOLDER)
        self._limit = size_limit(crawler)
        self._under_way: dict[str, asyncio.Future[Result]] = {}
        self._meta = {
            **stamp(Role.MEDIA, base),
            "download_judge": endings.flaw,
            "verbatim_url": True,  # of a base that is escaped and a key that needs no escapes
        }
        if not self.allow_redirects:
            self._meta["handle_httpstatus_all"] = True

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read where files come from and where their folder is."""
        settings = crawler.settings
        return cls(settings["MEDIA_STORE"], base=safe_url_string(settings["CIVITAI_MEDIA_URL"]), crawler=crawler)

    async def open_spider(self) -> None:  # type: ignore[override]  # Scrapy 2.19 wants no spider argument, its own class has one
        """Start with the files that another limit left out, and without what is old."""
        super().open_spider()
        books, folder = Books.of(self.crawler), self._store / paths.PARTS_FOLDER
        await books.archive.run(shelf.want_again, self._limit)
        try:
            await books.archive.run(replacing.sweep, self._store)
        except ArchiveError as error:
            books.stop(error)
        resting = await asyncio.to_thread(cleaning.resting, folder)
        if resting:
            stored = await books.archive.run(shelf.stored_parts, resting)
            freed = await asyncio.to_thread(cleaning.clean, folder, stored)
            self.crawler.stats.inc_value("civitscrape/bytes_cleaned", freed)

    async def process_item(self, item: Any) -> Any:  # type: ignore[override]  # as with open_spider
        """Fetch what an item wants; two items that want the same file at once share it."""
        info = self.spiderinfo
        results = [await self._fetch(request, info, item) for request in self.get_media_requests(item, info)]
        return self.item_completed(results, item, info)

    async def _fetch(self, request: Request, info: MediaPipeline.SpiderInfo, item: Any) -> Result:
        before = self._under_way.get(request.url)
        if before is not None:
            return await asyncio.shield(before)
        shared = self._under_way[request.url] = asyncio.get_running_loop().create_future()
        result = None
        try:
            result = await self._fetched(request, info, item)
        finally:
            del self._under_way[request.url]
            if result is None:
                shared.cancel()
            else:
                shared.set_result(result)
        return result

    async def _fetched(self, request: Request, info: MediaPipeline.SpiderInfo, item: Any) -> Result:
        try:
            return True, await self.media_downloaded(await self._download(request), request, info, item=item)
        except Exception:  # a fault of the program, since failed requests have an answer
            logger.exception("%s", shown(request))
            return False, Failure()  # type: ignore[no-untyped-call]  # Twisted has no types for it

    async def _download(self, request: Request) -> Response:
        if self.crawler.engine is None:
            raise RuntimeError("a crawl without an engine fetches nothing")
        return await self.crawler.engine.download_async(request)

    def get_media_requests(self, item: Any, info: MediaPipeline.SpiderInfo) -> list[Request]:  # noqa: ARG002 (Scrapy's signature)
        """Ask for the original of an image that is wanted, or for the rendition that is asked for instead."""
        if (
            not self.crawler.crawling
            or not isinstance(item, Image)
            or item.media_state != MediaState.WANTED
            or item.key is None
        ):
            return []
        if item.rendition is None:
            url = media.original(self._base, item.key, item.type)
        else:
            url = media.smaller(self._base, item.key, item.type, item.rendition)
        return [self._request(url, item.media_key or item.key)]

    def _request(self, url: str, key: str) -> Request:
        part = os.path.join(self._parts, paths.part_name(key))  # noqa: PTH118 (done for every file)
        meta = {**self._meta, "download_to": part}
        if self._limit is not None:
            meta["download_maxsize"] = self._limit
        return Request(url, callback=NO_CALLBACK, meta=meta)

    async def media_downloaded(
        self,
        response: Response,
        request: Request,
        info: MediaPipeline.SpiderInfo,  # noqa: ARG002 (Scrapy's signature)
        *,
        item: Any = None,
    ) -> Any:
        """Tell what came: a file of a known format, or why there is none; a still is no video."""
        size = too_large(response)
        if size is not None and self._limit is not None:
            return {"url": request.url, "path": "", **left_out(size, self._limit)}
        kind = item.type if isinstance(item, Image) else None
        found = dict(fate(response, kind))
        if found.pop("still", False) and not item.rendition and item.key is not None:
            url = media.transcode(self._base, item.key)
            instead = fate(await self._download(self._request(url, item.key)), kind)
            if instead["status"] == MediaState.STORED:
                note = f"{found['error']}; stored is the site's own rendering of it"
                found = {**instead, "fetched_from": url, "error": note}
        return {"url": request.url, "path": "", **found}

    def item_completed(self, results: list[Any], item: Any, info: MediaPipeline.SpiderInfo) -> Any:  # noqa: ARG002 (Scrapy's signature)
        """Write what came into the item."""
        if not isinstance(item, Image):
            return item
        for fetched, result in results:
            found = dict(result) if fetched else {"status": MediaState.FAILED, "error": str(result.value)}
            if item.files and found["status"] in LOST:  # the file is here: the second download failed
                found["status"] = MediaState.FAILED
            item.files.append(found)
            item.media_state = found["status"]
            self.inc_stats(found["status"])
        return item

    def inc_stats(self, status: str) -> None:
        """Count under our own name as well as Scrapy's; what came is stored only once it is booked."""
        super().inc_stats(status)
        if status != MediaState.STORED:
            self.crawler.stats.inc_value(f"civitscrape/files_{status}")


def size_limit(crawler: Crawler) -> int | None:
    """Read how many bytes a file may have; None for any number."""
    arguments = getattr(crawler.spider, "args", None)
    return arguments.max_file_size if isinstance(arguments, MediaArguments) else None


def fate(response: Response, kind: str | None = None) -> Mapping[str, Any]:
    """Tell what became of a download, in the words of the table ``media``; ``kind`` is what the site calls it."""
    if response.status in GONE:
        return {"status": MediaState.GONE, "error": f"the CDN answered {response.status}"}
    if response.status == NO_ANSWER and response.body == STOPPED.encode():
        return {"status": MediaState.WANTED}
    if response.status == NO_ANSWER:
        return {"status": MediaState.FAILED, "error": response.body.decode(errors="replace")}
    if not isinstance(response, FileResponse):
        refused = response.status == FORBIDDEN and not answers.is_html(response)
        state = MediaState.REFUSED if refused else MediaState.FAILED
        error = PAGE_INSTEAD if INSTEAD in response.flags else f"the CDN answered {response.status}"
        return {"status": state, "error": error}
    found = formats.sniff(response.head)
    if found is None:
        part.remove(response.path)
        return {"status": MediaState.FAILED, "error": f"{response.size} bytes came that are no known media format"}
    if kind == MediaType.VIDEO and found.kind is not MediaType.VIDEO:
        part.remove(response.path)
        error = f"the CDN gave a still ({found.content_type}) for a video"
        return {"status": MediaState.FAILED, "error": error, "still": True}
    return {
        "status": MediaState.STORED,
        "part": response.path,
        "checksum": response.sha256,
        "size": response.size,
        "content_type": found.content_type,
        "extension": found.extension,
    }
