"""``/api/v1/creators`` and ``/api/v1/me``: who publishes models, and who is asking (contract rest.md §8.1, §8.4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import quote

from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.model_query import bounded
from civitscrape.sandbox.rest import next_page
from civitscrape.sandbox.wrappers import authed, public

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.building import Creator
    from civitscrape.sandbox.site import Site
    from civitscrape.sandbox.zod import Issue

DEFAULT_LIMIT, MOST_PER_PAGE = 20, 200
KEY_ID = 881_200
"""Number of the caller's API key."""


@public
def creators(site: Site, ask: Ask) -> Answer:
    """``/api/v1/creators``: everybody who has a model of any status, in no order that means anything."""
    issues: list[Issue] = []
    limit = bounded(ask, "limit", issues, least=1, most=MOST_PER_PAGE)
    page = bounded(ask, "page", issues, least=0)
    if issues:
        return json_answer(ask, compact(issues), status=400)
    size, at = DEFAULT_LIMIT if limit is None else limit, page or 1
    asked = ask.query.get("query", "")
    world = site.world
    found = [
        one
        for one in (*world.founders.values(), *world.creators.values())
        if one.models and not one.vanished and asked.lower() in one.username.lower()
    ]
    found.sort(key=lambda one: one.user_id * 7919 % 10_007)
    shown, pages = found[(at - 1) * size : at * size], math.ceil(len(found) / size)
    metadata: dict[str, object] = {"totalItems": len(found), "currentPage": at, "pageSize": size, "totalPages": pages}
    if asked:
        metadata["hasMore"] = at < pages
    if at < pages:
        metadata["nextPage"] = next_page(ask, "page", str(at + 1))
    if at > 1:
        metadata["prevPage"] = next_page(ask, "page", str(at - 1))
    return json_answer(ask, compact({"items": [_item(ask, one) for one in shown], "metadata": metadata}))


def _item(ask: Ask, creator: Creator) -> dict[str, object]:
    count = sum(one.status == "Published" for one in creator.models)
    return {
        "username": creator.username,
        **({"modelCount": count} if count else {}),
        "link": f"{ask.origin}/api/v1/models?username={quote(creator.username)}",
    }


@authed
def me(_site: Site, ask: Ask) -> Answer:
    """``/api/v1/me``: the cheapest way to see whether a key is valid."""
    login = ask.login
    if login is None:
        raise ValueError("the sandbox's /api/v1/me was reached without a login; its wrapper answers that")
    account = login.account
    told: dict[str, object] = {
        "id": account.user_id,
        "username": account.username,
        "tier": "free",
        "status": "active",
        "isMember": False,
        "subscriptions": [],
    }
    if login.cookie is None:
        told |= {"tokenScope": 1, "buzzLimit": None, "subject": {"type": "apiKey", "id": KEY_ID}}
    return json_answer(ask, compact(told))
