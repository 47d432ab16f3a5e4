"""Parts that nobody will go on with: too old, or of files that have been stored since."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from civitscrape.downloads import journal, part

OLD = 14 * 24 * 3600
"""Seconds without a write after which a part is given up."""

QUIET = 3600
"""Seconds without a write after which nobody is writing a part, big or small."""


def resting(folder: Path) -> set[str]:
    """Name the parts that nobody has written for a while."""
    return {path.name for path, age in _ages(folder) if age > QUIET and path.suffix == ".part"}


def clean(folder: Path, stored: set[str]) -> int:
    """Remove parts that are old or stored, and journals that have lost theirs; return how many bytes that freed.

    Args:
        folder: of the parts.
        stored: names of those whose files are in the store.
    """
    freed = 0
    for path, age in _ages(folder):
        if path.name.endswith(".part" + journal.SUFFIX):
            if age > QUIET and not path.with_suffix("").exists():
                path.unlink(missing_ok=True)
        elif age > OLD or (age > QUIET and path.name in stored):
            freed += _remove(path)
    return freed


def _remove(path: Path) -> int:
    """Remove a part unless a process has it; return its size."""
    with suppress(OSError):
        size = path.stat().st_size
        if not part.is_claimed(path):
            part.remove(str(path))
            return size
    return 0


def _ages(folder: Path) -> list[tuple[Path, float]]:
    """List the files of a folder with the seconds since each was written."""
    found, now = [], time.time()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    found.append((Path(entry.path), now - entry.stat().st_mtime))
    return found
