"""What a crawl would bring: what its listings gave, held against what is there already."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.database import in_chunks
from civitscrape.archive.fields import LEVELS
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

FILES = "model file"
KIB = 1024


@dataclass(slots=True)
class Kind:
    """What is to be said of one kind of file."""

    wanted: int = 0
    """Files that the listings led to."""
    here: int = 0
    """Those of them that the archive has."""
    done: int = 0
    """Those that the CDN no longer has, or that cannot be had."""
    over: int = 0
    """Those that would be fetched, were they not larger than a person wants; only stated sizes are known."""
    to_fetch: int = 0
    """Those that would be fetched."""
    size: int | None = 0
    """Bytes of these; None where nobody knows."""
    unsized: int = 0
    """Those of them that the size leaves out, because nobody says theirs."""
    estimated: bool = False
    """Whether the size is an average of what the archive has, times the number."""


@dataclass(slots=True)
class Forecast:
    """What a crawl would bring."""

    entries: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Entries by kind and level."""
    files: dict[str, Kind] = field(default_factory=dict)
    """Files by kind."""
    walks: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Targets of the walks, with how each ended and why."""


def forecast(listed: Engine, archive: Engine | None, *, redownload: bool = False, limit: int | None = None) -> Forecast:
    """Compare.

    Args:
        listed: database that the listings were written to.
        archive: the person's own; None where there is none yet.
        redownload: whether what is here would be fetched again.
        limit: bytes that a file may have; None for any number.
    """
    told = Forecast()
    with listed.connect() as new:
        told.entries = _entries(new)
        told.walks = _walks(new)
        wanted = _wanted(new)
    states: dict[tuple[str, Any], str] = {}
    average: dict[str, float] = {}
    if archive is not None:
        with archive.connect() as old:
            states = _states(old, wanted)
            average = _averages(old)
    for (kind, key), size in wanted.items():
        of = told.files.setdefault(kind, Kind())
        of.wanted += 1
        state = states.get((kind, key))
        # The CDN's refusal of a picture stands; that of a model file may end with its early access, or with a login.
        done = state == MediaState.GONE or (state == MediaState.REFUSED and kind != FILES)
        of.here += state == MediaState.STORED
        of.done += done
        if done or (state == MediaState.STORED and not redownload):
            continue
        if limit is not None and size is not None and size > limit:
            of.over += 1
        else:
            of.to_fetch += 1
            of.unsized += size is None
            of.size = (of.size or 0) + (size or 0)
    for kind, of in told.files.items():
        if kind in average and of.unsized:
            of.size, of.estimated, of.unsized = round(average[kind] * of.to_fetch), True, 0
        elif of.to_fetch and of.unsized == of.to_fetch:
            of.size = None
    return told


def _entries(new: Connection) -> Counter[tuple[str, str]]:
    """Count entries by kind and level."""
    counted: Counter[tuple[str, str]] = Counter()
    images, models = schema.images, schema.models
    count = sa.func.count()
    for row in new.execute(sa.select(images.c.type, images.c.level, count).group_by(images.c.type, images.c.level)):
        counted[row.type, LEVELS.get(row.level, "unrated")] += row[2]
    for row in new.execute(sa.select(models.c.level, count).group_by(models.c.level)):
        counted["model", _highest(row.level)] += row[1]
    return counted


def _highest(level: int | None) -> str:
    """Name the highest of the levels in a mask.

    >>> _highest(5), _highest(None)
    ('r', 'unrated')
    """
    return next((name for bit, name in reversed(LEVELS.items()) if level and level & bit), "unrated")


def _walks(new: Connection) -> list[tuple[str, str, str | None]]:
    table = schema.walks
    query = sa.select(table.c.target, table.c.state, table.c.error).order_by(table.c.id)
    return [(row.target, row.state, row.error) for row in new.execute(query)]


def _wanted(new: Connection) -> dict[tuple[str, Any], int | None]:
    """Find the files that would be asked for, with their sizes where they are stated."""
    media, files = schema.media, schema.model_files
    query = sa.select(media.c.kind, media.c.key).where(media.c.state == MediaState.WANTED).order_by(media.c.key)
    wanted: dict[tuple[str, Any], int | None] = {(row.kind, row.key): None for row in new.execute(query)}
    query = sa.select(files.c.id, files.c.size_kb).where(files.c.state == MediaState.WANTED).order_by(files.c.id)
    for row in new.execute(query):
        wanted[FILES, row.id] = None if row.size_kb is None else round(row.size_kb * KIB)
    return wanted


def _states(old: Connection, wanted: dict[tuple[str, Any], int | None]) -> dict[tuple[str, Any], str]:
    """Ask what became of some files before."""
    media, files = schema.media, schema.model_files
    found: dict[tuple[str, Any], str] = {}
    kinds = {key: kind for kind, key in wanted if kind != FILES}
    for chunk in in_chunks(kinds):
        for row in old.execute(sa.select(media.c.key, media.c.state).where(media.c.key.in_(chunk))):
            found[kinds[row.key], row.key] = row.state
    for chunk in in_chunks(key for kind, key in wanted if kind == FILES):
        for row in old.execute(sa.select(files.c.id, files.c.state).where(files.c.id.in_(chunk))):
            found[FILES, row.id] = row.state
    return found


def _averages(old: Connection) -> dict[str, float]:
    """Measure what the archive has of each kind of media."""
    media = schema.media
    query = sa.select(media.c.kind, sa.func.avg(media.c.size)).where(media.c.state == MediaState.STORED)
    query = query.where(media.c.size.is_not(None)).group_by(media.c.kind)
    return {row.kind: float(row[1]) for row in old.execute(query)}
