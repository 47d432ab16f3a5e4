"""What a walk makes of its entries beside the records themselves: links, wanted files, and a verdict at its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import media
from civitscrape.exceptions import EntryError
from civitscrape.items import Image, Model, ModelVersion, Post
from civitscrape.ledger import RENDITION, Link, Media, MediaState, Walk, WalkState, now
from civitscrape.spiders.listings.base import NEWEST

if TYPE_CHECKING:
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


def time_of(listing: Listing, entry: Any, walk: Walk) -> datetime | None:
    """Tell when an entry was published, as its listing says, or the latest version of a model; None if nobody says."""
    try:
        records = listing.read(entry, replace(walk))  # which may count into the walk
    except EntryError:
        return None
    number = listing.number(entry)
    mine = [one for one in records if isinstance(one, Image | Model | Post) and one.id == number]
    versions = [one for one in records if isinstance(one, ModelVersion) and isinstance(mine[0], Model)] if mine else []
    told = [getattr(one, "published_at", None) or getattr(one, "created_at", None) for one in (*mine, *versions)]
    return max((datetime.fromisoformat(one).replace(tzinfo=UTC) for one in told if one), default=None)


def within(listing: Listing, entries: list[Any], walk: Walk) -> tuple[list[Any], bool]:
    """Leave out entries published outside of the time a walk is about; tell whether it has passed its beginning.

    An entry of which nobody says when it was published is kept. The end is believed of a whole page only: the order
    of listings is not exactly that of the times they tell.
    """
    since, until = (walk.params.get(name) for name in ("since", "until"))
    if since is None and until is None:
        return entries, False
    first = datetime.min.replace(tzinfo=UTC) if since is None else datetime.fromisoformat(since)
    last = datetime.max.replace(tzinfo=UTC) if until is None else datetime.fromisoformat(until)
    times = [(entry, time_of(listing, entry, walk)) for entry in entries]
    passed = walk.params.get("sort") == NEWEST and bool(times) and all(time and time < first for _, time in times)
    return [entry for entry, time in times if time is None or first <= time < last], passed


def bounds(walk: Walk) -> str | None:
    """Say what a walk left out because of its time; None where it took all times."""
    since, until = (walk.params.get(name) for name in ("since", "until"))
    told = [f"before {since}, as since asks"] if since else []
    told += [f"from {until} on, as until asks"] if until else []
    return f"left out what was published {', and '.join(told)}" if told else None


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
