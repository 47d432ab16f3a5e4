"""Whether the disk has room for what is coming, with what is still to come of other files."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from civitscrape.exceptions import NoRoomError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from civitscrape.downloads.part import PartFile

RESERVE = 64 * 1024 * 1024
"""Bytes that are left to the database, the log and everybody else on the disk."""


def free(path: Path) -> int:
    """Return how many bytes the disk below a path has left, be the path there already or not."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def require(path: str, needed: int, promised: int = 0) -> None:
    """Make sure that some bytes fit.

    Args:
        path: where they go.
        needed: how many.
        promised: bytes that other files still need.

    Raises:
        NoRoomError: they do not; what is wrong and what to do.
    """
    left = free(Path(path)) - promised
    if left < needed + RESERVE:
        elsewhere = f", after {megabytes(promised)} for others that are coming in" if promised else ""
        raise NoRoomError(
            f"{Path(path).name} needs {megabytes(needed)}, and {megabytes(RESERVE)} are to stay free for the database; "
            f"the disk has {megabytes(max(0, left))} left{elsewhere}; make room and run the same command again"
        )


def megabytes(size: int) -> str:
    """Write a number of bytes.

    >>> megabytes(6_500_000_000), megabytes(1)
    ('6,500.0 MB', '0.0 MB')
    """
    return f"{size / 1e6:,.1f} MB"


class Promises:
    """What the files under way still need."""

    def __init__(self) -> None:
        self._coming: dict[PartFile, int] = {}

    @property
    def bytes(self) -> int:
        """All that is still to come."""
        return sum(max(0, size - part.size) for part, size in self._coming.items())

    @contextmanager
    def of(self, part: PartFile, size: int) -> Iterator[None]:
        """Count a file of a size while it comes in."""
        self._coming[part] = size
        try:
            yield
        finally:
            del self._coming[part]
