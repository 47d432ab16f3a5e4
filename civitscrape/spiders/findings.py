"""What a walk makes of its entries beside the records themselves: links, wanted files, and a verdict at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import media
from civitscrape.ledger import RENDITION, Link, Media, MediaState, Walk, WalkState, now

if TYPE_CHECKING:
    from civitscrape.items import Image
    from civitscrape.spiders.listings.base import Listing

MARGIN = timedelta(minutes=15)
"""An entry this much older than a walk must have been in it: clocks differ, and the site's index lags a little."""


def is_older(image: Image, walk: Walk) -> bool:
    """Tell whether an image was there when a walk began, so that the walk should have met it."""
    if image.created_at is None or walk.started_at is None:
        return True
    begun = datetime.fromisoformat(walk.started_at)
    return datetime.fromisoformat(image.created_at).replace(tzinfo=UTC) < begun - MARGIN


def numbered(listing: Listing, entries: list[Any]) -> dict[int, Any]:
    """Find entries by their ids; those without one are of no use to a comparison."""
    return {number: entry for entry in entries if isinstance(number := listing.number(entry), int)}


def judged(walk: Walk, missed: int, newest: int) -> Walk:
    """Write into a walk whether it was whole: entries of the newest page that it should have met show a ceiling."""
    walk.state = WalkState.CAPPED if missed else WalkState.COMPLETE
    if missed:
        walk.error = (
            f"the listing ended after {walk.entries} entries, but {missed} of the newest {newest} were not in "
            "it; there may be more between"
        )
    return walk


def link(walk: Walk, kind: str, number: int, *, listed: bool = True) -> Link:
    """Note which target led to an entry, and on which walk if the walk is a listing, whose end can be checked by it."""
    target_kind, _, name = walk.target.partition(":")
    return Link(
        target_kind=target_kind,
        target=name,
        entry_kind=kind,
        entry_id=number,
        first_seen_at=now(),
        walk_id=walk.id if listed else None,
    )


def wanted(image: Image, base: str) -> Media:
    """Make the row of the file that an image stands for: the original's, or that of the rendition asked for."""
    if image.key is None or not media.is_key(image.key):
        reason = f"its address {image.url!r} is not one of the CDN"
        return Media(
            key=f"image:{image.id}", kind=image.type, entry_id=image.id, state=MediaState.REFUSED, error=reason
        )
    if image.rendition is None:
        url = media.original(base, image.key, image.type)
        return Media(key=image.key, kind=image.type, entry_id=image.id, url=url, state=MediaState.WANTED)
    url = media.smaller(base, image.key, image.type, image.rendition)
    key = image.media_key or image.key
    return Media(key=key, kind=RENDITION, entry_id=image.id, url=url, state=MediaState.WANTED)
