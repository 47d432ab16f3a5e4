"""A crawl for files in a process of its own, on the reactor that Scrapy installs by itself."""

import sys
from pathlib import Path

from scrapy.crawler import AsyncCrawlerProcess

from tests.downloads.crawls import SETTINGS, Fetch, Files, slot

if __name__ == "__main__":
    url, folder = sys.argv[1:]
    process = AsyncCrawlerProcess(SETTINGS | slot(4) | {"ITEM_PIPELINES": {Fetch: 1}})
    process.crawl(Files, url=url, folder=Path(folder))
    process.start()
