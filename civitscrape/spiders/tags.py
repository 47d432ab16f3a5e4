"""The tags of the whole site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from civitscrape.items import TagName
from civitscrape.spiders.arguments import WalkArguments
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from civitscrape.ledger import Walk

FILE = "tags.txt"
"""List of names in the output folder, one a line; names are added and never taken away."""


class TagsArguments(WalkArguments):
    """Arguments of ``scrapy crawl tags``."""

    spider: ClassVar[str] = "tags"

    query: str | None = Field(
        default=None, description="What their names begin with; without it the site tells only its featured PG tags."
    )
    sort: Literal["Most Models", "Most Images", "Most Posts", "Most Articles", "Most Hidden"] | None = Field(
        default=None, description="Order of the listing."
    )


class TagsSpider(WalkingSpider):
    """Archive the names of tags, into the table `tag_names` and into `tags.txt`, which gains only new names."""

    name = "tags"
    arguments = TagsArguments
    args: TagsArguments
    calls = "⌈n/200⌉ + 2 API calls for n names: the end is an empty page, asked for twice"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names: list[str] = []
        self._writes = True

    async def start(self) -> AsyncIterator[Any]:
        """Walk the numbered pages."""
        asked = {"query": self.args.query, "sort": self.args.sort}
        # The order that the site is asked for is a filter here: these pages have no oldest end.
        async for step in self.plan(f"tags:{self.args.query or 'all'}", "rest.tags", asked):
            yield step

    def keep(self, entry: Any, walk: Walk, *, listed: bool = True) -> Iterator[Any]:
        """Keep a name, and note it for the list."""
        for record in super().keep(entry, walk, listed=listed):
            if isinstance(record, TagName):
                self._names.append(record.name)
            yield record

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Add the names of a page to the list, as long as it can be written."""
        names, self._names = self._names, []
        if self._writes:
            self._writes = await self.books.list_names(FILE, names)
        async for step in super().follow(walk, entries):
            yield step
