"""``/api/v1/tags`` and ``/api/v1/users`` (contract rest.md §8.2, §8.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.model_query import bounded, js_number, not_a_number
from civitscrape.sandbox.trpc_tags import SORTS, listed
from civitscrape.sandbox.wrappers import public
from civitscrape.sandbox.zod import Issue, message, option, wrong_type

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.site import Site

DEFAULT_LIMIT, MOST_PER_PAGE = 20, 200
TYPED = {"types": "array", "entityType": "array", "excludedTagIds": "array", "modelId": "number", "nsfwLevel": "number"}
"""Parameters that no text in an address can be (contract rest.md §8.2)."""
FEW_USERS = 5


@public
def tags(_site: Site, ask: Ask) -> Answer:
    """``/api/v1/tags``: names without ids; the totals are never counted, so pages go on until one is empty."""
    issues: list[Issue] = []
    limit = bounded(ask, "limit", issues, least=1, most=MOST_PER_PAGE)
    page = bounded(ask, "page", issues, least=0)
    issues += [wrong_type(name, kind, "string") for name, kind in TYPED.items() if name in ask.query]
    if ask.query.get("sort", SORTS[0]) not in SORTS:
        issues.append(option(SORTS, ["sort"]))
    if issues:
        return json_answer(ask, compact(issues), status=400)
    size, at = DEFAULT_LIMIT if limit is None else limit, page or 1
    shown = listed(ask.query.get("query"))[(at - 1) * size : at * size]
    items = [{"name": one.name, "link": f"{ask.origin}/api/v1/models?tag={one.name}"} for one in shown]
    metadata = {"totalItems": 0, "currentPage": at, "pageSize": size, "totalPages": 1}
    return json_answer(ask, compact({"items": items, "metadata": metadata}))


@public
def users(site: Site, ask: Ask) -> Answer:
    """``/api/v1/users``: by ids, or by the start of their names; asking for an e-mail address is refused."""
    issues: list[Issue] = []
    ids = [js_number(one) for one in ask.query.get("ids", "").split(",") if one]
    if not all(map(math.isfinite, ids)):
        issues.append(not_a_number(["ids"]))
    if "email" in ask.query:
        issues.append(wrong_type("email", "never", "string"))
    if issues:
        return json_answer(ask, compact({"name": "ZodError", "message": message(issues)}), status=400)
    query = ask.query.get("query", "").lower()
    everybody = (*site.world.founders.values(), *site.world.creators.values())
    found = [
        one
        for one in everybody
        if not one.vanished and (one.user_id in ids if ids else one.username.lower().startswith(query))
    ]
    items = [
        {"id": one.user_id, "username": one.username, "avatarNsfw": 1, "meta": None}
        for one in found[: len(ids) or FEW_USERS]
    ]
    return json_answer(ask, compact({"items": items}))
