"""Names for whole files: given by moving, shared by linking, and never to half a file."""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

from civitscrape.archive import paths
from civitscrape.exceptions import ArchiveError, LockedError

PATIENCE = (0.05, 0.2, 0.5)
"""Seconds before each further try to replace a file that another program has open."""

BLOCK = 2**20
"""Bytes compared at once."""

MOST_COMPARED = 64 * BLOCK
"""Bytes of a file up to which it is compared whole; of a larger one as many, spread evenly: the database waits."""

LOCKED = frozenset({5, 32, 33})
"""Windows' errors for a file that is open: access denied, sharing violation, lock violation."""


def size_of(part: str | None) -> int | None:
    """Measure a part; None when it is not there."""
    try:
        return None if part is None else os.stat(part).st_size  # noqa: PTH116 (done for every file)
    except FileNotFoundError:
        return None


def place(part: str, target: str) -> None:
    """Give a whole file its final name; the folder is made when it turns out to be missing.

    Raises:
        LockedError: another program has the target open.
        OSError: it cannot be written.
    """
    try:
        os.replace(part, target)  # noqa: PTH105 (done for every file)
    except FileNotFoundError:
        if not Path(part).exists():  # with its disk, perhaps: nothing is to be made where that was
            raise
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, target)  # noqa: PTH105 (done for every file)
    except PermissionError as error:
        if not _is_locked(error):
            raise
        _place_when_free(part, target)


def _place_when_free(part: str, target: str) -> None:
    """Try again for a moment: virus scanners and previews let go of a file soon.

    Raises:
        LockedError: whoever has it open does not let go.
    """
    for pause in PATIENCE:
        time.sleep(pause)
        try:
            os.replace(part, target)  # noqa: PTH105 (as above)
        except PermissionError as error:
            if not _is_locked(error):
                raise
        else:
            return
    raise LockedError(f"{target} is open in another program; close it and run the same command again")


def _is_locked(error: OSError) -> bool:
    """Tell an open file from a folder that may not be written; only Windows knows the difference."""
    return getattr(error, "winerror", None) in LOCKED


def link(source: Path, target: Path) -> None:
    """Make a second name for the same bytes; a copy where the file system has no links.

    Raises:
        ArchiveError: the first name is there no more.
        OSError: the second cannot be written.
    """
    if not source.exists():
        raise ArchiveError(f"{source} is there no more; -a redownload=yes fetches it again")
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".part")
    fresh.unlink(missing_ok=True)
    try:
        os.link(source, fresh)
    except OSError:
        shutil.copyfile(source, fresh)
    os.replace(fresh, target)  # noqa: PTH105 (as above)


def share(part: str, source: str, target: str) -> bool:
    """Make a file the second name of equal bytes that are here already, and drop the part.

    Args:
        part: whole file that has just come; its SHA-256 is that of the source.
        source: file that is said to have these bytes.
        target: name that the part was to get.

    Returns:
        Whether that was done. Where it was not, the part is as it was: the source is gone, is no ordinary file or has
        other bytes by now, or the file system gives it no further name.
    """
    fresh = f"{target}.part"
    try:
        if not _equal(part, source):
            return False
        if not (os.path.exists(target) and os.path.samefile(source, target)):  # noqa: PTH110, PTH121 (one idiom below)
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(fresh).unlink(missing_ok=True)
            os.link(source, fresh)
            os.replace(fresh, target)  # noqa: PTH105 (as above)
    except OSError:
        with suppress(OSError):
            Path(fresh).unlink(missing_ok=True)
        return False
    with suppress(OSError):  # open in a virus scanner: the next run removes the parts of files that are stored
        os.unlink(part)  # noqa: PTH108 (as above)
    return True


def _equal(part: str, source: str) -> bool:
    """Compare what came with what it is said to be equal to: that may have been spoilt since.

    Raises:
        OSError: one of them cannot be read.
    """
    there = os.lstat(source)
    size = os.stat(part).st_size  # noqa: PTH116 (as above)
    if not stat.S_ISREG(there.st_mode) or there.st_size != size:
        return False
    step = BLOCK if size <= MOST_COMPARED else size // (MOST_COMPARED // BLOCK)
    with open(part, "rb", buffering=0) as one, open(source, "rb", buffering=0) as other:  # noqa: PTH123 (as above)
        for start in range(0, size, step):
            one.seek(start)
            other.seek(start)
            if one.read(BLOCK) != other.read(BLOCK):
                return False
    return True


def relocate(store: Path, before: str, after: str) -> str | None:
    """Bring a file from one name to another that nothing has; say why that did not work.

    A second name is made before the first is taken away, so that there is no moment without one; what an earlier run
    left half done is a file with both names.
    """
    source, target = paths.address(store, before), paths.address(store, after)
    try:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if _differ(source, target):
            return f"{before} stays: at {after} lies a file that the archive does not know"
        if paths.collision_key(before) == paths.collision_key(after):
            _rename(source, target)
        else:
            _exchange(source, target)
    except FileNotFoundError:
        remove_empty(Path(target).parent, store)
        return f"{before} is not there"
    except OSError as error:
        return f"{before} stays: {after} cannot be written: {error.strerror or error}"
    return None


def _rename(source: str, target: str) -> None:
    """Change case or accents alone: to some systems the two are one name, and a second could not be made."""
    if os.path.lexists(source) or not os.path.lexists(target):
        os.rename(source, target)  # noqa: PTH104 (done for every file)


def _exchange(source: str, target: str) -> None:
    """Give a file a second name, then take away the first."""
    try:
        os.link(source, target)
    except FileExistsError:  # the same file, as was asked before: only the rest is left to do
        pass
    except FileNotFoundError:
        if os.path.lexists(target):  # nothing is left to do
            return
        raise
    except OSError:  # a file system without links
        shutil.move(source, target)
        return
    os.unlink(source)  # noqa: PTH108 (as above)


def _differ(source: str, target: str) -> bool:
    """Tell whether two names are both there, and hold different things."""
    try:
        return not os.path.samefile(source, target) and not filecmp.cmp(source, target, shallow=False)  # noqa: PTH121
    except FileNotFoundError:
        return False


def remove_empty(folder: Path, store: Path) -> None:
    """Remove a folder and those above it, as far as they are empty."""
    while folder != store and folder.is_relative_to(store):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
