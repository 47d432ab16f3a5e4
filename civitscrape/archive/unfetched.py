"""Questions about files that are still to come: what earlier runs wanted, and what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import posters, renditions, schema
from civitscrape.archive.database import from_row, in_chunks
from civitscrape.civitai.media import ORIGINAL, WIDTHS, rendition_of
from civitscrape.items import APART, Image, MediaType, ModelFile
from civitscrape.ledger import POSTER, RENDITION, MediaState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

UNFETCHED = (MediaState.WANTED, MediaState.FAILED)
"""States of files that are still to come."""


def leftovers(
    connection: Connection, target: str, level: int, after: int, size: int, *, quality: str = ORIGINAL
) -> list[Image]:
    """Find images of a target whose file is not there and was not refused, in the order of their ids, some at a time.

    An image without a row in ``media`` for its file in that quality was archived without it; it is among them.
    """
    kind, _, name = target.partition(":")
    query = (
        sa.select(schema.images)
        .join(schema.links, schema.links.c.entry_id == schema.images.c.id)
        .outerjoin(schema.media, schema.media.c.key == renditions.media_key(quality))
        .where(
            schema.links.c.target_kind == kind,
            schema.links.c.target == name,
            schema.links.c.entry_kind == "image",
            schema.images.c.key.is_not(None),
            sa.func.coalesce(schema.media.c.state, MediaState.WANTED).in_((MediaState.WANTED, MediaState.FAILED)),
            sa.func.coalesce(schema.images.c.level, level).op("&")(level) != 0,
            schema.links.c.entry_id > after,  # of the links, whose key has this order: nothing is read twice or sorted
        )
        .order_by(schema.links.c.entry_id)
        .limit(size)
    )
    images = [from_row(Image, row) for row in connection.execute(query)]
    tags_of = tags(connection, [image.id for image in images])
    for image in images:
        image.tags = tags_of.get(image.id, [])
        image.rendition = rendition_of(quality, image.type)
    return images


def media(connection: Connection, after: str, size: int) -> list[tuple[str, Image]]:
    """Find images whose file was wanted or failed, with its key, in the order of the keys, some at a time."""
    media, images = schema.media, schema.images
    lacking = media.c.state.in_(UNFETCHED)
    query = (
        sa.select(media.c.key.label("_file"), images)
        .join(images, images.c.id == media.c.entry_id)
        .where(lacking, media.c.key > after, (images.c.key == media.c.key) | (media.c.kind == RENDITION))
        .order_by(media.c.key)
        .limit(size)
    )
    found = [(row[0], from_row(Image, row)) for row in connection.execute(query)]
    for key, image in found:
        image.rendition = renditions.name_in(key)
    videos = {image.key: image for _, image in found if image.type == MediaType.VIDEO and image.key is not None}
    states = _states(connection, [one for key in videos for one in (posters.key_of(key), *_forms(key))])
    for key, image in videos.items():
        here = any(states.get(one) == MediaState.STORED for one in _forms(key))
        if states.get(posters.key_of(key)) in UNFETCHED and not here:  # it can come no sooner than its video
            image.poster = MediaState.WANTED
    return found


def of_posters(connection: Connection, after: str, size: int) -> list[tuple[str, Image | None]]:
    """Find posters that were wanted or failed, by key, with the video beside which each belongs; None where none is."""
    media, images = schema.media, schema.images
    lacking = media.c.state.in_(UNFETCHED)
    query = (
        sa.select(media.c.key.label("_file"), images)
        .join(images, images.c.id == media.c.entry_id)
        .where(lacking, media.c.key > after, media.c.kind == POSTER)
        .order_by(media.c.key)
        .limit(size)
    )
    rows = connection.execute(query).all()
    here = _states(connection, [key for row in rows for key in _forms(row.key)])
    found: list[tuple[str, Image | None]] = []
    for row in rows:
        home = next((key for key in _forms(row.key) if here.get(key) == MediaState.STORED), None)
        image = from_row(Image, row) if home is not None else None
        if image is not None and home is not None:
            image.rendition, image.poster = renditions.name_in(home), MediaState.WANTED
        found.append((row[0], image))
    return found


def of_models(connection: Connection) -> list[ModelFile]:
    """Find model files that were wanted, or failed."""
    table = schema.model_files
    query = sa.select(table).where(table.c.state.in_((MediaState.WANTED, MediaState.FAILED))).order_by(table.c.id)
    return [from_row(ModelFile, row) for row in connection.execute(query)]


def tags(connection: Connection, ids: Collection[int]) -> dict[int, list[str]]:
    """Name the community tags of images."""
    found: dict[int, list[str]] = {}
    joined = schema.image_tags.join(schema.tags, schema.tags.c.id == schema.image_tags.c.tag_id)
    for chunk in in_chunks(ids):
        query = sa.select(schema.image_tags.c.image_id, schema.tags.c.name).select_from(joined)
        for row in connection.execute(query.where(schema.image_tags.c.image_id.in_(chunk))):
            found.setdefault(row.image_id, []).append(row.name)
    return found


def _forms(key: str) -> list[str]:
    """Name the keys that the files of a video may have: the original's, then those of its renditions."""
    return [key, *(f"{key}{APART}{name}" for name in map("width={}".format, WIDTHS))]


def _states(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """Read the states of media by their keys."""
    table, found = schema.media, dict[str, str]()
    for chunk in in_chunks(keys):
        query = sa.select(table.c.key, table.c.state).where(table.c.key.in_(chunk))
        found.update({row.key: row.state for row in connection.execute(query)})
    return found
