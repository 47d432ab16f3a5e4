"""What all spiders share: arguments that are checked before anything else, and the books."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, ClassVar, Self

from scrapy import Spider

from civitscrape.civitai import levels, media, urls
from civitscrape.civitai.cookies import has_login
from civitscrape.exceptions import ArgumentError
from civitscrape.extensions.books import Books
from civitscrape.items import Image, MediaType
from civitscrape.ledger import MediaState
from civitscrape.spiders.arguments import Arguments, MediaArguments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from civitscrape.ledger import Walk


def host_for(level: int) -> str:
    """Name the setting of the host to ask: the two hosts filter by different ratings (rest.md §2.1)."""
    return "CIVITAI_MATURE_URL" if level & levels.MATURE else "CIVITAI_URL"


ADDRESSES = frozenset({"url", "username"})
"""Arguments that may be addresses, and so may hold credentials."""


class CivitaiSpider(Spider):
    """A spider that checks its arguments before anything else."""

    arguments: ClassVar[type[Arguments]]
    calls: ClassVar[str] = ""
    """How many requests it makes, files not counted, for the reference."""
    needs: ClassVar[str] = "nothing"
    """What a person must have for it, for the reference."""
    main_item: ClassVar[type] = Image
    """What a feed of a person's own holds (``-o FILE``), unless its options name other classes."""
    retells: ClassVar[bool] = False
    """Whether files that were converted are told what is known of them now, tags above all."""
    needs_login: ClassVar[str | None] = None
    """Why it cannot work for anonymous callers, and what could; None where it can."""

    def __init__(self, _job: str | None = None, **typed: Any) -> None:
        """Check the arguments; ``_job`` is what Scrapyd calls the crawl."""
        super().__init__()
        self.args = self.arguments.read(typed)
        self._typed = typed
        self._job = _job

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Give feeds of a person's own one kind of item each: columns of several kinds make no table."""
        super().update_settings(settings)
        feeds = {
            uri: {**options, "item_classes": options.get("item_classes") or [cls.main_item]}
            for uri, options in settings.getdict("FEEDS").items()
        }
        # One rank above what was typed, which Scrapy lays over the settings a second time.
        settings.set("FEEDS", feeds, priority=(settings.getpriority("FEEDS") or 0) + 1)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider, and make sure that it may ask what it is going to ask.

        Raises:
            ArgumentError: an argument is wrong, or a key or cookies are missing.
        """
        cls.require_login(crawler.settings, cls.arguments.read({n: v for n, v in kwargs.items() if n != "_job"}))
        return super().from_crawler(crawler, *args, **kwargs)

    @classmethod
    def require_login(cls, settings: BaseSettings, arguments: Arguments) -> None:
        """Make sure that there is a key or cookies for the host that will be asked, if the spider needs one of them.

        Raises:
            ArgumentError: there is neither.
        """
        host = settings[host_for(getattr(arguments, "level", levels.ALL))]
        if cls.needs_login is not None and not has_login(settings, host):
            raise ArgumentError(
                f"spider {cls.name} needs a key or cookies for {host}: {cls.needs_login}; put a key into "
                "CIVITAI_API_KEY, or a browser's cookies of that host into CIVITAI_COOKIES (a cookies.txt holds both)"
            )

    def describe(self) -> dict[str, Any]:
        """Tell what was asked, for the row of the run, without credentials; never a setting, which may be secret."""
        typed = {name: urls.masked(str(one)) if name in ADDRESSES else str(one) for name, one in self._typed.items()}
        command = " ".join(
            ["scrapy crawl", self.name, *(f"-a {name}={shlex.quote(one)}" for name, one in typed.items())]
        )
        arguments = self.args.model_dump(mode="json")
        for name in ADDRESSES & arguments.keys():
            arguments[name] = [urls.masked(one) for one in arguments[name] or []] or None
        return {"arguments": arguments, "job": self._job, "command": command}

    def take_up(self, walks: list[Walk]) -> AsyncIterator[Any]:
        """Go on with walks that an earlier run of this spider left.

        Raises:
            ArgumentError: this spider has none.
        """
        raise ArgumentError(f"spider {self.name} has no walks to go on with; {len(walks)} were left by it")

    @property
    def quality(self) -> str:
        """What is fetched of images: ``original``, or the name of a rendition."""
        return self.args.quality if isinstance(self.args, MediaArguments) else media.ORIGINAL

    @property
    def posters(self) -> bool:
        """Whether posters of videos are fetched."""
        return isinstance(self.args, MediaArguments) and self.args.posters == "yes"

    @property
    def models(self) -> bool:
        """Whether records of models, and with them model files, may come."""
        return True

    def poster(self, media_type: str) -> str | None:
        """Give the state of the poster of a type of media: wanted for videos, where posters are asked for."""
        asked = isinstance(self.args, MediaArguments) and self.args.posters == "yes"
        return MediaState.WANTED if asked and media_type == MediaType.VIDEO else None

    def rendition(self, media_type: str) -> str | None:
        """Name the rendition that is asked for of a type of media; None for the original."""
        return media.rendition_of(self.quality, media_type)

    @property
    def books(self) -> Books:
        """The archive and the run."""
        return Books.of(self.crawler)


def retells(crawler: Crawler) -> bool:
    """Tell whether a crawl tells files that are here what came of their images."""
    return isinstance(crawler.spider, CivitaiSpider) and crawler.spider.retells
