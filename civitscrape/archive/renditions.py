"""Smaller renditions of images and videos: rows and files of their own, kept apart from the originals."""

from __future__ import annotations

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.template import PRESETS
from civitscrape.civitai.media import ORIGINAL
from civitscrape.items import APART, MediaType
from civitscrape.ledger import POSTER, RENDITION


def media_key(quality: str) -> sa.ColumnElement[str]:
    """Say which key in ``media`` the file of an image has in a quality; of sound there is the original only."""
    images = schema.images
    if quality == ORIGINAL:
        return images.c.key
    return sa.case((images.c.type == MediaType.AUDIO, images.c.key), else_=images.c.key + f"{APART}{quality}")


def of_image() -> sa.ColumnElement[bool]:
    """Say which rows of ``media`` belong to an image: those of its key, renditions and posters that it led to first."""
    images, media = schema.images, schema.media
    return (images.c.key == media.c.key) | (media.c.kind.in_((RENDITION, POSTER)) & (images.c.id == media.c.entry_id))


def name_in(key: str) -> str | None:
    """Read the name of a rendition out of a key; None for an original's.

    >>> name_in("1f0a@width=450"), name_in("1f0a")
    ('width=450', None)
    """
    return key.rpartition(APART)[2] if APART in key else None


def template_of(template: str, rendition: str) -> str:
    """Put the files of a rendition into a folder of their own.

    >>> template_of("flat", "width=450")
    'width-450/{id}{ext}'
    """
    return f"{rendition.replace('=', '-')}/{PRESETS.get(template, template)}"
