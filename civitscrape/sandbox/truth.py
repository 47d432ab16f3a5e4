"""What a perfect archive of a creator holds, read from the world itself: it can contradict the server."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from civitscrape.items import Level, MediaType
from civitscrape.sandbox import pictures
from civitscrape.sandbox.drawn import Drawn
from civitscrape.sandbox.records import community_tags, generation_data, reactions

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.world import World

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A creator's images of some levels, and what its profile page announces."""

    username: str
    user_id: int
    mask: int
    """Levels asked for."""
    red: bool
    """Whether they are to be asked of the mature host."""
    images: list[dict[str, Any]]
    """Every entry to be listed, oldest first: see ``truth``."""
    announced: dict[str, int]
    """What the profile page counts for the caller: ``mask``, ``images``, ``videos``, ``posts``."""

    @property
    def ids(self) -> list[int]:
        """Ids of all entries."""
        return [one["id"] for one in self.images]

    @property
    def stored(self) -> list[dict[str, Any]]:
        """Entries whose bytes can be had."""
        return [one for one in self.images if not one["deleted"] and not one["foreign"]]

    @property
    def gone(self) -> list[dict[str, Any]]:
        """Entries whose bytes the CDN has no more."""
        return [one for one in self.images if one["deleted"]]

    def as_dict(self) -> dict[str, Any]:
        """Tell everything as JSON would."""
        return {
            "username": self.username,
            "user_id": self.user_id,
            "mask": self.mask,
            "red": self.red,
            "announced": self.announced,
            "images": self.images,
        }


def truth(
    world: World, username: str, mask: int, *, keyed: bool = False, red: bool | None = None, hashes: bool = True
) -> Truth:
    """Tell what a perfect archive of a creator holds.

    A perfect archive asks for PG and PG-13 apart from the rest, so nothing is lost to the rule that hides child-related
    entries from whoever asks for R. Entries with the minor flag, of real people, and ghosts are never listed.

    Args:
        world: the sandbox's world.
        username: the creator, any case.
        mask: level bits.
        keyed: whether the profile page is asked with a key; listings do not care.
        red: whether the mature host is asked, which does not filter on the stricter combined rating; when null, as
            soon as R or more is wanted.
        hashes: whether to make every file for its size and SHA-256.

    Raises:
        KeyError: there is no such creator.
    """
    creator = world.named(username)
    red = mask > Level.PG | Level.PG13 if red is None else red
    shown = [one for one in creator.records if not (one.ghost or one.minor or one.poi)]
    rated = [(one, one.level if red else one.combined_level) for one in shown]
    wanted = [one for one, level in rated if level & mask and not (level > Level.PG13 and one.childhood)]
    cap = 1 if not keyed else 31 if red else 3
    counted = [one for one in shown if one.level & cap]
    return Truth(
        username=creator.username,
        user_id=creator.user_id,
        mask=mask,
        red=red,
        images=[_image(one, hashes=hashes) for one in wanted],
        announced={
            "mask": cap,
            "images": len([one for one in counted if one.type is MediaType.IMAGE]),
            "videos": len([one for one in counted if one.type is MediaType.VIDEO]),
            "posts": len({one.post_id for one in counted}),
        },
    )


def _time(milliseconds: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sha256(body: bytes | Drawn) -> str:
    """Hash a body of either kind, lower case."""
    return body.sha256() if isinstance(body, Drawn) else hashlib.sha256(body).hexdigest()


def _image(record: Record, *, hashes: bool) -> dict[str, Any]:
    """Describe an entry: ``prompt`` and ``meta`` as anybody may see them, ``sha256`` and ``size`` of the original."""
    meta = None if record.hide_meta else generation_data(record)
    stats = reactions(record)
    body = pictures.body(record) if hashes and not (record.deleted or record.foreign) else None
    return {
        "id": record.id,
        "key": record.key,
        "type": str(record.type),
        "format": record.format,
        "content_type": pictures.CONTENT_TYPES[record.format],
        "level": int(record.level),
        "combined_level": int(record.combined_level),
        "creator": record.username,
        "post_id": record.post_id,
        "post_index": record.post_index,
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "listed_at": _time(record.sort_at),
        "created_at": _time(record.created),
        "published_at": _time(record.published),
        "base_model": record.base_model,
        "model_version_ids": list(record.used[: record.detected]),
        "all_version_ids": list(record.used),
        "prompt": meta.get("prompt") if meta else None,
        "negative_prompt": meta.get("negativePrompt") if meta else None,
        "meta": meta,
        "hidden": record.hide_meta,
        "tags": [{"id": tag_id, "name": name} for tag_id, name in community_tags(record)],
        "stats": stats._asdict(),
        "deleted": record.deleted,
        "foreign": record.foreign,
        "sha256": None if body is None else sha256(body),
        "size": None if body is None else len(body),
    }
