"""What became of the download of a model file, in words that may be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scrapy import Request
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.exceptions import NotConfigured
from scrapy.http import Response

from civitscrape.civitai.answers import NO_ANSWER, no_answer
from civitscrape.civitai.roles import Role, stamp
from civitscrape.commands.crawling import project_settings
from civitscrape.downloads.downloader import STOPPED
from civitscrape.extensions.books import Books
from civitscrape.items import ModelFile
from civitscrape.ledger import MediaState
from civitscrape.pipelines.describe import Describe
from civitscrape.pipelines.files import Files, fate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scrapy.crawler import Crawler

SIGNED = "https://bucket.example/model/31.bin?X-Amz-Algorithm=AWS4&X-Amz-Signature=5ec7e7"
FILE = ModelFile(id=31, version_id=29, name="lantern.safetensors")


def asked() -> Request:
    return Request(SIGNED, meta={**stamp(Role.STORAGE, SIGNED), "download_to": "31.part"})


@pytest.mark.parametrize(
    ("status", "state"), [(403, MediaState.FAILED), (500, MediaState.FAILED), (404, MediaState.GONE)]
)
def test_a_refusal_of_the_storage_names_the_file_and_no_signature(status, state):
    words = b'{"error": "bad signature 5ec7e7"}'

    became = fate(Response(SIGNED, status=status, body=words, request=asked()), FILE)

    assert became["status"] == state
    assert became["error"].startswith(f"https://bucket.example/model/31.bin answered {status}")
    assert "X-Amz" not in became["error"]
    assert "5ec7e7" not in became["error"]


def test_an_answer_that_never_came_is_told_without_the_signature():
    became = fate(no_answer(asked(), f"DownloadFailedError: {SIGNED}: the body broke off"), FILE)

    assert became["status"] == MediaState.FAILED
    assert "the body broke off" in became["error"]
    assert "X-Amz" not in became["error"]


def test_what_was_not_asked_for_any_more_is_still_wanted():
    became = fate(Response(SIGNED, status=NO_ANSWER, body=STOPPED.encode(), request=asked()), FILE)

    assert became == {"status": MediaState.WANTED}


@pytest.fixture
def crawler_of(tmp_path: Path) -> Iterator[Callable[..., Crawler]]:
    """Make a crawler up to its pipelines: ``crawler_of("user", username="lampwright")``."""
    made: list[Crawler] = []

    def make(spider: str, **arguments: str) -> Crawler:
        overrides = {"OUTPUT_DIR": str(tmp_path), "EXTENSIONS": {Books: 1}, "TWISTED_REACTOR_ENABLED": False}
        crawler = AsyncCrawlerRunner(project_settings(overrides)).create_crawler(spider)
        crawler.spider = crawler._create_spider(**arguments)
        crawler._apply_settings()
        made.append(crawler)
        return crawler

    yield make
    for crawler in made:
        Books.of(crawler).close()


@pytest.mark.parametrize("pipeline", [Files, Describe])
async def test_a_crawl_that_brings_no_models_does_without_their_pipelines(crawler_of, pipeline):
    crawler = crawler_of("user", username="lampwright")

    with pytest.raises(NotConfigured):
        pipeline.from_crawler(crawler)


@pytest.mark.parametrize("pipeline", [Files, Describe])
@pytest.mark.parametrize(
    ("spider", "arguments"),
    [
        ("user", {"username": "lampwright", "content": "images,models"}),
        ("user", {"username": "lampwright", "content": "files"}),
        ("retry", {}),
        ("url", {"url": "https://civitai.com/user/lampwright"}),
    ],
    ids=["models", "files", "retry", "url"],
)
async def test_every_crawl_that_may_bring_models_has_them(crawler_of, pipeline, spider, arguments):
    crawler = crawler_of(spider, **arguments)

    assert isinstance(pipeline.from_crawler(crawler), pipeline)
