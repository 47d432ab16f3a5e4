"""Run a spider from a command: check everything first, crawl, and turn the outcome into an exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader

from civitscrape.addons import quiet, resolve
from civitscrape.archive import presence
from civitscrape.archive.database import Archive
from civitscrape.downloads import browser
from civitscrape.downloads.trust import make_context
from civitscrape.exceptions import ArgumentError
from civitscrape.extensions.books import probe
from civitscrape.extensions.report import Report
from civitscrape.ledger import Outcome
from civitscrape.spiders.base import CivitaiSpider
from civitscrape.spiders.votes import site_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

EXIT_CODES = {Outcome.COMPLETE: 0, Outcome.FAILED: 1, Outcome.INCOMPLETE: 3, Outcome.STOPPED: 3}
"""What `civitscrape get` ends with; 2 stays the code for a command that was typed wrong."""


def project_settings(overrides: Mapping[str, Any]) -> Settings:
    """Load the project's settings, wherever the command is run, and put a person's own on top."""
    settings = Settings()
    settings.setmodule("civitscrape.settings", priority="project")
    settings.setdict(dict(overrides), priority="cmdline")
    return settings


def check(spider: str, arguments: Mapping[str, Any], settings: BaseSettings) -> None:
    """Refuse before any request what cannot work.

    Raises:
        ArgumentError: the spider, an argument or a setting is wrong.
        ArchiveError: the output folder or the database cannot be used, or the files that it speaks of are not there.
    """
    loader = get_spider_loader(settings)
    if spider not in loader.list():
        raise ArgumentError(f"there is no spider {spider!r}; known are {', '.join(sorted(loader.list()))}")
    spider_class = loader.load(spider)
    if issubclass(spider_class, CivitaiSpider):
        typed = {name: value for name, value in arguments.items() if name != "_job"}
        spider_class.arguments.read(typed)
    resolved = settings.copy()
    resolve(resolved)
    if issubclass(spider_class, CivitaiSpider):
        read = spider_class.arguments.read(typed)
        spider_class.require_login(resolved, read)
        if getattr(read, "votes", None) == "browser" and site_for(resolved) is None:
            browser.require(resolved)
    probe(Path(resolved["OUTPUT_DIR"]), "OUTPUT_DIR")
    if os.environ.get("SSL_CERT_FILE"):
        make_context(resolved)
    _check_store(resolved)


def _check_store(settings: BaseSettings) -> None:
    """Open the database, and look at the folder of the media, which is made only where it cannot have been before."""
    archive, store = Archive(settings["DATABASE_URL"]), Path(settings["MEDIA_STORE"])
    try:
        archive.run_now(presence.require, store)
    finally:
        archive.close()
    probe(store, "MEDIA_STORE")


def outcome_of(crawler: Crawler) -> Outcome:
    """Tell how a crawl ended; one that never came to its report has failed."""
    report = crawler.get_extension(Report) if crawler.spider is not None else None
    return report.outcome if report is not None and report.outcome is not None else Outcome.FAILED


def crawl(spider: str, arguments: Mapping[str, Any], overrides: Mapping[str, Any]) -> int:
    """Run a spider in this process; return the exit code.

    Raises:
        ArgumentError: see ``check``.
        ArchiveError: see ``check``.
    """
    settings = project_settings(overrides)
    check(spider, arguments, settings)
    quiet(settings)
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    process.crawl(crawler, **arguments)
    process.start()
    return 1 if process.bootstrap_failed else EXIT_CODES[outcome_of(crawler)]
