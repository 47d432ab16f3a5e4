"""Two spiders that ask one slot for much at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request

from civitscrape.downloads.downloader import PacedDownloader
from civitscrape.downloads.handler import DiskDownloadHandler

SETTINGS: dict[str, Any] = {
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "DOWNLOADER": PacedDownloader,
    "DOWNLOAD_HANDLERS": {"http": DiskDownloadHandler, "https": DiskDownloadHandler},
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "LOG_ENABLED": False,
}


def slot(concurrency: int, delay: float = 0) -> dict[str, Any]:
    return {"DOWNLOAD_SLOTS": {"media": {"concurrency": concurrency, "delay": delay, "jitter": 0}}}


class Pages(scrapy.Spider):
    """Ask for pages, as spiders do."""

    name = "pages"
    url: str
    count = 30

    async def start(self) -> AsyncIterator[Any]:
        for number in range(self.count):
            yield Request(f"{self.url}/{number}", meta={"download_slot": "media"})

    def parse(self, response):
        pass


class Files(scrapy.Spider):
    """Ask for files from one item, as media pipelines do: past CONCURRENT_REQUESTS."""

    name = "files"
    url: str
    folder: Path
    count = 30

    async def start(self) -> AsyncIterator[Any]:
        yield Request(f"{self.url}/page")

    def parse(self, _):
        yield {"files": range(self.count)}


class Fetch:
    """Fetch the files of an item."""

    def __init__(self, crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def process_item(self, item):
        spider = self.crawler.spider
        requests = [
            Request(
                f"{spider.url}/{number}",
                meta={"download_slot": "media", "download_to": str(spider.folder / f"{number}.part")},
            )
            for number in item["files"]
        ]
        await asyncio.gather(*map(self.crawler.engine.download_async, requests))
        return item
