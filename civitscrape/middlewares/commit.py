"""One answer, one transaction: what a callback yields is committed; then the next request goes out, then the items."""

from __future__ import annotations

import logging
from functools import partial
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request
from scrapy.utils.asyncio import sleep

from civitscrape.archive import commit as transaction
from civitscrape.exceptions import (
    AnswerError,
    ArchiveError,
    BadArgumentError,
    ChallengeError,
    EchoError,
    EnvelopeError,
    ForbiddenError,
    LoginError,
    NotFoundError,
    RegionError,
)
from civitscrape.extensions.books import Books
from civitscrape.extensions.log import covered, secrets_of
from civitscrape.items import Collection, Creator, Image, Model, ModelFile, ModelVersion, Post
from civitscrape.ledger import Announcement, Media, Walk, WalkState
from civitscrape.middlewares import retry
from civitscrape.middlewares.gate import Gate
from civitscrape.parsers.prompts import words
from civitscrape.spiders.base import retells

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from civitscrape.archive.commit import Standing

logger = logging.getLogger(__name__)

UP_TO_DATE = "uptodate"
"""Scrapy's word for a file that was there before."""

HOPELESS = (BadArgumentError, EchoError, ForbiddenError, LoginError, NotFoundError, RegionError)
"""Answers by which the site has understood the question: the same question gets the same answer."""

SHOWN = frozenset({Image, Model, ModelVersion, ModelFile, Post, Collection, Creator})
"""What the feeds show; most of what an answer gives is links and tags."""

BREATH = 25
"""Entries after which the event loop gets a turn: parsing a page of 200 entries takes tens of milliseconds in all."""


class Commit:
    """Gather, commit, then let go: requests first, since the next page must not wait behind downloads."""

    def __init__(self, crawler: Crawler, books: Books) -> None:
        self._crawler = crawler
        self._gate = Gate(crawler)
        self._books = books
        self._forwarded: set[tuple[str, Any, str | None]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Find the books."""
        return cls(crawler, Books.of(crawler))

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Commit what a spider starts with, one thing after the other."""
        async for one in start:
            async for output in self._let_go(one if isinstance(one, list) else [one]):
                if not isinstance(output, Request):
                    await self._gate.enter()
                yield output

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Commit everything that one answer gave."""
        gathered: list[Any] = []
        entries = 0
        try:
            async for one in result:
                # A list is all that one entry gave: handed on whole, since each step between here and there costs.
                gathered.extend(one if isinstance(one, list) else [one])
                entries += 1
                if entries % BREATH == 0:
                    await sleep(0)
        except AnswerError as error:
            told = [one for one in gathered if isinstance(one, Announcement)]
            gathered = told + await self._after(error, response)
        async for output in self._let_go(gathered):
            yield output

    async def _after(self, error: AnswerError, response: Response) -> list[Any]:
        """Ask again where the answer was broken in passing; else break the walk, and only that."""
        request = response.request
        if request is None:
            raise error
        if isinstance(error, EnvelopeError | ChallengeError):
            repeated = await retry.again(self._crawler, request, str(error))
            if repeated is not None:
                return [repeated]
        walk: Walk = request.cb_kwargs["walk"]
        walk.state, walk.error, walk.hopeless = WalkState.BROKEN, str(error), isinstance(error, HOPELESS)
        self._crawler.stats.inc_value("civitscrape/walks_broken")
        logger.error("%s: %s", walk.target, error)
        return [walk]

    async def _let_go(self, gathered: list[Any]) -> AsyncIterator[Any]:
        """Commit and hand on; then, portion by portion, what comes in its own time."""
        # Asked by type: an answer gives thousands, and to ask an abstract class takes longer than all else here.
        later = [one for one in gathered if isinstance(one, AsyncGeneratorType)]
        if later:
            gathered = [one for one in gathered if not isinstance(one, AsyncGeneratorType)]
        async for output in self._let_go_now(gathered):
            yield output
        for portions in later:
            async for portion in portions:
                async for output in self._let_go(portion):
                    yield output

    async def _let_go_now(self, gathered: list[Any]) -> AsyncIterator[Any]:
        requests, records = self._split(gathered)
        try:
            standings = await self._write(records) if records else {}
        except ArchiveError as error:
            self._books.stop(error)
            return
        for request in requests:
            yield request
        media = {record.entry_id: record for record in records if type(record) is Media}
        for record in [one for one in records if type(one) in SHOWN]:
            identity = _identity(record)
            if identity is not None and identity not in self._forwarded:
                self._forwarded.add(identity)
                image = isinstance(record, Image)
                yield _marked(record, standings[record.id], media.get(record.id)) if image else record

    def _split(self, gathered: list[Any]) -> tuple[list[Request], list[Any]]:
        """Tell requests from records, and announce what an answer announces."""
        requests: list[Request] = []
        records: list[Any] = []
        for one in gathered:
            if isinstance(one, Request):
                requests.append(one)
            elif isinstance(one, Announcement):
                self._cover(one)
                self._books.announce(one)
            else:
                records.append(one)
        for walk in [one for one in records if type(one) is Walk]:
            self._cover(walk)
        return requests, records

    def _cover(self, one: Walk | Announcement) -> None:
        """Take out of a reason what must not be written down."""
        if one.error is not None:
            one.error = covered(one.error, secrets_of(self._crawler))

    async def _write(self, records: list[Any]) -> dict[int, Standing]:
        call = partial(transaction.commit, retells=retells(self._crawler))
        return await self._books.archive.run(call, records, self._books.claims, words)


def _identity(record: Any) -> tuple[str, Any, str | None] | None:
    """Name an item that the feeds shall have, each once for a file of its own; None for what is no item of its own."""
    match record:
        case Image(partial=True):
            return None
        case Image():
            return "Image", record.id, record.rendition
        case Model() | ModelVersion() | ModelFile() | Collection():
            return type(record).__name__, record.id, None
        case Post() if record.published_at is not None:  # one that only an image names is a number, and no more
            return "Post", record.id, None
        case Creator():
            return "Creator", record.username.lower(), None
    return None


def _marked(image: Image, standing: Standing, media: Media | None) -> Image:
    """Mark an image with what the archive knew of it."""
    image.known = standing.known
    image.creator = image.creator or standing.creator
    image.path = standing.path
    image.media_state = standing.media_state or (media.state if media else None)
    image.busy = standing.busy
    image.prompt_tags = standing.prompt_tags
    if standing.media_path is not None:
        image.files = [{"status": UP_TO_DATE, "path": standing.media_path}]
    return image
