"""What a tag led to that is held under another one, as CivitAI_Image_grabber sums it up in a table beside its files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import names, paths, schema
from civitscrape.archive.fields import SEARCHES, fields_for
from civitscrape.archive.sidecars import replace

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Connection

TAG = "tag"
HEADER = ("Current Tag", "Previously Downloaded Tag", "Checkpoint Name", "Relative Image Path", "Download URL")
"""Columns by which other programs know the table."""


def write(connection: Connection, store: Path, run_id: str, date: str) -> list[str]:
    """Write a table for each tag of a run that led to files which an earlier tag had brought.

    Args:
        connection: inside a transaction.
        store: folder of the media.
        run_id: the run whose tags are summed up.
        date: day of the table, ``YYYYMMDD``; a second run on that day replaces it.

    Returns:
        Paths of the tables, relative to the store.

    Raises:
        ArchiveError: a file cannot be written.
    """
    walks = schema.walks
    query = sa.select(walks.c.target).where(walks.c.run_id == run_id, walks.c.target.like(f"{TAG}:%")).distinct()
    written = []
    for target in sorted(connection.execute(query).scalars()):
        tag = target.partition(":")[2]
        content = table(connection, tag)
        if content is not None:
            name = names.safe(tag, 80, names.BYTES)
            path = f"{SEARCHES[TAG]}/{name}/summary_{name}_{date}.csv"
            replace(paths.address(store, path), content)
            written.append(path)
    return written


def table(connection: Connection, tag: str) -> bytes | None:
    """Build the table of a tag; None when nothing of it is held under an earlier one."""
    links, images = schema.links, schema.images
    earlier = links.alias()
    same = (earlier.c.entry_kind == links.c.entry_kind) & (earlier.c.entry_id == links.c.entry_id)
    query = (
        sa.select(images.c.id, images.c.path, images.c.url, earlier.c.target)
        .select_from(links.join(earlier, same).join(images, images.c.id == links.c.entry_id))
        .where(
            links.c.target_kind == TAG,
            links.c.target == tag,
            links.c.entry_kind == "image",
            earlier.c.target_kind == TAG,
            earlier.c.first_seen_at < links.c.first_seen_at,
            images.c.path.is_not(None),
        )
        .order_by(images.c.id, earlier.c.target)
    )
    held = connection.execute(query).all()
    if not held:
        return None
    made_with = fields_for(connection, {row.id for row in held}, ["checkpoint"])
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for row in held:
        writer.writerow([tag, row.target, made_with[row.id]["checkpoint"] or "", row.path, row.url or ""])
    return text.getvalue().encode(errors="replace")
