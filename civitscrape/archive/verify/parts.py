"""Files that are still coming in, told from those that a crawl which was killed has left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from civitscrape.archive import paths
from civitscrape.archive.verify import rows

try:
    import fcntl
except ImportError:  # Windows, which lets nobody remove a file that another process has open
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Connection

QUIET = 300
"""Seconds without a written byte after which no process can still be at a part: downloads give up after a minute."""


def is_stale(connection: Connection, target: Path, *, at_work: bool) -> bool:
    """Tell whether nobody has any more use for a part.

    One whose file is still wanted is left to the crawl that goes on with it.

    Args:
        connection: the archive.
        target: the part.
        at_work: whether a run may be at work.
    """
    if rows.is_waiting(connection, paths.part_owner(target.name)):
        return False
    try:
        age = time.time() - target.stat().st_mtime
    except FileNotFoundError:
        return False
    return (not at_work or age > QUIET) and not _is_locked(target)


def _is_locked(target: Path) -> bool:
    """Tell whether a process has locked a file, in either way of Unix."""
    if fcntl is None:
        return False
    try:
        with target.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
