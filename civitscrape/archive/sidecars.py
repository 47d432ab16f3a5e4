"""The files written beside a media file: a view of the database, so that they say what the best answers said."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from contextlib import suppress
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
            written += _replace(paths.inside(store, f"{stem}.json"), layout(record))
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
    for row in connection.execute(joined.where(images.c.id.in_(ids), images.c.path.is_not(None))).mappings():
        image = {name: row[name] for name in schema.COLUMNS_OF["images"]}
        file = {name: row[f"_{name}"] for name in ("sha256", "size", "content_type")}
        record = {"image": image, "tags": tags_of[row["id"]], "resources": resources_of[row["id"]], "file": file}
        found.append((row["path"], record))
    return found


def _grouped(connection: Connection, query: sa.Select[Any]) -> defaultdict[int, list[dict[str, Any]]]:
    """Ask, and gather by image what the answers say; what they do not know is left out."""
    gathered: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        known = {name: value for name, value in row.items() if value is not None and name != "image_id"}
        gathered[row["image_id"]].append(known)
    return gathered


def _replace(target: Path, content: bytes) -> bool:
    """Put content in place of a file in one step; False when it already says so."""
    try:
        with suppress(FileNotFoundError):
            if target.read_bytes() == content:
                return False
        fresh = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)  # somebody may have moved it away
        fresh.write_bytes(content)
        os.replace(fresh, target)  # noqa: PTH105 (a string is as good, and this is done for every file)
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return True
