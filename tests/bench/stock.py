"""The stock contender: Scrapy's own FilesPipeline and downloader with a list of addresses, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response


class StockSpider(Spider):
    """Fetch every address of a text file, each as an item of one listing."""

    name = "stock"
    custom_settings = {  # noqa: RUF012 (as Scrapy declares it)
        "ITEM_PIPELINES": {"scrapy.pipelines.files.FilesPipeline": 1},
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "LOG_LEVEL": "INFO",
    }
    addresses: str
    """The text file, one address a line."""

    async def start(self) -> AsyncIterator[Any]:
        """Open the file as a page would be opened, so that CONCURRENT_ITEMS counts as it does in a crawl."""
        yield Request(Path(self.addresses).as_uri())

    def parse(self, response: Response, **_: Any) -> Iterator[dict[str, list[str]]]:
        """Make an item of each address."""
        for url in response.text.splitlines():
            yield {"file_urls": [url]}
