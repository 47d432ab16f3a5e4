"""Images in the feeds of tRPC into items (contract trpc-and-pages.md §4.1, §10.2).

The database and the index tell of the same image under the same names, but not the same: dates, base models, and which
of the versions are named. ``parsers.images.from_rest`` and ``from_detail`` read the other routes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import Image, ImageTag, Item, Post, Tag
from civitscrape.ledger import now
from civitscrape.parsers import fields, parts, tags

if TYPE_CHECKING:
    from collections.abc import Mapping

_ONLY_INDEX = frozenset({"sortAtUnix", "combinedNsfwLevel", "postedToId"})
"""Keys that entries of the database do not have."""


def from_feed(entry: Any, *, media_url: str = "", at: str | None = None) -> list[Item]:
    """Return the items of an image in a feed, the image first.

    Args:
        entry: one of the items of ``image.getInfinite``, one of the images inside those of
            ``image.getImagesAsPostsInfinite`` or ``post.getInfinite``, or one of the images of a post's page.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.
        at: when it was fetched, UTC ISO 8601; now when left out. It becomes ``votes_at`` where votes came.

    Raises:
        EntryError: a field does not hold what it should.
    """
    image_id = fields.identity(entry)
    generation, state = parts.generation_of(entry)
    of_image = tags.of_image(image_id, entry)
    voted = any(isinstance(one, ImageTag) and one.score is not None for one in of_image)
    versions = _versions(entry)
    image = Image(
        id=image_id,
        **parts.record(entry, media_url=media_url),
        base_model=_base_model(entry),
        model_version_ids=versions,
        **parts.generation_data(generation),
        meta_state=state,
        votes_at=(at or now()) if voted else None,
        tags=list(dict.fromkeys(one.name for one in of_image if isinstance(one, Tag))),
    )
    items: list[Item] = [image]
    if image.post_id is not None:
        items.append(_post(image.post_id, entry, creator=image.creator))
    items += of_image
    items += parts.resource_items(image_id, generation.resources, versions)
    items += parts.version_items(image_id, versions)
    return items


def from_cover(entry: Any, *, media_url: str = "", at: str | None = None) -> list[Item]:
    """Return the items of an answer of ``image.getEntitiesCoverImage``, the image first.

    It names no creator, and sends generation data that their creator hid: those are dropped.

    Args:
        entry: one image of the answer.
        media_url: as ``from_feed`` takes it.
        at: as ``from_feed`` takes it.

    Raises:
        EntryError: a field does not hold what it should.
    """
    return from_feed(entry, media_url=media_url, at=at)


def _post(number: int, entry: Mapping[str, Any], *, creator: str | None) -> Post:
    """Return what an image tells of its post: its own time of publication is not the post's."""
    version = fields.integer(entry, "modelVersionId") or fields.integer(entry, "postedToId")
    return Post(id=number, title=fields.text(entry, "postTitle"), creator=creator, model_version_id=version)


def _versions(entry: Mapping[str, Any]) -> list[int] | None:
    """Join the versions that the site found by itself and those that somebody named.

    The database has an empty list also where it was not asked for them.
    """
    found = parts.version_set(parts.integers(entry, "modelVersionIds"), parts.integers(entry, "modelVersionIdsManual"))
    return found if found or _is_indexed(entry) else None


def _base_model(entry: Mapping[str, Any]) -> str | None:
    """Read the base model of an entry of the index; the database names a group of them (contract rest.md §7.2)."""
    return fields.text(entry, "baseModel") or None if _is_indexed(entry) else None


def _is_indexed(entry: Mapping[str, Any]) -> bool:
    return not _ONLY_INDEX.isdisjoint(entry)
