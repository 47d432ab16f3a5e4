"""Whether the store is the one that the database speaks of: where its disk is not mounted, an empty folder remains."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import paths, schema
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy.engine import Connection

FEW = 10
"""Stored files below which nothing is concluded: a person may have taken them away."""

SAMPLE = 20
"""Files that are looked for, of each table: the first one that is there answers the question, as a rule."""

BEGINNINGS = "0123456789abcdef"
"""What the keys of media begin with, each as often as the others."""

EACH = 4
"""Rows read behind each beginning of a key."""


def require(connection: Connection, store: Path) -> None:
    """Make sure that some of the files that the database calls stored are there, where it has more than a few.

    Raises:
        ArchiveError: not one of those looked for is there.
    """
    looked_for = sample(connection)
    if len(looked_for) < FEW or _any_there(store, looked_for) or _any_there(store, spread(connection)):
        return
    lost, again = "If they are lost,", "`civitscrape verify --mend` marks them as wanted again"
    if not store.is_dir():
        told = "is not there, and the database has files in it"
        way_out = f"{lost} make the folder, and {again}"
    else:
        told = f"has not one of {len(looked_for)} files that the database has in it"
        way_out = f"{lost} {again}"
    raise ArchiveError(f"setting MEDIA_STORE: {str(store)!r} {told}; is its disk mounted? {way_out}")


def sample(connection: Connection) -> list[str]:
    """Name some stored files, whichever are found first."""
    found: list[str] = []
    for table in (schema.media, schema.model_files):
        query = sa.select(table.c.path).where(table.c.state == MediaState.STORED).limit(SAMPLE)
        found += [path for path in connection.execute(query).scalars() if path]
    return found


def spread(connection: Connection) -> list[str]:
    """Name some stored files from all over the archive: the first ones of all may have been taken away together.

    The state is looked at here, as in ``looks.unseen``.
    """
    table = schema.media.c
    found: list[str] = []
    for beginning in BEGINNINGS:
        query = sa.select(table.path, table.state).where(table.key > beginning).order_by(table.key).limit(EACH)
        found += [row.path for row in connection.execute(query) if row.state == MediaState.STORED and row.path]
    return found


def _any_there(store: Path, files: Iterable[str]) -> bool:
    return any(_is_there(store, path) for path in files)


def _is_there(store: Path, path: str) -> bool:
    try:
        return os.path.lexists(paths.address(store, path))
    except ArchiveError:  # it leads out of the store: `civitscrape verify` tells of that
        return False
