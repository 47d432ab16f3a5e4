"""Write beside each stored model file what the site tells of it, and a picture of what it makes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK

from civitscrape.archive import beside, companions, endings, fingerprints, formats, paths, placing
from civitscrape.civitai import levels, media
from civitscrape.civitai.roles import Role, stamp
from civitscrape.downloads import part
from civitscrape.downloads.response import FileResponse
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.items import MediaType, ModelFile
from civitscrape.ledger import MediaState
from civitscrape.parsers import models
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from civitscrape.archive.beside import Picture

logger = logging.getLogger(__name__)


class Describe:
    """``{name}.civitai.info`` and ``{name}.preview.{ext}`` of what is stored; what others wrote there stays."""

    def __init__(self, crawler: Crawler, books: Books, store: Path, *, site: str, base: str, mask: int) -> None:
        self._crawler = crawler
        self._books = books
        self._store = store
        self._site = site
        self._base = base
        self._mask = mask

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read where files lie, and which pictures may be shown.

        Raises:
            NotConfigured: no model can come.
        """
        if isinstance(crawler.spider, CivitaiSpider) and not crawler.spider.models:
            raise NotConfigured
        settings, arguments = crawler.settings, getattr(crawler.spider, "args", None)
        return cls(
            crawler,
            Books.of(crawler),
            Path(settings["MEDIA_STORE"]),
            site=settings["CIVITAI_URL"],
            base=settings["CIVITAI_MEDIA_URL"],
            mask=int(arguments.level if isinstance(arguments, MediaArguments) else levels.SFW),
        )

    async def process_item(self, item: Any) -> Any:
        """Describe a model file that is stored, in this run or before."""
        if isinstance(item, ModelFile) and item.state == MediaState.STORED and item.path and item.version_id:
            try:
                await self._inform(item.path, item.version_id)
                await self._show(item.path, item.version_id, item.id)
            except (ArchiveError, OSError) as error:
                logger.warning("%s: what belongs beside it is not there: %s", item.path, error)
                self._crawler.stats.inc_value("civitscrape/undescribed")
        return item

    async def _inform(self, path: str, number: int) -> None:
        if not await asyncio.to_thread(beside.may_write, self._store, path, number):
            logger.info("%s was not written by this program and stays", companions.INFO.of(path))
            return
        told = await self._books.archive.run(beside.version, number)
        if told is not None:
            info = models.as_info(told, site=self._site)
            await asyncio.to_thread(fingerprints.write_info, paths.inside(self._store, path), info)

    async def _show(self, path: str, number: int, file: int) -> None:
        if await asyncio.to_thread(beside.has_preview, self._store, path):
            return
        picture = await self._books.archive.run(beside.picture, number, self._mask)
        if picture is None:
            return
        target = companions.PREVIEW.of(path)
        if picture.path is not None:
            source = paths.inside(self._store, picture.path)
            await asyncio.to_thread(placing.link, source, paths.inside(self._store, target + source.suffix))
        elif self._crawler.crawling:
            await self._fetch(picture, target, file)

    async def _fetch(self, picture: Picture, target: str, file: int) -> None:
        """Fetch the picture for this place alone: nobody asked for it in the archive."""
        url = media.original(self._base, picture.key, MediaType.IMAGE)
        meta = stamp(Role.MEDIA, url)
        meta |= {"download_to": str(paths.part_path(self._store, f"preview-{file}")), "download_judge": endings.flaw}
        request = Request(url, callback=NO_CALLBACK, meta=meta, dont_filter=True)
        if self._crawler.engine is None:
            return
        response = await self._crawler.engine.download_async(request)
        if not isinstance(response, FileResponse):
            logger.info("%s has no preview: the CDN answered %d", target, response.status)
            return
        found = formats.sniff(response.head)
        if found is None or found.kind is not MediaType.IMAGE:
            await asyncio.to_thread(part.remove, response.path)
            return
        await asyncio.to_thread(placing.place, response.path, paths.address(self._store, target + found.extension))
        await asyncio.to_thread(part.remove, response.path)
        self._crawler.stats.inc_value("civitscrape/previews")
