"""One version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.items import ModelVersion
from civitscrape.spiders.arguments import Numbers, VersionsArguments
from civitscrape.spiders.versions import VersionsSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class VersionArguments(VersionsArguments):
    """Arguments of ``scrapy crawl version``."""

    spider: ClassVar[str] = "version"

    version_id: Numbers = Field(description="Ids of model versions, several with commas.")


class VersionSpider(VersionsSpider):
    """Archive a single version of a model; its showcase comes with prompts, at most ten pictures of it."""

    name = "version"
    arguments = VersionArguments
    args: VersionArguments
    main_item = ModelVersion
    calls = "2 API calls a version, its own and its model's, and ⌈n/200⌉ + 1 for its n pictures in each pass"
    needs = "nothing; a key for `files`"

    async def start(self) -> AsyncIterator[Any]:
        """Ask for each version."""
        for number in self.args.version_id:
            async for step in self.plan(f"version:{number}", "rest.version", {"id": number}):
                yield step
