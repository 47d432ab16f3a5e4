"""Questions about votes: whose are missing or old, and what is known of their tags already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import schema, walks
from civitscrape.archive.database import from_row, in_chunks
from civitscrape.exceptions import BusyError
from civitscrape.items import Image, Level
from civitscrape.ledger import Walk, WalkState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

    from civitscrape.archive.claims import Claims
    from civitscrape.ledger import Wish

KIND = "votes:"
"""How the targets of walks begin that ask for votes of what is archived, of some creators or of ``all``."""


def unknown(connection: Connection, usernames: Collection[str]) -> list[str]:
    """Tell which of some creators have no image in the archive."""
    table = schema.images
    return [
        name
        for name in usernames
        if connection.execute(sa.select(table.c.id).where(table.c.creator == name).limit(1)).first() is None
    ]


def adopt(connection: Connection, walk: Walk, claims: Claims) -> tuple[Walk, dict[str, str]]:
    """Take up an unfinished walk as ``walks.adopt`` does, beside other runs that ask for votes right now.

    Returns:
        The walk; and the creators whose votes another run is asking for, with its name.

    Raises:
        BusyError: another run is asking for all of it.
    """
    table = schema.walks
    query = sa.select(table).where(table.c.state == WalkState.RUNNING, table.c.target.startswith(KIND, autoescape=True))
    mine = _creators(walk)
    left: dict[str, str] = {}
    for row in connection.execute(query.order_by(table.c.id)) if walk.target.startswith(KIND) else ():
        other = from_row(Walk, row)
        if claims.alive(other.run_id):
            theirs = _creators(other)
            if not theirs or (mine and mine <= theirs):
                raise BusyError(f"run {other.run_id} is at it right now (walk {other.id}, {other.target})")
            left |= dict.fromkeys(theirs & (mine or theirs), other.run_id)
    return walks.adopt(connection, walk, claims), left


def _creators(walk: Walk) -> set[str]:
    """Tell whose votes a walk asks for; empty for everybody's."""
    return set(walk.target.removeprefix(KIND).split(",")) - {"all"}


def due(connection: Connection, wish: Wish, after: int, size: int) -> list[int]:
    """Find images whose votes are to be asked for, in the order of their ids, some at a time.

    Args:
        connection: inside a transaction.
        wish: which ones.
        after: the last id of those before.
        size: how many at most.
    """
    table = schema.images
    query = sa.select(table.c.id).where(_is_due(wish), _is_shown(wish), table.c.id > after)
    return list(connection.execute(query.order_by(table.c.id).limit(size)).scalars())


def left_out(connection: Connection, wish: Wish) -> int:
    """Count images whose votes are wanted and cannot be had this way: their page is not shown to everybody."""
    if not wish.pages:
        return 0
    query = sa.select(sa.func.count()).select_from(schema.images).where(_is_due(wish), ~_is_shown(wish))
    return int(connection.execute(query).scalar_one())


def _is_due(wish: Wish) -> sa.ColumnElement[bool]:
    table, links = schema.images, schema.links
    asked_at = table.c.votes_at
    chosen: list[sa.ColumnElement[bool]] = [asked_at.is_(None)] if wish.missing else []
    chosen += [asked_at < wish.before] if wish.before is not None else []
    conditions: list[sa.ColumnElement[bool]] = [sa.or_(sa.false(), *chosen), table.c.gone_at.is_(None)]
    if wish.usernames:
        conditions.append(sa.or_(*[table.c.creator == name for name in wish.usernames]))
    if wish.without:
        conditions.append(sa.or_(table.c.creator.is_(None), table.c.creator.notin_(wish.without)))
    if wish.target is not None:
        kind, _, name = wish.target.partition(":")
        led = sa.select(links.c.entry_id).where(
            links.c.target_kind == kind, links.c.target == name, links.c.entry_kind == "image"
        )
        conditions.append(table.c.id.in_(led))
    return sa.and_(*conditions)


def _is_shown(wish: Wish) -> sa.ColumnElement[bool]:
    """Say which images have a page for this caller; of an unknown level it is tried."""
    level = sa.func.coalesce(schema.images.c.level, Level.PG)
    return level.op("&")(int(Level.PG)) != 0 if wish.pages else sa.true()


def images(connection: Connection, ids: Collection[int]) -> dict[int, Image]:
    """Read the records of some images, by id."""
    found: dict[int, Image] = {}
    for chunk in in_chunks(ids):
        query = sa.select(schema.images).where(schema.images.c.id.in_(chunk))
        found.update({row.id: from_row(Image, row) for row in connection.execute(query)})
    return found


def tag_ids(connection: Connection, ids: Collection[int]) -> dict[int, set[int]]:
    """Tell which tags some images have, as far as their pages are known to show them or may show them."""
    table = schema.image_tags
    found: dict[int, set[int]] = {}
    for chunk in in_chunks(ids):
        query = sa.select(table.c.image_id, table.c.tag_id).where(table.c.image_id.in_(chunk))
        for row in connection.execute(query.where(sa.func.coalesce(table.c.shown, sa.true()))):
            found.setdefault(row.image_id, set()).add(row.tag_id)
    return found


def names(connection: Connection, ids: Collection[int]) -> dict[int, dict[int, str]]:
    """Name the tags of some images, as far as the archive knows them: by image, then by tag."""
    table, tags = schema.image_tags, schema.tags
    joined = table.join(tags, tags.c.id == table.c.tag_id)
    found: dict[int, dict[int, str]] = {}
    for chunk in in_chunks(ids):
        query = sa.select(table.c.image_id, tags.c.id, tags.c.name).select_from(joined)
        for row in connection.execute(query.where(table.c.image_id.in_(chunk))):
            found.setdefault(row.image_id, {})[row.id] = row.name
    return found


def untold(connection: Connection, size: int) -> list[int]:
    """Find images whose files say less than the database, some at a time."""
    images, media = schema.images, schema.media
    query = sa.select(images.c.id).join(media, images.c.key == media.c.key).where(media.c.untold.is_not(None))
    return list(connection.execute(query.limit(size)).scalars())
