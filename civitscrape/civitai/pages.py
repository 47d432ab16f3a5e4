"""The HTML pages of the site: ``__NEXT_DATA__`` and the queries inside it (contract trpc-and-pages.md §6)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scrapy import Request

from civitscrape.civitai.encoding import decode
from civitscrape.civitai.levels import ALL
from civitscrape.civitai.roles import Role, stamp
from civitscrape.exceptions import ChallengeError, EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Callable

# Next writes ``<`` inside the script as an escape, so the first closing tag is the script's own.
_NEXT_DATA = re.compile(r"""<script\b[^>]*\bid=["']?__NEXT_DATA__\b[^>]*>(.*?)</script>""", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>", re.IGNORECASE)
# Ordinary pages may carry the edge's own script too, so these are looked for only where ``__NEXT_DATA__`` is missing.
_CHALLENGE = re.compile(
    r"cf-chl|cf_chl_|cf-browser-verification|cf-error-details|/cdn-cgi/challenge-platform/h/"
    r"|<title[^>]*>\s*(?:just a moment|attention required!|one moment, please|checking your browser)",
    re.IGNORECASE,
)
_PERSONAL = ("session", "cookies", "settings", "userFeatureFlags", "following", "announcementsDismissed", "region")
"""Page properties about the person who is logged in; never kept (trpc-and-pages §6.1)."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query that the server answered while it made the page."""

    procedure: str
    """Router and procedure, such as ``image.get``."""
    input: dict[str, Any]
    """What was asked; for capped callers with the injected ``browsingLevel``."""
    data: Any
    """The answer; of an infinite query ``{pages, pageParams}``."""


@dataclass(frozen=True, slots=True)
class Queries:
    """The answered queries of a page; a failed one is simply missing."""

    found: tuple[Query, ...]

    def first(self, procedure: str) -> Query | None:
        """Return the first query of a procedure, such as ``image.get``, or None."""
        return next(iter(self.every(procedure)), None)

    def every(self, procedure: str) -> list[Query]:
        """Return all queries of a procedure; some pages ask the same one twice with other inputs."""
        return [query for query in self.found if query.procedure == procedure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the profile page of a creator says."""

    username: str
    """Name as the site writes it; as the address writes it when there is no such user."""
    exists: bool
    """Whether the site knows the user at all."""
    user: dict[str, Any] | None
    """The user as the queries gave it."""
    counts: dict[str, int] | None
    """Announced counts under the site's names, such as ``imageCount``; None when the page has none."""
    counts_level: int
    """Mask of the rating bits that the counts cover: 1 anonymous, 3 logged in on the green host, 31 otherwise."""


def user(base: str, username: str, *, callback: Callable[..., Any], cb_kwargs: dict[str, Any]) -> Request:
    """Ask for the profile page of a creator; ``callback`` gets the answer, whatever its status."""
    return page(base, f"user/{quoted(username)}", callback=callback, cb_kwargs=cb_kwargs)


def page(base: str, path: str, **how: Any) -> Request:
    """Ask for a page by its path, which is already percent-encoded."""
    url = f"{base}/{path}"
    return Request(url, headers={"Accept": "text/html"}, meta=stamp(Role.PAGE, url), dont_filter=True, **how)


def quoted(name: str) -> str:
    """Percent-encode a name for one segment of a path.

    >>> quoted("base model"), quoted("a/b")
    ('base%20model', 'a%2Fb')
    """
    return quote(name, safe="")


def next_data(html: str) -> dict[str, Any]:
    """Return the ``__NEXT_DATA__`` of a page, without what it says about the person who is logged in.

    Raises:
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: there is no ``__NEXT_DATA__``, or it is broken.
    """
    script = _NEXT_DATA.search(html)
    if script is None:
        title = _TITLE.search(html)
        seen = f"{len(html)} characters, title {shown(unescape(title[1]).strip() if title else None)}"
        if _CHALLENGE.search(html):
            raise ChallengeError(f"the edge answered instead of the site ({seen}); wait, or use cookies of a browser")
        raise EnvelopeError(f"page without __NEXT_DATA__ ({seen})")
    try:
        data = json.loads(script[1], strict=False)
    except (ValueError, RecursionError) as error:
        raise EnvelopeError(f"__NEXT_DATA__ is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise EnvelopeError(f"__NEXT_DATA__ is {shown(data)}: an object was expected")
    properties = _page_properties(data)
    for name in _PERSONAL:
        properties.pop(name, None)
    return data


def queries(data: Mapping[str, Any]) -> Queries:
    """Find the answered tRPC queries in ``__NEXT_DATA__``, whichever encoding the server pool wrote.

    Raises:
        EnvelopeError: the page has no ``trpcState``, or its shape is broken.
    """
    properties = _page_properties(data)
    if "trpcState" not in properties:
        raise EnvelopeError(f"page {data.get('page')!r} has no trpcState")
    state = decode(properties["trpcState"])
    entries = state.get("queries") if isinstance(state, Mapping) else None
    if not isinstance(entries, list):
        raise EnvelopeError(f"trpcState is {shown(state)}: an object with a list of queries was expected")
    return Queries(tuple(query for entry in entries if (query := _query(entry)) is not None))


def open_profile(html: str) -> Profile:
    """Read the profile page of a creator (trpc-and-pages §4.5, §6.2).

    Raises:
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: the page is broken or speaks of nobody.
    """
    data = next_data(html)
    found = queries(data)
    creator, profile, overview = map(found.first, ("user.getCreator", "userProfile.get", "userProfile.overview"))
    user = _user(creator, profile)
    # The overview's level is the one that counts; the others tell it where that query failed.
    asked = next((query for query in (overview, profile, creator) if query is not None), None)
    return Profile(
        username=_username(user, data),
        exists=asked is not None,
        user=user,
        counts=None if overview is None else _counts(overview),
        counts_level=int(ALL) if asked is None else _level(asked),
    )


def _page_properties(data: Mapping[str, Any]) -> dict[str, Any]:
    props = data.get("props")
    properties = props.get("pageProps") if isinstance(props, Mapping) else None
    if not isinstance(properties, dict):
        raise EnvelopeError(f"__NEXT_DATA__ of page {data.get('page')!r} has no props.pageProps")
    return properties


def _query(entry: Any) -> Query | None:
    """Read a dehydrated query; None for one that is not tRPC's or has not succeeded."""
    match entry:
        case {"queryKey": [[str() as router, str() as procedure], *rest], "state": {"data": answer, **state}}:
            about = rest[0] if rest and isinstance(rest[0], Mapping) else {}
            asked = about.get("input")
            if state.get("status", "success") != "success":
                return None
            return Query(f"{router}.{procedure}", asked if isinstance(asked, dict) else {}, answer)
    return None


def _user(creator: Query | None, profile: Query | None) -> dict[str, Any] | None:
    """Join what the two queries say; the profile wins, but its nulls do not."""
    user: dict[str, Any] = {}
    for query in (creator, profile):
        if query is None or query.data is None:
            continue
        if not isinstance(query.data, dict):
            raise EnvelopeError(f"{query.procedure} is {shown(query.data)}: an object was expected")
        user |= {name: value for name, value in query.data.items() if value is not None or name not in user}
    return user or None


def _username(user: dict[str, Any] | None, data: Mapping[str, Any]) -> str:
    asked = data.get("query")
    names = (
        (user or {}).get("username"),
        asked.get("username") if isinstance(asked, Mapping) else None,
        _page_properties(data).get("username"),
    )
    for name in names:
        # All-digit names may arrive as a bare number.
        if isinstance(name, str | int) and not isinstance(name, bool) and name != "":
            return str(name)
    raise EnvelopeError(f"page {data.get('page')!r} names no user")


def _counts(overview: Query) -> dict[str, int] | None:
    if overview.data is None:
        return None
    if not isinstance(overview.data, dict):
        raise EnvelopeError(f"{overview.procedure} is {shown(overview.data)}: an object was expected")
    counts: dict[str, int] = {}
    for name, value in overview.data.items():
        if not name.endswith("Count") or value is None:
            continue
        if type(value) is not int:
            raise EnvelopeError(f"{overview.procedure}: {name} is {shown(value)}: an integer was expected")
        counts[name] = value
    return counts


def _level(query: Query) -> int:
    """Return the level that the server injected for a capped caller, or all levels."""
    level = query.input.get("browsingLevel")
    if level is None:
        return int(ALL)
    if type(level) is not int:
        raise EnvelopeError(f"{query.procedure}: browsingLevel is {shown(level)}: an integer was expected")
    return level
