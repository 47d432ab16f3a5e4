"""What failed for a passing reason is asked again, slower; what failed for good becomes an answer that says so."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Self

from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest, ResponseDataLossError
from scrapy.utils.asyncio import sleep
from scrapy.utils.misc import load_object

from civitscrape.civitai import answers, rest
from civitscrape.civitai.roles import Role, role_of, shown, stamp
from civitscrape.downloads.downloader import STOPPED
from civitscrape.downloads.response import INSTEAD, FileResponse
from civitscrape.exceptions import ArchiveError, LockedError, NoRoomError
from civitscrape.extensions.books import Books

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

SILENT = logging.getLogger(f"{__name__}.silent")
"""For Scrapy's own words, which hold whole addresses, signatures included; ours are below."""
SILENT.setLevel(logging.CRITICAL)

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 531)})
"""Statuses that may be gone the next time (trpc-and-pages §3; 52x are the edge's own)."""

UNSIGNED = frozenset({401, 403})
"""Statuses by which a storage says that an address is signed no more."""

MOST_RENEWALS = 2
"""New addresses in a row that bring nothing; then the storage refuses for another reason."""

REDIRECTED = frozenset({"redirect_urls", "redirect_reasons", "redirect_times", "redirect_ttl", "download_slot"})
"""Keys of the meta of a request that was sent on."""

PROGRESS = 1024 * 1024
"""Bytes by which a broken download must have grown to have all its repetitions again."""

LONGEST_BACKOFF = 60.0
"""Seconds; a site that is down for longer is better asked by a later run."""


def backoff(attempt: int, base: float) -> float:
    """Tell how long to wait before repetition ``attempt``, from 1: doubled each time, half of it by chance."""
    longest = min(LONGEST_BACKOFF, base * float(2 ** (attempt - 1)))
    share: float = random.uniform(0.5, 1.0)
    return longest * share


def complaint(request: Request, response: Response) -> str | None:
    """Say what is wrong with an answer that is worth asking for again; None for all others."""
    role = role_of(request)
    if is_quota(request, response):
        return None
    if response.status in PASSING:
        return f"status {response.status}"
    if role is Role.API and answers.is_html(response) and response.status != 404:  # noqa: PLR2004 (HTTP's Not Found)
        return "a page where JSON was asked for"
    if INSTEAD in response.flags:
        return "a page where the rest of a file was asked for"
    if role is Role.PAGE and answers.is_challenge(response):
        return "a challenge of the edge"
    return None


def is_quota(request: Request, response: Response) -> bool:
    """Tell whether the day's downloads of model files are used up, which no patience of ours mends (rest.md §9)."""
    too_many = response.status == 429  # noqa: PLR2004 (HTTP's Too Many Requests)
    return (
        too_many
        and "download_to" in request.meta
        and "Retry-After" not in response.headers
        and (role_of(request) is Role.API)
    )


def renewal(request: Request, response: Response) -> Request | None:
    """Ask the site for a new address of a file whose old one the storage takes no more: signatures expire (rest.md §9).

    None for all other answers, and when two new addresses in a row were not taken either.
    """
    refused = role_of(request) is Role.STORAGE and response.status in UNSIGNED
    if not refused or not request.meta.get("redirect_urls") or request.meta.get("renewals", 0) >= MOST_RENEWALS:
        return None
    url = request.meta["redirect_urls"][0]
    meta = {name: value for name, value in request.meta.items() if name not in REDIRECTED}
    meta |= {**stamp(Role.API, url), "renewals": request.meta.get("renewals", 0) + 1}
    return request.replace(url=url, meta=meta, dont_filter=True)


def note_progress(request: Request) -> None:
    """Count the repetitions of a broken download afresh when something came of it: a checkpoint may take many."""
    kept, before = request.meta.get("download_kept", 0), request.meta.get("kept_before", 0)
    if kept >= before + PROGRESS:
        request.meta.update(kept_before=kept, retry_times=0, renewals=0)


def said(request: Request, exception: Exception) -> str:
    """Say why there is no answer; the address is left to whoever tells of it.

    What we say ourselves needs no name of an error: that we give up, or that a body is not the file.
    """
    name, place = type(exception).__name__, f"{request.url}: "
    words = str(exception) or name
    ours = isinstance(exception, IgnoreRequest) or (
        isinstance(exception, ResponseDataLossError) and words.startswith(place)
    )
    return words.removeprefix(place) if ours else f"{name}: {words.removeprefix(place)}"


async def again(crawler: Crawler, request: Request, reason: str) -> Request | None:
    """Wait, then make the request that asks once more; None when it was asked often enough.

    An API request goes under another address, since the edge would give the same bad answer again.
    """
    if crawler.spider is None:
        return None
    reason = reason.replace(request.url, shown(request))
    repeated = get_retry_request(request, spider=crawler.spider, reason=reason, logger=SILENT)
    if repeated is None:
        logger.info("%s: %s; given up", shown(request), reason)
        return None
    attempt = repeated.meta["retry_times"]
    logger.info("%s: %s; asking again (%d)", shown(request), reason, attempt)
    await sleep(backoff(attempt, crawler.settings.getfloat("RETRY_BACKOFF")))
    if role_of(request) is Role.API:
        return repeated.replace(url=rest.other_address(repeated.url, f"{time.time_ns():x}"))
    return repeated


class Retry:
    """Repeat what failed for a passing reason."""

    def __init__(self, crawler: Crawler, exceptions: tuple[type[Exception], ...]) -> None:
        self._crawler = crawler
        self._exceptions = exceptions

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read which exceptions pass."""
        return cls(crawler, tuple(load_object(one) for one in crawler.settings.getlist("RETRY_EXCEPTIONS")))

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Repeat a request whose answer is bad for a passing reason."""
        if isinstance(response, FileResponse):
            return response
        renewed = renewal(request, response)
        if renewed is not None:
            logger.info("%s answered %d; the site is asked for a new address", shown(request), response.status)
            self._crawler.stats.inc_value("civitscrape/renewed")
            return renewed
        reason = complaint(request, response)
        if reason is None:
            return response
        return await again(self._crawler, request, reason) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Repeat a request that got no answer."""
        if role_of(request) is None or not isinstance(exception, self._exceptions):
            return None
        note_progress(request)
        return await again(self._crawler, request, said(request, exception))


class GiveUp:
    """Turn a request without an answer into an answer with status 599 and the reason; its callback deals with it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Keep the crawler for its counters."""
        return cls(crawler)

    def process_exception(self, request: Request, exception: Exception) -> Response:
        """Write down why there is no answer; a disk that takes no file ends the crawl, and the file stays wanted."""
        if isinstance(exception, ArchiveError) and not isinstance(exception, NoRoomError | LockedError):
            Books.of(self._crawler).stop(exception)
            return answers.no_answer(request, STOPPED)
        reason = said(request, exception)
        if role_of(request) is None:  # robots.txt: Scrapy would log a traceback, and go on as it does with this answer
            logger.warning("%s: %s", request.url, reason)
        self._crawler.stats.inc_value("civitscrape/given_up")
        return answers.no_answer(request, reason.replace(request.url, shown(request)))
