"""``image.getInfinite`` and ``image.getImagesAsPostsInfinite``: feeds of an index and of a database (§4.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce
from operator import or_
from random import Random
from typing import TYPE_CHECKING, Any

from civitscrape.items import MediaType
from civitscrape.sandbox import feed_items, zod
from civitscrape.sandbox.ask import Colour
from civitscrape.sandbox.collections import ACCEPTED
from civitscrape.sandbox.feed import PERIODS, SORTS, Filter, minute
from civitscrape.sandbox.generation import PROCESSES
from civitscrape.sandbox.inputs import (
    FLAG,
    LIMIT,
    NOT_ALLOWED,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    USERNAME,
    ProcedureError,
    Rule,
    after,
    capped,
    check,
)
from civitscrape.sandbox.people import REACTIONS
from civitscrape.sandbox.tags import BLOCKED, TAGS
from civitscrape.sandbox.wire import UNDEFINED

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

INCLUDES = ("tags", "tagIds", "meta", "metaSelect", "cosmetics", "profilePictures", "count", "report")
BUSY_SEARCH = "Image search is temporarily overloaded — please retry."
SYSTEM = -1
"""Number of the site's own account; asked for as an owner, it stands for everybody."""
SEEDS = 1_000_000

RULES = {
    "limit": LIMIT,
    "sort": Rule("string", values=SORTS),
    "period": Rule("string", values=tuple(PERIODS)),
    "periodMode": Rule("string", values=("stats", "published")),
    "browsingLevel": Rule("number", least=0),
    "username": Rule("string", pattern=USERNAME),
    "types": Rule("array", values=tuple(MediaType)),
    "reactions": Rule("array", values=REACTIONS),
    "generation": Rule("array", values=tuple(PROCESSES)),
    "include": Rule("array", values=INCLUDES),
    **dict.fromkeys(
        (
            *("userId", "postId", "imageId", "modelId", "modelVersionId", "model3dId", "reviewId"),
            *("collectionId", "collectionTagId", "remixOfId", "skip"),
        ),
        NUMBER,
    ),
    **dict.fromkeys(
        (
            *("tags", "postIds", "ids", "tools", "techniques", "excludedTagIds", "excludedUserIds"),
            "prioritizedUserIds",
        ),
        NUMBERS,
    ),
    "baseModels": TEXTS,
    **dict.fromkeys(
        (
            *("withMeta", "withTags", "pending", "useIndex", "followed", "hidden", "fromPlatform", "disablePoi"),
            *("disableMinor", "includeBaseModel", "newCreators", "remixesOnly", "nonRemixesOnly", "requiringMeta"),
        ),
        FLAG,
    ),
    "view": TEXT,
}


def image_get_infinite(site: Site, ask: Ask, given: Input) -> Input:
    """``image.getInfinite``: a feed from the index, or from the database where the input demands it."""
    _validate(site, ask, given)
    asked = [TAGS[one].name for one in given.get("tags", ()) if one in TAGS]
    if asked and BLOCKED.issuperset(asked):
        return {"items": [], "nextCursor": UNDEFINED}
    if _from_database(given):
        return _database_page(site, ask, given)
    return _index_page(site, ask, given)


def _validate(site: Site, ask: Ask, given: Input) -> None:
    if given.get("cursor", UNDEFINED) is None:
        issue = {"code": "invalid_union", "errors": [], "path": ["cursor"], "message": "Invalid input"}
        raise ProcedureError("BAD_REQUEST", zod.message([issue]))
    check(given, RULES)
    if given.get("hidden") and ask.caller is None:
        raise ProcedureError("UNAUTHORIZED", NOT_ALLOWED)
    for needs, named in (("sort", "Random sort"), ("collectionTagId", "collectionTagId")):
        if not given.get("collectionId") and (given.get(needs) if needs != "sort" else given.get(needs) == "Random"):
            raise ProcedureError("BAD_REQUEST", f"{named} requires a collectionId")
    if given.get("prioritizedUserIds") and given.get("cursor") is not None:
        raise ProcedureError("BAD_REQUEST", "Cannot use cursor with prioritizedUserIds")
    if given.get("skip") and given.get("cursor") is not None:
        raise ProcedureError("INTERNAL_SERVER_ERROR", "Cannot use skip with cursor")
    if given.get("username") and site.world.creator(given["username"]) is None:
        raise ProcedureError("NOT_FOUND", "User not found")


def _from_database(given: Input) -> bool:
    """Choose the back end: some inputs only the database understands."""
    if any(given.get(name) for name in ("postId", "postIds", "collectionId", "reactions", "imageId")):
        return True
    about_a_model = bool(given.get("modelId") or given.get("modelVersionId"))
    by_model = bool(given.get("modelId")) and not given.get("modelVersionId")
    return by_model or (about_a_model and bool(given.get("prioritizedUserIds")))


def _filter(ask: Ask, given: Input) -> Filter:
    """Read what both back ends understand."""
    types, tags, models = given.get("types"), given.get("tags"), given.get("baseModels")
    remix = True if given.get("remixesOnly") else False if given.get("nonRemixesOnly") else None
    return Filter(
        mask=capped(ask, given.get("browsingLevel")),
        username=given.get("username") or None,
        user_id=given.get("userId"),
        version_id=given.get("modelVersionId"),
        types=frozenset(map(MediaType, types)) if types else None,
        tags=frozenset(tags) if tags else None,
        base_models=frozenset(models) if models else None,
        period=given.get("period", "AllTime"),
        sort=given.get("sort", "Most Reactions"),
        followed=bool(given.get("followed")) and ask.caller is not None,
        excluded_tags=frozenset(given.get("excludedTagIds", ())),
        excluded_users=frozenset(given.get("excludedUserIds", ())),
        tools=frozenset(given.get("tools", ())),
        techniques=frozenset(given.get("techniques", ())),
        with_meta=bool(given.get("withMeta") or given.get("requiringMeta")),
        on_site=bool(given.get("fromPlatform")),
        remix=remix,
    )


def _index_page(site: Site, ask: Ask, given: Input) -> Input:
    """Cut a page of the index: offset cursors, short pages, and Newest pinned to the first page's minute."""
    if site.quirks.search_overloaded:
        raise ProcedureError("SERVICE_UNAVAILABLE", BUSY_SEARCH)
    wanted, limit = replace(_filter(ask, given), combined=ask.colour is Colour.GREEN), given.get("limit", 100)
    offset, entry = _position(given.get("cursor"))
    until = minute(entry) if entry is not None and wanted.sort == "Newest" else None
    start = offset or int(given.get("skip", 0))
    cut = site.index.page(wanted, offset=start, limit=limit, ceiling=site.quirks.hit_ceiling, until=until)
    following: Any = UNDEFINED
    # A page whose hits were all dropped has no cursor, though the feed goes on.
    if cut.more and cut.records:
        following = f"{start + limit}|{cut.hits[0].sort_at if entry is None else entry}"
    items = [feed_items.item(one, given, indexed=True, caller=ask.caller) for one in cut.records]
    return {"nextCursor": following, "items": items, "source": "meili"}


def _position(cursor: Any) -> tuple[int, int | None]:
    """Read ``offset|entryMs``."""
    if cursor is None:
        return 0, None
    found = re.fullmatch(r"(\d+)\|(\d+)", str(cursor))
    if found is None:
        raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}")
    return int(found[1]), int(found[2])


def _database_filter(site: Site, ask: Ask, given: Input) -> Filter:
    """Read what the database understands beside: it knows relations that the index does not have."""
    owners, version_id, model_id = given.get("prioritizedUserIds"), given.get("modelVersionId"), given.get("modelId")
    changes: dict[str, Any] = {}
    if owners and SYSTEM not in owners:
        model = site.world.models.get(model_id) if model_id else None
        versions = {version_id} if version_id else {one.id for one in model.versions} if model else set()
        changes = {"showcase": (frozenset(versions), frozenset(owners)), "version_id": None}
    else:
        changes = {"model_id": model_id}
    reacted = given.get("reactions") if ask.caller else None
    if ask.caller and reacted:
        changes["reacted"] = (ask.caller.user_id, frozenset(reacted))
    if given.get("collectionId"):
        changes["collected"] = (given["collectionId"], ACCEPTED)
    for name, key in (("ids", "ids"), ("post_ids", "postIds")):
        changes[name] = frozenset(given[key]) if given.get(key) else None
    return replace(
        _filter(ask, given),
        post_id=given.get("postId"),
        image_id=given.get("imageId"),
        all_tools=True,
        with_meta=bool(given.get("withMeta")) or "meta" in given.get("include", ()),
        processes=frozenset(PROCESSES[one] for one in given.get("generation", ())),
        by_creation=given.get("periodMode") != "stats",
        **changes,
    )


def _database_page(site: Site, ask: Ask, given: Input) -> Input:
    """Read from the database: posts by place, else by id; descending orders lose a row at each page's end."""
    limit, cursor = given.get("limit", 100), given.get("cursor")
    found = site.world.collections.get(given["collectionId"]) if given.get("collectionId") else None
    hidden = given.get("collectionId") and (found is None or not found.readable(ask.caller))
    if site.quirks.database_timeout or hidden:
        # A statement that takes too long is answered like the end of the feed (§3).
        return {"items": [], "nextCursor": UNDEFINED}
    records = [one for one in site.index.hits(_database_filter(site, ask, given)) if not one.ghost]
    if given.get("sort") == "Random":
        page, following = _shuffled(site, records, limit, cursor)
    elif given.get("prioritizedUserIds"):
        page, following = sorted(records, key=lambda one: (one.post_id, one.post_index))[:limit], UNDEFINED
    else:
        page, following = _ranked(records, given, limit, after(cursor))
    return {
        "nextCursor": following,
        "items": [feed_items.item(one, given, indexed=False, caller=ask.caller) for one in page],
    }


def _ranked(records: list[Record], given: Input, limit: int, cursor: int | None) -> tuple[list[Record], Any]:
    by_place = given.get("postId") is not None and given.get("modelId") is None
    ascending = by_place or given.get("sort") == "Oldest"

    def rank(record: Record) -> int:
        return record.post_index if by_place else record.id

    found = sorted(records, key=rank, reverse=not ascending)[int(given.get("skip", 0)) :]
    if cursor is not None:
        found = [one for one in found if (rank(one) >= cursor if ascending else rank(one) < cursor)]
    return found[:limit], rank(found[limit]) if len(found) > limit else UNDEFINED


def _shuffled(site: Site, records: list[Record], limit: int, cursor: Any) -> tuple[list[Record], Any]:
    """Deal a collection's images in an order that its cursor, ``seed:sortKey:id``, carries on."""
    read = re.fullmatch(r"(\d+):(\d+):(\d+)", str(cursor)) if cursor is not None else None
    if cursor is not None and read is None:
        raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}")
    seed = int(read[1]) if read else site.turns % SEEDS

    def rank(record: Record) -> tuple[int, int]:
        return Random(record.id * 7 + seed).getrandbits(30), record.id

    found = sorted(records, key=rank)
    if read:
        found = [one for one in found if rank(one) >= (int(read[2]), int(read[3]))]
    if len(found) <= limit:
        return found, UNDEFINED
    return found[:limit], ":".join(map(str, (seed, *rank(found[limit]))))


LEFT_OUT = ("meta", "availability", "acceptableMinor", "baseModel", "judgeScore")
"""Keys that images inside posts do not have."""


def image_get_images_as_posts_infinite(site: Site, ask: Ask, given: Input) -> Input:
    """``image.getImagesAsPostsInfinite``: the feed gathered into posts; one may be told again on the next page."""
    limit, asked = given.get("limit", 100), dict(given)
    posts: dict[int, list[Input]] = {}
    while True:
        # It asks for twice as many images as posts are wanted, as often as it takes; 200 is the most.
        page = image_get_infinite(site, ask, asked | {"limit": min(2 * limit, 200)})
        for one in page["items"]:
            posts.setdefault(one["postId"], []).append(one)
        following = page["nextCursor"]
        if following is UNDEFINED or len(posts) >= limit:
            break
        asked["cursor"] = following
    return {"nextCursor": following, "items": [_gathered(site, post, images) for post, images in posts.items()]}


def _gathered(site: Site, post_id: int, images: list[Input]) -> Input:
    images.sort(key=lambda one: one["index"])
    first, lazy = images[0], site.quirks.lazy_posts
    post: Input = {
        "postId": post_id,
        "pinned": False,
        "nsfwLevel": reduce(or_, (one["nsfwLevel"] for one in images)),
        **{name: first[name] for name in ("modelVersionId", "publishedAt", "sortAt", "createdAt", "user")},
        "images": [
            {name: value for name, value in one.items() if name not in LEFT_OUT}
            for one in images[: feed_items.LAZY if lazy else None]
        ],
    }
    return post | ({"imageCount": len(images)} if lazy else {})
