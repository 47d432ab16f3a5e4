"""Who is at work: each run holds a lock that the system takes back when its process ends, however it ends.

Walks and files carry the name of the run that works on them. A run that finds another's name asks here whether that one
is still alive; after a kill nothing has to time out, and no clock is asked.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from filelock import FileLock, Timeout

from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX = ".locks"


def folder_of(database: str, otherwise: Path) -> Path:
    """Tell where the locks of a database lie: beside its file, or in the output folder if it has none."""
    url = sa.make_url(database)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return Path(url.database + SUFFIX)
    return otherwise / SUFFIX.lstrip(".")


class Claims:
    """The lock of one run, and questions about those of others."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.run_id = run_id
        self._folder = folder
        self._dead: set[str] = set()
        self._lock = self._lock_of(run_id)

    def open(self) -> None:
        """Take the lock.

        Raises:
            ArchiveError: the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except (OSError, NotImplementedError, Timeout) as error:
            raise ArchiveError(
                f"{self._folder} cannot hold locks: {error}; put the database onto a local disk"
            ) from error

    def close(self) -> None:
        """Let go of the lock, and take away its file."""
        self._lock.release()
        self._remove(self.run_id)

    def alive(self, run_id: str | None) -> bool:
        """Tell whether another run is at work."""
        if run_id is None or run_id == self.run_id or run_id in self._dead:
            return False
        lock = self._lock_of(run_id)
        if not Path(lock.lock_file).exists():
            self._dead.add(run_id)
            return False
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        self._remove(run_id)
        self._dead.add(run_id)
        return False

    def others(self, run_ids: Iterable[str | None]) -> list[str]:
        """Return those of some runs that are at work, this one aside."""
        return [one for one in run_ids if one is not None and self.alive(one)]

    def _lock_of(self, run_id: str) -> FileLock:
        return FileLock(self._folder / f"{run_id}.lock", thread_local=False)

    def _remove(self, run_id: str) -> None:
        with suppress(OSError):  # somebody else has already done it, or others are still at work
            (self._folder / f"{run_id}.lock").unlink(missing_ok=True)
            self._folder.rmdir()
