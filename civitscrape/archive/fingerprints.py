"""SHA-256 of local model files: found below folders, streamed, and remembered by path, size and time of change."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.database import in_chunks, upsert
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import LocalFile, now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection

EXTENSIONS = frozenset({".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft", ".onnx", ".zip"})
"""Extensions of files that may be models."""

BLOCK = 2**20
"""Bytes read at once."""


def find(places: Iterable[str]) -> list[Path]:
    """Find the model files among files and below folders, each once, in the order of their paths.

    Raises:
        ArchiveError: a place is not there, or a file is of a kind that models are not.
    """
    found: set[Path] = set()
    for place in places:
        path = Path(place).expanduser()
        if path.is_dir():
            found.update(
                one.absolute() for one in path.rglob("*") if one.suffix.lower() in EXTENSIONS and one.is_file()
            )
        elif path.is_file():
            found.add(path.absolute())
        else:
            raise ArchiveError(f"{place!r}: there is no such file or folder")
    return sorted(found)


def measured(path: Path) -> LocalFile:
    """Look at a file without reading it."""
    about = path.stat()
    return LocalFile(path=str(path), size=about.st_size, mtime_ns=about.st_mtime_ns)


def sha256_of(path: Path) -> str:
    """Read a file and return its SHA-256, lower-case hex; takes long, so it belongs into a thread."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        block = bytearray(BLOCK)
        view = memoryview(block)
        while size := file.readinto(block):
            digest.update(view[:size])
    return digest.hexdigest()


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
    file.hashed_at = now()
    upsert(connection, [file])


def write_info(path: Path, version: dict[str, Any]) -> Path:
    """Write what the site tells of a file beside it, as ``{name}.civitai.info``, which model browsers read.

    Raises:
        ArchiveError: the folder cannot be written.
    """
    target = path.with_suffix(".civitai.info")
    fresh = target.with_name(f"{target.name}.part")
    try:
        fresh.write_text(json.dumps(version, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(fresh, target)  # noqa: PTH105 (the name may exist)
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return target
