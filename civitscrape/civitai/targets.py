"""What a person points at: the spider that archives it and the arguments that spider takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from reprlib import repr as shown
from typing import TYPE_CHECKING

from civitscrape.civitai import filters
from civitscrape.exceptions import UnarchivableError

if TYPE_CHECKING:
    from civitscrape.civitai.filters import Pairs

_CONTENT = {"image": "images", "video": "videos", "image,video": "images,videos", "video,image": "images,videos"}


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to archive.

    >>> Target("version", {"version_id": "456"})
    Target(spider='version', arguments={'version_id': '456'})
    """

    spider: str
    """Name of the spider that archives it."""
    arguments: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Arguments of the spider, as a person would type them after ``-a``."""


def images(pairs: Pairs, **fixed: str) -> Target:
    """Find who archives a listing of images and videos.

    A listing that is somebody's works, a post or a model's gallery goes to the spider of that thing; what the images
    API can filter goes to it; what only the site's own feed can filter goes there (rest.md §7.1, trpc-and-pages.md
    §4.1).

    Args:
        pairs: the query of the address.
        fixed: what the path of the address says, stronger than the query.
    """
    asked = filters.read(pairs, filters.FEEDS[filters.IMAGE_FEED]) | fixed
    if "image_id" in asked:
        return Target("image", {"image_id": asked["image_id"]})
    if "model_version_id" in asked:
        asked.pop("model_id", None)  # The site passes over it as well.
    narrowing = _narrowing(asked)
    if narrowing == {"post_id"}:
        return Target("post", {"post_id": asked["post_id"]})
    if narrowing == {"model_id"}:
        return Target("model", {"model_id": asked["model_id"], "content": "gallery"})
    types = asked.get("types")
    if narrowing - {"types"} == {"username"} and (types is None or types in _CONTENT):
        return user(asked["username"], _CONTENT[types] if types else None)
    if asked.keys() <= filters.REST_IMAGE_FILTERS.keys():
        return Target("images", asked)
    return feed(filters.IMAGE_FEED, asked)


def models(pairs: Pairs, **fixed: str) -> Target:
    """Find who archives a listing of models (rest.md §5.1, trpc-and-pages.md §4.4)."""
    known = filters.FEEDS[filters.MODEL_FEED].keys() | filters.REST_MODEL_FILTERS.keys()
    asked = filters.read(pairs, known) | fixed
    if asked.keys() <= filters.REST_MODEL_FILTERS.keys():
        return Target("models", asked)
    asked.pop("primary_file_only", None)  # It thins out each entry's files, not the entries; the feed brings none.
    return feed(filters.MODEL_FEED, asked)


def posts(pairs: Pairs, **fixed: str) -> Target:
    """Find who archives a listing of posts (trpc-and-pages.md §4.2)."""
    return feed(filters.POST_FEED, filters.read(pairs, filters.FEEDS[filters.POST_FEED]) | fixed)


def feed(procedure: str, asked: Mapping[str, str]) -> Target:
    """Make the target of one of the site's own feeds."""
    return Target("feed", {"procedure": procedure, **asked})


def works(content: str, username: str, pairs: Pairs) -> Target:
    """Find who archives a tab of a profile: the creator's spider, or a listing where the address narrows it.

    Args:
        content: ``images``, ``videos``, ``models``, ``posts`` or ``collections``.
        username: whose profile it is.
        pairs: the query of the address.
    """
    if content == "collections":
        return user(username, content)
    if content == "models":
        listing = models(pairs, username=username)
    elif content == "posts":
        listing = posts(pairs, username=username)
    else:
        listing = images(pairs, username=username, types=content.removesuffix("s"))
    return listing if _narrowing(listing.arguments) - {"procedure", "types"} > {"username"} else user(username, content)


def user(username: str, content: str | None = None) -> Target:
    """Make the target of a creator; ``content`` as the spider takes it, None for what it takes by itself."""
    return Target("user", {"username": username} | ({"content": content} if content else {}))


def by_id(spider: str, text: str, **more: str) -> Target:
    """Make the target of a thing with an id.

    Raises:
        UnarchivableError: the id is none.
    """
    return Target(spider, {f"{spider}_id": filters.identifier(text, f"{spider}_id"), **more})


def tag(name: str) -> Target:
    """Make the target of a tag's page, which lists models.

    Spider ``tag`` would take a name made of digits for an id, and one with a comma for two; the models API takes both.

    Raises:
        UnarchivableError: it cannot be a name.
    """
    if not name.strip() or not filters.is_printable(name) or name in {".", ".."}:
        raise UnarchivableError(
            f"{shown(name)} cannot be the name of a tag; give one, as in: scrapy crawl tag -a tag=NAME"
        )
    if name.isdigit() or "," in name:
        return Target("models", {"tag": name})
    return Target("tag", {"tag": name, "of": "models"})


def _narrowing(asked: Mapping[str, str]) -> set[str]:
    """Name the filters that leave entries out; order and the whole of time do not."""
    return {name for name, value in asked.items() if name not in {"sort", "period_mode"} and value != "AllTime"}
