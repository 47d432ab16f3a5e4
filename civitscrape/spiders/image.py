"""Images by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.civitai import levels
from civitscrape.items import Level
from civitscrape.ledger import WalkState
from civitscrape.spiders.arguments import MediaArguments, Numbers
from civitscrape.spiders.listings.base import mapping
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from civitscrape.exceptions import AnswerError
    from civitscrape.ledger import Walk

LOOKUP, PAGE = "trpc.image.get", "page.image"


class ImageArguments(MediaArguments):
    """Arguments of ``scrapy crawl image``."""

    spider: ClassVar[str] = "image"

    image_id: Numbers = Field(description="Ids of images, several with commas.")


class ImageSpider(WalkingSpider):
    """Archive images with generation data, resources with strengths, tools, techniques and tags.

    With a key or cookies sixteen images come in one call, votes included; without, each has its page and one API call.
    """

    name = "image"
    arguments = ImageArguments
    args: ImageArguments
    calls = "1 page and 1 API call an image; with a key or cookies 1 API call for 16 images"
    needs = "nothing; a key or cookies save requests"

    @property
    def level(self) -> Level:
        """All of them: what is named by its own id comes whatever its level, from the host that shows it."""
        return levels.ALL

    async def start(self) -> AsyncIterator[Any]:
        """Ask for the images, whatever their level."""
        if self.logged_in:
            first, *others = self.args.image_id
            target = f"image:{first}+{len(others)}" if others else f"image:{first}"
            async for step in self.plan(target, LOOKUP, {"ids": self.args.image_id}):
                yield step
            return
        async for step in self._pages(self.args.image_id):
            yield step

    async def _pages(self, ids: list[int]) -> AsyncIterator[Any]:
        """Ask for the page of each image, which knows its generation data and its level."""
        for number in ids:
            async for step in self.plan(f"image:{number}", PAGE, {"id": number}):
                yield step

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Ask the listing for tags and reactions of an image whose level is known now."""
        for entry in entries if walk.source == PAGE else ():
            told = mapping(entry["image"]).get("nsfwLevel")
            level = Level(told) if type(told) is int and told else levels.ALL
            async for step in self.plan(walk.target, "rest.image", {"imageId": entry["id"]}, level):
                yield step

    async def instead(self, walk: Walk, error: AnswerError) -> AsyncIterator[Any]:
        """Ask for the pages, where the site refuses a key or cookies."""
        if walk.source != LOOKUP:
            raise error
        self.logger.warning("%s: %s; the pages are asked for instead, which tell no votes", walk.target, error)
        walk.state = WalkState.SPLIT
        yield walk
        async for step in self._pages(self.args.image_id):
            yield step
