"""Who follows whom, and who reacted to what: small facts of the accounts that can log in (trpc-and-pages §4.1)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

REACTIONS = ("Like", "Dislike", "Laugh", "Cry", "Heart")
SHARE = 0.12
"""Share of images that an account has reacted to."""
FOLLOWED = 2
"""Everybody follows each creator whose number is not divisible by this."""


def follows(creator_id: int) -> bool:
    """Tell whether an account follows a creator; all accounts follow the same ones."""
    return creator_id % FOLLOWED > 0


def reaction(user_id: int, record: Record) -> str | None:
    """Tell how an account reacted to an image; mostly not at all."""
    draw = Random(record.id * 31 + user_id)
    return draw.choice(REACTIONS) if draw.random() < SHARE else None


def voted(user_id: int, record: Record, tag_id: int) -> bool:
    """Tell whether an account voted for a tag of an image."""
    return (record.seed + user_id + tag_id * 7) % 23 == 0


def lite(user_id: int, username: str, *, vanished: bool = False) -> dict[str, Any]:
    """Describe somebody as feeds do."""
    return {
        "id": user_id,
        "username": None if vanished else username,
        "image": None,
        "deletedAt": None,
        "cosmetics": [],
        "profilePicture": None,
    }
