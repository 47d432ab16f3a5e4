"""Who publishes, and what they gather images and models in: posts and collections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from civitscrape.items.marks import Always, Count, First, Key, NoColumn


@dataclass(slots=True, kw_only=True)
class Creator:
    """Somebody who publishes on the site."""

    username: Annotated[str, Key]
    """Name as the site writes it; compared without regard to case."""
    user_id: int | None = None
    """Number of the account, where a route gives it."""
    image: str | None = None
    """Address of the avatar."""
    link: str | None = None
    """Address of the profile page."""
    model_count: Annotated[int | None, Count] = None
    """Models announced by the profile page, for the levels in ``counts_level``."""
    image_count: Annotated[int | None, Count] = None
    """Images announced by the profile page, for the levels in ``counts_level``."""
    video_count: Annotated[int | None, Count] = None
    """Videos announced by the profile page, for the levels in ``counts_level``."""
    post_count: Annotated[int | None, Count] = None
    """Posts announced by the profile page, for the levels in ``counts_level``."""
    counts_level: int | None = None
    """Mask of the rating bits that the announced counts cover: 1 for anonymous callers (trpc-and-pages §4.5)."""
    created_at: Annotated[str | None, First] = None
    """When the account was made, UTC ISO 8601."""
    deleted_at: str | None = None
    """When the account was deleted, UTC ISO 8601; null while it lives."""


@dataclass(slots=True, kw_only=True)
class Post:
    """A post: a title, a text and some images."""

    id: Annotated[int, Key]
    """Number of the post."""
    title: str | None = None
    """Title."""
    creator: str | None = None
    """Username of whoever posted it."""
    model_version_id: int | None = None
    """Model version that it was posted to."""
    published_at: str | None = None
    """When it was published, UTC ISO 8601."""
    image_count: Annotated[int | None, Count] = None
    """Images that the site counts in it."""
    level: int | None = None
    """OR of the rating bits of its images."""
    detail: str | None = None
    """Text of the post, HTML as its creator wrote it."""
    tags: list[str] | None = None
    """Names of its tags."""
    availability: str | None = None
    """``Public``, ``Unsearchable`` or ``Private``."""
    gone_at: Annotated[str | None, Always] = None
    """When the site was found to have it no more, UTC ISO 8601."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""


@dataclass(slots=True, kw_only=True)
class Collection:
    """What somebody has gathered: images, posts or models, in an order of their own."""

    id: Annotated[int, Key]
    """Number of the collection."""
    name: str | None = None
    """Name."""
    type: str | None = None
    """``Image``, ``Post``, ``Model`` or ``Article``; null for old mixed ones."""
    creator: str | None = None
    """Username of its curator."""
    description: str | None = None
    """Text."""
    read: str | None = None
    """Who may read it: ``Public``, ``Unlisted`` or ``Private``."""
    mode: Annotated[str | None, Always] = None
    """``Contest`` or ``Bookmark``; null for ordinary ones."""
    level: int | None = None
    """OR of the rating bits of its entries."""
    item_count: Annotated[int | None, Count] = None
    """Entries that the site counts in it, where a route tells."""
    tags: list[str] | None = None
    """Names of its tags."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""


@dataclass(slots=True, kw_only=True)
class CollectionEntry:
    """One entry of a collection, in the curator's order."""

    collection_id: Annotated[int, Key]
    """Collection."""
    position: Annotated[int, Key]
    """Place, from 0."""
    entry_kind: str
    """``image``, ``post`` or ``model``."""
    entry_id: int
    """Number of the entry."""
