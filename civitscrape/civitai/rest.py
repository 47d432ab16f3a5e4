"""The public REST API: one builder an endpoint, and what opens a page of a listing (contract rest.md §5-§9)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response
from w3lib.url import add_or_replace_parameter

from civitscrape.civitai.roles import Role, stamp
from civitscrape.exceptions import AnswerError, ChallengeError, EnvelopeError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE_SIZE = 200
"""Most entries that ``/images`` gives in one answer (rest.md §7.1)."""

NO_ANSWER = 599
"""Status of the stand-in for an answer that never came; its body is the reason in one sentence."""

OTHER_PAGE_SIZE = 199
"""Makes another address of the same question: the edge keeps answers by address for five minutes (rest.md §2.3)."""

MARK = "_"
"""Parameter that the site strips and the edge takes for a part of the address (rest.md §2.3, §7.1)."""

LONGEST_WORDS = 300
"""Characters of the site's own words that an error repeats."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing."""

    entries: list[Any]
    """Entries as they came; each should be a mapping, which its parser checks."""
    next_cursor: str | None
    """Where to go on, opaque; None at the end."""


def images(
    base: str,
    *,
    username: str,
    level: int,
    sort: str,
    media_type: str | None = None,
    cursor: str | None = None,
    limit: int = PAGE_SIZE,
    mark: str | None = None,
    callback: Callable[..., Any],
    cb_kwargs: dict[str, Any],
) -> Request:
    """Ask for a page of a creator's images with generation data and tags (rest.md §7).

    Args:
        base: address of the site, ``https://civitai.com``.
        username: whose images; letters, digits and ``_`` only.
        level: mask of rating bits.
        sort: ``Oldest`` or ``Newest``.
        media_type: ``image`` or ``video``; both when None.
        cursor: cursor of the page before; None for the first page.
        limit: entries asked for, 1 to 200.
        mark: text that no address had before, where an answer kept by the edge is of no use.
        callback: called with the answer, whatever its status; 599 stands for no answer at all.
        cb_kwargs: arguments for the callback.
    """
    query: dict[str, Any] = {
        "username": username,
        "limit": limit,
        "sort": sort,
        "period": "AllTime",
        "browsingLevel": int(level),
        "withMeta": "true",
        "flatMeta": "true",
        "withTags": "true",
    }
    if media_type is not None:
        query["type"] = media_type
    if cursor is not None:
        query["cursor"] = cursor
    if mark is not None:
        query[MARK] = mark
    url = f"{base}/api/v1/images?{urlencode(query)}"
    headers = {"Accept": "application/json"}
    return Request(
        url,
        callback=callback,
        cb_kwargs=cb_kwargs,
        headers=headers,
        meta=stamp(Role.API, url),
        dont_filter=True,
    )


def other_address(url: str, mark: str) -> str:
    """Ask the same question under another address: the edge keeps bad answers too, for five minutes (rest.md §2.3).

    >>> other_address("https://civitai.com/api/v1/images?limit=200&cursor=200%7C17", "a1")
    'https://civitai.com/api/v1/images?limit=199&cursor=200%7C17&_=a1'
    """
    smaller = re.sub(r"(?<=[?&]limit=)\d+", lambda limit: str(max(1, int(limit[0]) - 1)), url)
    return add_or_replace_parameter(smaller, MARK, mark)


def no_answer(request: Request, reason: str) -> Response:
    """Stand in for an answer that never came, so that the callback hears of it."""
    return Response(request.url, status=NO_ANSWER, body=reason.encode(), request=request)


def time_of(response: Response) -> str | None:
    """Tell by the site's own clock when an answer was made, UTC ISO 8601; None when it does not say."""
    try:
        moment = parsedate_to_datetime((response.headers.get("Date") or b"").decode("latin-1"))
    except ValueError:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def open_listing(response: Response) -> Page:
    """Open a page of a listing.

    Raises:
        AnswerError: the site refused, or the answer is not such a page; the subclass and the sentence say why.
    """
    if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
        raise refusal(response)
    content = open_json(response)
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        raise EnvelopeError(f"{response.url} gave JSON without a list called items; the site may have changed")
    metadata = content.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise EnvelopeError(f"{response.url} gave metadata {shown(metadata)}; an object was expected")
    cursor = metadata.get("nextCursor")
    if cursor is not None and (isinstance(cursor, bool) or not isinstance(cursor, str | int)):
        raise EnvelopeError(f"{response.url} gave metadata.nextCursor {shown(cursor)}; text or a number was expected")
    return Page(entries=content["items"], next_cursor=None if cursor is None else str(cursor))


def open_json(response: Response) -> Any:
    """Read the JSON of an answer; raw control bytes inside texts are taken as they are (the API emits them).

    Raises:
        ChallengeError: it is HTML.
        EnvelopeError: it is not JSON.
    """
    if is_html(response):
        raise ChallengeError(f"{response.url} gave HTML (status {response.status}) where JSON was asked for")
    try:
        return json.loads(response.body, strict=False)
    except (ValueError, RecursionError) as error:
        size = len(response.body)
        raise EnvelopeError(f"{response.url} gave {size} bytes that are not JSON: {error}") from error


def is_html(response: Response) -> bool:
    """Tell whether an answer is a page, by its type or its first byte."""
    content_type = response.headers.get("Content-Type") or b""
    return b"html" in content_type.lower() or response.body[:64].lstrip().startswith(b"<")


def is_challenge(response: Response) -> bool:
    """Tell whether a page is the edge's question to a browser, or its excuse, and not the site's answer."""
    if response.headers.get("cf-mitigated") == b"challenge":
        return True
    marks = (b"challenge-platform", b"cf-chl", b"Just a moment")
    return b"__NEXT_DATA__" not in response.body and any(mark in response.body for mark in marks)


def refusal(response: Response) -> AnswerError:
    """Turn an answer that is no success into an error with the site's own words (rest.md §12c)."""
    if response.status == NO_ANSWER:
        return AnswerError(f"{response.url}: {response.body.decode(errors='replace')}")
    if is_html(response):
        return ChallengeError(f"{response.url} answered {response.status} with a page; the edge may ask for a browser")
    try:
        words = _words(json.loads(response.body, strict=False))
    except (ValueError, RecursionError):
        words = " ".join(response.body[:LONGEST_WORDS].decode(errors="replace").split())
    kind = NotFoundError if response.status == 404 else AnswerError  # noqa: PLR2004 (HTTP's Not Found)
    return kind(f"{response.url} answered {response.status}: {words[:LONGEST_WORDS] or 'no words'}")


def _words(body: Any) -> str:
    """Find the sentence in any of the error bodies."""
    if isinstance(body, list):
        return "; ".join(_words(one) for one in body)
    if isinstance(body, dict):
        return "; ".join(_words(body[key]) for key in ("error", "message") if body.get(key))
    return " ".join(str(body).split())
