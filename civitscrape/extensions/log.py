"""The log file of a run, beside whatever the console shows; key, cookies and signatures are in neither."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals
from scrapy.http import Response
from scrapy.utils.log import get_scrapy_root_handler

from civitscrape.civitai import answers, roles
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books
from civitscrape.middlewares.auth import Auth

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scrapy.crawler import Crawler

MASK = "[key]"


def covered(text: str, secrets: Collection[str]) -> str:
    """Cover secrets in a text: a server may echo what it was sent.

    >>> covered("bad header: Bearer abc", {"abc"})
    'bad header: Bearer [key]'
    """
    for secret in sorted(secrets, key=len, reverse=True):  # one may be the beginning of another
        text = text.replace(secret, MASK)
    return text


def secrets_of(crawler: Crawler) -> Collection[str]:
    """Tell what of a crawl must never be written down; with cookies that is more after they were renewed."""
    auth = crawler.get_downloader_middleware(Auth) if crawler.engine is not None else None
    if auth is not None:
        return auth.secrets
    key = crawler.settings["CIVITAI_API_KEY"]
    return {key} if key else set()


def unsigned(value: Any) -> Any:
    """Word a request or an answer as Scrapy does, without the query that may be a signature; leave all else alone.

    >>> unsigned(Request("https://s3.example/a.png?sig=1", meta={"download_slot": "media s3.example"}))
    '<GET https://s3.example/a.png>'
    """
    if isinstance(value, Request):
        return f"<{value.method} {roles.shown(value)}>"
    if isinstance(value, Response):
        return f"<{value.status} {answers.asked(value)}>"
    return value


class Masked(logging.Formatter):
    """Writes a record as another formatter does, without signatures; covers what is secret, tracebacks included."""

    def __init__(self, formatter: logging.Formatter, secrets: Callable[[], Collection[str]]) -> None:
        super().__init__()
        self._formatter = formatter
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Cover the secrets wherever they stand."""
        if record.args:
            args = record.args
            record = copy(record)
            record.args = (
                {name: unsigned(value) for name, value in args.items()}
                if isinstance(args, Mapping)
                else tuple(unsigned(value) for value in args)
            )
        return covered(self._formatter.format(record), self._secrets())


def mask(handler: logging.Handler, secrets: Callable[[], Collection[str]]) -> None:
    """Cover secrets in everything that a handler writes; ``secrets`` is asked each time, since they are renewed."""
    handler.setFormatter(Masked(handler.formatter or logging.Formatter(), secrets))


class LogFile(logging.FileHandler):
    """A log file that a full disk ends in one line; the base class would print a traceback for every record."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 (the base class's signature)
        """Say once that no more can be written, and write no more."""
        if self.level <= logging.CRITICAL:
            self.setLevel(logging.CRITICAL + 1)
            sys.stderr.write(f"{self.baseFilename} cannot be written any more: {sys.exc_info()[1]}\n")

    def close(self) -> None:
        """Close the file, even where its last lines find no room."""
        with suppress(OSError):
            super().close()


class RunLog:
    """Writes ``logs/{run}.log`` in the output folder while a crawl runs."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._handler: LogFile | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the crawl to begin."""
        log = cls(crawler)
        crawler.signals.connect(log.open, signal=signals.spider_opened)
        crawler.signals.connect(log.close, signal=signals.engine_stopped)
        return log

    def open(self) -> None:
        """Begin to write."""
        settings, books = self._crawler.settings, Books.of(self._crawler)
        folder = books.folder / "logs"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._handler = LogFile(folder / f"{books.run.id}.log", encoding="utf-8")
        except OSError as error:
            reason = f"the log in {str(folder)!r} cannot be written: {error.strerror or error}"
            raise books.halt(ArchiveError(reason)) from error
        self._handler.setLevel(settings["LOG_LEVEL"])
        self._handler.setFormatter(logging.Formatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"]))
        for handler in filter(None, (self._handler, get_scrapy_root_handler())):
            mask(handler, partial(secrets_of, self._crawler))
        logging.root.addHandler(self._handler)

    def close(self) -> None:
        """Write no more."""
        if self._handler is not None:
            logging.root.removeHandler(self._handler)
            self._handler.close()
            self._handler = None
