"""``post.*``: posts, lists of them, and what their images were made with (§4.2)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import curated, feed_items
from civitscrape.sandbox.collections import CONTEST
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.feed import PERIODS, visible
from civitscrape.sandbox.inputs import (
    FLAG,
    ID,
    LIMIT,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    ProcedureError,
    Rule,
    capped,
    check,
    slug,
)
from civitscrape.sandbox.people import follows, lite
from civitscrape.sandbox.records import reactions, remix_of
from civitscrape.sandbox.tags import TAGS
from civitscrape.sandbox.trpc_images import detected
from civitscrape.sandbox.wire import UNDEFINED, Date

if TYPE_CHECKING:
    from civitscrape.items import Level
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.posts import Post
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

SORTS = ("Most Reactions", "Most Comments", "Most Collected", "Newest")
MOST_IMAGES = 8
"""Images that a post in a list comes with."""

RULES = {
    "limit": LIMIT,
    "sort": Rule("string", values=SORTS),
    "period": Rule("string", values=tuple(PERIODS)),
    "browsingLevel": Rule("number", least=0),
    **dict.fromkeys(("username", "query", "periodMode"), TEXT),
    **dict.fromkeys(("modelVersionId", "collectionId"), NUMBER),
    **dict.fromkeys(("tags", "ids", "excludedTagIds", "excludedUserIds", "excludedImageIds"), NUMBERS),
    "include": TEXTS,
    **dict.fromkeys(("followed", "draftOnly", "scheduled", "pending"), FLAG),
}


def post_get(site: Site, _ask: Ask, given: Input) -> Input:
    """``post.get``: the post without its images, whatever its level (§10.6)."""
    check(given, ID)
    post = site.world.posts.get(given["id"])
    if post is None or not post.level:
        raise ProcedureError("NOT_FOUND", f"No post with id {given['id']}")
    version = site.world.versions.get(post.version_id) if post.version_id is not None else None
    return {
        "id": post.id,
        "nsfw": False,
        "nsfwLevel": int(post.level),
        "title": post.title,
        "detail": post.detail,
        "modelVersionId": post.version_id,
        "modelVersion": {"id": version.id} if version and version.status == "Published" else None,
        "user": lite(post.user_id, post.username, vanished=post.vanished),
        "publishedAt": Date(iso(post.published)),
        "availability": "Public",
        "tags": [{"id": one, "name": TAGS[one].name, "isCategory": TAGS[one].category} for one in post.tag_ids],
        "collectionId": None,
        "wasPublished": False,
        "unpublishedAt": None,
        "unpublishedBy": None,
        "parentModelId": None,
    }


def post_get_infinite(site: Site, ask: Ask, given: Input) -> Input:
    """``post.getInfinite``: posts with some of their images; an unknown username is no filter at all (§3)."""
    check(given, RULES)
    mask, sort = capped(ask, given.get("browsingLevel")), given.get("sort", "Most Reactions")
    length = PERIODS[given.get("period", "AllTime")]
    since = 0 if length is None else int(site.world.now.timestamp() * 1000) - length

    def rank(post: Post) -> tuple[int, int]:
        return (_measure(post, sort), post.id)

    found = [
        one
        for one in _pool(site, ask, given)
        if one.published >= since
        and (sort == "Newest" or _measure(one, sort))
        and any(visible(image, mask, combined=False) for image in one.images)
    ]
    found.sort(key=rank, reverse=True)
    start = _position(given.get("cursor"), dated=sort == "Newest")
    if start is not None:
        found = [one for one in found if rank(one) <= start]
    limit = given.get("limit", 100)
    following: Any = UNDEFINED
    if len(found) > limit:
        measure, number = rank(found[limit])
        following = f"{iso(measure) if sort == 'Newest' else measure}|{number}"
    return {"items": [post_card(one, mask) for one in found[:limit]], "nextCursor": following}


def _measure(post: Post, sort: str) -> int:
    if sort == "Newest":
        return post.published
    counts = [reactions(one) for one in post.images]
    if sort == "Most Reactions":
        return sum(one.reactions for one in counts)
    return sum(one.comment if sort == "Most Comments" else one.collected for one in counts)


def _pool(site: Site, ask: Ask, given: Input) -> list[Post]:
    """List what is asked for, before levels."""
    world = site.world
    creator = world.creator(slug(given["username"])) if given.get("username") else None
    members: set[int] | None = None
    if given.get("collectionId"):
        collection = world.collections.get(given["collectionId"])
        readable = collection is not None and collection.readable(ask.caller)
        members = {one.entry_id for one in collection.accepted} if collection and readable else set()
    followed = bool(given.get("followed")) and ask.caller is not None
    excluded, query = set(given.get("excludedUserIds", ())), given.get("query", "").lower()
    return [
        one
        for one in world.posts.values()
        if (creator is None or one.user_id == creator.user_id)
        and (members is None or one.id in members)
        and given.get("modelVersionId") in (None, one.version_id)
        and (not given.get("ids") or one.id in given["ids"])
        and (not given.get("tags") or not set(given["tags"]).isdisjoint(one.tag_ids))
        and set(given.get("excludedTagIds", ())).isdisjoint(one.tag_ids)
        and (not followed or follows(one.user_id))
        and one.user_id not in excluded
        and (one.title or "").lower().startswith(query)
        and not given.get("draftOnly")
        and not given.get("scheduled")
    ]


def _position(cursor: Any, *, dated: bool) -> tuple[int, int] | None:
    """Read ``ISOdate|id`` or ``number|id``."""
    if cursor is None:
        return None
    measure, _, number = str(cursor).partition("|")
    try:
        return _milliseconds(measure) if dated else int(measure), int(number)
    except ValueError:
        raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}") from None


def _milliseconds(text: str) -> int:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text):
        raise ValueError(text)
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def post_card(post: Post, mask: Level) -> Input:
    """Tell of a post in a list, with the first of the images that a level mask lets through."""
    shown = [one for one in post.images if visible(one, mask, combined=False)]
    counts = [reactions(one) for one in post.images]
    return {
        "id": post.id,
        "nsfwLevel": int(post.level),
        "title": post.title,
        "publishedAt": Date(iso(post.published)),
        "modelVersionId": post.version_id,
        "collectionId": None,
        "imageCount": len(shown),
        "user": lite(post.user_id, post.username, vanished=post.vanished),
        "stats": {
            "postId": post.id,
            "commentCount": sum(one.comment for one in counts),
            "likeCount": sum(one.like for one in counts),
            "dislikeCount": 0,
            "heartCount": sum(one.heart for one in counts),
            "laughCount": sum(one.laugh for one in counts),
            "cryCount": sum(one.cry for one in counts),
            "collectedCount": sum(one.collected for one in counts),
        },
        "images": [_image(one) for one in shown[:MOST_IMAGES]],
        "cosmetic": None,
    }


def _image(record: Record) -> Input:
    return {
        "id": record.id,
        "userId": record.user_id,
        "name": None,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "postId": record.post_id,
        "type": record.type,
        "metadata": feed_items.metadata(record),
        "onSite": record.on_site,
        "remixOfId": remix_of(record),
        "minor": record.minor,
        "poi": record.poi,
        "tagIds": list(record.tag_ids),
    }


def post_get_resources(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``post.getResources``: the versions of all its images, by model name, without strengths."""
    check(given, ID)
    post = site.world.posts.get(given["id"])
    rows = [one for record in (post.images if post else ()) for one in detected(site, record)]
    left_out = ("modelVersionBaseModel", "detected")
    told = [
        {"postId": given["id"], "reviewRecommended": None}
        | {name: value for name, value in one.items() if name not in left_out}
        for one in rows
    ]
    return sorted(told, key=lambda one: one["modelName"])


def post_get_contest_collection_details(site: Site, ask: Ask, given: Input) -> Input:
    """``post.getContestCollectionDetails``: the contest that a post's images are in."""
    check(given, ID)
    post = site.world.posts.get(given["id"])
    numbers = {one.id for one in post.images} if post else set()
    for one in site.world.collections.values():
        members = [member for member in one.members if member.entry_id in numbers]
        if one.mode == CONTEST and members:
            items = [curated.contest_item(one, member, ask) for member in members]
            told = {"collection": curated.described(one), "permissions": curated.permissions(one.id, one, ask)}
            return told | {"items": items}
    return {"collection": None, "permissions": None, "items": []}
