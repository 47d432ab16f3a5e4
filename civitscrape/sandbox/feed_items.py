"""Entries as ``image.getInfinite`` tells them, with tags and their votes (contract trpc-and-pages §4.1, §10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import MediaType
from civitscrape.sandbox import people, pictures, tools
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.records import generation_data, reactions, remix_of
from civitscrape.sandbox.tags import votes
from civitscrape.sandbox.wire import UNDEFINED, Date

if TYPE_CHECKING:
    from civitscrape.sandbox.accounts import Account
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.tags import Vote

LAZY = 6
"""Images that a post in a gallery comes with when its images are lazy."""


def visible_meta(record: Record) -> dict[str, Any] | None:
    """Return the generation data unless its creator hid it."""
    return None if record.hide_meta else generation_data(record)


def votable_tags(record: Record) -> list[dict[str, Any]]:
    """List every community tag with scores and votes, best first, as feeds with ``include: ["tags"]`` do."""
    return [vote(one) | {"source": one.source, "imageId": record.id} for one in votes(record)]


def vote(one: Vote) -> dict[str, Any]:
    """Tell of one tag on one image."""
    return {
        "score": one.score,
        "upVotes": one.up,
        "downVotes": one.down,
        "automated": one.automated,
        "needsReview": one.needs_review,
        "concrete": one.concrete,
        "lastUpvote": None if one.upvoted_at is None else Date(iso(one.upvoted_at)),
        "id": one.tag.id,
        "type": one.tag.type,
        "nsfwLevel": int(one.tag.level),
        "name": one.tag.name,
    }


def item(record: Record, given: Input, *, indexed: bool, caller: Account | None = None) -> dict[str, Any]:
    """Tell of one entry, from the index or from the database: they differ in dates, meta and several keys (§4.1)."""
    include = {*given.get("include", ("cosmetics",)), *(("tags",) if given.get("withTags") else ())}
    told = _index_item(record, include) if indexed else _database_item(record, include, given)
    reacted = people.reaction(caller.user_id, record) if caller else None
    if caller and reacted:
        told["reactions"] = [{"userId": caller.user_id, "reaction": reacted}]
    return told


def user(record: Record) -> dict[str, Any]:
    """Describe who published an entry."""
    return people.lite(record.user_id, record.username, vanished=record.vanished)


def stats(record: Record) -> dict[str, int]:
    """Count what people did with an entry."""
    counts = reactions(record)
    return {
        "likeCountAllTime": counts.like,
        "laughCountAllTime": counts.laugh,
        "heartCountAllTime": counts.heart,
        "cryCountAllTime": counts.cry,
        "commentCountAllTime": counts.comment,
        "collectedCountAllTime": counts.collected,
        "tippedAmountCountAllTime": 0,
        "dislikeCountAllTime": 0,
        "viewCountAllTime": 0,
    }


def metadata(record: Record, *, indexed: bool = False) -> dict[str, Any]:
    """Describe the file of an entry; the index knows only how large images are on the screen."""
    screen: dict[str, Any] = {"width": record.width, "height": record.height}
    if indexed and record.type is MediaType.IMAGE:
        return screen
    told = {"hash": record.hash, "size": pictures.size(record)} | screen
    if record.type is MediaType.IMAGE:
        return told
    return told | {"audio": record.type is MediaType.AUDIO, "duration": 1.5}


def _common(record: Record, *, indexed: bool) -> dict[str, Any]:
    data = visible_meta(record)
    return {
        "id": record.id,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "type": record.type,
        "metadata": metadata(record, indexed=indexed),
        "ingestion": "Scanned",
        "blockedFor": None,
        "needsReview": None,
        "postId": record.post_id,
        "index": record.post_index,
        "modelVersionId": record.posted_to,
        "model3dId": None,
        "availability": "Public",
        "minor": record.minor,
        "poi": record.poi,
        "hasMeta": data is not None,
        "hasPositivePrompt": bool(data and data.get("prompt")),
        "onSite": record.on_site,
        "remixOfId": remix_of(record),
        "user": user(record),
        "stats": stats(record),
        "reactions": [],
        "tagIds": list(record.tag_ids),
        "cosmetic": None,
        "thumbnailUrl": UNDEFINED,
    }


def _index_item(record: Record, include: set[str]) -> dict[str, Any]:
    counts, moment = reactions(record), iso(record.sort_at)
    return _common(record, indexed=True) | {
        "userId": record.user_id,
        "aiNsfwLevel": int(record.combined_level),
        "combinedNsfwLevel": int(record.combined_level),
        "sortAt": moment,
        "createdAt": moment,
        "publishedAt": moment,
        "postedToId": record.posted_to,
        "reactionCount": counts.reactions,
        "commentCount": counts.comment,
        "collectedCount": counts.collected,
        "baseModel": record.base_model,
        "modelVersionIds": list(record.used[: record.detected]),
        "modelVersionIdsManual": list(record.used[record.detected :]),
        "toolIds": [one.id for one in tools.tools(record)],
        "techniqueIds": [one.id for one in tools.techniques(record)],
        "existedAtUnix": record.sort_at,
        "sortAtUnix": record.sort_at,
        "name": None,
        "meta": visible_meta(record) if "metaSelect" in include else None,
        "tags": votable_tags(record) if "tags" in include else [],
    }


def _database_item(record: Record, include: set[str], given: Input) -> dict[str, Any]:
    # One Date for both, as the database driver gives: superjson then tells that they are the same (§1.3).
    sorted_at, with_base = Date(iso(record.sort_at)), bool(given.get("includeBaseModel"))
    told = _common(record, indexed=False) | {
        "name": record.name,
        "createdAt": Date(iso(record.created)),
        "sortAt": sorted_at,
        "publishedAt": sorted_at,
        "meta": {"id": record.id, "meta": visible_meta(record)} if "metaSelect" in include else None,
        "modelVersionIds": list(record.used) if with_base else [],
        "modelVersionIdsManual": [],
        "baseModel": record.base_model if with_base else UNDEFINED,
        "tags": votable_tags(record) if "tags" in include else UNDEFINED,
        "judgeScore": None,
    }
    return told | ({"collectionItemStatus": "ACCEPTED"} if given.get("collectionId") else {})
