"""Files into their places: moved when whole, booked in the same breath, linked where another id has the same bytes."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import paths, schema, sidecars
from civitscrape.archive.database import in_chunks
from civitscrape.exceptions import ArchiveError, LockedError
from civitscrape.ledger import MediaState, now

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection


@dataclass(slots=True, kw_only=True)
class Fate:
    """What became of the file of one image."""

    image_id: int
    key: str
    state: str
    """``stored``, ``gone``, ``failed`` or ``refused``."""
    path: str | None = None
    """Where the file of this image belongs, relative to the store."""
    part: str | None = None
    """Whole file that waits to be moved; None when the bytes are already in the store."""
    sha256: str | None = None
    size: int | None = None
    content_type: str | None = None
    error: str | None = None
    url: str | None = None
    """Address that it came from, where that is not the one that was wanted."""


FILE = "file-"
"""What the names of the parts of model files begin with."""

PATIENCE = (0.05, 0.2, 0.5)
"""Seconds before each further try to replace a file that another program has open."""

LOCKED = frozenset({5, 32, 33})
"""Windows' errors for a file that is open: access denied, sharing violation, lock violation."""

LIMITED = "max_file_size="
"""What the reason of a file begins with that a person's limit left out."""


def want_again(connection: Connection, limit: int | None) -> int:
    """Want the media again that the limit of an earlier run left out, unless this run has the same; count them."""
    table = schema.media
    limited = (table.c.state == MediaState.REFUSED) & table.c.error.startswith(LIMITED, autoescape=True)
    if limit is not None:
        limited &= ~table.c.error.startswith(f"{LIMITED}{limit} ", autoescape=True)
    return connection.execute(sa.update(table).where(limited).values(state=MediaState.WANTED, error=None)).rowcount


def stored_parts(connection: Connection, parts: Collection[str]) -> set[str]:
    """Tell which parts, named by their media keys or as ``file-{id}``, are of files that are stored by now."""
    stored = set(_shelved(connection, parts))
    files, table = {part.removeprefix(FILE): part for part in parts if part.startswith(FILE)}, schema.model_files
    for chunk in in_chunks([int(number) for number in files if number.isdecimal()]):
        query = sa.select(table.c.id).where(table.c.id.in_(chunk), table.c.state == MediaState.STORED)
        stored.update(files[str(number)] for number in connection.execute(query).scalars())
    return stored


def shelve(connection: Connection, store: Path, fates: Collection[Fate], *, beside: bool) -> None:
    """Move whole files to their final names, and write into the database what became of each.

    Args:
        connection: inside a transaction; files are moved before it commits, so what the database calls stored is there.
        store: folder of the media.
        fates: what became of some files; one whose place another program holds is marked ``failed``.
        beside: whether sidecars are written.

    Raises:
        ArchiveError: a file cannot be moved; nothing of these fates is booked then.
    """
    shelved = _shelved(connection, [fate.key for fate in fates])
    rows = []
    for fate in fates:
        if fate.state == MediaState.STORED and fate.path is not None:
            try:
                shelved[fate.key] = _place(store, fate, shelved.get(fate.key))
            except LockedError as error:
                fate.state, fate.error, fate.path = MediaState.FAILED, str(error), None
        if fate.part is not None or fate.state != MediaState.STORED:
            rows.append(_row(fate, shelved.get(fate.key)))
    if rows:
        connection.execute(UPDATE_MEDIA, rows)
    paths_of = [{"_id": fate.image_id, "_path": fate.path} for fate in fates if fate.path is not None]
    if paths_of:
        connection.execute(UPDATE_IMAGES, paths_of)
    if beside:
        sidecars.write(connection, store, [fate.image_id for fate in fates if fate.state == MediaState.STORED])


def shelve_file(connection: Connection, store: Path, fate: Fate) -> None:
    """Move a whole model file to its final name, and write into the database what became of it.

    Args:
        connection: inside a transaction; the file is moved before it commits.
        store: folder of the media.
        fate: what became of it; its ``image_id`` is the number of the model file.

    Raises:
        ArchiveError: the file cannot be moved.
    """
    if fate.part is not None and fate.path is not None:
        target = paths.address(store, fate.path)
        try:
            place(fate.part, target)
        except OSError as reason:
            raise ArchiveError(f"{target} cannot be written: {reason.strerror or reason}") from reason
    table = schema.model_files
    told = {"state": fate.state, "error": fate.error} | ({"path": fate.path} if fate.path is not None else {})
    connection.execute(sa.update(table).where(table.c.id == fate.image_id, table.c.path.is_(None)).values(told))


def _shelved(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """Find where the bytes of some keys already lie."""
    table = schema.media
    found: dict[str, str] = {}
    for chunk in in_chunks(set(keys)):
        query = sa.select(table.c.key, table.c.path).where(table.c.key.in_(chunk), table.c.state == MediaState.STORED)
        found.update({row.key: row.path for row in connection.execute(query)})
    return found


def _place(store: Path, fate: Fate, shelved: str | None) -> str:
    """Bring the bytes under the name of this image; tell where they lie for all images of this key."""
    target = paths.address(store, fate.path or "")
    home = target if shelved is None else paths.address(store, shelved)
    try:
        size = _size(fate.part)
        if fate.part is not None and size is not None and size == fate.size:
            place(fate.part, home)
        elif shelved is None:
            state = "is gone" if size is None else f"has {size} bytes, not {fate.size}"
            raise ArchiveError(f"{fate.path}: the file that was to be moved there, {fate.part}, {state}")
        # What just came replaces what an earlier run put there: it may have been spoilt since.
        if home != target and (fate.part is not None or not Path(target).exists()):
            link(Path(home), Path(target))
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return shelved or fate.path or ""


def _size(part: str | None) -> int | None:
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


def _row(fate: Fate, path: str | None) -> dict[str, Any]:
    stored = fate.state == MediaState.STORED
    return {
        "_key": fate.key,
        "_state": fate.state,
        "_path": path if stored else None,
        "_sha256": fate.sha256,
        "_size": fate.size,
        "_content_type": fate.content_type,
        "_error": fate.error,
        "_url": fate.url,
        "_gave_up": 0 if stored else 1,
        "_fetched_at": now() if stored else None,
    }


def _bound(name: str, column: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"_{name}", type_=column.type)


def _kept(name: str) -> Any:
    """Set a column, but never to nothing: a failed second download does not unsay the first."""
    column = schema.media.c[name]
    return sa.func.coalesce(_bound(name, column), column)


UPDATE_MEDIA = (
    sa.update(schema.media)
    .where(schema.media.c.key == _bound("key", schema.media.c.key))
    .values(
        state=sa.case(
            (schema.media.c.state == MediaState.STORED, schema.media.c.state),
            else_=_bound("state", schema.media.c.state),
        ),
        error=_bound("error", schema.media.c.error),
        attempts=schema.media.c.attempts + _bound("gave_up", schema.media.c.attempts),
        **{name: _kept(name) for name in ("url", "path", "sha256", "size", "content_type", "fetched_at")},
    )
)
"""What became of a file; a file that is in the store stays stored, whatever a second download met."""

UPDATE_IMAGES = (
    sa.update(schema.images)
    .where(schema.images.c.id == _bound("id", schema.images.c.id))
    .values(path=_bound("path", schema.images.c.path))
)
