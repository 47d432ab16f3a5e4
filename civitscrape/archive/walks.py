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


def _identity(walk: Walk, *ignored: str) -> dict[str, object]:
    """Tell what a walk asks for; usernames are one whatever their case."""
    params = {name: value for name, value in walk.params.items() if name not in ignored}
    return params | {"username": str(params.get("username", "")).lower()}


def adopt(connection: Connection, walk: Walk) -> Walk:
    """Take up the latest unfinished walk that asks the same; the given walk when there is none."""
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.state.in_(UNFINISHED)).order_by(table.c.id.desc())
    for row in connection.execute(query):
        stored = from_row(Walk, row)
        if _identity(stored) == _identity(walk):
            stored.run_id, stored.state, stored.error = walk.run_id, WalkState.RUNNING, None
            return stored
    return walk


def is_whole(connection: Connection, walk: Walk) -> bool:
    """Tell whether the last walk of the same target, levels and types came to its end, from whichever end it began.

    Only then do known entries at the newest end mean that nothing is missing behind them: a walk from the newest end
    that was cut short, or limited, knows the newest entries and not those before.
    """
    table = schema.walks
    query = sa.select(table).where(_same(walk)).order_by(table.c.id.desc())
    asked = _identity(walk, "sort", "max_items")
    for row in connection.execute(query):
        stored = from_row(Walk, row)
        if _identity(stored, "sort", "max_items") == asked:
            return stored.state == WalkState.COMPLETE
    return False


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
