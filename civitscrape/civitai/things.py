"""What the page of a single thing tells of it, out of the page's queries (contract trpc-and-pages.md §6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import pages
from civitscrape.exceptions import EnvelopeError, NotFoundError

if TYPE_CHECKING:
    from civitscrape.civitai.pages import Queries

MISSING = "/404"
"""Route of the page for what there is not; it comes with status 404 (§6.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePage:
    """What an image's page tells."""

    image: dict[str, Any] | None
    """Answer of ``image.get``; None for one that is missing, blocked or private, though the status is 200."""
    generation: dict[str, Any] | None
    """Answer of ``image.getGenerationData``, which may be there without the image; its meta is None when hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPage:
    """What a post's page tells."""

    post: dict[str, Any] | None
    """Answer of ``post.get``."""
    images: list[Any] = field(default_factory=list)
    """Entries of the page's ``image.getInfinite``: the first hundred, of PG alone for anonymous callers."""
    more: bool = False
    """Whether the post has images after these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPage:
    """What a collection's page tells; its entries are not among it."""

    collection: dict[str, Any] | None
    """The collection; None when it is missing or private, though the status is 200."""
    permissions: dict[str, Any] | None
    """What the caller may do with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """What a model's page tells."""

    model: dict[str, Any] | None
    """Answer of ``model.getById``; None for one that its owner removed."""
    images: list[Any] = field(default_factory=list)
    """Entries of the page's ``image.getInfinite``: the first of its owner's images."""


def open_image_page(html: str) -> ImagePage:
    """Read the page of an image; generation data that its creator hid are dropped, should they ever come.

    Raises:
        NotFoundError: it is the page for what there is not.
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: the page is broken.
    """
    found = _open(html)
    image = _answer(found, "image.get")
    generation = _answer(found, "image.getGenerationData")
    if image is not None and generation is not None and image.get("hideMeta"):
        generation = {**generation, "meta": None}
    return ImagePage(image=image, generation=generation)


def open_post_page(html: str) -> PostPage:
    """Read the page of a post.

    Raises:
        NotFoundError: it is the page for what there is not.
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: the page is broken.
    """
    found = _open(html)
    listed = _pages(found)
    return PostPage(
        post=_answer(found, "post.get"),
        images=_items(listed),
        more=any(page.get("nextCursor") is not None for page in listed[-1:]),
    )


def open_collection_page(html: str) -> CollectionPage:
    """Read the page of a collection.

    Raises:
        NotFoundError: it is the page for what there is not.
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: the page is broken.
    """
    answer = _answer(_open(html), "collection.getById") or {}
    return CollectionPage(
        collection=_object(answer.get("collection"), "collection.getById: collection"),
        permissions=_object(answer.get("permissions"), "collection.getById: permissions"),
    )


def open_tag_page(html: str) -> dict[str, Any] | None:
    """Read the page of a tag: its number and its name; None when the site knows no such tag.

    Raises:
        NotFoundError: it is the page for what there is not, as for blocked tags.
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: the page is broken.
    """
    query = _open(html).first("tag.getTagWithModelCount")
    if query is None or not query.data:
        return None
    known = query.data[0] if isinstance(query.data, list) else query.data
    if not isinstance(known, dict) or type(known.get("id")) is not int or not isinstance(known.get("name"), str):
        raise EnvelopeError(f"{query.procedure} is {shown(query.data)}: a list with a tag's id and name was expected")
    return {"id": known["id"], "name": known["name"]}


def open_model_page(html: str) -> ModelPage:
    """Read the page of a model.

    Raises:
        NotFoundError: it is the page for what there is not.
        ChallengeError: the edge put a page of its own in front.
        EnvelopeError: the page is broken.
    """
    found = _open(html)
    return ModelPage(model=_answer(found, "model.getById"), images=_items(_pages(found)))


def _open(html: str) -> Queries:
    data = pages.next_data(html)
    if data.get("page") == MISSING:
        raise NotFoundError("the site answered with its page for what there is not")
    return pages.queries(data)


def _answer(found: Queries, procedure: str) -> dict[str, Any] | None:
    """Return the answer of a procedure; None where the page does not have it."""
    query = found.first(procedure)
    return None if query is None else _object(query.data, procedure)


def _object(value: Any, name: str) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise EnvelopeError(f"{name} is {shown(value)}: an object was expected")
    return value


def _pages(found: Queries) -> list[dict[str, Any]]:
    """Return the pages of a page's feed of images; none where there is no such feed."""
    answer = _answer(found, "image.getInfinite") or {}
    listed = answer.get("pages", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise EnvelopeError(f"image.getInfinite: pages is {shown(listed)}: a list of objects was expected")
    return listed


def _items(listed: list[dict[str, Any]]) -> list[Any]:
    items = [one.get("items") or [] for one in listed]
    if not all(isinstance(one, list) for one in items):
        raise EnvelopeError(f"image.getInfinite: items is {shown(items)}: lists were expected")
    return [entry for one in items for entry in one]
