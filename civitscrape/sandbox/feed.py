"""The index behind the feeds: which entries match, in what order, and where a page of them ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.ask import EVERYTHING
from civitscrape.sandbox.records import MINUTE, reactions, version

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.world import World

SORTS = ("Most Reactions", "Most Comments", "Most Collected", "Newest", "Oldest", "Random")
PERIODS = {
    "Day": 86_400_000,
    "Week": 7 * 86_400_000,
    "Month": 30 * 86_400_000,
    "Year": 365 * 86_400_000,
    "AllTime": None,
}
MATURE = Level.R | Level.X | Level.XXX
KEPT_LISTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a feed is asked for; null means all."""

    mask: Level = Level.PG
    username: str | None = None
    user_id: int | None = None
    post_id: int | None = None
    version_id: int | None = None
    model_id: int | None = None
    image_id: int | None = None
    types: frozenset[MediaType] | None = None
    tags: frozenset[int] | None = None
    base_models: frozenset[str] | None = None
    period: str = "AllTime"
    sort: str = "Most Reactions"
    combined: bool = False
    """Whether to filter on the stricter of the human and the automatic rating, as the green host does."""


class Cut(NamedTuple):
    """One page of a feed."""

    records: list[Record]
    """What is shown: entries dropped after the cut are missing."""
    hits: list[Record]
    """What the index returned for it."""
    more: bool
    """Whether another page is announced."""


_KEYS: dict[str, Callable[[Record], tuple[int, int]]] = {
    "Most Reactions": lambda one: (-reactions(one).reactions, -one.id),
    "Most Comments": lambda one: (-reactions(one).comment, -one.id),
    "Most Collected": lambda one: (-reactions(one).collected, -one.id),
    "Newest": lambda one: (-one.sort_at, -one.id),
    "Random": lambda one: (-one.sort_at, -one.id),
    "Oldest": lambda one: (one.sort_at, one.id),
}


class Index:
    """Matching entries of a world, each question's list kept while there is room."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lists: dict[Filter, list[Record]] = {}

    def hits(self, wanted: Filter) -> list[Record]:
        """List all entries that match, sorted."""
        found = self._lists.get(wanted)
        if found is None:
            if len(self._lists) >= KEPT_LISTS:
                self._lists.clear()
            found = self._lists[wanted] = sorted(self._matching(wanted), key=_KEYS[wanted.sort])
        return found

    def _matching(self, wanted: Filter) -> list[Record]:
        if wanted.username is not None:
            creator = self.world.creator(wanted.username)
            pool = list(creator.records) if creator else []
        else:
            pool = list(self.world.records.values())
        length = PERIODS[wanted.period]
        since = 0 if length is None else int(self.world.now.timestamp() * 1000) - length
        return [
            one
            for one in pool
            if one.sort_at >= since and visible(one, wanted.mask, combined=wanted.combined) and _asked(one, wanted)
        ]

    def page(self, wanted: Filter, *, offset: int, limit: int, ceiling: int | None, until: int | None = None) -> Cut:
        """Cut a page out of a feed.

        The engine refuses hits beyond ``ceiling``: the page that crosses it is the last, without a word. ``until`` pins
        a Newest feed to entries not newer than that minute (contract trpc-and-pages §4.1).
        """
        found = self.hits(wanted)
        if until is not None:
            found = [one for one in found if one.sort_at <= until]
        total = len(found) if ceiling is None else min(len(found), ceiling)
        hits = found[offset : min(offset + limit, total)]
        return Cut([one for one in hits if not one.ghost], hits, offset + limit < total)


def first_page(found: list[Record], limit: int) -> Cut:
    """Cut the first page of a list that has no index behind it."""
    return Cut(found[:limit], found[:limit], len(found) > limit)


def visible(record: Record, mask: Level, *, combined: bool) -> bool:
    """Tell whether a level mask lets a record through (contract rest.md §4).

    As soon as the mask holds R or more, child-related entries are dropped at every level; minor-flagged ones and real
    people never pass.
    """
    level = record.combined_level if combined else record.level
    if record.minor or record.poi or not level & mask & EVERYTHING:
        return False
    return not (mask & MATURE and record.childhood)


def _asked(record: Record, wanted: Filter) -> bool:
    if wanted.user_id is not None and record.user_id != wanted.user_id:
        return False
    if wanted.image_id is not None and record.id != wanted.image_id:
        return False
    if wanted.post_id is not None and record.post_id != wanted.post_id:
        return False
    if wanted.version_id is not None and wanted.version_id not in (record.posted_to, *record.used):
        return False
    if wanted.model_id is not None and wanted.model_id not in {version(one).model_id for one in record.used}:
        return False
    if wanted.types is not None and record.type not in wanted.types:
        return False
    if wanted.tags is not None and wanted.tags.isdisjoint(record.tag_ids):
        return False
    return wanted.base_models is None or not wanted.base_models.isdisjoint(
        version(one).base_model for one in record.used
    )


def minute(milliseconds: int) -> int:
    """Round down to the minute, as pinned cursors do."""
    return milliseconds // MINUTE * MINUTE
