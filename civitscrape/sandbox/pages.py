"""The site's HTML pages with their ``__NEXT_DATA__`` (contract trpc-and-pages §6): which address is which page."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from civitscrape.sandbox import frames, page_content, page_models
from civitscrape.sandbox.frames import Page, data_of, prefetch
from civitscrape.sandbox.inputs import slug

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.ask import Answer, Ask
    from civitscrape.sandbox.site import Site

Found = re.Match[str]


def answer(site: Site, ask: Ask) -> Answer:
    """Answer a page, or the 404 page."""
    for pattern, page in PAGES:
        found = pattern.fullmatch(ask.path)
        if found is not None:
            return page(site, ask, found)
    return frames.missing()


def user(site: Site, ask: Ask, found: Found) -> Answer:
    """``/user/{username}`` and its tabs: counts, no content (§6.2). An unknown user is a page like any other."""
    asked, tab = found[1], found[2]
    username = slug(asked)
    queries: list[frames.Query] = []
    if site.world.creator(username):
        names = ["userProfile.overview", "userProfile.get", *([] if tab else ["user.getCreator"])]
        queries = [query for name in names for query in prefetch(site, ask, name, {"username": username})]
    profile, counts = data_of(queries, "userProfile.get"), data_of(queries, "userProfile.overview")
    page = Page(
        route=f"/user/[username]/{tab}" if tab else "/user/[username]",
        query={"username": asked},
        title=frames.DEFAULT_TITLE,
        body="<h1>Page not found</h1>",
        queries=queries,
        own={} if tab else {"username": username},
        listed=profile is not None,
    )
    if profile is None:
        return frames.answer(site, ask, page)
    name = profile["username"]
    body = (
        f"<h1>{html.escape(name)}</h1>"
        f"<p>{counts['imageCount']} images, {counts['videoCount']} videos, {counts['postCount']} posts</p>"
    )
    return frames.answer(site, ask, page._replace(title=f"{name} Creator Profile | Civitai", body=body))


PAGES: tuple[tuple[re.Pattern[str], Callable[[Site, Ask, Found], Answer]], ...] = (
    (re.compile(r"/user/([^/]+)(?:/(images|videos|models|posts|articles|collections))?/?"), user),
    (re.compile(r"/images/([^/]+)/?"), page_content.image),
    (re.compile(r"/posts/([^/]+)(?:/[^/]*)?/?"), page_content.post),
    (re.compile(r"/collections/([^/]+)/?"), page_content.collection),
    (re.compile(r"/tag/([^/]+)/?"), page_content.tag),
    (re.compile(r"/models/([^/]+)(?:/([^/]*))?/?"), page_models.model),
    (re.compile(r"/model-versions/([^/]+)/?"), page_models.version),
)
