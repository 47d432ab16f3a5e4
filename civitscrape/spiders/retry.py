"""What earlier runs left: walks that broke, files that did not come."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.spiderloader import get_spider_loader

from civitscrape.civitai import levels
from civitscrape.exceptions import ArgumentError, CivitscrapeError
from civitscrape.ledger import Announcement, MediaState
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider
from civitscrape.spiders.findings import wanted
from civitscrape.spiders.url import SEVERAL
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from civitscrape.items import Level
    from civitscrape.ledger import Walk

TARGET = "retry:everything"


class RetryArguments(MediaArguments):
    """Arguments of ``scrapy crawl retry``: none of its own."""

    spider: ClassVar[str] = "retry"


class RetrySpider(WalkingSpider):
    """Take up what earlier runs left unfinished or failed to bring, and nothing else."""

    name = "retry"
    arguments = RetryArguments
    args: RetryArguments
    calls = "those of the pages that were left, and nothing for what is whole"
    needs = "what the spiders needed that left it"

    @property
    def level(self) -> Level:
        """All of them: what was wanted once is wanted still."""
        return levels.ALL

    @property
    def files(self) -> bool:
        """Model files that did not come are fetched, too."""
        return True

    async def start(self) -> AsyncIterator[Any]:
        """Go on with each walk by the spider that left it, then fetch the files that did not come."""
        yield Announcement(target=TARGET, exists=True, listed=False)
        for command, walks in (await self.books.unfinished()).items():
            try:
                spiders = self.spiders_of(command, walks)
                followed = [spider.take_up(left) for spider, left in spiders]
            except CivitscrapeError as error:
                self.books.left_out.append(f"{len(walks)} walks were left out: {error}")
                continue
            for steps in followed:
                async for step in steps:
                    yield step
        async for images in self.books.unfetched():
            base = self.settings["CIVITAI_MEDIA_URL"]
            yield [record for image in images for record in (image, wanted(image, base))]
        for file in await self.books.unfetched_files():
            file.state = MediaState.WANTED
            yield file

    def spiders_of(self, command: str, walks: list[Walk]) -> list[tuple[CivitaiSpider, list[Walk]]]:
        """Make the spiders that left some walks, from the command that was typed.

        Raises:
            ArgumentError: the command is not known any more.
        """
        name, typed = parsed(command)
        if name != "url":
            return [(self._spider(name, typed), walks)]
        by_target: dict[str, list[Walk]] = {}
        for walk in walks:
            by_target.setdefault(walk.target, []).append(walk)
        return [(self._spider(*of_target(target, typed)), left) for target, left in by_target.items()]

    def _spider(self, name: str, typed: dict[str, str]) -> CivitaiSpider:
        loader = get_spider_loader(self.settings)
        spider_class = loader.load(name) if name in loader.list() else None
        if spider_class is None or not issubclass(spider_class, CivitaiSpider) or spider_class is RetrySpider:
            raise ArgumentError(f"no spider {name!r} goes on with walks")
        known = {key: value for key, value in typed.items() if key in spider_class.arguments.model_fields}
        return spider_class.from_crawler(self.crawler, **known)


def parsed(command: str) -> tuple[str, dict[str, str]]:
    """Read the command of a run.

    >>> parsed("scrapy crawl user -a username=lampwright -a level=all")
    ('user', {'username': 'lampwright', 'level': 'all'})

    Raises:
        ArgumentError: it is no such command.
    """
    match shlex.split(command):
        case ["scrapy", "crawl", name, *words]:
            typed = (word.partition("=") for flag, word in itertools.pairwise(words) if flag == "-a")
            return name, {key: value for key, _, value in typed}
    raise ArgumentError(f"the command {command!r} of the run that left them is not understood")


def of_target(target: str, typed: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Tell which spider walks a target that an address led to, and with what.

    >>> of_target("post:7", {"url": "https://civitai.com/posts/7", "level": "all"})
    ('post', {'url': 'https://civitai.com/posts/7', 'level': 'all', 'post_id': '7'})
    """
    kind, _, name = target.partition(":")
    return kind, typed | ({SEVERAL[kind]: name} if kind in SEVERAL else {})
