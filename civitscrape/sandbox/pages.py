"""The site's HTML pages with their ``__NEXT_DATA__`` (contract trpc-and-pages §6)."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import profiles
from civitscrape.sandbox.ask import EVERYTHING, Answer
from civitscrape.sandbox.wire import devalue, superjson

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.building import Creator
    from civitscrape.sandbox.site import Site

DEFAULT_TITLE = "Civitai | Share your models"
USER_PATH = re.compile(r"/user/([^/]+)(?:/(images|videos|models|posts|articles|collections))?/?")
BUILD = "Hb7sandbox01"


def answer(site: Site, ask: Ask) -> Answer:
    """Answer a page: a profile, or the 404 page."""
    found = USER_PATH.fullmatch(ask.path)
    if found is None:
        data = {"props": {"pageProps": {}}, "page": "/404", "query": {}, "buildId": BUILD}
        return _html("Page Not Found", "<h1>404</h1>", data, index=False, status=404)
    return _profile(site, ask, found[1], found[2])


def slug(username: str) -> str:
    """Normalise a username as page routes do: first space to ``_``, other characters dropped, lower case.

    >>> slug("Lamp Wright!")
    'lamp_wright'
    """
    return re.sub(r"[^A-Za-z0-9_]", "", username.replace(" ", "_", 1)).lower()


def _profile(site: Site, ask: Ask, asked: str, tab: str | None) -> Answer:
    """Answer ``/user/{username}`` and its tabs: counts, no content (§6.2). An unknown user is a page like any other."""
    username = slug(asked)
    creator = site.world.creator(username)
    queries = _queries(ask, creator, username, tab)
    state: Any = {"mutations": [], "queries": queries}
    state = devalue(state) if site.writes_devalue() else superjson(state)
    own = {} if tab else {"username": username}
    session = None
    if ask.caller is not None:
        user = {"id": ask.caller.user_id, "username": ask.caller.username, "email": ask.caller.email}
        session = {"user": user, "expires": "2026-12-01T00:00:00.000Z"}
    properties = {
        **own,
        "adsGated": False,
        "trpcState": state,
        "session": session,
        "colorScheme": "dark",
        "cookies": {},
        "canIndex": creator is not None,
        "hasAuthCookie": "Cookie" in ask.headers,
        "domain": ask.colour,
        "host": ask.origin.partition("://")[2],
        "verifiedBot": None,
    }
    route = f"/user/[username]/{tab}" if tab else "/user/[username]"
    data = {
        "props": {"pageProps": properties, "__N_SSP": True},
        "page": route,
        "query": {"username": asked},
        "buildId": BUILD,
        "isFallback": False,
        "isExperimentalCompile": False,
        "gssp": True,
        "appGip": True,
        "scriptLoader": [],
    }
    if creator is None:
        return _html(DEFAULT_TITLE, "<h1>Page not found</h1>", data, index=False)
    counts = profiles.overview(creator, ask.cap)
    body = (
        f"<h1>{html.escape(creator.username)}</h1>"
        f"<p>{counts['imageCount']} images, {counts['videoCount']} videos, {counts['postCount']} posts</p>"
    )
    return _html(f"{creator.username} Creator Profile | Civitai", body, data)


def _queries(ask: Ask, creator: Creator | None, username: str, tab: str | None) -> list[dict[str, Any]]:
    """Prefetch what the page needs; only what succeeded is dehydrated, in no order to rely on."""
    if creator is None:
        return []
    given: dict[str, Any] = {"username": username}
    if ask.cap != EVERYTHING:
        given["browsingLevel"] = int(ask.cap)
    queries = [
        _query("userProfile", "overview", given, profiles.overview(creator, ask.cap)),
        _query("userProfile", "get", given, profiles.profile(creator)),
    ]
    return queries if tab else [*queries, _query("user", "getCreator", given, profiles.get_creator(creator))]


def _query(router: str, procedure: str, given: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return {
        "dehydratedAt": 1786212737960,
        "state": {
            "data": data,
            "dataUpdateCount": 1,
            "dataUpdatedAt": 1786212737947,
            "error": None,
            "status": "success",
            "fetchStatus": "idle",
        },
        "queryKey": [[router, procedure], {"input": given, "type": "query"}],
        # The hash does not show the level that was put in (§6.1).
        "queryHash": json.dumps([[router, procedure], {"input": {"username": given["username"]}, "type": "query"}]),
    }


def _html(title: str, body: str, data: dict[str, Any], *, index: bool = True, status: int = 200) -> Answer:
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
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charSet="utf-8"/><title>{html.escape(title)}</title>{robots}'
        f'</head><body><div id="__next">{body}</div>'
        f'<script id="__NEXT_DATA__" type="application/json">{text}</script></body></html>'
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "private, no-cache, no-store, max-age=0, must-revalidate",
    }
    return Answer(status, page.encode(), headers)
