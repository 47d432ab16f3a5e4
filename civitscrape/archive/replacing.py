"""Files that came again in another format: what they replace is written down with them, and goes in the next step.

Killed between the two, the archive has both files; the next crawl removes what was written down.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import companions, paths, schema
from civitscrape.exceptions import ArchiveError
from civitscrape.items import APART
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection


def renamed(path: str, extension: str) -> str:
    """Give a file another extension: its name is its own, and all that lies beside it is called by it.

    >>> renamed("lampwright/7.jpeg", ".webp")
    'lampwright/7.webp'
    """
    return f"{paths.stem(path) or path}{extension}"


def note(connection: Connection, before: Iterable[tuple[str, str]]) -> None:
    """Write down which files of which keys are about to be removed; in the transaction that books the new ones."""
    table = schema.media
    for key, path in before:
        mine = table.c.key == key
        there = connection.execute(sa.select(table.c.replaced).where(mine)).scalar() or []
        connection.execute(sa.update(table).where(mine).values(replaced=sorted({*there, path})))


def sweep(connection: Connection, store: Path) -> int:
    """Remove the files that newer ones have replaced, as the database says, and what lay beside them alone.

    Args:
        connection: inside a transaction of its own: the new files are in the database by now.
        store: folder of the media.

    Returns:
        Number of files removed.

    Raises:
        ArchiveError: one cannot be removed.
    """
    table, removed = schema.media, 0
    columns = (table.c.key, table.c.state, table.c.path, table.c.webp_path, table.c.replaced)
    for row in connection.execute(sa.select(*columns).where(table.c.replaced.is_not(None))).all():
        if not _is_there(store, row):
            continue  # what was replaced may be all there is
        kept = _named(connection, row)
        old = set(row.replaced) - kept
        beside = {name for path in old for name in companions.texts(path)}
        beside -= {name for path in kept for name in companions.texts(path)}
        removed += sum(_remove(store, path) for path in (*old, *beside))
        connection.execute(sa.update(table).where(table.c.key == row.key).values(replaced=None))
    return removed


def _named(connection: Connection, row: Any) -> set[str]:
    """Name the files of a key that are to stay: those of the row, of its images, and the WebPs made of them."""
    images = schema.images
    query = sa.select(images.c.path).where(images.c.key == row.key.partition(APART)[0], images.c.path.is_not(None))
    kept = {row.path, *connection.execute(query).scalars()}
    if row.webp_path is not None:
        kept |= {row.webp_path, *(renamed(path, ".webp") for path in kept)}
    return kept


def _is_there(store: Path, row: Any) -> bool:
    if row.state != MediaState.STORED or row.path is None:
        return False
    try:
        return os.path.isfile(paths.address(store, row.path))  # noqa: PTH113 (the address is a text)
    except ArchiveError:
        return False


def _remove(store: Path, path: str) -> bool:
    """Remove a file; tell whether it was there.

    Raises:
        ArchiveError: it cannot be removed.
    """
    try:
        Path(paths.address(store, path)).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ArchiveError(f"{error.filename} cannot be removed: {error.strerror or error}") from error
    return True
