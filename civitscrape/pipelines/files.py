"""Fetch the model files that are wanted, and put them into the store when they are what their record says."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK

from civitscrape.archive import paths, shelf
from civitscrape.archive.naming import name_of_file
from civitscrape.civitai import rest
from civitscrape.civitai.answers import DOWNLOAD
from civitscrape.civitai.roles import Role, role_of, stamp
from civitscrape.downloads import journal, space
from civitscrape.downloads import part as parts
from civitscrape.downloads.downloader import AT_ONCE
from civitscrape.downloads.part import BIG
from civitscrape.downloads.response import RESUMED
from civitscrape.exceptions import ArchiveError, LockedError, NoRoomError
from civitscrape.extensions.books import Books
from civitscrape.items import ModelFile
from civitscrape.ledger import MediaState
from civitscrape.middlewares.redirect import hosts_of
from civitscrape.middlewares.retry import is_quota
from civitscrape.pipelines import fates
from civitscrape.pipelines.fates import fate
from civitscrape.pipelines.media import size_limit
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from civitscrape.civitai.hosts import Hosts
    from civitscrape.pipelines.fates import Found

__all__ = ["Files", "fate"]

logger = logging.getLogger(__name__)

CLOSED = frozenset({401, 403, 410, 429})
"""Statuses by which the site says no; what it does not give is not looked for elsewhere."""

AGAIN = "again"
"""Mark of the second question about a file that was not found: storage is sometimes slow to find one (rest.md §9)."""


class Files:
    """Model files by their address on the site, which sends on to a signed one of its storage (rest.md §9)."""

    def __init__(self, crawler: Crawler, books: Books, store: Path, *, hosts: Hosts, limit: int | None) -> None:
        self._crawler = crawler
        self._books = books
        self._store = store
        self._hosts = hosts
        self._limit = limit
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._quota: Found | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read where files come from and where they go.

        Raises:
            NotConfigured: no model can come.
        """
        if isinstance(crawler.spider, CivitaiSpider) and not crawler.spider.models:
            raise NotConfigured
        settings = crawler.settings
        store, books = Path(settings["MEDIA_STORE"]), Books.of(crawler)
        return cls(crawler, books, store, hosts=hosts_of(settings), limit=size_limit(crawler))

    async def process_item(self, item: Any) -> Any:
        """Fetch what is wanted, put it into the store and book what became of it."""
        if not isinstance(item, ModelFile) or item.state != MediaState.WANTED:
            return item
        async with self._gate:  # not before: a signed address would expire while others are fetched
            if not self._crawler.crawling:
                return item
            found = await self._fetch(item)
            if found["status"] != MediaState.WANTED:
                kept = item.path is not None
                await self._book(item, found)
                if item.state != MediaState.STORED:
                    self._books.lose(str(item.state), f"{name_of_file(item)}: {item.error}", kept=kept)
                    if kept:  # the file is here: the second download failed
                        item.state = MediaState.FAILED
                self._count(str(item.state))
        return item

    def _count(self, status: str) -> None:
        for name in ("file_count", f"file_status_count/{status}", f"civitscrape/files_{status}"):
            self._crawler.stats.inc_value(name)

    async def _fetch(self, file: ModelFile) -> Found:
        """Ask the site, once more when it does not find the file, then the mirrors that its record names."""
        found = await self._beforehand(file)
        if found is not None:
            return found
        url = file.download_url or ""
        found = await self._ask(file, url, Role.API)
        if found["status"] == MediaState.GONE:
            found = await self._ask(file, rest.other_address(url, AGAIN), Role.API)
        if found["status"] in {MediaState.GONE, MediaState.FAILED} and not found.get("closed") and file.mirrors:
            return await self._from_mirrors(file, found)
        return found

    async def _beforehand(self, file: ModelFile) -> Found | None:
        """Tell what need not be asked: each question counts against the day's quota."""
        if self._quota is not None:
            return self._quota
        size = None if file.size_kb is None else int(file.size_kb * 1024)
        if size is not None and self._limit is not None and size > self._limit:
            return fates.left_out(size, self._limit)
        if size is not None and size >= BIG:
            part = self._part(file)
            try:
                await asyncio.to_thread(lambda: space.require(str(part), size - _size(part)))
            except NoRoomError as error:
                return {"status": MediaState.FAILED, "error": str(error), "closed": True}
        return None

    async def _ask(self, file: ModelFile, url: str, role: Role) -> Found:
        """Fetch from one address; what was put together from several transfers and is not the file is fetched anew."""
        request = self._request(file, url, role)
        response = await self._download(request)
        found = fate(response, file)
        if found.get("flawed"):
            await asyncio.to_thread(parts.remove, found.pop("part"))
            if RESUMED in response.flags:
                logger.warning("%s: %s; it is fetched from its beginning", name_of_file(file), found["error"])
                response = await self._download(self._request(file, rest.other_address(url, AGAIN), role))
                found = fate(response, file)
                if found.get("flawed"):
                    await asyncio.to_thread(parts.remove, found.pop("part"))
        size = fates.too_large(response)
        if size is not None and self._limit is not None:
            return fates.left_out(size, self._limit)
        if is_quota(request, response):
            self._quota = {**found, "closed": True}
        by_the_site = response.request is not None and role_of(response.request) is Role.API
        return {**found, "closed": by_the_site and response.status in CLOSED}

    def _request(self, file: ModelFile, url: str, role: Role) -> Request:
        checks = fates.checks_of(file)
        meta = stamp(role, url) | {"download_to": str(self._part(file)), "download_verified": bool(checks)}
        meta["download_digests"] = tuple(checks.keys() - {"sha256", "autov2"})
        if self._limit is not None:
            meta["download_maxsize"] = self._limit
        return Request(url, callback=NO_CALLBACK, meta=meta, dont_filter=True)

    async def _download(self, request: Request) -> Response:
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("a crawl without an engine fetches nothing")
        return await engine.download_async(request)

    async def _from_mirrors(self, file: ModelFile, found: Found) -> Found:
        """Try the live mirrors at hosts that are configured; the others are named."""
        told = [str(found["error"])]
        if not fates.checks_of(file):
            return {**found, "error": f"{told[0]}; its mirrors are not asked, for want of a checksum to know it by"}
        foreign = []
        for url in live_mirrors(file):
            if not self._hosts.allows(Role.STORAGE, url):
                foreign.append(host_of(url))
                continue
            self._crawler.stats.inc_value("civitscrape/mirrors_asked")
            keyed = self._hosts.is_site(url) and DOWNLOAD in url
            mirrored = await self._ask(file, url, Role.API if keyed else Role.STORAGE)
            if mirrored["status"] in {MediaState.STORED, MediaState.WANTED}:
                return mirrored
            told.append(f"mirror: {mirrored['error']}")
        if foreign:
            told.append(f"mirrors elsewhere are not asked ({', '.join(foreign)}); CIVITAI_STORAGE_HOSTS names who is")
        return {**found, "error": "; ".join(told)}

    def _part(self, file: ModelFile) -> Path:
        return paths.file_part_path(self._store, file.id)

    async def _book(self, file: ModelFile, found: Found) -> None:
        path = name_of_file(file) if found["status"] == MediaState.STORED else None
        booked = shelf.Fate(
            image_id=file.id,
            key="",
            state=found["status"],
            path=path,
            part=found.get("part"),
            error=found.get("error"),
        )
        file.state, file.error = booked.state, booked.error
        try:
            await self._books.archive.run(shelf.shelve_file, self._store, booked)
        except LockedError as error:
            file.state, file.error, path = MediaState.FAILED, str(error), None
            told = shelf.Fate(image_id=file.id, key="", state=file.state, error=file.error)
            await self._books.archive.run(shelf.shelve_file, self._store, told)
        except ArchiveError as error:
            self._books.stop(error)
            file.state, file.error = MediaState.FAILED, str(error)
        else:
            file.path = path or file.path
            self._crawler.stats.inc_value("civitscrape/bytes", found.get("size", 0))
            if found.get("size", 0) >= BIG:
                await asyncio.to_thread(journal.forget, str(found["part"]))


def live_mirrors(file: ModelFile) -> list[str]:
    """Return the addresses of a file's mirrors that are not said to be gone.

    >>> live_mirrors(ModelFile(id=1, mirrors=[{"url": "https://a.example/x"}, {"url": "b", "deletedAt": "2025"}]))
    ['https://a.example/x']
    """
    urls = [one.get("url") for one in file.mirrors or () if not one.get("deletedAt")]
    return [url for url in urls if isinstance(url, str) and url.startswith(("http://", "https://")) and host_of(url)]


def host_of(url: str) -> str:
    """Name the host of an address, without what else may stand before it; empty for what is no address.

    >>> host_of("https://user:password@a.example:8443/x"), host_of("https://[a/")
    ('a.example', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
