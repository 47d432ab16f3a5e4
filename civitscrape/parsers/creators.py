"""Creators into items: their profile pages, and the list of all of them (trpc-and-pages.md §4.5, rest.md §8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from civitscrape.exceptions import EntryError
from civitscrape.items import Creator
from civitscrape.parsers import fields

if TYPE_CHECKING:
    from civitscrape.civitai.pages import Profile


def from_profile(profile: Profile) -> Creator:
    """Return the creator that a profile page shows; what the page does not tell stays None.

    Raises:
        EntryError: there is no such user, or a field does not hold what it should.
    """
    if not profile.exists:
        raise EntryError(f"creator {profile.username!r}: the site knows no such user", field="username")
    user = profile.user or {}
    counts = profile.counts or {}
    return Creator(
        username=profile.username,
        user_id=fields.integer(user, "id"),
        image=_avatar(user),
        model_count=fields.count(user, counts, "modelCount"),
        image_count=fields.count(user, counts, "imageCount"),
        video_count=fields.count(user, counts, "videoCount"),
        post_count=fields.count(user, counts, "postCount"),
        counts_level=None if profile.counts is None else profile.counts_level,
        created_at=fields.time(user, "createdAt"),
        deleted_at=fields.time(user, "deletedAt"),
    )


def from_rest(entry: Any) -> Creator:
    """Return a creator of ``/api/v1/creators``; one who has published no model has no ``modelCount`` there.

    Raises:
        EntryError: there is no name, or a field does not hold what it should.
    """
    if not isinstance(entry, Mapping):
        raise fields.wrong({}, "username", entry, "an object")
    name = fields.username(entry)
    if name is None:
        raise fields.wrong(entry, "username", name, "a name")
    return Creator(
        username=name,
        image=fields.text(entry, "image"),
        link=fields.text(entry, "link"),
        model_count=fields.count(entry, entry, "modelCount"),
    )


def _avatar(user: dict[str, Any]) -> str | None:
    """Return the avatar as the site gave it: an address, or a key of the CDN."""
    picture = user.get("profilePicture")
    return fields.text(user, "image") or (fields.text(picture, "url") if isinstance(picture, dict) else None)
