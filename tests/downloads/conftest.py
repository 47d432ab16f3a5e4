from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import pytest
from scrapy import Request
from scrapy.utils.misc import load_object
from scrapy.utils.test import get_crawler

from civitscrape.downloads.handler import DiskDownloadHandler

from . import crawls

# A crawl inside a test runs on the loop of the test.
SETTINGS: dict[str, Any] = crawls.SETTINGS | {"TWISTED_REACTOR_ENABLED": False}


class MakeHandler(Protocol):
    def __call__(
        self, cls: type[DiskDownloadHandler] = DiskDownloadHandler, /, **settings: Any
    ) -> AbstractAsyncContextManager[DiskDownloadHandler]: ...


@pytest.fixture
def make_handler() -> MakeHandler:
    @asynccontextmanager
    async def make(
        cls: type[DiskDownloadHandler] = DiskDownloadHandler, /, **settings: Any
    ) -> AsyncIterator[DiskDownloadHandler]:
        handler = cls.from_crawler(get_crawler(settings_dict=SETTINGS | settings))
        try:
            yield handler
        finally:
            await handler.close()

    return make


@pytest.fixture
async def handler(make_handler: MakeHandler) -> AsyncIterator[DiskDownloadHandler]:
    async with make_handler() as handler:
        yield handler


@pytest.fixture
def retried() -> tuple[type[Exception], ...]:
    """The errors that RetryMiddleware retries."""
    crawler = get_crawler(settings_dict=SETTINGS)
    return tuple(load_object(error) for error in crawler.settings.getlist("RETRY_EXCEPTIONS"))


def file_request(url: str, path: Any, **meta: Any) -> Request:
    return Request(url, meta={"download_to": str(path), **meta})
