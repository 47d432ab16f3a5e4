"""Files that are there go to where another template wants them: by the database, in batches, and never over others.

Originals go first, then renditions; the poster of a video goes along with it, like all that lies beside. What is about
to move is written down before, and that it has moved after: whoever was killed in between is told by the names that are
marked as on their way, and finishes them first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from civitscrape.archive import companions, naming, paths, placing, posters, renditions, schema, sidecars, taken
from civitscrape.archive.database import in_chunks
from civitscrape.archive.naming import Taken, Unnamed
from civitscrape.archive.taken import IMAGE
from civitscrape.civitai.media import ORIGINAL
from civitscrape.items import APART
from civitscrape.ledger import RENDITION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive

BATCH = 200
"""Files that are on their way at once."""


class Move(NamedTuple):
    """One image, or a rendition of it, and where the file goes."""

    id: int
    before: str
    after: str
    marked: bool = False
    """Whether its number stands in the new name because another image has the name without."""
    kind: str = IMAGE
    """Whether it is the original, or the rendition of this name."""


class Poster(NamedTuple):
    """The poster of a video that moves, and where it goes."""

    key: str
    before: str
    after: str


@dataclass(slots=True)
class Batch:
    """What a template would do with some files, in the order of their images or keys."""

    last: int | str
    """Number of the last image, or key of the last rendition."""
    files: int
    """Files that are here."""
    moves: list[Move]
    marked: int
    """Those with the number of their image in their name because another has it without, whether they move or stay."""


@dataclass(slots=True)
class Moved:
    """What came of moving."""

    files: int = 0
    left: list[str] = field(default_factory=list)
    """What could not be moved, a sentence each; the database still knows it where it is."""


def preview(archive: Archive, template: str) -> Iterator[Batch]:
    """Tell what a template would give; nothing is changed."""
    known = Taken()
    for look, last in ROUNDS:
        while batch := archive.run_now(look, template, last, known):
            for move in batch.moves:
                if taken.key_of(move.before) != taken.key_of(move.after):
                    known.leave(move.before)
            last = batch.last  # noqa: PLW2901 (where the next batch begins)
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
    for look, last in ROUNDS:
        while batch := archive.run_now(_begin, look, template, last):
            _finish(archive, store, moved)
            tell(moved)
            last = batch.last  # noqa: PLW2901 (as above)
    return moved


def _look_at_originals(connection: Connection, template: str, after: int, known: Taken) -> Batch | None:
    """Look at the next images that have a file; None when there are no more."""
    table = schema.images
    query = sa.select(table.c.id, table.c.path).where(table.c.path.is_not(None), table.c.id > after)
    here = {row.id: row.path for row in connection.execute(query.order_by(table.c.id).limit(BATCH))}
    if not here:
        return None
    batch = Batch(max(here), len(here), [], 0)
    _propose(connection, template, here, known, batch)
    return batch


def _look_at_renditions(connection: Connection, template: str, after: str, known: Taken) -> Batch | None:
    """Look at the next renditions that are here; one that is of no image any more can have no new name, and stays."""
    table = schema.media
    query = sa.select(table.c.key, table.c.path).where(table.c.kind == RENDITION, table.c.path.is_not(None))
    query = query.where(table.c.key > after).order_by(table.c.key).limit(BATCH)
    here: dict[str, str] = {row.key: row.path for row in connection.execute(query)}
    if not here:
        return None
    by_name: dict[str, dict[int, str]] = {}
    for key, number in _owners(connection, here).items():
        by_name.setdefault(renditions.name_in(key) or "", {})[number] = here[key]
    batch = Batch(max(here), len(here), [], 0)
    for name, paths_of in by_name.items():
        where = renditions.template_of(template, name)
        _propose(connection, where, paths_of, known.of(name), batch)
    return batch


ROUNDS: tuple[tuple[Callable[[Connection, str, Any, Taken], Batch | None], int | str], ...] = (
    (_look_at_originals, 0),
    (_look_at_renditions, ""),
)
"""What is looked at, one after the other, and where each begins."""


def _owners(connection: Connection, here: Mapping[str, str]) -> dict[str, int]:
    """Find the image that each rendition has its name from: of those that share its key the one that took the name."""
    images, names = schema.images, schema.taken_names
    of_key: dict[str, list[int]] = {}
    bases = {key: key.rpartition(APART)[0] for key in here}
    query = sa.select(images.c.key, images.c.id).where(images.c.key.in_(set(bases.values()))).order_by(images.c.id)
    for row in connection.execute(query):
        of_key.setdefault(row.key, []).append(row.id)
    held = {key: taken.key_of(path) for key, path in here.items()}
    query = sa.select(names.c.name, names.c.entry_id).where(names.c.name.in_(set(held.values())))
    holders = {row.name: row.entry_id for row in connection.execute(query)}
    found = {}
    for key, base in bases.items():
        if ids := of_key.get(base):
            holder = holders.get(held[key])
            found[key] = holder if holder in ids else ids[0]
    return found


def _propose(connection: Connection, template: str, here: Mapping[int, str], known: Taken, batch: Batch) -> None:
    """Find new paths for files of one kind, each given by its image, and add to a batch what would move."""
    unnamed = [Unnamed(id=number, extension=os.path.splitext(path)[1]) for number, path in here.items()]  # noqa: PTH122
    for number, found in naming.propose(connection, template, unnamed, known).items():
        batch.marked += found.marked
        if found.path != here[number]:
            batch.moves.append(Move(number, here[number], found.path, found.marked, known.kind))


def _begin(
    connection: Connection, look: Callable[[Connection, str, Any, Taken], Batch | None], template: str, after: Any
) -> Batch | None:
    """Write down what is about to move."""
    batch = look(connection, template, after, Taken())
    if batch is not None:
        _take(connection, batch.moves, lambda one: (one.id, one.after, one.before))
    return batch


def _take(connection: Connection, moves: Iterable[Move], told: Callable[[Move], tuple[int, str, str | None]]) -> None:
    """Write down who has which path."""
    by_kind: dict[str, list[tuple[int, str, str | None]]] = {}
    for one in moves:
        by_kind.setdefault(one.kind, []).append(told(one))
    for kind, owners in by_kind.items():
        taken.take(connection, owners, kind)


def _finish(archive: Archive, store: Path, moved: Moved) -> None:
    """Move what is on its way, be it since an earlier run that was cut short, and write down that it has arrived."""
    begun = archive.run_now(_begun)
    if not begun:
        return
    arrived, stayed = [], []
    for one in begun:
        flaw = placing.relocate(store, one.before, one.after)
        if flaw is None:
            arrived.append(one)
        else:
            stayed.append(one)
            moved.left.append(flaw)
    for one in arrived:
        for before, after in zip(_beside(one.before), _beside(one.after), strict=True):
            flaw = placing.relocate(store, before, after)
            if flaw is not None and os.path.lexists(paths.address(store, before)):
                moved.left.append(flaw)
    along = []
    for poster in archive.run_now(_posters, arrived):
        flaw = placing.relocate(store, poster.before, poster.after)
        if flaw is None:
            along.append(poster)
        else:
            moved.left.append(flaw)
    for folder in {Path(paths.address(store, one.before)).parent for one in arrived}:
        placing.remove_empty(folder, store)
    archive.run_now(_settle, store, arrived, stayed, along)
    moved.files += len(arrived)


def _beside(path: str) -> list[str]:
    """Name all that goes along with a file and is told by its name: its sidecars, and the WebP that was made of it."""
    return [*companions.texts(path), companions.WEBP.of(path)]


def _begun(connection: Connection) -> list[Move]:
    table = schema.taken_names
    query = sa.select(table).where(table.c.moved_from.is_not(None)).order_by(table.c.entry_id)
    return [
        Move(row.entry_id, row.moved_from, row.path, kind=row.entry_kind) for row in connection.execute(query).all()
    ]


def _posters(connection: Connection, moves: list[Move]) -> list[Poster]:
    """Find the posters that lie beside files as these were called before."""
    media = schema.media
    keys = {number: posters.key_of(key) for number, key in _keys_of(connection, moves).items()}
    homes: dict[str, str] = {}
    for chunk in in_chunks(set(keys.values())):
        query = sa.select(media.c.key, media.c.path).where(media.c.key.in_(chunk), media.c.path.is_not(None))
        homes.update({row.key: row.path for row in connection.execute(query)})
    found = []
    for one in moves:
        key = keys.get(one.id, "")
        before, beside = homes.get(key, ""), companions.POSTER.of(one.before)
        if paths.stem(before) == beside:
            found.append(Poster(key, before, companions.POSTER.of(one.after) + before.removeprefix(beside)))
    return found


def _settle(connection: Connection, store: Path, arrived: list[Move], stayed: list[Move], along: list[Poster]) -> None:
    """Write down what has arrived, and that the rest is where it was."""
    images, media = schema.images, schema.media
    for one in arrived:
        if one.kind == IMAGE:
            mine = (images.c.id == one.id) & (images.c.path == one.before)
            connection.execute(sa.update(images).where(mine).values(path=one.after))
        which = renditions.media_key(ORIGINAL if one.kind == IMAGE else one.kind)
        key = sa.select(which).where(images.c.id == one.id).scalar_subquery()
        home = (media.c.key == key) & (media.c.path == one.before)
        connection.execute(sa.update(media).where(home).values(path=one.after))
        webp = (media.c.key == key) & (media.c.webp_path == companions.WEBP.of(one.before))
        connection.execute(sa.update(media).where(webp).values(webp_path=companions.WEBP.of(one.after)))
    for poster in along:
        home = (media.c.key == poster.key) & (media.c.path == poster.before)
        connection.execute(sa.update(media).where(home).values(path=poster.after))
    apart = [one for one in (*arrived, *stayed) if taken.key_of(one.before) != taken.key_of(one.after)]
    taken.free(connection, [(one.id, one.before) for one in apart])
    taken.free(connection, [(one.id, one.after) for one in stayed])
    _take(connection, arrived, lambda one: (one.id, one.after, None))
    _take(connection, stayed, lambda one: (one.id, one.before, None))
    _write_json(connection, store, arrived)


def _write_json(connection: Connection, store: Path, arrived: list[Move]) -> None:
    """Let the records beside files say where these lie now; where there was none, none is written."""
    told = [one for one in arrived if os.path.lexists(paths.address(store, companions.JSON.of(one.after)))]
    sidecars.write(connection, store, [one.id for one in told if one.kind == IMAGE])
    smaller = [one for one in told if one.kind != IMAGE]
    keys = _keys_of(connection, smaller)
    owners = {f"{keys[one.id]}{APART}{one.kind}": one.id for one in smaller if one.id in keys}
    sidecars.write_of_renditions(connection, store, owners)


def _keys_of(connection: Connection, moves: Iterable[Move]) -> dict[int, str]:
    """Find the keys of images that have one."""
    images = schema.images
    found: dict[int, str] = {}
    for chunk in in_chunks({one.id for one in moves}):
        query = sa.select(images.c.id, images.c.key).where(images.c.id.in_(chunk), images.c.key.is_not(None))
        found.update({row.id: row.key for row in connection.execute(query)})
    return found


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
