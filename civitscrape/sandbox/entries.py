"""Entries of ``/api/v1/images`` as bytes, encoded once and joined into pages (contract rest.md §7.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox.ask import compact
from civitscrape.sandbox.records import community_tags, generation_data, reactions, version

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

LEGACY_NAMES = {Level.PG: "None", Level.PG13: "Soft", Level.R: "Mature", Level.X: "X", Level.XXX: "X"}
KEPT_ENTRIES = 100_000


class Shape(NamedTuple):
    """How a page wants its entries."""

    with_meta: bool
    nesting: int
    """How often ``meta`` is wrapped in ``{id, meta}``."""
    with_tags: bool
    legacy: bool
    """Whether the legacy route tells it (contract rest.md §7.2)."""


class _Parts(NamedTuple):
    record: Record
    head: bytes
    meta: bytes
    tail: bytes
    tags: bytes


def iso(milliseconds: int) -> str:
    """Write a time as JavaScript does: UTC, three digits of milliseconds, ``Z``."""
    whole, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def address(location: str, record: Record) -> str:
    """Build the address of an original as listings give it; its stem is the key. Foreign keys stay as they are."""
    if record.foreign:
        return record.key
    return f"{location}/{record.key}/original=true/{record.key}.{record.extension}"


class Entries:
    """Encoded entries, kept by image location and route."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str, bool], _Parts] = {}

    def join(self, records: list[Record], location: str, shape: Shape) -> bytes:
        """Join the entries of a page, with commas, without the brackets."""
        return b",".join([self._entry(one, location, shape) for one in records])

    def _entry(self, record: Record, location: str, shape: Shape) -> bytes:
        known = (record.id, location, shape.legacy)
        parts = self._kept.get(known)
        # Another world may use the number again.
        if parts is None or parts.record is not record:
            if len(self._kept) >= KEPT_ENTRIES:
                self._kept.clear()
            parts = self._kept[known] = _parts(record, location, legacy=shape.legacy)
        meta = b"null"
        if shape.with_meta:
            meta = parts.meta
            for _ in range(shape.nesting):
                meta = b'{"id":%d,"meta":%b}' % (record.id, meta)
        return b"".join((parts.head, meta, parts.tail, parts.tags if shape.with_tags else b"", b"}"))


def _parts(record: Record, location: str, *, legacy: bool) -> _Parts:
    counts = reactions(record)
    head = {
        "id": record.id,
        "url": address(location, record),
        "hash": record.hash,
        "width": record.width,
        "height": record.height,
        "nsfwLevel": LEGACY_NAMES[record.level],
        "type": record.type,
        "nsfw": record.level > Level.PG,
        "browsingLevel": int(record.level),
        "createdAt": iso(record.created if legacy else record.sort_at),
        "postId": record.post_id,
        "stats": {
            "cryCount": counts.cry,
            "laughCount": counts.laugh,
            "likeCount": counts.like,
            "dislikeCount": 0,
            "heartCount": counts.heart,
            "commentCount": counts.comment,
        },
    }
    tail: dict[str, object]
    if legacy:
        tail = {"username": None if record.vanished else record.username}
        if record.used:
            tail["baseModel"] = version(record.used[0]).group
        tail["modelVersionIds"] = record.used
    else:
        tail = {
            "username": "unknown" if record.vanished else record.username,
            "baseModel": record.base_model,
            "modelVersionIds": record.used[: record.detected],
        }
    tags = [{"id": tag_id, "name": name} for tag_id, name in community_tags(record)]
    return _Parts(
        record=record,
        head=compact(head)[:-1] + b',"meta":',
        meta=compact(None if record.hide_meta else generation_data(record)),
        tail=b"," + compact(tail)[1:-1],
        tags=b',"tags":' + compact(tags),
    )
