"""Converted files say what the archive says: their tags and records are written anew, beside the same pixels."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import companions, conversions, paths, placing, schema, sidecars
from civitscrape.archive.database import in_chunks
from civitscrape.archive.pictures import riff, xmp
from civitscrape.exceptions import ArchiveError, PictureError

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

    from civitscrape.archive.conversions import Site
    from civitscrape.archive.pictures.metadata import About
    from civitscrape.items import Image


def refresh(connection: Connection, store: Path, ids: Collection[int], site: Site) -> int:
    """Write into the converted files of images what is known of them now; return how many files changed.

    Args:
        connection: inside the transaction that changed what is known: if it fails, the next one writes them once more.
        store: folder of the media.
        ids: the images; of those that share a file, the first one is what it tells of.
        site: where the pages of images are.

    Raises:
        ArchiveError: a file cannot be written.
    """
    media, images = schema.media, schema.images
    changed = 0
    for chunk in in_chunks(ids):
        query = (
            sa.select(media.c.key, media.c.webp_path)
            .join(images, images.c.key == media.c.key)
            .where(images.c.id.in_(chunk), media.c.webp_path.is_not(None))
            .distinct()
        )
        homes: dict[str, str] = {row.key: row.webp_path for row in connection.execute(query)}
        files: dict[str, list[Image]] = {}
        for image in conversions.images_of(connection, homes):
            files.setdefault(image.key or "", []).append(image)
        firsts = [of[0].id for of in files.values()]
        told = {record["image"]["id"]: record for _, record in sidecars.records(connection, firsts)}
        for key, of in files.items():
            if of[0].id in told:
                about = conversions.about(of[0], told[of[0].id], site)
                changed += _rewrite(connection, store, homes[key], of, about)
    return changed


def _rewrite(connection: Connection, store: Path, home: str, images: list[Image], about: About) -> bool:
    path = Path(paths.address(store, home))
    try:
        content = path.read_bytes()
        fresh = retold(content, about)
    except (FileNotFoundError, PictureError):
        return False  # not there, or not ours any more: nothing of it is lost by leaving it
    if fresh == content:
        return False
    key = images[0].key or ""
    try:
        conversions.put(store, key, home, fresh, lasting=False)
        for image in images:
            name = companions.WEBP.of(image.path or home)
            if name != home:
                placing.link(path, Path(paths.address(store, name)))
    except OSError as error:
        raise ArchiveError(f"{path} cannot be written: {error.strerror or error}") from error
    values = {"webp_size": len(fresh), "webp_sha256": hashlib.sha256(fresh).hexdigest()}
    connection.execute(sa.update(schema.media).where(schema.media.c.key == key).values(values))
    return True


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
