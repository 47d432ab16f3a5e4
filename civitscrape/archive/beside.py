"""What lies beside a stored model file: the version as the site tells it, and a picture of what it makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from civitscrape.archive import companions, paths, schema
from civitscrape.archive.payloads import restore
from civitscrape.items import MediaType

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ABOUT_MODEL = ("name", "type", "nsfw", "poi")
"""What a version tells of its model."""

LARGEST_INFO = 64 * 1024 * 1024
"""Bytes beyond which a file is no description of ours."""


class Picture(NamedTuple):
    """The picture that stands for a version."""

    key: str
    path: str | None
    """Where it lies in the store; None when it is not archived."""


def version(connection: Connection, number: int) -> dict[str, Any] | None:
    """Tell a version as the site does when it is asked for by its id; None when the archive does not know it.

    Entries are kept as they came, unless a person turned that off; then it is told from the tables.
    """
    versions = schema.model_versions
    row = connection.execute(sa.select(versions).where(versions.c.id == number)).first()
    alone = _payload(connection, "rest.version", number)
    if alone is not None or row is None:
        return alone
    model = _payload(connection, "rest.model", row.model_id) if row.model_id is not None else None
    for one in (model or {}).get("modelVersions") or ():
        if isinstance(one, dict) and one.get("id") == number:
            about = {name: model[name] for name in ABOUT_MODEL if model and name in model}
            return {**one, "modelId": row.model_id, "model": about}
    return _from_tables(connection, row)


def _payload(connection: Connection, kind: str, number: int) -> dict[str, Any] | None:
    """Find the latest entry of a thing, as it came."""
    table = schema.payloads
    mine = (table.c.kind == kind) & (table.c.entry_id == str(number)) & table.c.refused.is_(None)
    body = connection.execute(sa.select(table.c.body).where(mine).order_by(table.c.fetched_at.desc()).limit(1)).scalar()
    content = None if body is None else restore(body)
    return content if isinstance(content, dict) else None


def _from_tables(connection: Connection, row: Any) -> dict[str, Any]:
    models, files = schema.models, schema.model_files
    model = connection.execute(sa.select(models).where(models.c.id == row.model_id)).first()
    of_version = sa.select(files).where(files.c.version_id == row.id).order_by(files.c.id)
    return {
        "id": row.id,
        "modelId": row.model_id,
        "name": row.name,
        "description": row.description,
        "baseModel": row.base_model,
        "trainedWords": row.trained_words or [],
        "publishedAt": row.published_at,
        "downloadUrl": row.download_url,
        "model": {} if model is None else {name: getattr(model, name) for name in ABOUT_MODEL},
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "type": file.type,
                "sizeKB": file.size_kb,
                "primary": file.is_primary,
                "hashes": {"SHA256": file.sha256} if file.sha256 else {},
            }
            for file in connection.execute(of_version)
        ],
        "images": [],
    }


def picture(connection: Connection, number: int, mask: int) -> Picture | None:
    """Find the first picture of a version's showcase at the levels of a mask; None when it shows none."""
    ties, images = schema.version_images, schema.images
    query = (
        sa.select(images.c.key, images.c.path)
        .select_from(ties.join(images, ties.c.image_id == images.c.id))
        .where(
            ties.c.version_id == number,
            ties.c.source == "showcase",
            images.c.type == MediaType.IMAGE,
            images.c.key.is_not(None),
            sa.func.coalesce(images.c.level, mask).op("&")(mask) != 0,
        )
        .order_by(ties.c.position)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else Picture(row.key, row.path)


def may_write(store: Path, path: str, number: int) -> bool:
    """Tell whether the description of a version may be written beside a file: what somebody else wrote is left alone.

    Ours is what speaks of this very version.
    """
    target = Path(paths.address(store, companions.INFO.of(path)))
    try:
        if target.stat().st_size > LARGEST_INFO:
            return False
        there = json.loads(target.read_bytes())
    except FileNotFoundError:
        return True
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(there, dict) and there.get("id") == number


def has_preview(store: Path, path: str) -> bool:
    """Tell whether a picture lies beside a model file, whoever put it there."""
    beside = Path(paths.address(store, companions.PREVIEW.of(path)))
    return any(one.name.startswith(beside.name + ".") for one in beside.parent.glob(f"*{companions.PREVIEW.ending}.*"))
