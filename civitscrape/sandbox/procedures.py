"""The tRPC procedures that the sandbox knows, by name; a new one is a function and a line in ``TABLE``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from civitscrape.items import Level, MediaType
from civitscrape.sandbox import feed_items, profiles, zod
from civitscrape.sandbox.ask import EVERYTHING, Colour
from civitscrape.sandbox.feed import PERIODS, SORTS, Filter, minute
from civitscrape.sandbox.wire import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.building import Creator
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

Input = dict[str, Any]
MOST_PER_PAGE = 200
USERNAME = "[A-Za-z0-9_]*"


class ProcedureError(Exception):
    """A procedure refuses; raised by procedures, answered as an error envelope.

    Attributes:
        code: name of the error, such as ``NOT_FOUND``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def capped(ask: Ask, asked: int | None) -> Level:
    """Reduce a browsing level to what the caller may see; where nothing is left, the cap itself is used (§2.3)."""
    wanted = Level((EVERYTHING if asked is None else asked) & EVERYTHING)
    return Level(wanted & ask.cap) or ask.cap


_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    **dict.fromkeys(
        ("limit", "userId", "postId", "imageId", "modelId", "modelVersionId", "browsingLevel"), (int, "number")
    ),
    **dict.fromkeys(("username", "sort", "period"), (str, "string")),
    **dict.fromkeys(("types", "tags", "baseModels", "include", "postIds", "reactions"), (list, "array")),
    **dict.fromkeys(("withMeta", "withTags", "pending", "useIndex"), (bool, "boolean")),
}
_WORDS = {
    type(None): "null",
    str: "string",
    list: "array",
    dict: "object",
    bool: "boolean",
    int: "number",
    float: "number",
}


def _validate(given: Input) -> None:
    """Check the types of an image feed's input; unknown keys are ignored, a bare null is not (§1.2)."""
    issues: list[zod.Issue] = []
    if given.get("cursor", UNDEFINED) is None:
        issues.append({"code": "invalid_union", "errors": [], "path": ["cursor"], "message": "Invalid input"})
    for name, (kind, word) in _TYPES.items():
        value = given.get(name, UNDEFINED)
        if value is UNDEFINED or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
            continue
        issues.append(zod.wrong_type(name, word, _WORDS[type(value)]))
    issues = issues or _out_of_bounds(given)
    if issues:
        raise ProcedureError("BAD_REQUEST", zod.message(issues))


def _out_of_bounds(given: Input) -> list[zod.Issue]:
    """Check the values of an input whose types are right."""
    issues: list[zod.Issue] = []
    if given.get("limit", 0) > MOST_PER_PAGE:
        issues.append(zod.too_big("limit", MOST_PER_PAGE))
    if not re.fullmatch(USERNAME, given.get("username", ""), re.ASCII):
        issues.append(zod.mismatch("username", USERNAME))
    for name, values in (("sort", SORTS), ("period", tuple(PERIODS))):
        if given.get(name, values[0]) not in values:
            issues.append(zod.option(values, [name]))
    return issues


def image_get_infinite(site: Site, ask: Ask, given: Input) -> Input:
    """``image.getInfinite``: a feed from the index, or from the database where the input demands it (§4.1)."""
    _validate(given)
    username = given.get("username") or None
    if username is not None and site.world.creator(username) is None:
        raise ProcedureError("NOT_FOUND", "User not found")
    types, tags, models = given.get("types"), given.get("tags"), given.get("baseModels")
    wanted = Filter(
        mask=capped(ask, given.get("browsingLevel")),
        username=username,
        user_id=given.get("userId"),
        post_id=given.get("postId"),
        version_id=given.get("modelVersionId"),
        model_id=given.get("modelId"),
        image_id=given.get("imageId"),
        types=frozenset(map(MediaType, types)) if types else None,
        tags=frozenset(tags) if tags else None,
        base_models=frozenset(models) if models else None,
        period=given.get("period", "AllTime"),
        sort=given.get("sort", "Most Reactions"),
        combined=ask.colour is Colour.GREEN,
    )
    from_database = any(given.get(name) for name in ("postId", "postIds", "collectionId", "reactions", "imageId"))
    from_database = from_database or (wanted.model_id is not None and wanted.version_id is None)
    answer = _from_database if from_database else _from_index
    return answer(site, wanted, given)


def _include(given: Input) -> set[str]:
    return {*given.get("include", ("cosmetics",)), *(("tags",) if given.get("withTags") else ())}


def _from_index(site: Site, wanted: Filter, given: Input) -> Input:
    """Cut a page of the index: offset cursors, short pages, and Newest pinned to the first page's minute."""
    limit, include = given.get("limit", 100), _include(given)
    offset, entry = _position(given.get("cursor"))
    until = minute(entry) if entry is not None and wanted.sort == "Newest" else None
    cut = site.index.page(wanted, offset=offset, limit=limit, ceiling=site.quirks.hit_ceiling, until=until)
    records = [one for one in cut.records if not given.get("withMeta") or feed_items.visible_meta(one) is not None]
    following: Any = UNDEFINED
    # A page whose hits were all dropped has no cursor, though the feed goes on.
    if cut.more and records:
        following = f"{offset + limit}|{cut.hits[0].sort_at if entry is None else entry}"
    items = [feed_items.item(one, include, indexed=True) for one in records]
    return {"nextCursor": following, "items": items, "source": "meili"}


def _position(cursor: Any) -> tuple[int, int | None]:
    """Read ``offset|entryMs``."""
    if cursor is None:
        return 0, None
    found = re.fullmatch(r"(\d+)\|(\d+)", str(cursor))
    if found is None:
        raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}")
    return int(found[1]), int(found[2])


def _from_database(site: Site, wanted: Filter, given: Input) -> Input:
    """Read from the database: posts by place, else by id; descending orders lose a row at each page's end."""
    limit, include, cursor = given.get("limit", 100), _include(given), given.get("cursor")
    posts = set(given.get("postIds") or ())
    found = [one for one in site.index.hits(wanted) if not one.ghost and (not posts or one.post_id in posts)]
    if given.get("collectionId") or (given.get("reactions") and not posts and wanted.post_id is None):
        # No collections here, and nobody has reacted to anything.
        found = []
    by_place = wanted.post_id is not None and wanted.model_id is None
    oldest = wanted.sort == "Oldest"

    def rank(record: Record) -> int:
        return record.post_index if by_place else record.id

    ascending = by_place or oldest
    found.sort(key=rank, reverse=not ascending)
    if cursor is not None:
        if isinstance(cursor, bool) or not str(cursor).isdecimal():
            raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}")
        found = [one for one in found if (rank(one) >= int(cursor) if ascending else rank(one) < int(cursor))]
    following = rank(found[limit]) if len(found) > limit else UNDEFINED
    return {"nextCursor": following, "items": [feed_items.item(one, include, indexed=False) for one in found[:limit]]}


def _creator(site: Site, given: Input, message: str) -> Creator:
    username, user_id = given.get("username"), given.get("id")
    for one in site.world.creators.values():
        named = isinstance(username, str) and one.username.lower() == username.lower()
        if not one.vanished and (named or (user_id is not None and one.user_id == user_id)):
            return one
    raise ProcedureError("NOT_FOUND", message)


def user_get_creator(site: Site, _ask: Ask, given: Input) -> Input:
    """``user.getCreator``."""
    return profiles.get_creator(_creator(site, given, "Could not find user"))


def user_profile_get(site: Site, _ask: Ask, given: Input) -> Input:
    """``userProfile.get``."""
    return profiles.profile(_creator(site, given, "User not found"))


def user_profile_overview(site: Site, ask: Ask, given: Input) -> Input:
    """``userProfile.overview``: counts for the caller's cap."""
    return profiles.overview(_creator(site, given, "User not found"), ask.cap)


TABLE: dict[str, Callable[[Site, Ask, Input], Input]] = {
    "image.getInfinite": image_get_infinite,
    "user.getCreator": user_get_creator,
    "userProfile.get": user_profile_get,
    "userProfile.overview": user_profile_overview,
}
