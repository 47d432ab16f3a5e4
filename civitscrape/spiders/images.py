"""Images by the filters of the images API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from civitscrape.civitai.filters import REST_IMAGE_FILTERS
from civitscrape.exceptions import ArgumentError
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.filtering import asked, named, with_filters
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Arguments(MediaArguments):
    """Arguments of ``scrapy crawl images``."""

    spider: ClassVar[str] = "images"

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check, and refuse to walk the whole site by accident."""
        read = super().read(typed)
        if (
            read.max_items is None
            and read.since is None
            and not asked(read, REST_IMAGE_FILTERS).keys() - {"sort", "period", "type"}
        ):
            raise ArgumentError(
                "spider images: name a filter, such as -a model_version_id=ID, or a limit, such as -a max_items=1000; "
                "the whole site has more images than a listing gives"
            )
        return read


ImagesArguments = with_filters("ImagesArguments", _Arguments, REST_IMAGE_FILTERS)


class ImagesSpider(WalkingSpider):
    """Archive the images that filters of the images API find."""

    name = "images"
    arguments = ImagesArguments
    args: _Arguments
    calls = "⌈n/200⌉ + 1 API calls for n images in each pass over levels"

    async def start(self) -> AsyncIterator[Any]:
        """Walk the listing."""
        filters = asked(self.args, REST_IMAGE_FILTERS)
        async for step in self.plan(named(self.name, filters), *self.images(filters)):
            yield step
