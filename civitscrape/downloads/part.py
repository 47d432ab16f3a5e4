"""A file that is still coming in: written and hashed at once, removed when it stays incomplete."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import FileIO

# What telling a file's type from its first bytes takes at most.
HEAD_SIZE = 512


class PartFile:
    """A ``.part`` file; every method blocks, so they belong into a thread.

    The lock is for cancelled downloads: ``discard`` may be called while another thread still writes.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._hash = sha256()
        self._file: FileIO | None = None
        self._discarded = False
        self._lock = Lock()

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunks: Iterable[bytes]) -> None:
        """Append to the file, which the first call makes or empties.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            self._write(chunks)

    def finish(self, chunks: Iterable[bytes]) -> None:
        """Append what is left and close the file.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            self._write(chunks)
            self._close()

    def discard(self) -> None:
        """Remove the file; later calls of ``write`` and ``finish`` do nothing.

        Raises:
            OSError: the file cannot be removed.
        """
        with self._lock:
            self._discarded = True
            self._close()
            Path(self.path).unlink(missing_ok=True)

    def _write(self, chunks: Iterable[bytes]) -> None:
        if self._discarded:
            return
        if self._file is None:
            self._file = _open(Path(self.path))
        for chunk in chunks:
            if self.size < HEAD_SIZE:
                self.head += chunk[: HEAD_SIZE - self.size]
            self._hash.update(chunk)
            rest = memoryview(chunk)
            while rest:  # an unbuffered write may take less than it was given
                rest = rest[self._file.write(rest) :]
            self.size += len(chunk)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _open(path: Path) -> FileIO:
    """Open a file for writing, empty; its folder is made where it is missing, but not the store that holds it.

    A store that is gone was on a disk that is gone: what were put in its place would be hidden once that is back.
    """
    try:
        return path.open("wb", buffering=0)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True)
        return path.open("wb", buffering=0)
