"""The files written beside a media file: a view of the database, so that they say what the best answers said."""

# ruff: noqa: PTH103, PTH105, PTH120, PTH123 (texts instead of paths: this is done for every file, and takes half the time)

from __future__ import annotations

import json
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import paths, schema
from civitscrape.archive.database import in_chunks
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sqlalchemy.engine import Connection

KINDS = ("json", "none")
"""What the setting ``SIDECARS`` takes."""


def write(connection: Connection, store: Path, ids: Collection[int]) -> int:
    """Write the JSON sidecars of images that have a file, where they are missing or say something else.

    Returns:
        Number of files written.

    Raises:
        ArchiveError: a file cannot be written.
    """
    written = 0
    for chunk in in_chunks(ids):
        for path, record in records(connection, chunk):
            stem, _, _ = path.rpartition(".")
            written += _replace(paths.address(store, f"{stem}.json"), layout(record))
    return written


def layout(record: dict[str, Any]) -> bytes:
    """Write a record as JSON, a line a value; Python's own indenting would not use its fast encoder.

    >>> print(layout({"image": {"id": 1, "prompt": "a harbour"}, "tags": [{"id": 4}]}).decode())
    {"image": {"id": 1,
     "prompt": "a harbour"},
     "tags": [{"id": 4}]}
    """
    try:
        return _LINES.encode(record).encode()
    except UnicodeEncodeError:  # half a character, which only escapes can write
        return _ESCAPED_LINES.encode(record).encode()


_LINES = json.JSONEncoder(ensure_ascii=False, separators=(",\n ", ": "))
_ESCAPED_LINES = json.JSONEncoder(separators=(",\n ", ": "))


def records(connection: Connection, ids: Collection[int]) -> list[tuple[str, dict[str, Any]]]:
    """Build what the sidecars of some images say, with the path of each image's file."""
    images, tags, resources, media = schema.images, schema.image_tags, schema.image_resources, schema.media
    votes = [column for column in tags.c if not column.primary_key]
    query = (
        sa.select(tags.c.image_id, tags.c.tag_id.label("id"), schema.tags.c.name, schema.tags.c.type, *votes)
        .join(schema.tags, schema.tags.c.id == tags.c.tag_id)
        .where(tags.c.image_id.in_(ids))
        .order_by(tags.c.image_id, tags.c.score.desc(), tags.c.tag_id)
    )
    tags_of = _grouped(connection, query)
    query = (
        sa.select(resources).where(resources.c.image_id.in_(ids)).order_by(resources.c.image_id, resources.c.position)
    )
    resources_of = _grouped(connection, query)
    joined = sa.select(
        images,
        media.c.sha256.label("_sha256"),
        media.c.size.label("_size"),
        media.c.content_type.label("_content_type"),
    ).outerjoin(media, media.c.key == images.c.key)
    found = []
    names = schema.COLUMNS_OF["images"]
    answer = connection.execute(joined.where(images.c.id.in_(ids), images.c.path.is_not(None)))
    for *values, sha256, size, content_type in answer.all():
        image = dict(zip(names, values, strict=True))
        number = image["id"]
        file = {"sha256": sha256, "size": size, "content_type": content_type}
        record = {"image": image, "tags": tags_of[number], "resources": resources_of[number], "file": file}
        found.append((image["path"], record))
    return found


def _grouped(connection: Connection, query: sa.Select[Any]) -> defaultdict[int, list[dict[str, Any]]]:
    """Ask, and gather by image what the answers say; what they do not know is left out."""
    gathered: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    result = connection.execute(query)
    _, *names = result.keys()
    for image_id, *values in result.all():
        known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        gathered[image_id].append(known)
    return gathered


def _replace(target: str, content: bytes) -> bool:
    """Put content in place of a file in one step; False when it already says so."""
    try:
        if _says(target, content):
            return False
        fresh = f"{target}.part"
        try:
            _write(fresh, content)
        except FileNotFoundError:  # somebody has moved the folder away
            os.makedirs(os.path.dirname(target))
            _write(fresh, content)
        os.replace(fresh, target)
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return True


def _says(target: str, content: bytes) -> bool:
    try:
        with open(target, "rb", buffering=0) as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def _write(path: str, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)
