"""Collections by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from civitscrape.exceptions import EntryError
from civitscrape.spiders.arguments import MediaArguments, Numbers
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from civitscrape.items import CollectionEntry
    from civitscrape.ledger import Walk
    from civitscrape.spiders.listings.base import Listing

FEEDS = {"Image": "trpc.image.getInfinite", "Post": "trpc.post.getInfinite"}
"""Feed that lists the entries of a collection, by its type."""

MODELS = "Model"
"""Type whose entries are asked for by their ids: its feed leaves out models without a rated image (§4.4)."""

THING, ORDER = "trpc.collection.getById", "trpc.collection.getAllCollectionItems"
"""The collection itself; and its order, which tells nothing of the entries but their ids."""


class CollectionArguments(MediaArguments):
    """Arguments of ``scrapy crawl collection``."""

    spider: ClassVar[str] = "collection"

    collection_id: Numbers = Field(description="Ids of collections, several with commas.")


class CollectionSpider(WalkingSpider):
    """Archive collections of images, posts or models, in the curator's order; needs a key or cookies."""

    name = "collection"
    arguments = CollectionArguments
    args: CollectionArguments
    calls = "1 API call a collection, ⌈n/100⌉ for the order of its n entries, and ⌈n/200⌉ + 1 for the entries"
    needs = "a key or cookies"
    needs_login = "no public route lists what is in a collection"

    async def start(self) -> AsyncIterator[Any]:
        """Ask for each collection; its entries follow."""
        for number in self.args.collection_id:
            async for step in self.plan(f"collection:{number}", THING, {"id": number}):
                yield step

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Walk the order of a collection that was found, and its entries."""
        for source, asked in self._next(walk, entries):
            async for step in self.plan(walk.target, source, asked):
                yield step

    def _next(self, walk: Walk, entries: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name the listings that entries of a walk lead to."""
        if walk.source == ORDER:
            listing = self.listing(ORDER)
            ids = [place.entry_id for one in entries for place in places(listing, one, walk)]
            if ids:
                yield "rest.models", {"ids": ids}
        for entry in entries if walk.source == THING else ():
            kind, asked = entry.get("type"), {"collectionId": entry["id"]}
            if kind not in {*FEEDS, MODELS}:
                self.logger.warning("%s: collections of %s are not walked", walk.target, kind)
                continue
            yield ORDER, asked
            if kind in FEEDS:
                yield FEEDS[kind], asked


def places(listing: Listing, entry: Any, walk: Walk) -> list[CollectionEntry]:
    """Read the place of a model; nothing for other entries, and for one that was refused when it was kept."""
    try:
        return [place for place in listing.read(entry, walk) if place.entry_kind == "model"]
    except EntryError:
        return []
