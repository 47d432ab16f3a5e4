"""The creators of the whole site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.items import Creator
from civitscrape.spiders.arguments import WalkArguments
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class CreatorsArguments(WalkArguments):
    """Arguments of ``scrapy crawl creators``."""

    spider: ClassVar[str] = "creators"

    query: str | None = Field(default=None, description="A part of their names.")


class CreatorsSpider(WalkingSpider):
    """Archive the names of all creators who have models, with how many."""

    name = "creators"
    arguments = CreatorsArguments
    args: CreatorsArguments
    main_item = Creator
    calls = "⌈n/200⌉ API calls for n names"

    async def start(self) -> AsyncIterator[Any]:
        """Walk the numbered pages."""
        async for step in self.plan(
            f"creators:{self.args.query or 'all'}", "rest.creators", {"query": self.args.query}
        ):
            yield step
