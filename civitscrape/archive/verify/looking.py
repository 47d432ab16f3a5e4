"""Look at the files of a holding: there or not, whole or not; blocks, and lets go of Python's lock while it hashes."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from civitscrape.archive import fingerprints, formats, paths
from civitscrape.archive.verify.planning import Look, Sight
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from civitscrape.archive.verify.planning import Holding

KIBIBYTE = 1024


def look(store: Path, holding: Holding, *, quick: bool, due: Mapping[int, Iterable[str]]) -> dict[str, Look]:
    """Look at every path of a holding; names that are hard links of each other are read once.

    Args:
        store: folder of the media.
        holding: what the rows say.
        quick: whether a file is taken for whole when its size is right; one that no row calls stored is always read.
        due: names of the sidecars that images are to have.
    """
    quick = quick and holding.state == MediaState.STORED
    hashed: dict[tuple[int, ...], Look] = {}
    looks = {}
    for path in holding.paths():
        looks[path] = _look(store, path, holding, hashed, quick=quick)
    for number, name in holding.names.items():
        if name is not None and looks[name].sight is Sight.WHOLE:
            looks[name].lacks = [one for one in due.get(number, ()) if not _is_there(store, one)]
    return looks


def _is_there(store: Path, path: str) -> bool:
    return os.path.exists(paths.address(store, path))  # noqa: PTH110 (done for every file)


def _look(store: Path, path: str, holding: Holding, hashed: dict[tuple[int, ...], Look], *, quick: bool) -> Look:
    try:
        target = paths.address(store, path)
        found = os.stat(target)  # noqa: PTH116 (done for every file)
    except (FileNotFoundError, NotADirectoryError):
        return Look(sight=Sight.MISSING, why="is not there")
    except OSError as error:
        return Look(sight=Sight.UNREADABLE, why=f"cannot be looked at: {error.strerror or error}")
    except (ArchiveError, ValueError) as error:
        # With a system's error behind it the folder could not be followed; without one the path leads out of the store.
        sight = Sight.UNREADABLE if isinstance(error.__cause__, OSError) else Sight.OUTSIDE
        return Look(sight=sight, why=str(error))
    if not stat.S_ISREG(found.st_mode):
        return Look(sight=Sight.UNREADABLE, why="is no ordinary file")
    signature = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    if signature in hashed:
        return replace(hashed[signature])
    seen = _measured(target, found.st_size, holding, quick=quick)
    seen.signature = signature
    hashed[signature] = seen
    return replace(seen)


def _measured(target: str, size: int, holding: Holding, *, quick: bool) -> Look:
    """Hold the size of a file against the database, then its bytes."""
    if holding.size is not None and size != holding.size:
        return Look(sight=Sight.DAMAGED, why=f"has {size} bytes, not {holding.size}", size=size)
    if quick and _is_likely(size, holding):
        return Look(sight=Sight.WHOLE, size=size)
    seen = read(Path(target), holding.sha256)
    unproven = holding.sha256 is None and holding.state != MediaState.STORED and holding.key is not None
    if unproven and seen.sight is Sight.WHOLE and content_type(Path(target)) is None:
        seen.sight, seen.why = Sight.DAMAGED, "is no known media format"
    return seen


def _is_likely(size: int, holding: Holding) -> bool:
    """Tell whether a size rouses no suspicion; what the site states of a model file is rounded."""
    return size > 0 and (holding.size_kb is None or abs(size / KIBIBYTE - holding.size_kb) < 1)


def read(target: Path, sha256: str | None) -> Look:
    """Read a file whole, and hold it against its SHA-256; without one it must at least be a file of its kind."""
    try:
        file = fingerprints.read(target)
    except ArchiveError as error:
        return Look(sight=Sight.UNREADABLE, why=str(error))
    seen = Look(sight=Sight.WHOLE, size=file.size, sha256=file.sha256)
    if sha256 is not None and file.sha256 != sha256:
        seen.sight, seen.why = Sight.DAMAGED, f"has the SHA-256 {file.sha256}, not {sha256}"
    elif sha256 is None and not file.size:
        seen.sight, seen.why = Sight.DAMAGED, "is empty"
    return seen


def content_type(target: Path) -> str | None:
    """Tell the type of a media file by its first bytes; None for what is no known format."""
    with target.open("rb") as file:
        found = formats.sniff(file.read(formats.HEAD_SIZE))
    return found.content_type if found else None


def extension(target: Path) -> str:
    """Give the extension that a media file should have; that of its name where its bytes do not tell."""
    with target.open("rb") as file:
        found = formats.sniff(file.read(formats.HEAD_SIZE))
    return found.extension if found else PurePosixPath(target.name).suffix
