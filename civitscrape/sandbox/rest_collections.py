"""``/api/v1/collections``: lists and records of collections, never their members (contract rest.md §8.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import Level
from civitscrape.sandbox import curated
from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.collections import PRIVATE, PUBLIC
from civitscrape.sandbox.model_query import js_number
from civitscrape.sandbox.rest import next_page
from civitscrape.sandbox.rest_models import id_issue, prettified
from civitscrape.sandbox.wrappers import error, mixed
from civitscrape.sandbox.zod import Reader, too_big

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.collections import Collection
    from civitscrape.sandbox.site import Site

SORTS = ("Newest", "Most Followers")
MOST_PER_PAGE = 100
"""Entries of a page, and what a page has when nothing is said."""
LONGEST_QUERY = 100
NO_CURSOR = (
    "Cursor pagination is only supported for the default (Newest) sort. Omit `sort=Most Followers` when paginating "
    "with a cursor, or request the first page without a cursor."
)
COVER_WIDTH = 450


@mixed
def collections(site: Site, ask: Ask) -> Answer:
    """``/api/v1/collections``: public ones, newest first."""
    refused = site.limiter.refusal(ask, site.quirks.collections_per_minute)
    if refused is not None:
        return refused
    read = Reader(ask.query)
    asked, cursor = read.number("limit", least=1, most=MOST_PER_PAGE), read.number("cursor", least=1)
    sort, query, nsfw = read.choice("sort", SORTS), read.text("query"), read.boolean("nsfw")
    if len(query or "") > LONGEST_QUERY:
        read.issues.append(too_big("query", LONGEST_QUERY, "string"))
    if read.issues:
        return json_answer(ask, compact({"error": {"name": "ZodError", "message": read.message()}}), status=400)
    if sort == SORTS[1] and cursor is not None:
        return error(ask, 400, NO_CURSOR)
    limit = MOST_PER_PAGE if asked is None else asked
    found = [
        one
        for one in sorted(site.world.collections.values(), key=lambda one: (-one.created, -one.id))
        if one.read == PUBLIC
        and (nsfw or one.level & Level.PG)
        and (query or "").lower() in one.name.lower()
        and (cursor is None or one.id <= cursor)
    ]
    metadata: dict[str, Any] = {}
    if len(found) > limit:
        # One row more than the page is read ahead; where the list ends with it, the last shown id comes again (§8.8).
        again = len(found) == limit + 1 and limit > 1
        metadata["nextCursor"] = found[limit - 1 if again else limit].id
        metadata["nextPage"] = next_page(ask, "cursor", str(metadata["nextCursor"]))
    items = [_described(ask, one, count=True) for one in found[:limit]]
    return json_answer(ask, compact({"items": items, "metadata": metadata}))


@mixed
def collection(site: Site, ask: Ask, name: str) -> Answer:
    """``/api/v1/collections/{id}``: unlisted ones too."""
    refused = site.limiter.refusal(ask, site.quirks.collections_per_minute)
    if refused is not None:
        return refused
    issue = id_issue(name, "id")
    if issue is not None:
        return error(ask, 400, prettified(issue))
    number = int(js_number(name))
    found = site.world.collections.get(number)
    if found is None or found.read == PRIVATE:
        return error(ask, 404, f"No collection with id {number}")
    tags = [{"id": one["id"], "name": one["name"]} for one in curated.described(found)["tags"]]
    return json_answer(ask, compact(_described(ask, found, count=False) | {"tags": tags}))


def _described(ask: Ask, one: Collection, *, count: bool) -> dict[str, Any]:
    cover = one.cover
    address = None
    if cover is not None:
        address = f"{ask.image_location}/{cover.key}/width={COVER_WIDTH}/{cover.key}.jpeg"
        address = cover.key if cover.foreign else address
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "type": one.type,
        "nsfwLevel": int(one.level),
        "read": one.read,
        "isPublic": one.read == PUBLIC,
        **({"itemCount": len(one.accepted)} if count else {}),
        "coverImageUrl": address,
        "user": {"id": one.user_id, "username": one.username},
    }
