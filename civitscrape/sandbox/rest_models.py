"""``/api/v1/models`` and ``/api/v1/models/{id}`` (contract rest.md §5)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import model_entries, model_query, model_search
from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.model_query import js_number, not_a_number
from civitscrape.sandbox.rest import PAGE_CAP, next_page, unavailable
from civitscrape.sandbox.wrappers import error, message, mixed, public
from civitscrape.sandbox.zod import Issue, too_big, wrong_type

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.model_query import Wanted
    from civitscrape.sandbox.site import Site

MOST = 2_147_483_647
"""The greatest id that the database can hold."""


@mixed
def models(site: Site, ask: Ask) -> Answer:
    """``/api/v1/models``: ``page`` moves nothing, only cursors do."""
    wanted, reader = model_query.read(ask.query)
    if reader.issues:
        return json_answer(ask, compact({"error": {"name": "ZodError", "message": reader.message()}}), status=400)
    if wanted.personal and ask.caller is None:
        return error(ask, 401, "Unauthorized")
    if wanted.availability == "Private" and wanted.username is None:
        return message(ask, 401, "You are not authorized to perform this action")
    if wanted.query is not None and wanted.page is not None:
        return error(ask, 400, "Cannot use page param with query search. Use cursor-based pagination.")
    if wanted.page and wanted.cursor is None and wanted.page * wanted.limit > PAGE_CAP:
        return error(ask, 429, "You've requested too many pages, please use cursors instead")
    if wanted.query is not None and site.quirks.search_overloaded:
        return unavailable(ask, "Model search is temporarily overloaded — please retry.")
    try:
        cut = model_search.page(site.world, wanted, ceiling=site.quirks.hit_ceiling)
    except model_search.CursorError as wrong:
        return message(ask, 400, str(wrong))
    except model_search.UserNotFoundError as unknown:
        return message(ask, 404, str(unknown))
    return json_answer(ask, compact({"items": _items(site, ask, wanted, cut), "metadata": _metadata(ask, wanted, cut)}))


def _items(site: Site, ask: Ask, wanted: Wanted, cut: model_search.Cut) -> list[object]:
    return [
        _written(
            site,
            model_entries.item(
                site.world,
                model,
                versions,
                origin=ask.origin,
                location=ask.image_location,
                nsfw=wanted.nsfw,
                primary_only=wanted.primary_only,
            ),
        )
        for model in cut.models
        if (versions := model_search.shown_versions(model, wanted))
    ]


def _written(site: Site, told: dict[str, Any]) -> dict[str, Any]:
    if site.quirks.text_arrays:
        told["allowCommercialUse"] = f"{{{','.join(told['allowCommercialUse'])}}}"
    return told


def _metadata(ask: Ask, wanted: Wanted, cut: model_search.Cut) -> dict[str, object]:
    told: dict[str, object] = {}
    if cut.following is not None:
        told["nextCursor"] = cut.following
    if wanted.page is not None and wanted.cursor is None:
        told |= {"currentPage": wanted.page, "pageSize": wanted.limit}
    if cut.following is not None:
        told["nextPage"] = next_page(ask, "cursor", cut.following)
    return told


@public
def model(site: Site, ask: Ask, name: str) -> Answer:
    """``/api/v1/models/{id}``: of every level, archived too; addresses name the green host whoever is asked."""
    issue = id_issue(name, "id")
    if issue is not None:
        return error(ask, 400, prettified(issue))
    number = int(js_number(name))
    found = site.world.models.get(number)
    if found is None or not found.visible:
        return error(ask, 404, f"No model with id {number}")
    told = model_entries.detail(site.world, found, origin=ask.home, location=ask.image_location)
    return json_answer(ask, compact(_written(site, told)))


def id_issue(text: str, name: str) -> Issue | None:
    """Find what is wrong with an id in a path; null when it is one."""
    value = js_number(text)
    if not math.isfinite(value):
        return not_a_number([name])
    if value != int(value):
        return wrong_type(name, "int", "number")
    if value > MOST:
        return too_big(name, MOST)
    return None if value > 0 else {"path": [name], "message": "Too small: expected number to be >0"}


def prettified(issue: Issue) -> str:
    """Write an issue as zod's prettified text (contract rest.md §12c).

    >>> print(prettified(not_a_number(["id"])))
    ✖ Invalid input: expected number, received NaN
      → at id
    """
    return f"✖ {issue['message']}\n  → at {'.'.join(str(one) for one in issue['path'])}"
