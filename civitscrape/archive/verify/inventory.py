"""Every file of the store against every path that rows name, in a database of its own on disk: memory stays flat."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple, Self

from civitscrape.archive import companions, paths
from civitscrape.archive.fingerprints import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

ASIDE = ".damaged"
"""Ending of a damaged file that was kept."""

PART = ".part"

SYSTEMS_OWN = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that systems put into folders by themselves."""

BATCH = 1000
"""Rows written at once."""

SCHEMA = """
    CREATE TABLE files (path BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE named (path BLOB PRIMARY KEY, folded BLOB) WITHOUT ROWID;
    CREATE INDEX named_folded ON named (folded);
    CREATE TABLE lost (place INTEGER PRIMARY KEY, tab TEXT, id, size INTEGER);
    CREATE INDEX lost_id ON lost (id);
    CREATE TABLE strays (path BLOB PRIMARY KEY, sha256 TEXT, size INTEGER) WITHOUT ROWID;
    CREATE INDEX strays_sha256 ON strays (sha256);
"""

UNNAMED = """
    SELECT path FROM files WHERE path > ? AND NOT EXISTS (SELECT 1 FROM named WHERE named.path = files.path)
    ORDER BY path LIMIT ?
"""


class Stray(NamedTuple):
    """A file that no row names."""

    path: str
    sha256: str | None
    size: int


class Inventory:
    """The files of a store, the paths that rows name, and what is left over of either.

    It lives in a temporary database that SQLite removes by itself, and spills to disk what does not fit its cache.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(SCHEMA)
        self.unreadable: list[str] = []
        """Folders that cannot be listed, and why, a sentence each."""
        self.aside = 0
        """Damaged files that were kept by an earlier mending."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def survey(self, ignored: Collection[str] = ()) -> None:
        """List every file of the store; links to folders are not followed.

        Args:
            ignored: absolute paths that are no part of the store although they lie in it.
        """
        self._write("INSERT OR IGNORE INTO files VALUES (?)", ((os.fsencode(one),) for one in self._walk(set(ignored))))

    def _walk(self, ignored: set[str]) -> Iterator[str]:
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self._store / folder) as entries:
                    for entry in entries:
                        path = f"{folder}/{entry.name}" if folder else entry.name
                        if entry.path in ignored:
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(path)
                        elif entry.name not in SYSTEMS_OWN and not entry.is_dir():
                            yield path
            except OSError as error:
                self.unreadable.append(f"{printable(folder or '.')} cannot be listed: {error.strerror or error}")

    def name(self, named: Iterable[str]) -> None:
        """Note paths that rows name; what no file can be called is left out."""
        self._write("INSERT OR IGNORE INTO named VALUES (?, ?)", (pair for path in named for pair in _encoded(path)))

    def _write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")

    def lose(self, table: str, key: str | int, size: int | None) -> None:
        """Note a row whose bytes are whole nowhere under its own names; ``size`` is None where it is not known."""
        self._database.execute("INSERT INTO lost (tab, id, size) VALUES (?, ?, ?)", (table, key, size))

    def is_lost(self, table: str, key: str | int) -> bool:
        """Tell whether a row was noted as lost."""
        query = "SELECT EXISTS (SELECT 1 FROM lost WHERE tab = ? AND id = ?)"
        return bool(self._database.execute(query, (table, key)).fetchone()[0])

    def has_lost(self, size: int) -> bool:
        """Tell whether bytes of this size are lost."""
        query = "SELECT EXISTS (SELECT 1 FROM lost WHERE coalesce(size, ?) = ?)"
        return bool(self._database.execute(query, (size, size)).fetchone()[0])

    def lost(self) -> Iterator[tuple[str, str | int]]:
        """List the rows that were noted as lost."""
        after = 0
        query = "SELECT place, tab, id FROM lost WHERE place > ? ORDER BY place LIMIT ?"
        while rows := self._database.execute(query, (after, BATCH)).fetchall():
            yield from ((table, key) for _, table, key in rows)
            after = rows[-1][0]

    def parts(self) -> Iterator[str]:
        """List the files that are, or were, still coming in; what a row names is none, whatever its name ends in."""
        yield from (path for path in self._files(UNNAMED) if is_part(path) and not self._is_named(path))

    def unnamed(self) -> Iterator[str]:
        """List the files that no row names and that belong to none that is named, in the order of their paths."""
        for path in self._files(UNNAMED):
            if ASIDE in path.rpartition("/")[2]:
                self.aside += 1
            elif not (is_part(path) or self.belongs(path)):
                yield path

    def belongs(self, path: str) -> bool:
        """Tell whether a row names a file, or one beside it that it belongs to."""
        return self._is_named(path) or self._is_companion(path)

    def _files(self, query: str) -> Iterator[str]:
        after = b""
        while rows := self._database.execute(query, (after, BATCH)).fetchall():
            yield from (os.fsdecode(path) for (path,) in rows)
            after = rows[-1][0]

    def _is_named(self, path: str) -> bool:
        """Tell whether a row names the same file in other letters, where letters' case does not count."""
        folded = os.fsencode(paths.collision_key(path))
        found = self._database.execute("SELECT path FROM named WHERE folded = ?", (folded,)).fetchall()
        return any(self._is_same(path, os.fsdecode(encoded)) for (encoded,) in found)

    def _is_companion(self, path: str) -> bool:
        """Tell whether a file belongs to one beside it that a row names."""
        owner = companions.owner(path)
        if owner is not None and self._names(paths.collision_key(owner)):
            return True
        return any(self._has_stem(paths.collision_key(stem)) for stem in companions.owner_stems(path))

    def _names(self, folded: str) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM named WHERE folded = ?)"
        return bool(self._database.execute(query, (os.fsencode(folded),)).fetchone()[0])

    def _has_stem(self, folded: str) -> bool:
        # A slash follows a dot in ASCII, so this is every name that begins with the stem and a dot.
        between = (os.fsencode(f"{folded}."), os.fsencode(f"{folded}/"))
        query = "SELECT path FROM named WHERE folded >= ? AND folded < ?"
        found = (os.fsdecode(encoded) for (encoded,) in self._database.execute(query, between))
        return any(paths.collision_key(named.rpartition(".")[0]) == folded for named in found)

    def _is_same(self, one: str, other: str) -> bool:
        try:
            return os.path.samefile(self._store / one, self._store / other)  # noqa: PTH121 (texts)
        except OSError:
            return False

    def stray(self, stray: Stray) -> None:
        """Note a file that no row names."""
        row = (os.fsencode(stray.path), stray.sha256, stray.size)
        self._database.execute("INSERT OR REPLACE INTO strays VALUES (?, ?, ?)", row)

    def unstray(self, path: str) -> None:
        """Take back a file that has found its place."""
        self._database.execute("DELETE FROM strays WHERE path = ?", (os.fsencode(path),))

    def strays(self) -> Iterator[Stray]:
        """List the files that no row names, in the order of their paths."""
        after = b""
        query = "SELECT path, sha256, size FROM strays WHERE path > ? ORDER BY path LIMIT ?"
        while rows := self._database.execute(query, (after, BATCH)).fetchall():
            yield from (Stray(os.fsdecode(path), sha256, size) for path, sha256, size in rows)
            after = rows[-1][0]

    def strays_like(self, sha256: str) -> list[str]:
        """List the files that no row names and that have these bytes."""
        found = self._database.execute("SELECT path FROM strays WHERE sha256 = ? ORDER BY path", (sha256,))
        return [os.fsdecode(path) for (path,) in found.fetchall()]


def _encoded(path: str) -> Iterator[tuple[bytes, bytes]]:
    try:
        yield os.fsencode(path), os.fsencode(paths.collision_key(path))
    except UnicodeEncodeError:
        return


def is_part(path: str) -> bool:
    """Tell by its name whether a file of the store is one that is still coming in, or was, unless a row names it.

    >>> is_part(".parts/file-3.part"), is_part("lampwright/7.png.part"), is_part("lampwright/7.png")
    (True, True, False)
    """
    return path.endswith(PART) or path.startswith(f"{paths.PARTS_FOLDER}/")
