"""Questions about walks: what was left unfinished, what was ever finished, which entries a target led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.commit import save_walk
from civitscrape.archive.database import from_row, in_chunks
from civitscrape.archive.tally import PROFILE
from civitscrape.exceptions import BusyError
from civitscrape.ledger import Walk, WalkState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

    from civitscrape.archive.claims import Claims

UNFINISHED = (WalkState.PLANNED, WalkState.RUNNING, WalkState.BROKEN)
"""States that a later run takes up again, at the stored cursor."""

PAGES = "browser.image"
"""Source that is a browser's: its pages are opened by crawls that ask for votes."""

TABLES = {"image": schema.images, "model": schema.models, "post": schema.posts}
"""Tables of what a target leads to, by kind."""

HOW = ("sort", "max_items", "since", "until", "until_known", "meets")
"""Parameters that say how a walk goes, not what it asks for."""

ENDED = frozenset({WalkState.COMPLETE, WalkState.LIMITED, WalkState.SPLIT, WalkState.CAPPED})
"""States that no run goes on with."""


def _same(walk: Walk) -> sa.ColumnElement[bool]:
    table = schema.walks
    return (table.c.source == walk.source) & (table.c.target == walk.target) & (table.c.level == walk.level)


def _identity(walk: Walk, *ignored: str) -> dict[str, object]:
    """Tell what a walk asks for; usernames are one whatever their case."""
    params = {name: value for name, value in walk.params.items() if name not in ignored}
    return params | {"username": str(params.get("username", "")).lower()}


def adopt(connection: Connection, walk: Walk, claims: Claims) -> Walk:
    """Take up the latest unfinished walk that asks the same, or begin the given one; it is this run's from here on.

    Raises:
        BusyError: another run is at it right now.
    """
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.state.in_(UNFINISHED)).order_by(table.c.id.desc())
    for row in connection.execute(query):
        stored = from_row(Walk, row)
        if _identity(stored) == _identity(walk):
            return _taken(connection, stored, claims)
    save_walk(connection, walk)
    return walk


def parts(connection: Connection, walk: Walk, claims: Claims) -> list[Walk]:
    """Take up what is unfinished of a walk that the site cut short and that was split; empty where nothing is.

    Raises:
        BusyError: another run is at one of them right now.
    """
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.state.notin_(UNFINISHED)).order_by(table.c.id.desc())
    asked = _identity(walk)
    root = next((one for row in connection.execute(query) if _identity(one := from_row(Walk, row)) == asked), None)
    if root is None or root.state != WalkState.SPLIT:
        return []
    family = descendants(connection, root)
    left = [one for one in family if one.state in UNFINISHED]
    taken = [_taken(connection, one, claims) for one in left]
    if taken:
        ids = [root.id, *(one.id for one in family)]
        connection.execute(sa.update(table).where(table.c.id.in_(ids)).values(run_id=walk.run_id))
    return taken


def descendants(connection: Connection, walk: Walk) -> list[Walk]:
    """Find the walks that one was split into, and those into which they were split."""
    table, found, parents = schema.walks, [], [walk.id]
    while parents:
        rows = connection.execute(sa.select(table).where(table.c.parent_id.in_(parents)).order_by(table.c.id)).all()
        family = [from_row(Walk, row) for row in rows]
        found += family
        parents = [one.id for one in family]
    return found


def _taken(connection: Connection, walk: Walk, claims: Claims) -> Walk:
    if claims.alive(walk.run_id):
        raise BusyError(f"run {walk.run_id} is at it right now (walk {walk.id})")
    walk.run_id, walk.state, walk.error = claims.run_id, WalkState.RUNNING, None
    save_walk(connection, walk)
    return walk


def last_whole(connection: Connection, walk: Walk) -> Walk | None:
    """Find the last walk of the same target, levels, host and filters that came to its end, whichever end it began at.

    What was first seen until then is known; behind a page of it nothing can be missing. What other walks have seen
    since, be they of fewer levels or cut short, is not: there may be more between.
    """
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.id != walk.id).order_by(table.c.id.desc())
    asked = _identity(walk, *HOW)
    for row in connection.execute(query):
        stored = from_row(Walk, row)
        if _identity(stored, *HOW) == asked and is_whole(connection, stored):
            return stored
    return None


def replace_newest(connection: Connection, walk: Walk) -> None:
    """Close the walks from the newest end that were left unfinished: this one goes as far as all of them."""
    table = schema.walks
    query = sa.select(table).where(_same(walk), table.c.id != walk.id, table.c.state.in_(UNFINISHED))
    asked = _identity(walk, *HOW)
    for row in connection.execute(query).all():
        stored = from_row(Walk, row)
        if "until_known" in stored.params and _identity(stored, *HOW) == asked:
            stored.state, stored.error = WalkState.LIMITED, f"walk {walk.id} goes on in its place"
            save_walk(connection, stored)


def is_whole(connection: Connection, walk: Walk) -> bool:
    """Tell whether a walk came to its end, itself or in all the parts that it was split into."""
    if walk.state != WalkState.SPLIT:
        return walk.state == WalkState.COMPLETE
    family = descendants(connection, walk)
    return bool(family) and all(one.state in {WalkState.COMPLETE, WalkState.SPLIT} for one in family)


def known(
    connection: Connection, target: str, entry_kind: str, ids: Collection[int], until: str | None = None
) -> set[int]:
    """Tell which entries of a kind a target, such as ``user:lampwright``, has led to, or had until some time."""
    kind, _, name = target.partition(":")
    table = schema.links
    found: set[int] = set()
    for chunk in in_chunks(ids):
        query = sa.select(table.c.entry_id).where(
            table.c.target_kind == kind,
            table.c.target == name,
            table.c.entry_kind == entry_kind,
            table.c.entry_id.in_(chunk),
        )
        if until is not None:
            query = query.where(table.c.first_seen_at <= until)
        found.update(connection.execute(query).scalars())
    return found


def met(connection: Connection, walk: Walk, entry_kind: str, ids: Collection[int]) -> set[int]:
    """Tell which entries of a kind a walk itself has met, in this run or in those that it was begun in."""
    table = schema.links
    kind, _, name = walk.target.partition(":")
    found: set[int] = set()
    for chunk in in_chunks(ids):
        mine = (table.c.target_kind == kind) & (table.c.target == name) & (table.c.walk_id == walk.id)
        mine &= table.c.entry_kind == entry_kind
        found.update(connection.execute(sa.select(table.c.entry_id).where(mine, table.c.entry_id.in_(chunk))).scalars())
    return found


def unnamed(connection: Connection, target: str) -> list[int]:
    """Find the model versions that a target's images were made with and nobody has named yet."""
    kind, _, name = target.partition(":")
    links, resources = schema.links, schema.image_resources
    query = (
        sa.select(resources.c.model_version_id)
        .select_from(links.join(resources, links.c.entry_id == resources.c.image_id))
        .where(
            links.c.target_kind == kind,
            links.c.target == name,
            links.c.entry_kind == "image",
            resources.c.model_version_id.is_not(None),
            resources.c.name.is_(None),
        )
        .distinct()
        .order_by(resources.c.model_version_id)
    )
    return list(connection.execute(query).scalars())


def unmet(connection: Connection, walk: Walk, entry_kind: str, after: int, size: int) -> list[int]:
    """Find entries that a target led to before and that no walk of this run has met, in the order of their ids.

    Only those that the walk asked for: of its levels, and of its types.

    Args:
        connection: inside a transaction.
        walk: a walk of this run that came to its end.
        entry_kind: ``image``, ``model`` or ``post``.
        after: only ids above this one.
        size: most ids to return.
    """
    kind, _, name = walk.target.partition(":")
    links, table = schema.links, TABLES[entry_kind]
    here = sa.select(schema.walks.c.id).where(schema.walks.c.run_id == walk.run_id)
    query = (
        sa.select(links.c.entry_id)
        .join(table, table.c.id == links.c.entry_id)
        .where(
            links.c.target_kind == kind,
            links.c.target == name,
            links.c.entry_kind == entry_kind,
            links.c.entry_id > after,
            links.c.walk_id.is_(None) | links.c.walk_id.notin_(here),
            sa.func.coalesce(table.c.level, walk.level).op("&")(walk.level) != 0,
        )
        .order_by(links.c.entry_id)
        .limit(size)
    )
    types = walk.params.get("types") or [walk.params.get("type")]
    if entry_kind == "image" and None not in types:
        query = query.where(table.c.type.in_(types))
    return list(connection.execute(query).scalars())


def base_models(connection: Connection, target: str) -> list[str]:
    """Name the base models that a target's images are known to be made with."""
    kind, _, name = target.partition(":")
    links, images = schema.links, schema.images
    query = (
        sa.select(images.c.base_model)
        .join(links, links.c.entry_id == images.c.id)
        .where(links.c.target_kind == kind, links.c.target == name, links.c.entry_kind == "image")
        .where(images.c.base_model.is_not(None), images.c.base_model != "")
        .distinct()
        .order_by(images.c.base_model)
    )
    return list(connection.execute(query).scalars())


def unfinished(connection: Connection, claims: Claims) -> dict[str, list[Walk]]:
    """Take up every walk that can still fare better and that no run is at, by the run that left it.

    A page that announces counts is not among them: it is asked for again by whoever walks what it announces.
    """
    table = schema.walks
    query = sa.select(table).where(table.c.state.in_(UNFINISHED), table.c.hopeless.is_not(True)).order_by(table.c.id)
    found: dict[str, list[Walk]] = {}
    for row in connection.execute(query).all():
        walk = from_row(Walk, row)
        if walk.source not in {PROFILE, PAGES} and not claims.alive(walk.run_id):
            found.setdefault(walk.run_id, []).append(_taken(connection, walk, claims))
    return found


def commands(connection: Connection, run_ids: Collection[str]) -> dict[str, str]:
    """Return the commands of some runs."""
    table = schema.runs
    query = sa.select(table.c.id, table.c.command).where(table.c.id.in_(list(run_ids)))
    return {row.id: row.command for row in connection.execute(query) if row.command is not None}
