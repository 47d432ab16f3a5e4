"""The index behind the feeds: which entries match, in what order, and where a page of them ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level, MediaType
from civitscrape.sandbox import generation, people, tools
from civitscrape.sandbox.ask import EVERYTHING
from civitscrape.sandbox.records import MINUTE, generation_data, reactions, remix_of, version

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
    ids: frozenset[int] | None = None
    post_ids: frozenset[int] | None = None
    showcase: tuple[frozenset[int], frozenset[int]] | None = None
    """Versions whose showcase is wanted, and whose posts those are; what else was made with them is not."""
    collected: tuple[int, str] | None = None
    """Id of a collection, and which of its members: ``ACCEPTED``."""
    reacted: tuple[int, frozenset[str]] | None = None
    """Who reacted, and how."""
    followed: bool = False
    excluded_tags: frozenset[int] = frozenset()
    excluded_users: frozenset[int] = frozenset()
    tools: frozenset[int] = frozenset()
    techniques: frozenset[int] = frozenset()
    all_tools: bool = False
    """Whether all of the tools and techniques are asked for, as the database does, or any, as the index does."""
    with_meta: bool = False
    """Whether only images with visible generation data are wanted."""
    on_site: bool = False
    """Whether only images made on the site are wanted."""
    processes: frozenset[str] = frozenset()
    remix: bool | None = None
    """Whether only remixes are wanted, or none."""
    by_creation: bool = False
    """Whether the period counts from the creation, as the database does."""


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
        if wanted.collected is not None:
            found = self.world.collections.get(wanted.collected[0])
            members = {one.entry_id for one in found.members if one.status == wanted.collected[1]} if found else set()
            pool = [one for one in pool if one.id in members]
        if wanted.model_id is not None:
            pool = [one for one in pool if self._uses(one, wanted.model_id)]
        return [
            one
            for one in pool
            if (one.created if wanted.by_creation else one.sort_at) >= since
            and visible(one, wanted.mask, combined=wanted.combined)
            and _asked(one, wanted)
            and _among(one, wanted)
            and _also_asked(one, wanted)
        ]

    def _uses(self, record: Record, model_id: int) -> bool:
        """Tell whether an image was made with a model or posted to it."""
        if any(version(one).model_id == model_id for one in record.used):
            return True
        posted = self.world.versions.get(record.posted_to) if record.posted_to is not None else None
        return posted is not None and posted.model_id == model_id

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
    if wanted.types is not None and record.type not in wanted.types:
        return False
    if wanted.tags is not None and wanted.tags.isdisjoint(record.tag_ids):
        return False
    return wanted.base_models is None or not wanted.base_models.isdisjoint(
        version(one).base_model for one in record.used
    )


def _also_asked(record: Record, wanted: Filter) -> bool:
    """Hold a record against what only tRPC can ask for (contract trpc-and-pages §4.1)."""
    if wanted.reacted is not None and people.reaction(wanted.reacted[0], record) not in wanted.reacted[1]:
        return False
    if wanted.followed and not people.follows(record.user_id):
        return False
    if wanted.with_meta and (record.hide_meta or generation_data(record) is None):
        return False
    if wanted.processes and generation.process(record) not in wanted.processes:
        return False
    if wanted.remix is not None and wanted.remix is not bool(remix_of(record)):
        return False
    return record.on_site or not wanted.on_site


def _among(record: Record, wanted: Filter) -> bool:
    """Hold a record against lists of what is wanted and what is not."""
    if wanted.showcase is not None:
        versions, owners = wanted.showcase
        if record.posted_to not in versions or record.user_id not in owners:
            return False
    if wanted.ids is not None and record.id not in wanted.ids:
        return False
    if wanted.post_ids is not None and record.post_id not in wanted.post_ids:
        return False
    if record.user_id in wanted.excluded_users or not wanted.excluded_tags.isdisjoint(record.tag_ids):
        return False
    return (not wanted.tools or _names(wanted, wanted.tools, tools.tools(record))) and (
        not wanted.techniques or _names(wanted, wanted.techniques, tools.techniques(record))
    )


def _names(wanted: Filter, asked: frozenset[int], uses: list[tools.Use]) -> bool:
    named = {one.id for one in uses}
    return asked <= named if wanted.all_tools else not asked.isdisjoint(named)


def minute(milliseconds: int) -> int:
    """Round down to the minute, as pinned cursors do."""
    return milliseconds // MINUTE * MINUTE
