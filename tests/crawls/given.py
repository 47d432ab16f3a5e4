"""A spider of the tests that wants what it is given, without a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import scrapy

from civitscrape.ledger import MediaState
from civitscrape.spiders.arguments import MediaArguments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response

    from civitscrape.items import ModelFile
    from civitscrape.sandbox.models import FileRecord
    from civitscrape.sandbox.server import Sandbox


def spider_of(*files: ModelFile, **arguments: Any) -> type[scrapy.Spider]:
    """Make a spider that wants these model files."""
    for file in files:
        file.state = MediaState.WANTED

    class Given(scrapy.Spider):
        name = "given"
        args = MediaArguments.read(arguments)

        async def start(self) -> AsyncIterator[Any]:
            # An engine whose spider starts with items alone looks up every five seconds only.
            yield scrapy.Request("data:,", meta={"dont_obey_robotstxt": True})

        async def parse(self, _: Response) -> AsyncIterator[Any]:
            yield list(files)

    return Given


def address(sandbox: Sandbox, file: FileRecord, query: str | None = None) -> str:
    """Return the address of a file's download."""
    asked = f"fileId={file.id}" if query is None else query
    return f"{sandbox.url}/api/download/models/{file.version_id}?{asked}"
