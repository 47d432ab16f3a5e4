"""Which names in the media store are taken, and by whom: the database's word for it, not the file system's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import merge, paths, schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

IMAGE = "image"
"""Kind of entry that takes names, with the names of renditions; model files have a folder of their own."""


def key_of(path: str) -> str:
    """Give what no two things may share: a path, and with it the names of all that lies beside it.

    >>> key_of("Lampwright/7.png") == key_of("lampwright/7.jpeg")
    True
    """
    return paths.collision_key(paths.stem(path))


def take(connection: Connection, owners: Iterable[tuple[int, str, str | None]], kind: str = IMAGE) -> None:
    """Write down which image, or rendition of one, has which path, with the one that it is being moved from."""
    rows = [
        {"name": key_of(path), "path": path, "entry_kind": kind, "entry_id": number, "moved_from": before}
        for number, path, before in owners
    ]
    if rows:
        connection.execute(_take(connection.dialect.name), rows)


def free(connection: Connection, owners: Iterable[tuple[int, str]]) -> None:
    """Write down that images have these paths no more; what is somebody else's by now stays so."""
    rows = [{"_name": key_of(path), "_entry_id": number} for number, path in owners]
    if rows:
        connection.execute(_FREE_MINE, rows)


def adopt(connection: Connection) -> int:
    """Write down the names of an archive that has none yet; of two that share one the first keeps it.

    Returns:
        Number of names written.
    """
    table, images = schema.taken_names, schema.images
    if connection.execute(sa.select(table.c.name).limit(1)).first() is not None:
        return 0
    query = sa.select(images.c.id, images.c.path).where(images.c.path.is_not(None)).order_by(images.c.id)
    owners: dict[str, tuple[int, str, str | None]] = {}
    for row in connection.execute(query):
        owners.setdefault(key_of(row.path), (row.id, row.path, None))
    take(connection, owners.values())
    return len(owners)


@cache
def _take(dialect: str) -> sa.Insert:
    statement: Any = merge.INSERT[dialect](schema.taken_names)
    columns = {name: statement.excluded[name] for name in schema.COLUMNS_OF["taken_names"]}
    result: sa.Insert = statement.on_conflict_do_update(index_elements=["name"], set_=columns)
    return result


_FREE_MINE = sa.delete(schema.taken_names).where(
    schema.taken_names.c.name == sa.bindparam("_name"), schema.taken_names.c.entry_id == sa.bindparam("_entry_id")
)
