"""What opens the answers of the site: pages of listings, single objects, and errors with a way out (rest.md §12c)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from scrapy.http import Response

from civitscrape.civitai import refusals, roles
from civitscrape.exceptions import AnswerError, ChallengeError, EnvelopeError, LoginError, NotFoundError, PaidError
from civitscrape.json_text import from_json

if TYPE_CHECKING:
    from scrapy import Request

NO_ANSWER = 599
"""Status of the stand-in for an answer that never came; its body is the reason in one sentence."""

LONGEST_ADDRESS = 200
"""Characters of an address with an input that an error repeats."""

API, DOWNLOAD, TRPC = "/api/", "/api/download/", "/api/trpc/"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing."""

    entries: list[Any]
    """Entries as they came; each should be a mapping, which its parser checks."""
    next_cursor: str | None
    """Where to go on, opaque; None at the end."""


class Part(Response):
    """One answer of several that came together, with its JSON opened already."""

    def __init__(self, *args: Any, content: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.content = content


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


def open_thing(response: Response) -> dict[str, Any]:
    """Open the answer about a single thing.

    Raises:
        NotFoundError: the site has no such thing.
        AnswerError: the site refused, or the answer is not an object.
    """
    if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
        raise refusal(response)
    content = open_json(response)
    if not isinstance(content, dict):
        raise EnvelopeError(f"{response.url} gave {shown(content)}; an object was expected")
    return content


def open_json(response: Response) -> Any:
    """Read the JSON of an answer; raw control bytes inside texts are taken as they are (the API emits them).

    Raises:
        ChallengeError: it is HTML.
        EnvelopeError: it is not JSON.
    """
    if isinstance(response, Part):
        return response.content
    if is_html(response):
        raise ChallengeError(f"{asked(response)} gave HTML (status {response.status}) where JSON was asked for")
    try:
        return from_json(response.body)
    except (ValueError, RecursionError) as error:
        size = len(response.body)
        raise EnvelopeError(f"{asked(response)} gave {size} bytes that are not JSON: {error}") from error


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
    """Turn an answer that is no success into an error with the site's own words and a way out (rest.md §9, §12c)."""
    place = asked(response)
    if response.status == NO_ANSWER:
        return AnswerError(f"{place}: {response.body.decode(errors='replace').replace(response.url, place)}")
    if response.request is not None and roles.role_of(response.request) is roles.Role.STORAGE:
        # Its words are not repeated: a storage that refuses a signature tells how it was made.
        return AnswerError(
            f"{place} answered {response.status}, which is the storage's answer, not the site's; "
            "the same command asks the site for a new address"
        )
    turned = turned_away(response)
    if turned is not None:
        return turned
    if 300 <= response.status < 400:  # noqa: PLR2004 (HTTP's redirects); its body may be a signed address
        return AnswerError(f"{place} answered {response.status}, and leads nowhere that was followed")
    if is_html(response) and not _is_bare(response):
        if response.status == 404 and "/api/" not in response.url and not is_challenge(response):  # noqa: PLR2004 (Not Found)
            return NotFoundError(f"{place} answered 404: the site has no such page")
        return ChallengeError(f"{place} answered {response.status} with a page; the edge may ask for a browser")
    try:
        return refusals.understand(place, response.status, from_json(response.body))
    except (ValueError, RecursionError):
        text = response.body[: 4 * refusals.LONGEST_WORDS].decode(errors="replace")
        return refusals.understand(place, response.status, text)


def asked(response: Response) -> str:
    """Name what was asked for, in an error: the address, with a readable input where there is one.

    Only the API's addresses keep their query; that of a file may be a signature.

    >>> asked(Response("https://civitai.com/api/trpc/image.get?input=%7B%22json%22%3A%7B%22id%22%3A5%7D%7D"))
    'https://civitai.com/api/trpc/image.get?input={"json":{"id":5}}'
    """
    request = response.request
    url = roles.brief(response.url) if request is None or request.url != response.url else roles.shown(request)
    parts = urlsplit(url)
    if API not in parts.path:
        return parts._replace(query="", fragment="").geturl()
    if TRPC in url:
        url = " ".join(unquote(url).split())
        return url if len(url) <= LONGEST_ADDRESS else f"{url[:LONGEST_ADDRESS]}…"
    return url


def turned_away(response: Response) -> AnswerError | None:
    """Tell what a redirect of a download to a page of the site means; only browsers get one (rest.md §9)."""
    target = urljoin(response.url, (response.headers.get("Location") or b"").decode("latin-1"))
    parts = urlsplit(target)
    if parts.path == "/login" and "download-auth" in parts.query:
        return LoginError(f"{asked(response)} answered {response.status}: a login is asked for; {refusals.LOG_IN}")
    if DOWNLOAD in response.url and parts.path.startswith("/model-versions/"):
        return PaidError(f"{asked(response)} answered {response.status}: the file is not free; {refusals.BUY}")
    return None


def _is_bare(response: Response) -> bool:
    """Tell whether what calls itself a page is a mere sentence, as browsers get from a download (rest.md §9)."""
    return DOWNLOAD in response.url and not response.body.lstrip().startswith(b"<")
