"""Fetch the poster of each stored video, the still that the site shows of it, and put it beside the video."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK

from civitscrape.archive import companions, endings, paths, posters, replacing
from civitscrape.archive.shelf import Fate
from civitscrape.civitai import media
from civitscrape.civitai.roles import Role, stamp
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.items import Image, MediaType
from civitscrape.ledger import POSTER, MediaState
from civitscrape.pipelines.media import fate
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Posters:
    """Comes after the store, which has given the video its name; a poster that fails costs no video."""

    def __init__(self, crawler: Crawler, books: Books, store: Path, *, base: str, again: bool) -> None:
        self._crawler = crawler
        self._books = books
        self._store = store
        self._base = base
        self._again = again
        self._failed: list[str] = []
        self._put = partial(posters.put, store=store)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read where posters come from and where they go.

        Raises:
            NotConfigured: nobody asked for them.
        """
        spider, settings = crawler.spider, crawler.settings
        if not isinstance(spider, CivitaiSpider) or not spider.posters:
            raise NotConfigured
        arguments = spider.args
        store, base = Path(settings["MEDIA_STORE"]), settings["CIVITAI_MEDIA_URL"]
        return cls(crawler, Books.of(crawler), store, base=base, again=getattr(arguments, "redownload", "no") == "yes")

    def close_spider(self) -> None:
        """Say how many did not come."""
        if self._failed:
            first = f"{len(self._failed)} posters could not be fetched; the same command tries them again; the first: "
            self._books.left_out.append(first + self._failed[0])

    async def process_item(self, item: Any) -> Any:
        """Bring the poster of a video that is here."""
        video = _path_of(item)
        if video is None or item.poster is None or not self._crawler.crawling:
            return item
        try:
            known = await self._books.archive.run(posters.state, item.key)
            item.poster = known or item.poster
            if item.poster not in {MediaState.STORED, MediaState.GONE} or self._again:
                item.poster = await self._fetch(item, video, kept=known == MediaState.STORED)
        except ArchiveError as error:
            self._books.stop(error)
        return item

    async def _fetch(self, video: Image, path: str, *, kept: bool) -> str:
        """Fetch a poster and book what became of it; tell that."""
        key = posters.key_of(video.key or "")
        url = media.poster(self._base, video.key or "")
        meta = stamp(Role.MEDIA, url)
        meta |= {"download_to": str(paths.part_path(self._store, key)), "download_judge": endings.flaw}
        if self._crawler.engine is None:
            raise RuntimeError("a crawl without an engine fetches nothing")
        request = Request(url, callback=NO_CALLBACK, meta=meta, dont_filter=True)
        found = fate(await self._crawler.engine.download_async(request), MediaType.IMAGE)
        if found["status"] == MediaState.WANTED:  # the crawl is about to end
            return MediaState.WANTED
        told = Fate(
            image_id=video.id,
            key=key,
            rendition=POSTER,
            state=found["status"],
            path=companions.POSTER.of(path) + found["extension"] if "extension" in found else None,
            part=found.get("part"),
            sha256=found.get("checksum"),
            size=found.get("size"),
            content_type=found.get("content_type"),
            error=found.get("error"),
        )
        await self._books.archive.run(self._put, told, url)
        if told.before not in {None, told.path}:
            await self._books.archive.run(replacing.sweep, self._store)
        self._crawler.stats.inc_value(f"civitscrape/posters_{told.state}")
        if told.state in {MediaState.FAILED, MediaState.REFUSED} or (kept and told.state == MediaState.GONE):
            self._failed.append(f"image {video.id}: {told.error}")
        return told.state


def _path_of(item: Any) -> str | None:
    """Tell where the video of an item lies; None for what is no video, or not here."""
    if not isinstance(item, Image) or item.type != MediaType.VIDEO or item.media_state != MediaState.STORED:
        return None
    path = item.path if item.rendition is None else item.files[-1]["path"]
    return path if item.key is not None and path else None
