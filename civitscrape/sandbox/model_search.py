"""Listings of models: which match, in what order, and the cursors that lose some (contract rest.md §5.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox.feed import PERIODS
from civitscrape.sandbox.model_query import normalised
from civitscrape.sandbox.models import popularity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from civitscrape.sandbox.model_query import Wanted
    from civitscrape.sandbox.models import ModelRecord, VersionRecord
    from civitscrape.sandbox.world import World

CEILING = 1000
"""Hits that the text search gives at most unless a quirk says otherwise."""
DATED = frozenset({"Newest", "Oldest"})

_COUNTS = {
    "Highest Rated": ("thumbs_up", "downloads"),
    "Most Liked": ("thumbs_up", "downloads"),
    "Most Downloaded": ("downloads", "thumbs_up"),
    "Most Discussed": ("comments", "thumbs_up"),
    "Most Collected": ("collected", "thumbs_up"),
    "Most Images": ("images", "thumbs_up"),
}
_DATE = re.compile(
    r"(\d{4})[-/]?(\d{1,2})?[-/]?(\d{0,2})[Tt\s]*(\d{1,2})?:?(\d{1,2})?:?(\d{1,2})?[.:]?(\d+)?(Z)?", re.ASCII
)
"""Dates as dayjs takes them; of a fraction it reads at most three digits, ``.78`` as 78 ms."""


class CursorError(ValueError):
    """Raised here, for a cursor of the wrong form: 400 with this message."""


class UserNotFoundError(LookupError):
    """Raised here, for a username that nobody has."""


class Cut(NamedTuple):
    """One page of a listing."""

    models: list[ModelRecord]
    """What the database returned; those without a version to be seen are dropped afterwards."""
    following: str | None
    """Cursor of the next page."""


def page(world: World, wanted: Wanted, *, ceiling: int | None = None) -> Cut:
    """Cut a page out of a listing.

    Raises:
        CursorError: the cursor does not fit the order.
        UserNotFoundError: there is no such user.
    """
    if wanted.query is not None:
        return _searched(world, wanted, ceiling or CEILING)
    found = sorted(matching(world, wanted), key=lambda one: _place(one, wanted.sort))
    if wanted.cursor is not None:
        start = _parsed(wanted.cursor, wanted.sort)
        found = [one for one in found if _after(one, wanted.sort, start)]
    if wanted.limit == 0:
        return Cut(found[:1], None)
    more = len(found) > wanted.limit
    return Cut(found[: wanted.limit], cursor(found[wanted.limit], wanted.sort) if more else None)


def matching(world: World, wanted: Wanted) -> Iterable[ModelRecord]:
    """Find the models that the database returns for a question, in any order.

    Raises:
        UserNotFoundError: there is no such user.
    """
    pool: Iterable[ModelRecord] = world.models.values()
    if wanted.username is not None:
        owner = world.creator(normalised(wanted.username))
        if owner is None:
            raise UserNotFoundError("User not found")
        pool = owner.models
    length = PERIODS[wanted.period]
    since = 0 if length is None else int(world.now.timestamp() * 1000) - length
    mask = 31 if wanted.nsfw else int(Level.PG)
    # A tag that nobody has is no filter at all.
    tag = wanted.tag
    if tag is not None and not any(tag in one.tags for one in world.models.values()):
        tag = None
    return [
        one
        for one in pool
        if _shown(one, wanted, mask)
        and (one.last_version_at or 0) >= since
        and (tag is None or tag in one.tags)
        and _asked(one, wanted)
    ]


def _shown(model: ModelRecord, wanted: Wanted, mask: int) -> bool:
    """Apply the rules of visibility; asking for R hides what is about children (contract rest.md §4)."""
    return (
        model.status == "Published"
        and model.availability != "Private"
        and not model.poi
        and bool(model.level & mask)
        and (mask <= Level.PG | Level.PG13 or not (model.minor or model.childhood))
        and (wanted.archived or model.mode != "Archived")
    )


def _asked(model: ModelRecord, wanted: Wanted) -> bool:
    if wanted.own_list or wanted.followed or wanted.from_platform:
        return False
    if wanted.ids is not None and model.id not in wanted.ids:
        return False
    if wanted.types is not None and model.type not in wanted.types:
        return False
    merge = "Merge" if model.seed % 3 == 0 else "Trained"
    if wanted.checkpoint_type and model.type == "Checkpoint" and merge != wanted.checkpoint_type:
        return False
    if wanted.availability is not None and model.availability != wanted.availability:
        return False
    if wanted.commercial_uses is not None and wanted.commercial_uses.isdisjoint(model.commercial_use):
        return False
    if wanted.generates and not model.generates:
        return False
    return any(_version_asked(one, wanted) for one in model.versions if one.status == "Published")


def _version_asked(version: VersionRecord, wanted: Wanted) -> bool:
    return (
        (wanted.version_ids is None or version.id in wanted.version_ids)
        and (wanted.base_models is None or version.base_model in wanted.base_models)
        and (wanted.file_formats is None or any(one.format in wanted.file_formats for one in version.listed_files))
        and (not wanted.early_access or version.gated)
    )


def shown_versions(model: ModelRecord, wanted: Wanted) -> list[VersionRecord]:
    """List the versions of a model that an item shows; without any the item is dropped."""
    return [
        one
        for one in model.visible_versions
        if (not wanted.general or one.availability == "Public")
        and (wanted.version_ids is None or one.id in wanted.version_ids)
        and (wanted.base_models is None or one.base_model in wanted.base_models)
    ]


def _columns(model: ModelRecord, sort: str) -> tuple[int, ...]:
    if sort in DATED:
        return (model.last_version_at or 0, model.id)
    counts = popularity(model)
    return (*(getattr(counts, name) for name in _COUNTS[sort]), model.id)


def _place(model: ModelRecord, sort: str) -> tuple[int, ...]:
    columns = _columns(model, sort)
    if sort == "Oldest":
        return columns
    if sort == "Newest":
        return tuple(-one for one in columns)
    return (-columns[0], -columns[1], columns[2])


def cursor(model: ModelRecord, sort: str) -> str:
    """Write the cursor of the page that begins with a model."""
    first, *rest = _columns(model, sort)
    return "|".join([database_time(first) if sort in DATED else str(first), *map(str, rest)])


def database_time(milliseconds: int, between: str = " ") -> str:
    """Write a time as the database does: UTC, zeros at the end of the fraction trimmed, no zone.

    >>> database_time(1782987242550)
    '2026-07-02 10:14:02.55'
    """
    whole, rest = divmod(milliseconds, 1000)
    fraction = f".{rest:03d}".rstrip("0").rstrip(".")
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d{between}%H:%M:%S}{fraction}"


def _parsed(text: str, sort: str) -> tuple[int, ...]:
    """Read a cursor into its columns; of a date in ISO form only the date counts."""
    parts = text.split("|")
    if sort not in DATED:
        if len(parts) != 3 or not all(re.fullmatch(r"-?\d+", one, re.ASCII) for one in parts):  # noqa: PLR2004
            raise CursorError(f"Invalid cursor: {text}")
        return tuple(int(one) for one in parts)
    found = _DATE.fullmatch(parts[0])
    if found is None:
        raise CursorError(f"Invalid cursor: {text}")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError as error:
        raise CursorError(f"Invalid cursor: {text}") from error
    at = int(moment.timestamp()) * 1000 + int((fraction or "0")[:3])
    if zone:
        return (at,)
    if len(parts) != 2 or not re.fullmatch(r"\d+", parts[1], re.ASCII):  # noqa: PLR2004
        raise CursorError(f"Invalid cursor: {text}")
    return (at, int(parts[1]))


def _after(model: ModelRecord, sort: str, start: tuple[int, ...]) -> bool:
    """Tell whether a row comes after a cursor: ascending with the boundary row, descending without it."""
    columns = _columns(model, sort)
    if sort == "Oldest":
        return columns[0] >= start[0]
    if sort == "Newest":
        return columns[: len(start)] < start
    return (-columns[0], -columns[1], columns[2]) >= (-start[0], -start[1], start[2])


def _searched(world: World, wanted: Wanted, ceiling: int) -> Cut:
    """Search by words: the index knows level and types only, so the database may empty a page afterwards."""
    words = (wanted.query or "").lower().split()
    mask = 31 if wanted.nsfw else int(Level.PG)
    hits = [
        (sum(word in f"{one.name} {' '.join(one.tags)}".lower() for word in words), one)
        for one in world.models.values()
        if one.visible and one.level & mask and (wanted.types is None or one.type in wanted.types)
    ]
    ranked = sorted((hit for hit in hits if hit[0]), key=lambda hit: (-hit[0], hit[1].id))[:ceiling]
    offset = int(wanted.cursor) if wanted.cursor and wanted.cursor.isdecimal() else 0
    passed = {one.id for one in matching(world, wanted)}
    stop = offset + wanted.limit
    found = [one for _, one in ranked[offset:stop] if one.id in passed]
    return Cut(found, str(stop) if stop < len(ranked) and wanted.limit else None)
