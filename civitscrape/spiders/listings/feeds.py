"""The site's own feeds by tRPC, for those who have a key or cookies (contract trpc-and-pages.md §4)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from civitscrape.civitai import trpc
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import EchoError
from civitscrape.items import Level
from civitscrape.parsers import collections, feeds, images, models, posts
from civitscrape.spiders.listings.base import (
    NEWEST,
    OLDEST,
    Listing,
    Question,
    filters_of,
    mapping,
    require_name,
    within_levels,
)
from civitscrape.spiders.listings.images import gallery

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.trpc import Call
    from civitscrape.ledger import Walk


class Feed(Listing):
    """A feed of tRPC; logged in, so that levels are as asked (§2.3)."""

    procedure: ClassVar[str]
    size: ClassVar[int] = 200
    """Most entries that an answer gives."""
    include: ClassVar[tuple[str, ...]] = ()
    """What else an entry shall bring."""

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask with all filters of the walk, from the asked end."""
        procedure, told = self.call(walk, newest=question.newest)
        return trpc.query(site, procedure, told, cursor=question.cursor, mark=question.mark, beside=question.beside)

    def call(self, walk: Walk, *, newest: bool) -> Call:
        """Return the call for the first page from either end: procedure and input."""
        asked: dict[str, Any] = {
            "period": "AllTime",
            **filters_of(walk),
            "browsingLevel": int(walk.level),
            "limit": self.size,
            "sort": NEWEST if newest else walk.params.get("sort") or self.sort,
        }
        if self.include:
            asked["include"] = list(self.include)
        told = {name: value for name, value in asked.items() if value is not None}  # a true null would be refused
        return self.procedure, told

    def open(self, response: Response, walk: Walk) -> Page:  # noqa: ARG002 (the base class's signature)
        """Open a page in whichever encoding it came."""
        return trpc.open_feed(response)

    def require_echo(self, page: Page, walk: Walk) -> None:
        """Check the creator: an unknown one gives the works of everybody (§3)."""
        entries = [mapping(entry) for entry in page.entries]
        names = ((one.get("id"), mapping(one.get("user")).get("username")) for one in entries)
        require_name(walk, names, walk.params.get("username"))

    def number(self, entry: Any) -> int | None:
        """Return the id of an entry."""
        number = mapping(entry).get("id")
        return number if type(number) is int else None

    @abstractmethod
    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Turn an entry into records."""


class ImageFeed(Feed):
    """``image.getInfinite``: 200 images an answer, with tags, votes and generation data."""

    source = "trpc.image.getInfinite"
    kind = "image"
    provable = True
    divisible = True
    overlapping = True  # as in the public API
    procedure = "image.getInfinite"
    include = ("tags", "metaSelect")

    def require_echo(self, page: Page, walk: Walk) -> None:
        """Check the creator and the post."""
        super().require_echo(page, walk)
        post = walk.params.get("postId")
        for one in map(mapping, page.entries):
            if post is not None and one.get("postId") not in {None, int(post)}:
                raise EchoError(f"{walk.target}: asked for post {post}, the site gave entry {one.get('id')} of another")

    def number(self, entry: Any) -> int | None:
        """Return the id of an image."""
        return images.entry_id(entry)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read an image with its tags and votes."""
        records = list(feeds.from_feed(entry, media_url=self.media_url))
        return [*gallery(walk, self.number(entry)), *records]


class PostFeed(Feed):
    """``post.getInfinite``; the only order that leaves nothing out is ``Newest`` (§4.2)."""

    source = "trpc.post.getInfinite"
    kind = "post"
    sort = NEWEST
    procedure = "post.getInfinite"

    def flaw(self, walk: Walk) -> str | None:
        """Say that the other orders leave out posts that nobody reacted to."""
        order = walk.params.get("sort")
        return None if order == self.sort else f"sort={order} leaves out posts without reactions; leave the sort out"

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read a post with the images that came with it."""
        return within_levels(posts.from_listing(entry, media_url=self.media_url), walk)


class ModelFeed(Feed):
    """``model.getAll``: models with one version each, and no files; their own pages bring the rest."""

    source = "trpc.model.getAll"
    kind = "model"
    sort = OLDEST
    size = 100
    procedure = "model.getAll"

    def flaw(self, walk: Walk) -> str | None:  # noqa: ARG002 (the base class's signature)
        """Say what this feed leaves out, whatever it is asked (§4.4)."""
        return "this feed leaves out models without a rated picture; `scrapy crawl models` brings those, too"

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read a model."""
        records = models.from_trpc_listing(entry, site=self.site, media_url=self.media_url)
        return within_levels(records, walk)


class CollectionFeed(Feed):
    """``collection.getInfinite``: public collections, of somebody or of everybody."""

    source = "trpc.collection.getInfinite"
    kind = "collection"
    sort = NEWEST
    procedure = "collection.getInfinite"

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read a collection."""
        return list(collections.from_trpc(entry))


class CollectionOrder(Feed):
    """``collection.getAllCollectionItems``: what is in a collection, in the curator's order (§4.6)."""

    source = "trpc.collection.getAllCollectionItems"
    kind = "collection_entry"
    sort = None
    size = 100
    procedure = "collection.getAllCollectionItems"

    def passes(self, mask: int) -> list[Level]:
        """Ask once, for all levels together: the order is one."""
        return [Level(mask)]

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a page, and number its entries on from those before."""
        page = trpc.open_feed(response, "collectionItems")
        numbered = [{"position": place, "item": item} for place, item in enumerate(page.entries, walk.entries)]
        return Page(entries=numbered, next_cursor=page.next_cursor)

    def require_echo(self, page: Page, walk: Walk) -> None:
        """Check nothing: the entries are other people's."""

    def number(self, entry: Any) -> int | None:
        """Return the id of the entry's place, which is the collection's own."""
        number = mapping(mapping(entry).get("item")).get("id")
        return number if type(number) is int else None

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read the place of an entry."""
        return [collections.place(entry["item"], collection_id=walk.params["collectionId"], position=entry["position"])]
