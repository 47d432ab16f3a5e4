"""Which way votes come, said at the start; and the pages that a browser opens once all else is done."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Self

from scrapy import Request, signals
from scrapy.exceptions import DontCloseSpider

from civitscrape.archive import commit
from civitscrape.civitai.cookies import has_login
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.ledger import Walk, Wish
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider, host_for
from civitscrape.spiders.browsing import PageVotes
from civitscrape.spiders.votes import VotesArguments, site_for

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

LADDER = {
    "no": "tags come with the listing, without votes, at no cost; votes=yes brings votes",
    "yes": "votes come with the listing, from the site's own feed: 200 images a call, no call more",
    "anyway": "votes come with each image, which the site's own interface tells of: no call more",
    "refused": "votes need a key or cookies (CIVITAI_API_KEY, CIVITAI_COOKIES); tags come without them, at no cost; "
    "votes=browser brings scores without a login",
    "browser": "votes come from the page of each image rated PG, opened in a browser: one page an image, scores alone; "
    "with a key or cookies 200 images would come in one call",
    "batch": "votes come by id: 50 images a call",
}
"""What is said of each way, the cheapest first."""

ANYWAY = frozenset({"collection", "feed", "image", "post"})
"""Spiders that ask the site's own interface wherever there is a login; it tells votes unasked."""


def way(crawler: Crawler) -> str | None:
    """Choose the way that votes come, by what was asked and by what the person has; None where there are no images."""
    spider = crawler.spider
    if not isinstance(spider, CivitaiSpider):
        return None
    known = login(crawler) is not None
    if isinstance(spider.args, VotesArguments):
        return "batch" if known else "browser"
    if not isinstance(spider.args, MediaArguments):
        return None
    if known and spider.name in ANYWAY:
        return "anyway"
    if spider.args.votes == "no":
        return "no"
    if known:
        return "yes"
    return "browser" if spider.args.votes == "browser" else "refused"


def login(crawler: Crawler) -> str | None:
    """Name what the host that is asked knows the person by; None for nothing."""
    spider, settings = crawler.spider, crawler.settings
    if not isinstance(spider, CivitaiSpider):
        return None
    if isinstance(spider.args, MediaArguments):
        known = has_login(settings, settings[host_for(getattr(spider, "level", spider.args.level))])
    else:
        known = site_for(settings) is not None
    if not known:
        return None
    return "a key" if settings["CIVITAI_API_KEY"] else "cookies"


def line(crawler: Crawler) -> str | None:
    """Say which way votes come, why, and at what cost; None where there are no images."""
    chosen = way(crawler)
    if chosen is None or not isinstance(crawler.spider, CivitaiSpider):
        return None
    has, asked = login(crawler), getattr(crawler.spider.args, "votes", "no")
    if chosen == "no":
        return f"votes=no: {LADDER[chosen]}"
    why = f"votes={asked}, {f'with {has}' if has else 'without a key or cookies'}"
    return f"{why}: {LADDER[chosen]}{'; no browser is needed' if asked == 'browser' and has else ''}"


class Votes:
    """Says the way, and opens pages for those who asked for that."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._asking: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the beginning, and for the moment when nothing else is left to do."""
        votes = cls(crawler)
        crawler.signals.connect(votes.say, signal=signals.spider_opened)
        crawler.signals.connect(votes.idle, signal=signals.spider_idle)
        return votes

    def say(self) -> None:
        """Say in one line which way votes come, why, and at what cost."""
        said = line(self._crawler)
        if said is None:
            return
        refused = way(self._crawler) == "refused"
        logger.log(logging.WARNING if refused else logging.INFO, "%s", said)
        if refused:
            Books.of(self._crawler).left_out.append(said)

    def idle(self) -> None:
        """Begin with the pages, the first time that nothing else is left.

        Raises:
            DontCloseSpider: there may be pages to open.
        """
        own = isinstance(getattr(self._crawler.spider, "args", None), VotesArguments)
        if own or way(self._crawler) != "browser" or Books.of(self._crawler).error is not None:
            return
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        if not self._asking.done():
            raise DontCloseSpider

    async def _ask(self) -> None:
        """Ask for the pages of what each target has led to, and has no votes yet."""
        spider, books = self._crawler.spider, Books.of(self._crawler)
        if not isinstance(spider, CivitaiSpider):
            return
        try:
            for target in await books.targets():
                wish = Wish(missing=True, target=target, pages=True)
                async for step in PageVotes(spider, target, wish).begin():
                    if isinstance(step, Walk):
                        await books.archive.run(commit.commit, [step])
                    elif isinstance(step, Request):
                        self._crawler.engine.crawl(step)
        except ArchiveError as error:
            books.stop(error)
