"""Questions about walks: what was left unfinished, what was ever finished, which entries a target led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.database import from_row, in_chunks
from civitscrape.items import Image
from civitscrape.ledger import MediaState, Walk, WalkState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

UNFINISHED = (WalkState.PLANNED, WalkState.RUNNING, WalkState.BROKEN)
"""States that a later run takes up again, at the stored cursor."""


def _same(walk: Walk) -> sa.ColumnElement[bool]:
    table = schema.walks
    return (table.c.source == walk.source) & (table.c.target == walk.target) & (table.c.level == walk.level)


def adopt(connection: Connection, walk: Walk) -> Walk:
    """Take up the latest unfinished walk that asks the same; the given walk when there is none."""
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.state.in_(UNFINISHED)).order_by(table.c.id.desc())
    for row in connection.execute(query):
        stored = from_row(Walk, row)
        if stored.params == walk.params:
            stored.run_id, stored.state, stored.error = walk.run_id, WalkState.RUNNING, None
            return stored
    return walk


def was_completed(connection: Connection, walk: Walk) -> bool:
    """Tell whether a walk of the same target, levels and types ever came to its end."""
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.state == WalkState.COMPLETE)
    wanted = _without_sort(walk)
    return any(_without_sort(from_row(Walk, row)) == wanted for row in connection.execute(query))


def _without_sort(walk: Walk) -> dict[str, object]:
    return {name: value for name, value in walk.params.items() if name != "sort"}


def known(connection: Connection, target: str, ids: Collection[int]) -> set[int]:
    """Tell which entries a target, such as ``user:lampwright``, has already led to."""
    kind, _, name = target.partition(":")
    table = schema.links
    found: set[int] = set()
    for chunk in in_chunks(ids):
        query = sa.select(table.c.entry_id).where(
            table.c.target_kind == kind,
            table.c.target == name,
            table.c.entry_kind == "image",
            table.c.entry_id.in_(chunk),
        )
        found.update(connection.execute(query).scalars())
    return found


def leftovers(connection: Connection, target: str, after: int, size: int) -> list[Image]:
    """Find images of a target whose file is wanted and not there, in the order of their ids, a chunk at a time."""
    kind, _, name = target.partition(":")
    query = (
        sa.select(schema.images)
        .join(schema.links, schema.links.c.entry_id == schema.images.c.id)
        .join(schema.media, schema.media.c.key == schema.images.c.key)
        .where(
            schema.links.c.target_kind == kind,
            schema.links.c.target == name,
            schema.links.c.entry_kind == "image",
            schema.media.c.state.in_((MediaState.WANTED, MediaState.FAILED)),
            schema.images.c.id > after,
        )
        .order_by(schema.images.c.id)
        .limit(size)
    )
    return [from_row(Image, row) for row in connection.execute(query)]
