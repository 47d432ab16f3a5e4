"""One model: its versions, and the pictures and files that belong to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.items import Model
from civitscrape.spiders.arguments import Numbers, VersionsArguments
from civitscrape.spiders.versions import VersionsSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ModelArguments(VersionsArguments):
    """Arguments of ``scrapy crawl model``."""

    spider: ClassVar[str] = "model"

    model_id: Numbers = Field(description="Ids of models, several with commas.")


class ModelSpider(VersionsSpider):
    """Archive a model with all its versions."""

    name = "model"
    arguments = ModelArguments
    args: ModelArguments
    main_item = Model
    calls = "1 API call a model, and ⌈n/200⌉ + 1 for the n pictures of each version"
    needs = "nothing; a key for `files`"

    async def start(self) -> AsyncIterator[Any]:
        """Ask for each model; its versions follow."""
        for number in self.args.model_id:
            async for step in self.plan(f"model:{number}", "rest.model", {"id": number}):
                yield step
