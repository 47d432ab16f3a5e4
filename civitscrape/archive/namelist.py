"""A file of names, one a line, that a person may edit: names are added, and nothing in it is changed."""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING

from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class NameList:
    """A file of names; its lines are compared as bytes, so that those that are no UTF-8 stay what they are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: set[bytes] | None = None

    def add(self, names: Iterable[str]) -> int:
        """Append the names that are not in the file yet, all in one write.

        A last line without its end, be it a person's or what a kill left of a name, gets its end first.

        Returns:
            How many were new.

        Raises:
            ArchiveError: the file cannot be read or written.
        """
        lines = [as_line(name) for name in names]
        try:
            if self._path.exists() and not self._path.is_file():
                raise ArchiveError(f"{str(self._path)!r} cannot be written: it is no ordinary file")
            if self._lines is None:
                self._lines = self._read()
            fresh = [line for line in dict.fromkeys(lines) if line and line not in self._lines]
            if fresh:
                self._append(fresh)
        except OSError as error:
            raise ArchiveError(f"{str(self._path)!r} cannot be written: {error.strerror or error}") from error
        self._lines.update(fresh)
        return len(fresh)

    def _read(self) -> set[bytes]:
        if not self._path.exists():
            return set()
        return set(self._path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines())

    def _append(self, lines: list[bytes]) -> None:
        with self._path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            begun = end > 0 and file.read(1) != b"\n"
            file.write((b"\n" if begun else b"") + b"".join(line + b"\n" for line in lines))


def as_line(name: str) -> bytes:
    r"""Write a name as one line; half a character becomes an escape, and an end of line a space.

    >>> as_line("two\nlines"), as_line("tree")
    (b'two lines', b'tree')
    """
    return " ".join(name.splitlines()).encode("utf-8", "backslashreplace")
