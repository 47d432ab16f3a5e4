"""Converted files say what the archive says: their tags and records are written anew, beside the same pixels.

Whatever tells the database more of an image marks its row in ``media`` as untold, in the same transaction. A converted
file is then written anew in two: the first notes what the file is going to be, the second gives it its name and books
it. Killed anywhere in between, the file is one of the two that the row knows of, and the mark says that work is left.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from civitscrape.archive import companions, conversions, paths, placing, schema, sidecars
from civitscrape.archive.database import in_chunks
from civitscrape.archive.pictures import riff, xmp
from civitscrape.exceptions import ArchiveError, PictureError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection

    from civitscrape.archive.conversions import Site
    from civitscrape.archive.pictures.metadata import About
    from civitscrape.items import Image


class Fresh(NamedTuple):
    """A converted file that is written anew, and has not got its name yet."""

    key: str
    path: str
    """The name, relative to the store."""
    part: Path
    size: int
    sha256: str


def prepare(connection: Connection, store: Path, ids: Collection[int], site: Site) -> list[Fresh]:
    """Write anew the converted files of images that are marked as untold, beside where they lie.

    Args:
        connection: inside a transaction.
        store: folder of the media.
        ids: the images; of those that share a file, the first one is what it tells of.
        site: where the pages of images are.

    Returns:
        What :func:`book` is to bring to its place in the next transaction.

    Raises:
        ArchiveError: a file cannot be written; its mark stays.
    """
    media = schema.media.c
    columns = (media.key, media.webp_path, media.webp_sha256, media.untold)
    written = []
    for chunk in in_chunks(ids):
        keys = sa.select(schema.images.c.key).where(schema.images.c.id.in_(chunk))
        query = sa.select(*columns).where(media.key.in_(keys), media.untold.is_not(None))
        marked = {row.key: row for row in connection.execute(query)}
        told = _told(connection, marked, site)
        for key, row in marked.items():
            one = _write(connection, store, row, told[key]) if row.webp_path is not None and key in told else None
            _mark(connection, key, None if one is None else {"size": one.size, "sha256": one.sha256})
            written += [] if one is None else [one]
    return written


def book(connection: Connection, store: Path, written: Iterable[Fresh]) -> int:
    """Give converted files their names, and write down what they are now; return how many.

    Raises:
        ArchiveError: one cannot be brought to its place; its mark stays.
    """
    booked = 0
    for one in written:
        row = _row(connection, one.key)
        if row is None or (row.untold or {}).get("sha256") != one.sha256:
            continue  # another process is at it
        try:
            one.part.replace(paths.address(store, one.path))
        except OSError as error:
            raise ArchiveError(f"{one.path} cannot be written: {error.strerror or error}") from error
        _settle(connection, store, row)
        booked += 1
    return booked


def finish(connection: Connection, store: Path) -> int:
    """Book what a process that was killed brought to its place; return how many files that were.

    Raises:
        ArchiveError: a second name cannot be written.
    """
    media = schema.media
    found = 0
    for row in connection.execute(sa.select(media).where(media.c.untold.is_not(None))).all():
        if row.webp_path is not None and row.untold.get("sha256") == _sha256(store, row.webp_path):
            _settle(connection, store, row)
            _mark(connection, row.key, {})  # what came since is not in it, perhaps
            found += 1
    return found


def _told(connection: Connection, keys: Collection[str], site: Site) -> dict[str, About]:
    """Gather what the files of some keys are to tell."""
    firsts: dict[str, Image] = {}
    for image in conversions.images_of(connection, keys):
        firsts.setdefault(image.key or "", image)
    numbers = [image.id for image in firsts.values()]
    records = {record["image"]["id"]: record for _, record in sidecars.records(connection, numbers)}
    return {
        key: conversions.about(image, records[image.id], site) for key, image in firsts.items() if image.id in records
    }


def _write(connection: Connection, store: Path, row: Any, about: About) -> Fresh | None:
    """Write a file anew beside where it lies; None when it tells everything, is not there, or is not ours any more."""
    part = paths.part_path(store, row.key)
    part = part.with_name(f"{part.stem}.retold{part.suffix}")
    try:
        content = Path(paths.address(store, row.webp_path)).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        if row.untold.get("sha256") == sha256:  # a process that was killed got as far as this
            _settle(connection, store, row)
        elif row.webp_sha256 not in (None, sha256):
            return None  # damaged: `verify` says so
        fresh = retold(content, about)
        if fresh == content:
            return None
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())  # it may take the place of the only copy
    except (FileNotFoundError, PictureError):
        return None
    except OSError as error:
        raise ArchiveError(f"{part} cannot be written: {error.strerror or error}") from error
    return Fresh(row.key, row.webp_path, part, len(fresh), hashlib.sha256(fresh).hexdigest())


def _settle(connection: Connection, store: Path, row: Any) -> None:
    """Write down that a file is what it was to be, under the names of all images that it is the file of."""
    home = Path(paths.address(store, row.webp_path))
    try:
        for image in conversions.images_of(connection, [row.key]):
            name = companions.WEBP.of(image.path or row.webp_path)
            if name != row.webp_path:
                placing.link(home, Path(paths.address(store, name)))
    except OSError as error:
        raise ArchiveError(f"{home} cannot be linked: {error.strerror or error}") from error
    values = {"webp_size": row.untold["size"], "webp_sha256": row.untold["sha256"], "untold": None}
    connection.execute(sa.update(schema.media).where(schema.media.c.key == row.key).values(values))


def _row(connection: Connection, key: str) -> Any:
    return connection.execute(sa.select(schema.media).where(schema.media.c.key == key).with_for_update()).one_or_none()


def _mark(connection: Connection, key: str, untold: dict[str, Any] | None) -> None:
    connection.execute(sa.update(schema.media).where(schema.media.c.key == key).values(untold=untold))


def _sha256(store: Path, path: str) -> str | None:
    try:
        return hashlib.sha256(Path(paths.address(store, path)).read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def retold(content: bytes, about: About) -> bytes:
    """Write into a WebP what is known of it now; what it was tagged with before it came to the archive stays.

    Raises:
        PictureError: it is broken.
    """
    embedded = riff.read(content).embedded
    was = xmp.read(embedded.xmp) if embedded.xmp else xmp.Said()
    tags = was.record.get("tags", []) if was.record else []
    ours = {xmp.clean(str(tag.get("name"))) for tag in tags if isinstance(tag, dict)}
    own = [word for word in was.subjects if word not in ours]
    creator = [xmp.clean(about.creator)] if about.creator else []
    said = replace(
        was,
        subjects=list(dict.fromkeys([*own, *filter(str.strip, map(xmp.clean, about.tags))])),
        creators=list(dict.fromkeys([*was.creators, *creator])),
        source=about.source or was.source,
        record=about.record,
    )
    return riff.replaced(content, replace(embedded, xmp=xmp.revised(said, embedded.xmp)))
