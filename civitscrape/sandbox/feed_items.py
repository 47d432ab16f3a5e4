"""Entries as ``image.getInfinite`` tells them, with tags and their votes (contract trpc-and-pages §4.1, §10.2)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from civitscrape.items import MediaType
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.records import community_tags, generation_data, reactions
from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG
from civitscrape.sandbox.wire import UNDEFINED, Date

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

DETECTED = 0.8
"""Share of tags that a detector set; people added the rest."""


def visible_meta(record: Record) -> dict[str, Any] | None:
    """Return the generation data unless its creator hid it."""
    return None if record.hide_meta else generation_data(record)


def votable_tags(record: Record) -> list[dict[str, Any]]:
    """List the community tags with scores and votes, best first."""
    listed = [_votable(record, tag_id, name) for tag_id, name in community_tags(record)]
    return sorted(listed, key=lambda one: (-one["score"], one["id"]))


def _votable(record: Record, tag_id: int, name: str) -> dict[str, Any]:
    draw = Random(record.seed ^ tag_id)
    automated = draw.random() < DETECTED
    up, down = draw.randrange(4), draw.randrange(2)
    return {
        "score": (draw.randrange(4, 10) if automated else 0) + up - down,
        "upVotes": up,
        "downVotes": down,
        "automated": automated,
        "needsReview": False,
        "concrete": True,
        "lastUpvote": Date(iso(record.sort_at + draw.randrange(10**9))) if up else None,
        "source": "WD14" if automated else "User",
        "imageId": record.id,
        "id": tag_id,
        "type": "Label" if automated else "UserGenerated",
        "nsfwLevel": 2 if tag_id == CHILDHOOD_TAG else 1,
        "name": name,
    }


def item(record: Record, include: set[str], *, indexed: bool) -> dict[str, Any]:
    """Tell of one entry, from the index or from the database: they differ in dates, meta and several keys (§4.1)."""
    return _index_item(record, include) if indexed else _database_item(record, include)


def _user(record: Record) -> dict[str, Any]:
    name = None if record.vanished else record.username
    return {
        "id": record.user_id,
        "username": name,
        "image": None,
        "deletedAt": None,
        "cosmetics": [],
        "profilePicture": None,
    }


def _stats(record: Record) -> dict[str, int]:
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


def _metadata(record: Record) -> dict[str, Any]:
    size: dict[str, Any] = {"width": record.width, "height": record.height}
    if record.type is not MediaType.IMAGE:
        size |= {"hash": record.hash, "audio": record.type is MediaType.AUDIO, "duration": 1.5}
    return size


def _common(record: Record) -> dict[str, Any]:
    data = visible_meta(record)
    return {
        "id": record.id,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "type": record.type,
        "metadata": _metadata(record),
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
        "onSite": record.shape == "civitai_resources",
        "remixOfId": None,
        "user": _user(record),
        "stats": _stats(record),
        "reactions": [],
        "tagIds": list(record.tag_ids),
        "cosmetic": None,
        "thumbnailUrl": UNDEFINED,
    }


def _index_item(record: Record, include: set[str]) -> dict[str, Any]:
    counts, moment = reactions(record), iso(record.sort_at)
    return _common(record) | {
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
        "toolIds": [],
        "techniqueIds": [],
        "existedAtUnix": record.sort_at,
        "sortAtUnix": record.sort_at,
        "name": None,
        "meta": visible_meta(record) if "metaSelect" in include else None,
        "tags": votable_tags(record) if "tags" in include else [],
    }


def _database_item(record: Record, include: set[str]) -> dict[str, Any]:
    return _common(record) | {
        "name": f"{record.id % 100_000:05d}.{record.format}",
        "createdAt": Date(iso(record.created)),
        "sortAt": Date(iso(record.sort_at)),
        "publishedAt": Date(iso(record.sort_at)),
        "meta": {"id": record.id, "meta": visible_meta(record)} if "metaSelect" in include else None,
        "modelVersionIds": [],
        "modelVersionIdsManual": [],
        "baseModel": UNDEFINED,
        "tags": votable_tags(record) if "tags" in include else UNDEFINED,
        "judgeScore": None,
    }
