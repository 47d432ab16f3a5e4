"""The frame of the site's pages: ``__NEXT_DATA__``, prefetched queries, titles, robots (trpc-and-pages §6.1)."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.sandbox import procedures
from civitscrape.sandbox.ask import EVERYTHING, Answer
from civitscrape.sandbox.inputs import ProcedureError
from civitscrape.sandbox.wire import devalue, superjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.site import Site

DEFAULT_TITLE = "Civitai | Share your models"
BUILD = "Hb7sandbox01"
Query = dict[str, Any]


class Page(NamedTuple):
    """What a page is made of."""

    route: str
    """Pattern of its address, such as ``/images/[imageId]``."""
    query: dict[str, Any]
    """What the pattern caught."""
    title: str
    body: str
    """HTML of what is to be seen."""
    queries: list[Query]
    own: dict[str, Any] = {}  # noqa: RUF012 - never changed
    """Properties beside those that all pages have."""
    listed: bool = True
    """Whether search engines may list it."""
    head: str = ""
    """HTML of its other head tags."""


def prefetch(
    site: Site, ask: Ask, name: str, given: dict[str, Any] | None = None, *, kind: str = "query"
) -> list[Query]:
    """Run a procedure while the page is made: one query, or none when it failed (§6.1).

    Its input then shows the level that was put in for callers who may not see all, though its hash does not.
    """
    shown = given
    if given is not None and ask.cap != EVERYTHING:
        shown = given | {"browsingLevel": int(ask.cap)}
    try:
        data = procedures.TABLE[name](site, ask, shown or {})
    except ProcedureError:
        return []
    key: dict[str, Any] = {"type": kind}
    state = {
        "data": {"pages": [data], "pageParams": [None]} if kind == "infinite" else data,
        "dataUpdateCount": 1,
        "dataUpdatedAt": 1786212737947,
        "error": None,
        "status": "success",
        "fetchStatus": "idle",
    }
    parts = name.split(".")
    query = {
        "dehydratedAt": 1786212737960,
        "state": state,
        "queryKey": [parts, key if shown is None else {"input": shown, **key}],
        "queryHash": json.dumps([parts, key if given is None else {"input": given, **key}]),
    }
    return [query | ({"queryType": "infinite"} if kind == "infinite" else {})]


def data_of(queries: Iterable[Query], name: str) -> Any:
    """Return what a prefetched query gave; null when it failed."""
    return next((one["state"]["data"] for one in queries if ".".join(one["queryKey"][0]) == name), None)


def answer(site: Site, ask: Ask, page: Page) -> Answer:
    """Answer with a page."""
    state: Any = {"mutations": [], "queries": page.queries}
    session = None
    if ask.caller is not None:
        user = {"id": ask.caller.user_id, "username": ask.caller.username, "email": ask.caller.email}
        session = {"user": user, "expires": "2026-12-01T00:00:00.000Z"}
    properties = {
        **page.own,
        "adsGated": False,
        "trpcState": devalue(state) if site.writes_devalue() else superjson(state),
        "session": session,
        "colorScheme": "dark",
        "cookies": {},
        "canIndex": page.listed,
        "hasAuthCookie": "Cookie" in ask.headers,
        "domain": ask.colour,
        "host": ask.origin.partition("://")[2],
        "verifiedBot": None,
    }
    data = {
        "props": {"pageProps": properties, "__N_SSP": True},
        "page": page.route,
        "query": page.query,
        "buildId": BUILD,
        "isFallback": False,
        "isExperimentalCompile": False,
        "gssp": True,
        "appGip": True,
        "scriptLoader": [],
    }
    return _html(page.title, page.body, data, head=page.head, index=page.listed)


def missing() -> Answer:
    """Answer with the 404 page."""
    data = {"props": {"pageProps": {}}, "page": "/404", "query": {}, "buildId": BUILD}
    return _html("Page Not Found", "<h1>404</h1>", data, index=False, status=404)


def redirect(status: int, location: str) -> Answer:
    """Send the caller on: 308 for good, 307 for now."""
    return Answer(status, location.encode(), {"Location": location, "Cache-Control": "no-store"})


def _html(
    title: str, body: str, data: dict[str, Any], *, head: str = "", index: bool = True, status: int = 200
) -> Answer:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    for sign, escape in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(sign, escape)
    robots = "" if index else '<meta name="robots" content="noindex,nofollow"/>'
    named = f'<meta name="title" content="{html.escape(title)}"/>'
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charSet="utf-8"/><title>{html.escape(title)}</title>{named}'
        f'{robots}{head}</head><body><div id="__next">{body}</div>'
        f'<script id="__NEXT_DATA__" type="application/json">{text}</script></body></html>'
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "private, no-cache, no-store, max-age=0, must-revalidate",
    }
    return Answer(status, page.encode(), headers)
