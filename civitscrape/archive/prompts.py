"""Words of prompts, in the table ``prompt_tags``: replaced as a set where an image's prompt has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.database import in_chunks, upsert
from civitscrape.items import PromptTag

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.engine import Connection

Words = Callable[[str], Sequence[tuple[str, float]]]
"""Cuts a prompt into words with their weights, as ``parsers.prompts.words`` does."""


def of_images(connection: Connection, ids: Collection[int]) -> dict[int, str | None]:
    """Read the prompts of images whose words are in the table: what is not here is to be cut, whatever it says."""
    table, tags = schema.images, schema.prompt_tags
    found: dict[int, str | None] = {}
    for chunk in in_chunks(ids):
        cut = sa.exists().where(tags.c.image_id == table.c.id)
        query = sa.select(table.c.id, table.c.prompt).where(table.c.id.in_(chunk), cut)
        found.update({row.id: row.prompt for row in connection.execute(query)})
    return found


def refresh(
    connection: Connection, ids: Collection[int], told: Mapping[int, str | None], words: Words
) -> dict[int, list[str]]:
    """Write the words of images whose prompt is another than before; return them by image.

    Args:
        connection: inside a transaction, after the images were written.
        ids: the images.
        told: their prompts before, see ``of_images``.
        words: what cuts a prompt.
    """
    table = schema.images
    now = {}
    for chunk in in_chunks(ids):
        query = sa.select(table.c.id, table.c.prompt).where(table.c.id.in_(chunk))
        now.update({row.id: row.prompt for row in connection.execute(query)})
    cut = {number: words(prompt or "") for number, prompt in now.items() if prompt != told.get(number)}
    for chunk in in_chunks(cut.keys() & told.keys()):
        connection.execute(sa.delete(schema.prompt_tags).where(schema.prompt_tags.c.image_id.in_(chunk)))
    rows = [
        PromptTag(image_id=number, position=position, text=text, weight=weight)
        for number, found in cut.items()
        for position, (text, weight) in enumerate(found)
    ]
    upsert(connection, rows)
    return {number: [text for text, _ in found] for number, found in cut.items()}


def tags(connection: Connection, ids: Collection[int]) -> dict[int, list[dict[str, str | float]]]:
    """Read the words of prompts, by image, in their order: what a sidecar or an export says of them."""
    table = schema.prompt_tags
    found: dict[int, list[dict[str, str | float]]] = {}
    for chunk in in_chunks(ids):
        query = sa.select(table.c.image_id, table.c.text, table.c.weight).where(table.c.image_id.in_(chunk))
        for number, text, weight in connection.execute(query.order_by(table.c.image_id, table.c.position)):
            found.setdefault(number, []).append({"text": text, "weight": weight})
    return found
