"""Files into their places: moved when whole, booked in the same breath, linked where another id has the same bytes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from civitscrape.archive import companions, naming, paths, renditions, replacing, schema, sidecars, strangers, updates
from civitscrape.archive.database import in_chunks, update_each
from civitscrape.archive.placing import link, place, share, size_of
from civitscrape.archive.taken import IMAGE, key_of, take
from civitscrape.exceptions import ArchiveError, LockedError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection


@dataclass(slots=True, kw_only=True)
class Fate:
    """What became of the file of one image."""

    image_id: int
    key: str
    state: str
    """``stored``, ``gone``, ``failed`` or ``refused``."""
    path: str | None = None
    """Where the file of this image belongs, relative to the store; None where it is still to be named."""
    unnamed: naming.Unnamed | None = None
    """What the path of a file that has none yet is made from."""
    part: str | None = None
    """Whole file that waits to be moved; None when the bytes are already in the store."""
    sha256: str | None = None
    size: int | None = None
    content_type: str | None = None
    error: str | None = None
    url: str | None = None
    """Address that it came from, where that is not the one that was wanted."""
    rendition: str | None = None
    """Name of the rendition that it is, ``width=450``; None for the original, whose path alone is the image's."""
    before: str | None = None
    """Where the file of this image lay before, which goes once a new one is booked elsewhere."""


MOST_TWINS = 1000
"""Rows with the bytes of a batch that are read at most: a picture that thousands posted must not hold up all others."""

TRIED = 3
"""Files with the same bytes that are tried, should the first be gone or spoilt."""


def want_again(connection: Connection, limit: int | None) -> int:
    """Want the media again that the limit of an earlier run left out, unless this run has the same; count them."""
    table = schema.media
    limited = (table.c.state == MediaState.REFUSED) & table.c.error.startswith(updates.LIMITED, autoescape=True)
    if limit is not None:
        limited &= ~table.c.error.startswith(f"{updates.LIMITED}{limit} ", autoescape=True)
    return connection.execute(sa.update(table).where(limited).values(state=MediaState.WANTED, error=None)).rowcount


def stored_parts(connection: Connection, parts: Collection[str]) -> set[str]:
    """Tell which parts, given by the names of their files, are of what is stored by now."""
    owners = {part: paths.part_owner(part) for part in parts}
    table = schema.model_files
    stored: set[str | int | None] = set(_shelved(connection, {one for one in owners.values() if isinstance(one, str)}))
    for chunk in in_chunks({one for one in owners.values() if isinstance(one, int)}):
        query = sa.select(table.c.id).where(table.c.id.in_(chunk), table.c.state == MediaState.STORED)
        stored.update(connection.execute(query).scalars())
    return {part for part, owner in owners.items() if owner in stored}


def shelve(
    connection: Connection,
    store: Path,
    fates: Collection[Fate],
    *,
    template: str = paths.DEFAULT_TEMPLATE,
    beside: Collection[str] = (),
) -> None:
    """Move whole files to their final names, and write into the database what became of each.

    Args:
        connection: inside a transaction; files are moved before it commits, so what the database calls stored is there.
        store: folder of the media.
        fates: what became of some files; one whose place another program holds is marked ``failed``.
        template: what the paths of files are made from that have none yet.
        beside: kinds of sidecars that are written.

    Raises:
        ArchiveError: a file cannot be moved; nothing of these fates is booked then.
    """
    _require(store, fates)
    shelved = _shelved(connection, [fate.key for fate in fates])
    _name(connection, template, fates, shelved)
    twins = _twins(connection, [fate.sha256 for fate in fates if fate.part is not None and fate.sha256 is not None])
    rows = []
    for fate in fates:
        if fate.state == MediaState.STORED and fate.path is not None:
            home = shelved.get(fate.key)
            replaced = fate.part is not None and home is not None and home.replaced_by(fate.path)
            same = twins.setdefault(fate.sha256 or "", {})
            try:
                others = [path for key, path in same.items() if key != fate.key]
                path = _place(store, fate, None if home is None or replaced else home, others)
            except LockedError as error:
                fate.state, fate.error, fate.path = MediaState.FAILED, str(error), None
            else:
                shelved[fate.key] = home if home is not None and path == home.path else _Home(path, None, None)
                if fate.part is not None and fate.sha256 is not None:
                    same[fate.key] = path
        if fate.part is not None or fate.state != MediaState.STORED:
            there = shelved.get(fate.key)
            rows.append(updates.row(fate, there and there.path))
    if rows:
        update_each(connection, updates.UPDATE_MEDIA, rows)
    replacing.note(connection, _replaced(fates))
    originals = [fate for fate in fates if fate.rendition is None]
    paths_of = [{"_id": fate.image_id, "_path": fate.path} for fate in originals if fate.path is not None]
    if paths_of:
        update_each(connection, updates.UPDATE_IMAGES, paths_of)
    if beside:
        ids = [fate.image_id for fate in originals if fate.state == MediaState.STORED]
        sidecars.write(connection, store, ids, kinds=beside)
        of_renditions = {
            fate.key: fate.image_id for fate in fates if fate.rendition and fate.state == MediaState.STORED
        }
        sidecars.write_of_renditions(connection, store, of_renditions, kinds=beside)


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


def _require(store: Path, fates: Iterable[Fate]) -> None:
    """Refuse to make a folder where the store has been, with its disk perhaps.

    Raises:
        ArchiveError: there are files for it, and it is not there.
    """
    if any(fate.state == MediaState.STORED for fate in fates) and not store.is_dir():
        raise ArchiveError(f"{store} cannot be written: it is gone, or no folder any more")


def _name(connection: Connection, template: str, fates: Collection[Fate], shelved: dict[str, _Home]) -> None:
    """Give a path to those that have none; a rendition has one for all images of its key."""
    _rename(connection, [fate for fate in fates if fate.path is None and fate.before is not None])
    waiting: dict[str | None, dict[int, Fate]] = {}
    for fate in fates:
        if fate.path is None and fate.unnamed is not None and not _is_home(fate, shelved):
            waiting.setdefault(fate.rendition, {})[fate.image_id] = fate
    for rendition, by_id in waiting.items():
        # Of images that share a rendition the last gives it its name.
        owners = {fate.key if rendition else number: fate for number, fate in by_id.items()}
        unnamed = [fate.unnamed for fate in owners.values() if fate.unnamed is not None]
        where = template if rendition is None else renditions.template_of(template, rendition)
        for number, path in naming.name(connection, where, unnamed, rendition or IMAGE).items():
            by_id[number].path = path
        for fate in by_id.values() if rendition else ():
            fate.path = owners[fate.key].path


def _rename(connection: Connection, fates: Collection[Fate]) -> None:
    """Let originals that came in another format keep their names, unless another image has one of the same."""
    names = {
        fate.image_id: replacing.renamed(fate.before, fate.unnamed.extension)
        for fate in fates
        if fate.before is not None and fate.unnamed is not None
    }
    if not names:
        return
    known = naming.Taken()
    known.ask(connection, {key_of(path) for path in names.values()})
    for fate in fates:
        path = names.get(fate.image_id)
        if path is not None and known.free_for(fate.image_id, path):
            fate.path = path
    take(connection, [(fate.image_id, fate.path, None) for fate in fates if fate.path is not None])


def _replaced(fates: Collection[Fate]) -> list[tuple[str, str]]:
    """Tell what lay elsewhere before, by the keys of the media that have come instead."""
    booked = [fate for fate in fates if fate.state == MediaState.STORED and fate.part is not None]
    return [(fate.key, fate.before) for fate in booked if fate.before is not None and fate.before != fate.path]


def _is_home(fate: Fate, shelved: dict[str, _Home]) -> bool:
    """Leave a rendition where it lies; one that came in another format keeps its name but for the extension."""
    home = shelved.get(fate.key)
    if fate.rendition is None or home is None or fate.unnamed is None:
        return False
    fate.path, fate.before = replacing.renamed(home.path, fate.unnamed.extension), home.path
    return True


class _Home(NamedTuple):
    """Where the bytes of a key lie."""

    path: str
    webp_path: str | None
    """Where a WebP of them lies: the same place, where it has replaced the original."""
    webp_sha256: str | None

    @property
    def converted(self) -> bool:
        """Whether a WebP is all there is: what is downloaded again does not go there."""
        return self.path == self.webp_path

    def replaced_by(self, path: str) -> bool:
        """Tell whether what was downloaded again goes elsewhere, since it has another format than what is there."""
        return self.converted or PurePosixPath(self.path).suffix != PurePosixPath(path).suffix


def _shelved(connection: Connection, keys: Collection[str]) -> dict[str, _Home]:
    """Find where the bytes of some keys already lie.

    The state is looked at here: SQLite, asked for it, would read all that is stored rather than look up the keys.
    """
    table = schema.media
    found: dict[str, _Home] = {}
    for chunk in in_chunks(set(keys)):
        columns = (table.c.key, table.c.path, table.c.webp_path, table.c.webp_sha256, table.c.state)
        rows = connection.execute(sa.select(*columns).where(table.c.key.in_(chunk)))
        found.update({key: _Home(*of) for key, *of, state in rows if state == MediaState.STORED})
    return found


def _twins(connection: Connection, hashes: Collection[str]) -> dict[str, dict[str, str]]:
    """Find where files with the same bytes lie, by SHA-256 and key.

    A WebP that has replaced its original has other bytes than the SHA-256 of its row. As above, no state is asked for.
    """
    table = schema.media
    found: dict[str, dict[str, str]] = {}
    for chunk in in_chunks(set(hashes)):
        columns = (table.c.sha256, table.c.key, table.c.path, table.c.webp_path, table.c.state)
        query = sa.select(*columns).where(table.c.sha256.in_(chunk)).limit(MOST_TWINS)
        for row in connection.execute(query):
            if row.state == MediaState.STORED and row.path is not None and row.path != row.webp_path:
                found.setdefault(row.sha256, {})[row.key] = row.path
    return found


def _place(store: Path, fate: Fate, shelved: _Home | None, twins: Iterable[str] = ()) -> str:
    """Bring the bytes under the name of this image; tell where they lie for all images of this key.

    Args:
        store: folder of the media.
        fate: what became of the file.
        shelved: where the bytes of its key lie already.
        twins: files of other keys with the same bytes.
    """
    target = paths.address(store, fate.path or "")
    home = target if shelved is None else paths.address(store, shelved.path)
    try:
        size = size_of(fate.part)
        if fate.part is not None and size is not None and size == fate.size:
            if not _share(store, fate.part, home, twins):
                place(fate.part, home)
        elif shelved is None:
            state = "is gone" if size is None else f"has {size} bytes, not {fate.size}"
            raise ArchiveError(f"{fate.path}: the file that was to be moved there, {fate.part}, {state}")
        # What just came replaces what an earlier run put there: it may have been spoilt since.
        if home != target and (fate.part is not None or not Path(target).exists()):
            link(Path(home), Path(target))
            if shelved is not None and shelved.webp_path is not None and not shelved.converted:
                second = Path(companions.WEBP.of(target))
                if not strangers.lies_at(second, (fate.image_id,), (shelved.webp_sha256,)):
                    link(Path(paths.address(store, shelved.webp_path)), second)
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return shelved.path if shelved is not None else fate.path or ""


def _share(store: Path, part: str, home: str, twins: Iterable[str]) -> bool:
    """Make a file a second name of bytes that are here already, if there is one that has them indeed."""
    for twin in islice(twins, TRIED):
        with suppress(ArchiveError):  # its path leads out of the store: `civitscrape verify` tells of that
            if share(part, paths.address(store, twin), home):
                return True
    return False
