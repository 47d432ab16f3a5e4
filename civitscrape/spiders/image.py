"""Images by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.civitai import levels
from civitscrape.spiders.arguments import MediaArguments, Numbers
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from civitscrape.items import Level


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
            ids = ",".join(map(str, self.args.image_id))
            async for step in self.plan(f"image:{ids}", "trpc.image.get", {"ids": self.args.image_id}):
                yield step
            return
        for number in self.args.image_id:
            # The page knows the generation data, the listing knows tags and reactions.
            for source, asked in (("page.image", {"id": number}), ("rest.image", {"imageId": number})):
                async for step in self.plan(f"image:{number}", source, asked):
                    yield step
