"""A spider as a crawl has it: with its arguments, its settings and the books, and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from scrapy.crawler import AsyncCrawlerRunner

from civitscrape.archive import commit as transaction
from civitscrape.commands.crawling import project_settings
from civitscrape.extensions.books import Books
from civitscrape.ledger import Announcement, Walk, WalkState, now
from civitscrape.spiders.user import UserSpider
from tests.cassettes import username

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from scrapy import Request

MEDIA = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"


@pytest.fixture
def make_spider(tmp_path: Path) -> Iterator[Callable[..., UserSpider]]:
    """Make a spider: ``make_spider(level="all")``."""
    made: list[UserSpider] = []

    def make(**arguments: str) -> UserSpider:
        settings = {
            "OUTPUT_DIR": str(tmp_path),
            "EXTENSIONS": {Books: 1},
            "TWISTED_REACTOR_ENABLED": False,
            "CIVITAI_URL": "https://civitai.com",
            "CIVITAI_MEDIA_URL": MEDIA,
        }
        crawler = AsyncCrawlerRunner(project_settings(settings)).create_crawler("user")
        spider = crawler._create_spider(**{"username": username(), **arguments})
        assert isinstance(spider, UserSpider)
        crawler.spider = spider
        crawler._apply_settings()
        made.append(spider)
        return spider

    yield make
    for spider in made:
        spider.books.close()


@pytest.fixture
def spider(make_spider: Callable[..., UserSpider]) -> UserSpider:
    return make_spider()


async def begun(spider: UserSpider, **about: Any) -> Walk:
    """Begin a walk, as the archive would know it."""
    params = {"username": username(), "type": None, "sort": "Oldest"}
    walk = Walk(
        run_id=spider.books.run.id,
        source=about.pop("source", "rest.images"),
        target=f"user:{username()}",
        level=3,
        params=params | about.pop("params", {}),
        state=WalkState.RUNNING,
        started_at=now(),
    )
    for name, value in about.items():
        setattr(walk, name, value)
    await spider.books.archive.run(transaction.commit, [walk])
    return walk


async def all_of(outputs: AsyncIterator[Any] | Iterator[Any]) -> list[Any]:
    """Gather what a callback yields, but for what comes after the commit."""
    everything = [one async for one in outputs] if hasattr(outputs, "__aiter__") else list(outputs)
    gathered = [one for one in everything if not hasattr(one, "__aiter__")]
    # The records of one page may come together.
    return [one for some in gathered for one in (some if isinstance(some, list) else [some])]


async def keep(spider: UserSpider, outputs: list[Any]) -> None:
    """Commit what a callback gave, as the middleware does."""
    records = [one for one in outputs if not hasattr(one, "callback") and not isinstance(one, Announcement)]
    await spider.books.archive.run(transaction.commit, records)


def asks(request: Request) -> dict[str, str]:
    """Tell what a request asks the listing for."""
    return dict(parse_qsl(urlsplit(request.url).query))
