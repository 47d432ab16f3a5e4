"""Collections as tRPC tells them: the record, what the caller may do with it, its members (§4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import feed_items
from civitscrape.sandbox.collections import CONTEST, PRIVATE, PUBLIC
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.people import lite
from civitscrape.sandbox.wire import Date

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.collections import Collection, Member
    from civitscrape.sandbox.records import Record


def described(one: Collection) -> dict[str, Any]:
    """Tell of a collection by itself."""
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "read": one.read,
        "write": "Review" if one.mode == CONTEST else "Private",
        "type": one.type,
        "nsfw": False,
        "nsfwLevel": int(one.level),
        "image": _image(one.cover),
        "mode": one.mode,
        "metadata": {"maxItemsPerUser": 20} if one.mode == CONTEST else {},
        "availability": "Unsearchable" if one.read == PRIVATE else "Public",
        "userId": one.user_id,
        "tags": [
            {"id": tag_id, "name": name, "filterableOnly": False}
            for tag_id, name in sorted({member.tag for member in one.members if member.tag})
        ],
        "user": lite(one.user_id, one.username),
    }


def _image(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "id": record.id,
        "name": record.name,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "type": record.type,
        "metadata": feed_items.metadata(record),
    }


def card(one: Collection) -> dict[str, Any]:
    """Tell of a collection in a list."""
    cover = _image(one.cover)
    return {
        "id": one.id,
        "name": one.name,
        "read": one.read,
        "type": one.type,
        "userId": one.user_id,
        "user": lite(one.user_id, one.username),
        "nsfwLevel": int(one.level),
        "image": cover,
        "mode": one.mode,
        "createdAt": Date(iso(one.created)),
        "metadata": {},
        "_count": {"items": len(one.accepted), "contributors": 1},
        "images": [cover] if cover else [],
        "srcs": [],
    }


def permissions(number: int, one: Collection | None, ask: Ask) -> dict[str, Any]:
    """Tell what the caller may do; with nothing to read, nothing."""
    owned = one is not None and one.owned(ask.caller)
    reads = one is not None and one.readable(ask.caller)
    joins = reads and ask.caller is not None
    return {
        "collectionId": number,
        "read": reads,
        "write": owned,
        "writeReview": bool(joins and one and one.mode == CONTEST),
        "manage": owned,
        "follow": bool(joins),
        "isContributor": False,
        "isOwner": owned,
        "followPermissions": ["VIEW"] if joins else [],
        "publicCollection": bool(one and one.read == PUBLIC),
        **({"collectionType": one.type, "collectionMode": one.mode} if one and reads else {}),
    }


def contest_item(one: Collection, member: Member, ask: Ask) -> dict[str, Any]:
    """Tell of an image's place in a contest."""
    return {
        "id": member.id,
        "imageId": member.entry_id,
        "status": member.status,
        "createdAt": Date(iso(member.added)),
        "reviewedAt": None,
        "collection": described(one),
        "scores": [],
        "tag": {"id": member.tag[0], "name": member.tag[1]} if member.tag else None,
        "permissions": permissions(one.id, one, ask),
    }
