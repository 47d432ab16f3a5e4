"""Models by the filters of the models API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from civitscrape.civitai.filters import REST_MODEL_FILTERS
from civitscrape.items import Model
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.filtering import asked, named, with_filters
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Arguments(MediaArguments):
    """Arguments of ``scrapy crawl models``."""

    spider: ClassVar[str] = "models"


ModelsArguments = with_filters("ModelsArguments", _Arguments, REST_MODEL_FILTERS)


class ModelsSpider(WalkingSpider):
    """Archive the models that filters of the models API find, with versions, files' hashes and showcase images."""

    name = "models"
    arguments = ModelsArguments
    args: _Arguments
    main_item = Model
    calls = "⌈n/100⌉ API calls for n models in each pass (PG, then all levels)"
    needs = "nothing; a key for the files themselves"

    async def start(self) -> AsyncIterator[Any]:
        """Walk the listing; without a filter it is the whole catalogue."""
        filters = asked(self.args, REST_MODEL_FILTERS)
        async for step in self.plan(named(self.name, filters), "rest.models", filters):
            yield step
