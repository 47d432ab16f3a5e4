"""The tags of the whole site."""

from __future__ import annotations

from pathlib import Path
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
    calls = "⌈n/200⌉ + 1 API calls for n names"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._named: set[str] | None = None

    async def start(self) -> AsyncIterator[Any]:
        """Walk the numbered pages."""
        asked = {"query": self.args.query, "sort": self.args.sort}
        # The order that the site is asked for is a filter here: these pages have no oldest end.
        async for step in self.plan(f"tags:{self.args.query or 'all'}", "rest.tags", asked):
            yield step

    def keep(self, entry: Any, walk: Walk) -> Iterator[Any]:
        """Keep a name, and add it to the list when it is new."""
        for record in super().keep(entry, walk):
            if isinstance(record, TagName):
                self._add(record.name)
            yield record

    def _add(self, name: str) -> None:
        path = Path(self.settings["OUTPUT_DIR"]) / FILE
        if self._named is None:
            self._named = set(path.read_text("utf-8").splitlines()) if path.exists() else set()
        if name not in self._named:
            self._named.add(name)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
