"""Model versions of every route into items, with their files and their showcase (contract rest.md §5, §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from civitscrape.items import Item, ModelVersion
from civitscrape.parsers import files, lenient, showcases


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What the versions of one entry share."""

    entry: Mapping[str, Any]
    """The entry that they are a part of, or the version itself."""
    site: str
    """CIVITAI_URL."""
    media_url: str
    """CIVITAI_MEDIA_URL."""
    model_id: int | None
    """Number of their model."""
    mode: str | None = None
    """Mode of their model: nothing of an archived one can be downloaded."""
    creator: str | None = None
    """Username of whoever published it."""
    user_id: int | None = None
    """Number of that account."""


def read(
    version: Mapping[str, Any], *, number: int, whole: Whole, place: str = "", position: int | None = None
) -> list[Item]:
    """Return a version, its files, and the images of its showcase.

    Args:
        version: the version as any route tells it.
        number: its number.
        whole: what it shares with the other versions of the entry.
        place: dotted path of the version in the entry, with a dot at its end; empty when it is the entry.
        position: its place among the versions, where the version itself does not tell.

    Raises:
        EntryError: a file is no object, or has no number.
    """
    archived = whole.mode == "Archived"
    found = files.of_version(
        version, version_id=number, site=whole.site, archived=archived, entry=whole.entry, place=f"{place}files"
    )
    index = lenient.integer(version, "index")
    stats = lenient.mapping(version, "stats") or lenient.mapping(version, "rank")
    paid_access = _paid_access(version)
    record = ModelVersion(
        id=number,
        model_id=whole.model_id,
        position=position if index is None else index,
        name=lenient.text(version, "name"),
        description=lenient.text(version, "description"),
        base_model=lenient.text(version, "baseModel") or None,
        base_model_type=lenient.text(version, "baseModelType"),
        trained_words=lenient.texts(version, "trainedWords"),
        created_at=lenient.time(version, "createdAt"),
        updated_at=lenient.time(version, "updatedAt"),
        published_at=lenient.time(version, "publishedAt"),
        download_url=files.download_url(whole.site, number) if found and not archived else None,
        status=lenient.text(version, "status"),
        availability=lenient.text(version, "availability"),
        level=lenient.integer(version, "nsfwLevel"),
        usage_control=lenient.text(version, "usageControl"),
        air=lenient.text(version, "air"),
        early_access_ends_at=_early_access(version, paid_access),
        paid_access=paid_access,
        download_count=lenient.integer(stats, "downloadCount", "downloadCountAllTime"),
        thumbs_up_count=lenient.integer(stats, "thumbsUpCount", "thumbsUpCountAllTime"),
        thumbs_down_count=lenient.integer(stats, "thumbsDownCount", "thumbsDownCountAllTime"),
    )
    pictures = showcases.of_version(
        lenient.values(version, "images"),
        version_id=number,
        media_url=whole.media_url,
        creator=whole.creator,
        user_id=whole.user_id,
    )
    return [record, *found, *pictures]


def _paid_access(version: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the paid gate in REST's form; tRPC gives prices, and a permanent one has neither an end nor a length."""
    gate = lenient.mapping(version, "paidAccess")
    if not gate:
        return None
    ends_at = lenient.time(gate, "endsAt") or lenient.time(version, "earlyAccessDeadline")
    permanent = lenient.boolean(gate, "permanent")
    if permanent is None:
        permanent = ends_at is None and gate.get("timeframeDays") is None
    return {"permanent": permanent, "endsAt": ends_at}


def _early_access(version: Mapping[str, Any], paid_access: dict[str, Any] | None) -> str | None:
    """Return the end of early access under the names that it had over the years."""
    told = lenient.time(version, "earlyAccessDeadline") or lenient.time(version, "earlyAccessEndsAt")
    return told or (paid_access["endsAt"] if paid_access else None)
