"""What earlier runs left: walks that broke, files that did not come."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy import signals
from scrapy.spiderloader import get_spider_loader

from civitscrape.civitai import levels
from civitscrape.exceptions import ArgumentError, CivitscrapeError
from civitscrape.items import Image, ModelFile
from civitscrape.ledger import LOST, POSTERS, Announcement, MediaState
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

NAMED_FAILURES = 100
"""Failures that are named; the table ``media`` has them all."""


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._retried: dict[str, dict[str, int]] = {}
        self._failures: list[dict[str, Any]] = []
        self._asked: set[tuple[type, int, str | None]] = set()
        self._posters: set[int] = set()

    @property
    def level(self) -> Level:
        """All of them: what was wanted once is wanted still."""
        return levels.ALL

    @property
    def posters(self) -> bool:
        """Those that did not come, and those of walks that asked for them."""
        return True

    @property
    def files(self) -> bool:
        """Model files that did not come are fetched, too."""
        return True

    async def start(self) -> AsyncIterator[Any]:
        """Go on with each walk by the spider that left it, then fetch the files that did not come."""
        self.crawler.signals.connect(self._count, signal=signals.item_scraped)
        yield Announcement(target=TARGET, exists=True, listed=False, retried=self._retried, failures=self._failures)
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
            self._asked.update(map(_identity, images))
            self._posters.update(image.id for image in images if image.poster)
            yield [record for image in images for record in (image, wanted(image, base))]
        async for images in self.books.unfetched_posters():
            self._posters.update(image.id for image in images)
            yield images
        for file in await self.books.unfetched_files():
            file.state = MediaState.WANTED
            self._asked.add(_identity(file))
            yield file

    def _count(self, item: Any) -> None:
        """Count what became of a file that an earlier run left; those that walks brought are counted with them."""
        if isinstance(item, Image) and item.poster is not None and item.id in self._posters:
            self._posters.remove(item.id)
            self._tell(POSTERS, item.poster)
        if not isinstance(item, Image | ModelFile) or _identity(item) not in self._asked:
            return
        self._asked.remove(_identity(item))
        if isinstance(item, ModelFile):
            self._tell("model files", item.state, item)
        else:
            self._tell(item.rendition or "originals", item.media_state, item)

    def _tell(self, kind: str, state: str | None, item: Image | ModelFile | None = None) -> None:
        if state is None:  # another run is at it
            return
        fates = self._retried.setdefault(kind, {})
        fates[state] = fates.get(state, 0) + 1
        if state in LOST and item is not None and len(self._failures) < NAMED_FAILURES:
            error = item.error if isinstance(item, ModelFile) else item.files[-1].get("error")
            self._failures.append({"id": item.id, "state": state, "error": error})

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


def _identity(item: Image | ModelFile) -> tuple[type, int, str | None]:
    """Name a file that was asked for."""
    return type(item), item.id, item.rendition if isinstance(item, Image) else None


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
