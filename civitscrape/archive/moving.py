"""Files that are there go to where another template wants them: by the database, in batches, and never over others.

What is about to move is written down before, and that it has moved after: whoever was killed in between is told by the
names that are marked as on their way, and finishes them first.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from civitscrape.archive import naming, paths, schema, sidecars, taken
from civitscrape.archive.naming import Taken, Unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive

BATCH = 200
"""Files that are on their way at once."""


class Move(NamedTuple):
    """One image, and where its file goes."""

    id: int
    before: str
    after: str
    marked: bool = False
    """Whether its number stands in the new name because another image has the name without."""


@dataclass(slots=True)
class Batch:
    """What a template would do with some images, in the order of their numbers."""

    last: int
    """Number of the last image."""
    files: int
    """Images that have a file."""
    moves: list[Move]
    marked: int
    """Images whose number stands in their name because another has the name without, whether they move or stay."""


@dataclass(slots=True)
class Moved:
    """What came of moving."""

    files: int = 0
    left: list[str] = field(default_factory=list)
    """What could not be moved, a sentence each; the database still knows it where it is."""


def preview(archive: Archive, template: str) -> Iterator[Batch]:
    """Tell what a template would give; nothing is changed."""
    known = Taken()
    last: int | None = 0
    while last is not None:
        batch = archive.run_now(_look, template, last, known)
        for move in batch.moves if batch else ():
            if taken.key_of(move.before) != taken.key_of(move.after):
                known.leave(move.before)
        last = batch.last if batch else None
        if batch:
            yield batch


def move(archive: Archive, store: Path, template: str, tell: Callable[[Moved], None] = lambda _: None) -> Moved:
    """Move all files to where a template wants them.

    Args:
        archive: the database; no crawl may work on it meanwhile.
        store: folder of the media.
        template: what the new paths are made from.
        tell: called after each batch with what has been done so far.

    Raises:
        ArgumentError: the template cannot be used.
        ArchiveError: the database cannot be used, or a sidecar cannot be written.
    """
    moved = Moved()
    _finish(archive, store, moved)
    last: int | None = 0
    while last is not None:
        batch = archive.run_now(_begin, template, last)
        _finish(archive, store, moved)
        tell(moved)
        last = batch.last if batch else None
    return moved


def _look(connection: Connection, template: str, after: int, known: Taken) -> Batch | None:
    """Look at the next images that have a file; None when there are no more."""
    table = schema.images
    query = sa.select(table.c.id, table.c.path).where(table.c.path.is_not(None), table.c.id > after)
    here = {row.id: row.path for row in connection.execute(query.order_by(table.c.id).limit(BATCH))}
    if not here:
        return None
    unnamed = [Unnamed(id=number, extension=os.path.splitext(path)[1]) for number, path in here.items()]  # noqa: PTH122
    proposed = naming.propose(connection, template, unnamed, known)
    moves = [
        Move(number, here[number], found.path, found.marked)
        for number, found in proposed.items()
        if found.path != here[number]
    ]
    return Batch(max(here), len(here), moves, sum(found.marked for found in proposed.values()))


def _begin(connection: Connection, template: str, after: int) -> Batch | None:
    """Write down what is about to move."""
    batch = _look(connection, template, after, Taken())
    if batch is not None:
        taken.take(connection, ((one.id, one.after, one.before) for one in batch.moves))
    return batch


def _finish(archive: Archive, store: Path, moved: Moved) -> None:
    """Move what is on its way, be it since an earlier run that was cut short, and write down that it has arrived."""
    begun = archive.run_now(_begun)
    if not begun:
        return
    arrived, stayed = [], []
    for one in begun:
        flaw = _relocate(store, one.before, one.after)
        if flaw is None:
            arrived.append(one)
        else:
            stayed.append(one)
            moved.left.append(flaw)
    for one in arrived:
        for before, after in zip(_beside(one.before), _beside(one.after), strict=True):
            flaw = _relocate(store, before, after)
            if flaw is not None and os.path.lexists(paths.address(store, before)):
                moved.left.append(flaw)
    for folder in {Path(paths.address(store, one.before)).parent for one in arrived}:
        _remove_empty(folder, store)
    archive.run_now(_settle, store, arrived, stayed)
    moved.files += len(arrived)


def _beside(path: str) -> list[str]:
    """Name all that goes along with a file: its sidecars, and the WebP that was made of it."""
    return [*sidecars.names_beside(path), f"{paths.stem(path)}.webp"]


def _begun(connection: Connection) -> list[Move]:
    table = schema.taken_names
    query = sa.select(table).where(table.c.moved_from.is_not(None)).order_by(table.c.entry_id)
    return [Move(row.entry_id, row.moved_from, row.path) for row in connection.execute(query)]


def _settle(connection: Connection, store: Path, arrived: list[Move], stayed: list[Move]) -> None:
    """Write down what has arrived, and that the rest is where it was."""
    images, media = schema.images, schema.media
    for one in arrived:
        mine = (images.c.id == one.id) & (images.c.path == one.before)
        connection.execute(sa.update(images).where(mine).values(path=one.after))
        key = sa.select(images.c.key).where(images.c.id == one.id).scalar_subquery()
        home = (media.c.key == key) & (media.c.path == one.before)
        connection.execute(sa.update(media).where(home).values(path=one.after))
        webp = (media.c.key == key) & (media.c.webp_path == f"{paths.stem(one.before)}.webp")
        connection.execute(sa.update(media).where(webp).values(webp_path=f"{paths.stem(one.after)}.webp"))
    apart = [one for one in (*arrived, *stayed) if taken.key_of(one.before) != taken.key_of(one.after)]
    taken.free(connection, [(one.id, one.before) for one in apart])
    taken.free(connection, [(one.id, one.after) for one in stayed])
    taken.take(connection, [(one.id, one.after, None) for one in arrived])
    taken.take(connection, [(one.id, one.before, None) for one in stayed])
    has_json = [one.id for one in arrived if os.path.lexists(paths.address(store, f"{paths.stem(one.after)}.json"))]
    sidecars.write(connection, store, has_json)


def _relocate(store: Path, before: str, after: str) -> str | None:
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
        _remove_empty(Path(target).parent, store)
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


def _remove_empty(folder: Path, store: Path) -> None:
    """Remove a folder and those above it, as far as they are empty."""
    while folder != store and folder.is_relative_to(store):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def counts(batches: Iterator[Batch]) -> dict[str, Any]:
    """Add up what a template would do.

    >>> counts(iter([Batch(2, 2, [Move(2, "a/2.png", "b/2.png")], 0)]))
    {'files': 2, 'moves': 1, 'marked': 0}
    """
    total = {"files": 0, "moves": 0, "marked": 0}
    for batch in batches:
        total["files"] += batch.files
        total["moves"] += len(batch.moves)
        total["marked"] += batch.marked
    return total
