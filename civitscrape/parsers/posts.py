"""Posts into items (contract trpc-and-pages.md §4.1, §4.2, §6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from civitscrape.items import Item, Post
from civitscrape.parsers import feeds, fields, lenient, parts, tags


def from_trpc(entry: Any) -> list[Item]:
    """Return a post and its tags, from ``post.get``, the post first.

    Raises:
        EntryError: a field does not hold what it should.
    """
    post = _post(fields.identity(entry), entry)
    named = tags.named(entry)
    post.tags = None if named is None else [one.name for one in named]
    return [post, *(named or [])]


def from_listing(entry: Any, *, media_url: str = "") -> list[Item]:
    """Return a post of ``post.getInfinite`` and those of its images that came with it, at most eight.

    Args:
        entry: one of ``items``.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: a field does not hold what it should.
    """
    post = _post(fields.identity(entry), entry)
    return [post, *_images(entry, media_url=media_url)]


def from_gallery(entry: Any, *, media_url: str = "") -> list[Item]:
    """Return a post of ``image.getImagesAsPostsInfinite`` and those of its images that came with it.

    Its dates and its level are those of these images, so they are not told of the post.

    Args:
        entry: one of ``items``.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: a field does not hold what it should.
    """
    about = parts.mapping({"entry": entry}, "entry")
    whole = {**about, "id": about.get("postId")}
    post = Post(
        id=fields.identity(whole),
        creator=parts.creator(whole),
        model_version_id=fields.integer(whole, "modelVersionId"),
        image_count=fields.integer(whole, "imageCount"),
    )
    return [post, *_images(whole, media_url=media_url)]


def from_page(post: Any, images: Iterable[Any], *, media_url: str = "") -> list[Item]:
    """Return a post as its own page tells of it, with its tags and the images that the page shows.

    Args:
        post: answer of ``post.get``.
        images: entries of the page's ``image.getInfinite``.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: a field does not hold what it should.
    """
    return [*from_trpc(post), *(item for one in images for item in feeds.from_feed(one, media_url=media_url))]


def _post(number: int, entry: Mapping[str, Any]) -> Post:
    version = fields.integer(entry, "modelVersionId")
    return Post(
        id=number,
        title=fields.text(entry, "title"),
        creator=parts.creator(entry),
        model_version_id=lenient.integer(lenient.mapping(entry, "modelVersion"), "id") if version is None else version,
        published_at=fields.time(entry, "publishedAt"),
        image_count=fields.integer(entry, "imageCount"),
        level=parts.levels(entry),
        detail=fields.text(entry, "detail"),
        availability=fields.text(entry, "availability"),
    )


def _images(entry: Mapping[str, Any], *, media_url: str) -> list[Item]:
    """Read the images inside a post; one that does not name its creator, but their number, is the post's creator's."""
    user = lenient.mapping(entry, "user")
    found: list[Item] = []
    for place, one in enumerate(parts.listed(entry, "images") or []):
        if not isinstance(one, Mapping):
            raise fields.wrong(entry, f"images.{place}", one, "an object")
        theirs = "user" not in one and one.get("userId") is not None and one.get("userId") == user.get("id")
        found += feeds.from_feed({**one, "user": user} if theirs else one, media_url=media_url)
    return found
