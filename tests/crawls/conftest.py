"""Whole crawls, in this process, against a sandbox in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from scrapy.crawler import AsyncCrawlerRunner

from civitscrape.commands.crawling import project_settings
from civitscrape.extensions.report import Report
from civitscrape.ledger import Outcome
from tests.crawls.archive import Archived

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from civitscrape.sandbox.server import Sandbox


@dataclass
class Crawled:
    """What a crawl left, and how it ended."""

    archive: Archived
    outcome: Outcome | None
    report: dict[str, Any]
    stats: dict[str, Any]


@pytest.fixture
def crawl(tmp_path: Path) -> Callable[..., Awaitable[Crawled]]:
    """Crawl a sandbox into ``tmp_path/output``: ``await crawl(sandbox, "user", {"username": …}, **settings)``."""

    async def run(
        sandbox: Sandbox, spider: str, arguments: dict[str, str], folder: Path | None = None, **settings: Any
    ) -> Crawled:
        output = folder or tmp_path / "output"
        quick = {"API_DELAY": 0, "RETRY_BACKOFF": 0.01, "TWISTED_REACTOR_ENABLED": False}
        overrides = {**sandbox.settings(), **quick, "OUTPUT_DIR": str(output), **settings}
        runner = AsyncCrawlerRunner(project_settings(overrides))
        crawler = runner.create_crawler(spider)
        await runner.crawl(crawler, **arguments)
        report = crawler.get_extension(Report)
        archive = Archived(output)
        return Crawled(archive, report.outcome if report else None, archive.latest_report(), crawler.stats.get_stats())

    return run
