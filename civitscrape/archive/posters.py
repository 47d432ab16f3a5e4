"""Posters of videos: rows of their own in ``media``, files beside the videos."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import replacing, schema, shelf
from civitscrape.archive.database import upsert
from civitscrape.items import APART
from civitscrape.ledger import POSTER, Media, MediaState

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from civitscrape.archive.shelf import Fate


def key_of(key: str) -> str:
    """Give the key of the poster of a video.

    >>> key_of("1f0a")
    '1f0a@poster'
    """
    return f"{key}{APART}{POSTER}"


def state(connection: Connection, key: str) -> str | None:
    """Tell what became of the poster of a video; None where nobody asked for it."""
    table = schema.media
    found: str | None = connection.execute(sa.select(table.c.state).where(table.c.key == key_of(key))).scalar()
    return found


def put(connection: Connection, fate: Fate, url: str, store: Path) -> None:
    """Move a poster to its place, or note why there is none; one that lies somewhere already keeps its name.

    Raises:
        ArchiveError: the file cannot be moved.
    """
    table = schema.media
    row = Media(key=fate.key, kind=POSTER, entry_id=fate.image_id, url=url, state=MediaState.WANTED)
    upsert(connection, [row])
    there = connection.execute(sa.select(table.c.path).where(table.c.key == fate.key)).scalar()
    if fate.path is not None and there is not None:
        fate.path, fate.before = replacing.renamed(there, PurePosixPath(fate.path).suffix), there
    shelf.shelve(connection, store, [fate])
