"""The real downloader middlewares, in their real order, with the wire in the test's hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from scrapy import signals
from scrapy.core.downloader.middleware import DownloaderMiddlewareManager
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes

from civitscrape.civitai.roles import Role, stamp
from civitscrape.commands.crawling import project_settings
from civitscrape.downloads.downloader import PacedDownloader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE = "https://civitai.com"
MATURE = "https://civitai.red"
BUCKET = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"
API = f"{SITE}/api/v1/images?username=lampwright&limit=200"
KEY = "0f9e8d7c6b5a-the-key"


@pytest.fixture
def make_crawler(tmp_path: Path) -> Callable[..., Crawler]:
    """Make a crawler that is ready to begin: ``make_crawler(CIVITAI_API_KEY=…)``."""

    def make(**settings: Any) -> Crawler:
        quick = {
            "RETRY_BACKOFF": 0,
            "TWISTED_REACTOR_ENABLED": False,
            "OUTPUT_DIR": str(tmp_path),
            "EXTENSIONS": {},
            "AUTOTHROTTLE_ENABLED": False,
            "DOWNLOAD_HANDLERS": {"http": None, "https": None},  # the test holds the wire
        }
        crawler = AsyncCrawlerRunner(project_settings({**quick, **settings})).create_crawler("user")
        crawler.spider = crawler._create_spider(username="lampwright")
        crawler._apply_settings()
        return crawler

    return make


def request(role: Role, url: str) -> Request:
    return Request(url, meta=stamp(role, url))


def answer(status: int, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> Response:
    """Make an answer; header names are given with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    all_headers = Headers({"Content-Type": content_type, **named})
    made = responsetypes.from_args(headers=all_headers, url=SITE, body=body)
    return made(SITE, status=status, headers=all_headers, body=body)


@dataclass
class Wire:
    """What leaves the machine: each request as it is on the wire, answered by the next of ``answers``."""

    crawler: Crawler
    answers: list[Response | Exception] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        self.sent.append(request.copy())
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        response = found.replace(url=request.url)
        # As the downloader does before it lets the next request go.
        self.crawler.signals.send_catch_log(signals.response_downloaded, request=request, response=response)
        return response

    @property
    def keys(self) -> list[bytes | None]:
        return [one.headers.get("Authorization") for one in self.sent]


@dataclass
class Chain:
    """The middlewares of a crawler."""

    crawler: Crawler
    manager: DownloaderMiddlewareManager
    wire: Wire

    async def follow(self, asked: Request) -> Response:
        """Ask as the engine does: what the middlewares ask for instead is asked for in turn."""
        current: Request | Response = asked
        while isinstance(current, Request):
            current = await self.manager.download_async(self.wire, current)
        return current


@pytest.fixture
def chain(
    make_crawler: Callable[..., Crawler], with_downloader: Callable[[Crawler], PacedDownloader]
) -> Callable[..., Chain]:
    """Make the middlewares of the project: ``chain(answer(500), answer(200), CIVITAI_API_KEY=…)``."""

    def make(*answers: Response | Exception, **settings: Any) -> Chain:
        # robots.txt is asked of an engine; whole crawls have one.
        crawler = make_crawler(ROBOTSTXT_OBEY=False, **settings)
        with_downloader(crawler)
        return Chain(crawler, DownloaderMiddlewareManager.from_crawler(crawler), Wire(crawler, list(answers)))

    return make


@dataclass
class Engine:
    """As much of an engine as pacing needs: a downloader that can hold a slot."""

    downloader: PacedDownloader


@pytest.fixture
def with_downloader() -> Callable[[Crawler], PacedDownloader]:
    """Give a crawler the project's own downloader."""

    def give(crawler: Crawler) -> PacedDownloader:
        downloader = PacedDownloader(crawler)
        crawler.engine = Engine(downloader)  # type: ignore[assignment]  # the rest of an engine needs a crawl
        return downloader

    return give
