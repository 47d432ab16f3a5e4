"""``collection.*``: collections, and their members in the curator's order (§4.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import curated, feed_items
from civitscrape.sandbox.collections import ACCEPTED, IMAGE, MODEL, PRIVATE, PUBLIC, REJECTED, REVIEW, UNLISTED
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.inputs import (
    ID,
    LIMIT,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    ProcedureError,
    Rule,
    after,
    caller,
    capped,
    check,
)
from civitscrape.sandbox.trpc_models import model_card
from civitscrape.sandbox.trpc_posts import post_card
from civitscrape.sandbox.wire import UNDEFINED, Date

if TYPE_CHECKING:
    from civitscrape.items import Level
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.collections import Collection, Member
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.site import Site

SORTS = ("Most Followers", "Newest")
TYPES = ("Model", "Article", "Post", "Image", "Model3D")
STATUSES = (ACCEPTED, REVIEW, REJECTED)
MOST_MEMBERS = 100


def collection_get_by_id(site: Site, ask: Ask, given: Input) -> Input:
    """``collection.getById``: null, not an error, for what is private or is not there."""
    check(given, ID)
    found = site.world.collections.get(given["id"])
    told = curated.described(found) if found and found.readable(ask.caller) else None
    return {"collection": told, "permissions": curated.permissions(given["id"], found, ask)}


def collection_get_infinite(site: Site, _ask: Ask, given: Input) -> Input:
    """``collection.getInfinite``: public ones only; newest first, by id."""
    check(
        given,
        {
            "limit": LIMIT,
            "userId": NUMBER,
            "query": TEXT,
            "types": Rule("array", values=TYPES),
            "privacy": Rule("array", values=(PRIVATE, PUBLIC, UNLISTED)),
            "sort": Rule("string", values=SORTS),
            "ids": NUMBERS,
            "modes": TEXTS,
        },
    )
    limit, start = given.get("limit", 20), after(given.get("cursor"))
    found = [
        one
        for one in sorted(site.world.collections.values(), key=lambda one: -one.id)
        if one.read == PUBLIC and _asked(one, given) and (start is None or one.id <= start)
    ]
    following = found[limit].id if len(found) > limit else UNDEFINED
    return {"items": [curated.card(one) for one in found[:limit]], "nextCursor": following}


def _asked(one: Collection, given: Input) -> bool:
    return (
        given.get("userId") in (None, one.user_id)
        and (not given.get("types") or one.type in given["types"])
        and (not given.get("ids") or one.id in given["ids"])
        and (not given.get("modes") or one.mode in given["modes"])
        and given.get("query", "").lower() in one.name.lower()
    )


def collection_get_all_user(site: Site, ask: Ask, _given: Input) -> list[Input]:
    """``collection.getAllUser``: the caller's own, private ones too."""
    user = caller(ask)
    keys = ("id", "name", "read", "type", "userId", "mode")
    owned = (curated.card(one) for one in site.world.collections.values() if one.owned(user))
    return [{key: one[key] for key in keys} | {"isOwner": True} for one in owned]


def collection_get_all_collection_items(site: Site, ask: Ask, given: Input) -> Input:
    """``collection.getAllCollectionItems``: members in the curator's order, of whatever type, for who is logged in."""
    caller(ask)
    rules = {
        "collectionId": Rule("number", required=True),
        "limit": Rule("number", least=0, most=MOST_MEMBERS),
        "cursor": TEXT,
        "statuses": Rule("array", values=STATUSES),
    }
    check(given, rules)
    one = site.world.collections.get(given["collectionId"])
    if one is None or not one.readable(ask.caller):
        return {"collectionItems": [], "nextCursor": UNDEFINED}
    # Only who manages it sees what waits or was refused.
    statuses = given.get("statuses", (ACCEPTED,)) if one.owned(ask.caller) else (ACCEPTED,)
    members = [member for member in one.members if member.status in statuses]
    limit, cursor = given.get("limit", 50), given.get("cursor")
    start = 0
    if cursor is not None:
        if not re.fullmatch(r"\d+", cursor):
            raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}")
        start = next((place for place, member in enumerate(members) if member.id == int(cursor)), len(members))
    level = capped(ask, given.get("browsingLevel"))
    told = [_member(site, ask, one, member, level) for member in members[start : start + limit]]
    following = str(members[start + limit].id) if len(members) > start + limit else UNDEFINED
    return {"collectionItems": [member for member in told if member], "nextCursor": following}


def _member(site: Site, ask: Ask, one: Collection, member: Member, level: Level) -> Input | None:
    """Tell of a member; what the caller may not see is left out after the page was cut."""
    data: Any
    if one.type == IMAGE:
        record = site.world.records[member.entry_id]
        data = feed_items.item(record, {}, indexed=False, caller=ask.caller) if record.level & level else None
    elif one.type == MODEL:
        model = site.world.models[member.entry_id]
        data = model_card(site, model, level) if model.level & level else None
    else:
        post = site.world.posts[member.entry_id]
        data = post_card(post, level) if post.level & level else None
    if data is None:
        return None
    return {
        "id": member.id,
        "createdAt": Date(iso(member.added)),
        "status": member.status,
        "type": one.type.lower(),
        "data": data,
    }
