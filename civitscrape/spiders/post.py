"""Posts by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.civitai import levels
from civitscrape.spiders.arguments import MediaArguments, Numbers
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from civitscrape.items import Level


class PostArguments(MediaArguments):
    """Arguments of ``scrapy crawl post``."""

    spider: ClassVar[str] = "post"

    post_id: Numbers = Field(description="Ids of posts, several with commas.")


class PostSpider(WalkingSpider):
    """Archive posts: title, text, model version, and their images in order.

    Without a key or cookies the order is known of those images that the page shows to everybody.
    """

    name = "post"
    arguments = PostArguments
    args: PostArguments
    calls = "1 page a post, and ⌈n/200⌉ + 1 API calls for its n images in each of two passes"
    needs = "nothing; a key or cookies for the order of all images"

    @property
    def level(self) -> Level:
        """All of them: what is named by its own id comes whatever its level, from the host that shows it."""
        return levels.ALL

    async def start(self) -> AsyncIterator[Any]:
        """Ask for each post's page and walk its images meanwhile, whatever their level."""
        images = "trpc.image.getInfinite" if self.logged_in else "rest.images"
        if not self.logged_in:
            self.logger.info("without a key or cookies a post's page tells the order of its PG images only")
        for number in self.args.post_id:
            for source, asked in (("page.post", {"id": number}), (images, {"postId": number})):
                async for step in self.plan(f"post:{number}", source, asked):
                    yield step
