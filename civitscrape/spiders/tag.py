"""What carries a tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from civitscrape.exceptions import ArgumentError
from civitscrape.items import Image
from civitscrape.spiders.arguments import MediaArguments, Words, split, yes_or_no
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from civitscrape.ledger import Walk


class TagArguments(MediaArguments):
    """Arguments of ``scrapy crawl tag``."""

    spider: ClassVar[str] = "tag"

    tag: Words = Field(description="Names or ids of tags, several with commas.")
    of: Annotated[list[Literal["images", "models"]], BeforeValidator(split), Field(min_length=1)] = Field(
        default=["images"],
        description="`images` that carry it, `models` that carry it, with the pictures of those models' showcases.",
    )
    prompt_check: Annotated[bool, BeforeValidator(yes_or_no)] = Field(
        default=False, description="`yes` keeps only images whose prompt has every word of the tag."
    )

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check; models are found by names only."""
        read = super().read(typed)
        number = next((one for one in read.tag if one.isdecimal()), None)
        if "models" in read.of and number is not None:
            raise ArgumentError(
                f"spider argument tag: {number!r}: models are found by the name of a tag, not by its id"
            )
        return read


class TagSpider(WalkingSpider):
    """Archive the images, or the models, that carry a tag; an unknown tag is an error, never the whole site."""

    name = "tag"
    arguments = TagArguments
    args: TagArguments
    calls = "1 page for the number of a name; then as `images` and `models`"

    async def start(self) -> AsyncIterator[Any]:
        """Ask for the number of each name, which its page knows."""
        for one in self.args.tag:
            target = f"tag:{one.lower()}"
            steps = (
                self.plan(target, *self.images({"tags": [int(one)]}))
                if one.isdecimal()
                else self.plan(target, "page.tag", {"name": one})
            )
            async for step in steps:
                yield step

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Walk what carries the tag whose number was found."""
        if walk.source != "page.tag":
            return
        for entry in entries:
            if "images" in self.args.of:
                async for step in self.plan(walk.target, *self.images({"tags": [entry["id"]]})):
                    yield step
            if "models" in self.args.of:
                async for step in self.plan(walk.target, "rest.models", {"tag": entry["name"]}):
                    yield step

    def keep(self, entry: Any, walk: Walk, *, listed: bool = True) -> Iterator[Any]:
        """Keep an entry, unless its prompt was to be checked and lacks a word of the tag."""
        records = list(super().keep(entry, walk, listed=listed))
        image = next((record for record in records if isinstance(record, Image)), None)
        name = walk.target.partition(":")[2]
        if self.args.prompt_check and image is not None and not mentions(image.prompt, name):
            self.crawler.stats.inc_value("civitscrape/passed_over")
            return
        yield from records


def mentions(prompt: str | None, name: str) -> bool:
    """Tell whether a prompt has every word of a name.

    >>> mentions("a (Red:1.2) paper lantern, rain", "red lantern"), mentions("lanterns", "lantern"), mentions(None, "a")
    (True, False, False)
    """
    words = set(re.findall(r"[^\W_]+", (prompt or "").lower()))
    return bool(words) and words.issuperset(re.findall(r"[^\W_]+", name.lower()))
