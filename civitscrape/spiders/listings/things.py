"""Single things by their pages: an image, a post, a tag, a collection (contract trpc-and-pages.md §6.2)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from civitscrape.civitai import answers, levels, pages, things, trpc
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import EnvelopeError, NotFoundError
from civitscrape.items import Tag
from civitscrape.parsers import collections, images, posts
from civitscrape.spiders.listings.base import Listing, Question, mapping, require_number

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.items import Level
    from civitscrape.ledger import Walk


class Thing(Listing):
    """One thing named by its own id: a page of one entry, whatever its level."""

    single = True
    sort = None

    def passes(self, mask: int) -> list[Level]:  # noqa: ARG002 (a thing named by its id has no level)
        """Ask once."""
        return [levels.ALL]

    def number(self, entry: Any) -> int | None:
        """Return the id of the thing."""
        number = mapping(entry).get("id")
        return number if type(number) is int else None

    def open(self, response: Response, walk: Walk) -> Page:
        """Open the thing, a page of one entry, and make sure that it is the one asked for."""
        entry = self.thing(response, walk)
        require_number(walk, entry.get("id"), walk.params["id"])
        return Page(entries=[entry], next_cursor=None)

    @abstractmethod
    def thing(self, response: Response, walk: Walk) -> dict[str, Any]:
        """Open the answer about the thing.

        Raises:
            AnswerError: there is none.
        """


class HtmlPage(Thing):
    """A thing that its page tells of."""

    path: ClassVar[str]
    """Folder of its pages on the site."""

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for the page."""
        return pages.page(site, f"{self.path}/{walk.params['id']}")


class ImagePage(HtmlPage):
    """``/images/{id}``: the image, its generation data, resources with strengths, tools and techniques."""

    source = "page.image"
    kind = "image"
    path = "images"

    def thing(self, response: Response, walk: Walk) -> dict[str, Any]:
        """Open the page; one that speaks of no image is how the site says that there is none."""
        found = things.open_image_page(text_of(response))
        if found.image is None:
            raise NotFoundError(f"{walk.target}: {response.url} speaks of no image; it is gone, private or blocked")
        return {"id": found.image.get("id"), "image": found.image, "generation": found.generation}

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the image."""
        return list(images.from_detail(entry["image"], entry["generation"], media_url=self.media_url))


class PostPage(HtmlPage):
    """``/posts/{id}``: title, text, model version; its images are a listing of their own."""

    source = "page.post"
    kind = "post"
    path = "posts"

    def thing(self, response: Response, walk: Walk) -> dict[str, Any]:
        """Open the page."""
        found = things.open_post_page(text_of(response))
        if found.post is None:
            raise NotFoundError(f"{walk.target}: {response.url} speaks of no post; it is gone or private")
        return {"id": found.post.get("id"), "post": found.post, "images": found.images}

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the post, and the order of those images that the page shows."""
        return list(posts.from_page(entry["post"], entry["images"], media_url=self.media_url))


class TagPage(Thing):
    """``/tag/{name}``: the number of a name."""

    source = "page.tag"
    kind = "tag"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for the page."""
        return pages.page(site, f"tag/{pages.quoted(walk.params['name'])}")

    def open(self, response: Response, walk: Walk) -> Page:
        """Open the page; an unknown name is an error, since the listings would give the whole site for it."""
        return Page(entries=[self.thing(response, walk)], next_cursor=None)

    def thing(self, response: Response, walk: Walk) -> dict[str, Any]:
        """Open the page."""
        found = things.open_tag_page(text_of(response))
        asked = str(walk.params["name"])
        if found is None or str(found.get("name")).lower() != asked.lower():
            raise NotFoundError(
                f"{walk.target}: the site knows no tag {asked!r}; `scrapy crawl tags` lists those it has"
            )
        return found

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the tag."""
        return [Tag(id=entry["id"], name=entry["name"])]


class Collection(Thing):
    """``collection.getById``; one without a right to it looks like one that does not exist (§4.6)."""

    source = "trpc.collection.getById"
    kind = "collection"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for the collection."""
        return trpc.query(site, "collection.getById", {"id": walk.params["id"]}, mark=question.mark)

    def thing(self, response: Response, walk: Walk) -> dict[str, Any]:
        """Open the collection."""
        found = trpc.open_result(response)
        if not isinstance(found, dict):
            raise EnvelopeError(f"{walk.target}: {response.url} gave no object")
        if not isinstance(found.get("collection"), dict):
            raise NotFoundError(f"{walk.target}: there is no such collection, or it is private and not yours")
        return dict(found["collection"])

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the collection."""
        return list(collections.from_trpc(entry))


def text_of(response: Response) -> str:
    """Return the text of a page.

    Raises:
        AnswerError: it is no page, or the site refused.
    """
    if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
        raise answers.refusal(response)
    try:
        return response.text
    except AttributeError as error:
        raise EnvelopeError(f"{response.url} gave {response.headers.get('Content-Type')!r}, not a page") from error
