"""Any of the site's own feeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from civitscrape.civitai import filters
from civitscrape.exceptions import ArgumentError
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.filtering import asked, named, with_filters
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROCEDURES = (*filters.FEEDS, "collection.getInfinite")


def _object(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"this is not JSON: {error}") from error


class _Arguments(MediaArguments):
    """Arguments of ``scrapy crawl feed``."""

    spider: ClassVar[str] = "feed"

    procedure: str = Field(
        default=filters.IMAGE_FEED, description=f"Which feed: {', '.join(f'`{one}`' for one in PROCEDURES)}."
    )
    input: Annotated[dict[str, Any] | None, BeforeValidator(_object)] = Field(
        default=None, description="What it is asked, as JSON under the site's own names; instead of filters by name."
    )

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check, and make sure that each filter is one that the feed knows.

        Raises:
            ArgumentError: one sentence about the first thing that is wrong.
        """
        read = super().read(typed)
        if read.procedure not in PROCEDURES:
            raise ArgumentError(
                f"spider argument procedure: {read.procedure!r} is not a feed that can be walked; "
                f"known are {', '.join(PROCEDURES)}"
            )
        known = filters.FEEDS.get(read.procedure, {})
        foreign = [name for name in asked(read, filters.FEED_FILTERS) if name not in known.values()]
        if foreign:
            raise ArgumentError(f"spider argument {filters.argument(foreign[0])}: {read.procedure} has no such filter")
        return read


FeedArguments = with_filters("FeedArguments", _Arguments, filters.FEED_FILTERS)


class FeedSpider(WalkingSpider):
    """Archive what a feed of the site gives, with the filters that its own pages offer; needs a key or cookies."""

    name = "feed"
    arguments = FeedArguments
    args: _Arguments
    calls = "⌈n/200⌉ + 1 API calls for n images in each pass, ⌈n/200⌉ for posts, ⌈n/100⌉ for models"
    needs = "a key or cookies"
    needs_login = "feeds are not given to anonymous callers; `scrapy crawl images` asks the public API instead"

    async def start(self) -> AsyncIterator[Any]:
        """Walk the feed."""
        chosen = asked(self.args, filters.FEED_FILTERS) | (self.args.input or {})
        target = named(f"feed:{self.args.procedure}", chosen)
        async for step in self.plan(target, f"trpc.{self.args.procedure}", chosen):
            yield step
