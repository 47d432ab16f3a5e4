"""Anything that a person pastes, sent to the spider that archives it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from scrapy.spiderloader import get_spider_loader

from civitscrape.civitai import urls
from civitscrape.exceptions import ArgumentError
from civitscrape.ledger import Announcement
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from civitscrape.civitai.urls import Target


def _words(text: object) -> object:
    """Cut at white space only: filters in an address may hold commas."""
    return list(dict.fromkeys(text.split())) if isinstance(text, str) else text


class UrlArguments(MediaArguments):
    """Arguments of ``scrapy crawl url``."""

    spider: ClassVar[str] = "url"

    url: Annotated[list[str] | None, BeforeValidator(_words)] = Field(
        default=None, description="Addresses, AIR urns, hashes or usernames, several with spaces."
    )
    content: str | None = Field(
        default=None,
        description="What to bring, in the words of the spiders that it sends to, such as `files` of models.",
    )
    file: str | None = Field(default=None, description="A text file with one of these a line; `#` begins a comment.")

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check that there is something, and that the file can be read."""
        read = super().read(typed)
        if not read.pasted():
            raise ArgumentError("spider url: give addresses with -a url=… or a list of them with -a file=…")
        return read

    def pasted(self) -> list[str]:
        """Return all that was pasted, each once.

        Raises:
            ArgumentError: the file cannot be read.
        """
        found = list(self.url or [])
        if self.file is not None:
            try:
                lines = Path(self.file).expanduser().read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ArgumentError(f"spider argument file: {self.file!r} cannot be read: {error}") from error
            found += [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
        return list(dict.fromkeys(found))


class UrlSpider(CivitaiSpider):
    """Archive whatever addresses point at; what cannot be archived is named with the reason, and the rest goes on."""

    name = "url"
    arguments = UrlArguments
    args: UrlArguments
    calls = "those of the spiders that it sends to"
    needs = "what the spiders need that it sends to"

    async def start(self) -> AsyncIterator[Any]:
        """Let the spider of each target ask, in the order in which they were pasted."""
        for text in self.args.pasted():
            try:
                spider = self.spider_for(
                    urls.target(text, hosts=self._hosts, media_url=self.settings["CIVITAI_MEDIA_URL"])
                )
            except ArgumentError as error:
                self.logger.error("%s", error)  # noqa: TRY400 (one line)
                yield Announcement(target=f"url:{text}", exists=None, error=str(error), refused=True)
                continue
            async for step in spider.start():
                yield step

    def spider_for(self, target: Target) -> CivitaiSpider:
        """Make the spider of a target, with what it shares of this one's arguments.

        Raises:
            ArgumentError: the target's own arguments are wrong.
        """
        spider_class = get_spider_loader(self.settings).load(target.spider)
        if not issubclass(spider_class, CivitaiSpider):
            raise ArgumentError(f"there is no spider {target.spider!r}")
        shared = self.args.model_fields_set & spider_class.arguments.model_fields.keys()
        typed = {name: value for name, value in self._typed.items() if name in shared}
        return spider_class.from_crawler(self.crawler, **{**typed, **target.arguments})

    @property
    def _hosts(self) -> frozenset[str]:
        """Hosts whose addresses are taken: the site's, and those that the settings name."""
        named = (urlsplit(self.settings[name]).netloc for name in ("CIVITAI_URL", "CIVITAI_MATURE_URL"))
        return urls.SITES | frozenset(named)
