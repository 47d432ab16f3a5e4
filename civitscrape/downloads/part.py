"""A file that is still coming in: written and hashed at once, kept or removed when it stays incomplete."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from io import FileIO
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from civitscrape.downloads import journal
from civitscrape.downloads.digests import KNOWN, Digest
from civitscrape.exceptions import OccupiedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from civitscrape.downloads.ranges import Source

# What telling a file's type from its first bytes takes at most.
HEAD_SIZE = 512

# Bytes from which a file is big: it is locked, has a journal, and is on the disk for certain before it gets its name.
# Smaller ones come in one piece, and two more calls of the system for each would be felt.
BIG = 1024 * 1024

# Seconds of a big file after which it is put on the disk for certain, and its journal says so: what a power failure
# takes of a transfer, however fast. Systems do so by themselves about as often, and oftener costs more than receiving.
SYNC_SECONDS = 30.0

# Bytes read at once where a part is hashed again.
BLOCK = 1024 * 1024

LOCKED_AT = 2**62
"""Byte that stands for the whole file where a lock is of bytes, as on Windows: far behind any that is written."""


class PartFile:
    """A ``.part`` file; every method blocks, so they belong into a thread.

    The lock is for cancelled downloads: ``discard`` and ``suspend`` may be called while another thread still writes.

    Args:
        path: where it lies.
        digests: names of checksums to compute beside SHA-256; those that are not known here are left out.
    """

    def __init__(self, path: str, digests: Iterable[str] = ()) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self.source: Source | None = None
        """What the server said of the file; None for one that cannot be gone on with."""
        self.resumed = False
        """Whether an earlier transfer brought some of it."""
        self._digests: dict[str, Digest] = {
            "sha256": sha256(),
            **{name: KNOWN[name]() for name in digests if name in KNOWN},
        }
        self._file: FileIO | None = None
        self._synced = 0
        self._sync_after = inf
        self._journaled = False
        self._discarded = False
        self._foreign = False
        self._lock = Lock()

    @classmethod
    def found(cls, path: str, digests: Iterable[str] = ()) -> PartFile | None:
        """Take up what an earlier run left, and hash it again; None when it is of no use.

        Raises:
            OSError: it cannot be read.
        """
        entry = journal.read(path)
        if entry is None or not entry.safe:
            return None
        part = cls(path, digests)
        part.source, part._journaled, part._synced = entry.source, True, entry.safe
        with Path(path).open("rb", buffering=0) as file:
            while part.size < entry.safe and (block := file.read(min(BLOCK, entry.safe - part.size))):
                part._take(block)
        return part

    @property
    def begun(self) -> bool:
        """Whether some of it is in the file."""
        return self.size > 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, in hexadecimal."""
        return self._digests["sha256"].hexdigest()

    @property
    def digests(self) -> dict[str, str]:
        """All checksums of what was written, in hexadecimal, by their names."""
        return {name: digest.hexdigest() for name, digest in self._digests.items()}

    def write(self, chunks: Iterable[bytes]) -> None:
        """Append to the file, which the first call makes or empties; with this it counts as big.

        Raises:
            OSError: the file cannot be written.
            OccupiedError: another process writes it.
        """
        with self._lock:
            if self._discarded:
                return
            if self._file is None:
                self._file = self._claimed(0)
                self._note()
                self._sync_after = monotonic() + SYNC_SECONDS
            self._write(chunks)

    @property
    def sync_due(self) -> bool:
        """Whether the last :meth:`sync`, or the first write, was so long ago that one is due."""
        return monotonic() >= self._sync_after

    def sync(self) -> None:
        """See that the disk has what was written so far, and let the journal say so; others may write meanwhile.

        Raises:
            OSError: the disk does not take it.
        """
        with self._lock:
            if self._file is None:
                return
            self._sync_after = monotonic() + SYNC_SECONDS
            descriptor, size = os.dup(self._file.fileno()), self.size
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with self._lock:
            if self._file is not None:
                self._synced = size
                self._note()

    def finish(self, chunks: Iterable[bytes]) -> None:
        """Append what is left and close the file.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            self._write(chunks)
            if self._file is not None and self.size >= BIG:
                os.fsync(self._file.fileno())
            self._close()
            if self._journaled and self.size < BIG:  # that of a big one tells, until it has its name, that it is whole
                self._forget()

    def store(self, body: bytes) -> None:
        """Write the whole file at once: with fewer calls of the system, each of which gives away Python's lock.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            if self._discarded:
                return
            descriptor = _open_new(self.path)
            try:
                rest = memoryview(body)
                while rest:  # a write may take less than it was given
                    rest = rest[os.write(descriptor, rest) :]
            finally:
                os.close(descriptor)
            self._take(body)

    def resume(self) -> bool:
        """Open the file where it broke off; False when it is no longer what it was.

        Raises:
            OSError: it cannot be opened.
            OccupiedError: another process writes it.
        """
        with self._lock:
            if not Path(self.path).exists():
                return False
            file = self._claimed(self.size)
            if file.seek(0, os.SEEK_END) != self.size:
                file.close()
                return False
            self._file, self.resumed, self._discarded = file, True, False
            self._sync_after = monotonic() + SYNC_SECONDS
            return True

    def abandon(self) -> None:
        """Remove a part that is of no use, unless it has become somebody else's meanwhile.

        Raises:
            OSError: it cannot be removed.
            OccupiedError: another process writes it.
        """
        if self.resume():
            self.discard()

    def suspend(self, chunks: Iterable[bytes]) -> None:
        """Append what has come, and close the file so that a later transfer can go on with it.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            if self._foreign:
                return
            try:
                if self._file is None and not self._discarded:
                    self._file = self._claimed(self.size)
                self._write(chunks)
                if self._file is not None:
                    os.fsync(self._file.fileno())
                    self._synced = self.size
            finally:
                self._discarded = True  # a write that a cancelled download left behind comes too late
                self._close()
            self._note()

    def discard(self) -> None:
        """Remove the file; later calls of ``write`` and ``finish`` do nothing.

        Raises:
            OSError: the file cannot be removed.
        """
        with self._lock:
            if self._foreign:
                return
            self._discarded = True
            self._close()
            Path(self.path).unlink(missing_ok=True)
            if self._journaled:
                self._forget()

    def _claimed(self, size: int) -> FileIO:
        """Open the file for this process alone; what turns out to be another's is never touched from here.

        Raises:
            OccupiedError: another process has it.
        """
        try:
            file = _open_locked(self.path, size)
        except OccupiedError:
            self._foreign = True
            raise
        self._foreign = False
        return file

    def _write(self, chunks: Iterable[bytes]) -> None:
        if self._discarded:
            return
        if self._file is None:
            self._file = FileIO(_open_new(self.path), "wb")
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:  # an unbuffered write may take less than it was given
                rest = rest[self._file.write(rest) :]
            self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        """Count and hash what is in the file."""
        if self.size < HEAD_SIZE:
            self.head += chunk[: HEAD_SIZE - self.size]
        for digest in self._digests.values():
            digest.update(chunk)
        self.size += len(chunk)

    def _note(self) -> None:
        if self.source is not None:
            journal.write(self.path, self.source, self._synced)
            self._journaled = True

    def _forget(self) -> None:
        journal.forget(self.path)
        self._journaled = False

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def remove(path: str) -> None:
    """Remove a part that turned out not to be the file, and its journal.

    Raises:
        OSError: it cannot be removed.
    """
    Path(path).unlink(missing_ok=True)
    journal.forget(path)


def is_claimed(path: Path) -> bool:
    """Tell whether a process is writing a big part right now."""
    try:
        with path.open("r+b", buffering=0) as file:
            return not _lock(file)
    except OSError:
        return True


def _open_new(path: str) -> int:
    """Open a file for writing, empty; its folder is made where it is missing, but not the store that holds it.

    A store that is gone was on a disk that is gone: what were put in its place would be hidden once that is back.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        return os.open(path, flags, 0o666)


def _open_locked(path: str, size: int) -> FileIO:
    """Open a file for this process alone, cut to a size, at its end.

    Raises:
        OccupiedError: another process has it.
    """
    file = _open_at(Path(path))
    if not _lock(file):
        file.close()
        raise OccupiedError(f"{path} is being written by another process; let that crawl end, or stop it")
    if file.seek(0, os.SEEK_END) > size:
        file.truncate(size)
    file.seek(0, os.SEEK_END)
    return file


def _open_at(path: Path) -> FileIO:
    """Open a file without emptying it, which is made when it is missing; nobody else's bytes are touched.

    Its folder is made, too, but not the store that holds it, as above.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)

    def opener(name: str, _: int) -> int:
        return os.open(name, flags, 0o666)

    try:
        return open(path, "r+b", buffering=0, opener=opener)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True)
        return open(path, "r+b", buffering=0, opener=opener)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: FileIO) -> bool:
        """Lock an open file until it is closed; False when another process has done so."""
        file.seek(LOCKED_AT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: FileIO) -> bool:
        """Lock an open file until it is closed; False when another process has done so."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: then two crawls of one archive are on their own
            return True
        return True
