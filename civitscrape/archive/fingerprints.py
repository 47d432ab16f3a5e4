"""SHA-256 of local model files: found below folders, streamed, and remembered by path, size and time of change."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import companions, schema
from civitscrape.archive.database import in_chunks, upsert
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import LocalFile, now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy.engine import Connection

EXTENSIONS = frozenset({".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft", ".onnx", ".zip"})
"""Extensions of files that may be models."""

BLOCK = 2**20
"""Bytes read at once."""


@dataclass(slots=True)
class Found:
    """What lies in some places."""

    files: dict[Path, LocalFile] = field(default_factory=dict)
    """Model files in the order of their paths, each with its row."""
    unreadable: list[str] = field(default_factory=list)
    """What could not be looked at, and why, a sentence each."""


def find(places: Iterable[str]) -> Found:
    """Find the model files among files and below folders, each once; links to folders are followed in places only.

    A place that is a file is taken whatever its name. What cannot be looked at is told, and hinders nothing else.
    """
    found = Found()
    paths: set[Path] = set()
    for place in places:
        path = Path(place).expanduser().absolute()
        paths.update(_below(path, found) if path.is_dir() else [path])
    for path in sorted(paths):
        try:
            found.files[path] = measured(path)
        except ArchiveError as error:
            found.unreadable.append(str(error))
    return found


def _below(folder: Path, found: Found) -> Iterator[Path]:
    """Find what is called like a model below a folder."""

    def note(error: OSError) -> None:
        found.unreadable.append(f"{printable(error.filename)!r} cannot be listed: {error.strerror or error}")

    for where, _, names in os.walk(folder, onerror=note):
        for name in names:
            if os.path.splitext(name)[1].lower() in EXTENSIONS:  # noqa: PTH122 (a Path for every file of a disk)
                yield Path(where, name)


def printable(path: str | os.PathLike[str]) -> str:
    r"""Write a path so that databases, logs and JSON take it; bytes that are no UTF-8 become escapes.

    >>> print(printable(os.fsdecode(b"n\xff.safetensors")))
    n\xff.safetensors
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def measured(path: Path) -> LocalFile:
    """Look at a file without reading it.

    Raises:
        ArchiveError: it cannot be looked at, or is a folder, a pipe or another thing without an end.
    """
    try:
        about = path.stat()
    except OSError as error:
        link = " the link" if path.is_symlink() else ""
        raise ArchiveError(f"{printable(path)!r} cannot be read:{link} {error.strerror or error}") from error
    if not stat.S_ISREG(about.st_mode):
        raise ArchiveError(f"{printable(path)!r} cannot be read: it is no ordinary file")
    return LocalFile(path=printable(path), size=about.st_size, mtime_ns=about.st_mtime_ns)


def read(path: Path) -> LocalFile:
    """Read a file and return it with its SHA-256; takes long, so it belongs into a thread.

    Raises:
        ArchiveError: it cannot be read, or it changed meanwhile.
    """
    file = measured(path)
    try:
        file.sha256, size = _digest(path, file.size)
    except OSError as error:
        raise ArchiveError(f"{file.path!r} cannot be read: {error.strerror or error}") from error
    after = measured(path)
    if not file.size == size == after.size or file.mtime_ns != after.mtime_ns:
        raise ArchiveError(f"{file.path!r} changed while it was read; run the same command again once it is whole")
    file.hashed_at = now()
    return file


def _digest(path: Path, most: int) -> tuple[str, int]:
    """Return the SHA-256 of a file and the bytes read: one block more than ``most`` at the most."""
    digest, read_so_far = hashlib.sha256(), 0
    block = bytearray(BLOCK)
    view = memoryview(block)
    with open(path, "rb", buffering=0, opener=_open) as file:
        while read_so_far <= most and (size := file.readinto(block)):
            digest.update(view[:size])
            read_so_far += size
    return digest.hexdigest(), read_so_far


def _open(path: str, flags: int) -> int:
    """Open a file without waiting, should it have become a pipe that nobody writes into."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def remembered(connection: Connection, files: Collection[LocalFile]) -> dict[str, str]:
    """Return the SHA-256 of those files that have not changed since they were read, by path."""
    table = schema.local_files
    by_path = {file.path: file for file in files}
    known = {}
    for paths in in_chunks(by_path):
        for row in connection.execute(sa.select(table).where(table.c.path.in_(paths))):
            file = by_path[row.path]
            if (row.size, row.mtime_ns) == (file.size, file.mtime_ns) and row.sha256:
                known[row.path] = row.sha256
    return known


def remember(connection: Connection, file: LocalFile) -> None:
    """Keep the SHA-256 of a file."""
    upsert(connection, [file])


def write_info(path: Path, version: dict[str, Any]) -> str:
    """Write what the site tells of a file beside it, as ``{name}.civitai.info``, which model browsers read.

    A file that says the same already is left as it is, whoever wrote it and however it is laid out.

    Returns:
        What was done, a sentence; it names the version that a replaced file spoke of, if it was another.

    Raises:
        ArchiveError: the folder cannot be written.
    """
    target = path.with_suffix(companions.INFO.ending)
    shown, text = printable(target), _as_text(version)
    there = _read_json(target)
    if there == json.loads(text):
        return f"{shown} is up to date"
    fresh = target.with_name(f"{target.name}.part")
    try:
        fresh.write_bytes(text)
        os.replace(fresh, target)  # noqa: PTH105 (the name may exist)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise ArchiveError(f"{shown!r} cannot be written: {error.strerror or error}") from error
    other = there.get("id") if isinstance(there, dict) else None
    if other not in (None, version.get("id")):
        return f"{shown} was written; it spoke of version {other!r} before, and speaks of {version.get('id')!r} now"
    return f"{shown} was written"


def _as_text(version: dict[str, Any]) -> bytes:
    """Write JSON with letters; with escapes where half a character would be no UTF-8."""
    try:
        return json.dumps(version, ensure_ascii=False, indent=1).encode()
    except UnicodeEncodeError:
        return json.dumps(version, indent=1).encode()


def _read_json(path: Path) -> Any:
    """Return what a JSON file says; None where there is none that can be read."""
    try:
        return json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
