"""Addresses of the site's interfaces (``/api/v1``, ``/api/download``, ``/api/trpc``), and what each stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import filters, targets
from civitscrape.civitai.encoding import decode
from civitscrape.civitai.filters import USERNAME
from civitscrape.civitai.targets import Target
from civitscrape.exceptions import EnvelopeError, UnarchivableError

if TYPE_CHECKING:
    from civitscrape.civitai.filters import Pairs

HASH = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{10}|[0-9A-Fa-f]{12}|[0-9A-Fa-f]{64}")
"""CRC32 and AutoV1, AutoV2, AutoV3, SHA-256 and BLAKE3; the site looks for all of them alike (rest.md §6.2)."""

_BY_ID = {
    "image.get": "image",
    "image.getDetail": "image",
    "image.getGenerationData": "image",
    "image.getResources": "image",
    "image.getContestCollectionDetails": "image",
    "image.getImagesForModelVersion": "version",
    "post.get": "post",
    "post.getResources": "post",
    "post.getContestCollectionDetails": "post",
    "model.getById": "model",
    "model.getSimple": "model",
    "model.getVersions": "model",
    "model.getGallerySettings": "model",
    "modelVersion.getById": "version",
    "collection.getById": "collection",
}
"""Procedure that takes the id of one thing → spider of that thing (trpc-and-pages.md §4)."""

_FEEDS = {name: name for name in filters.FEEDS} | {"image.getImagesAsPostsInfinite": filters.IMAGE_FEED}
"""Procedure of a feed → the one that the spider asks: the grouped form takes the same input (trpc-and-pages §4.1)."""

_PROFILES = {"user.getCreator", "userProfile.get", "userProfile.overview"}

_REASONS = {
    "articles": "articles are not archived; paste the addresses of the images or models they show",
    "collections": "the list of collections is not archived; paste the address of one, which ends in its number",
    "users": "a search for users is not archived; use scrapy crawl creators -a query=WORDS",
    "model-files": "a file has no page of its own; paste the address of its model version",
    "me": "it is about the person logged in; paste the address of a profile",
}


def call(folders: Sequence[str], pairs: Pairs) -> Target:
    """Find the target of an address below ``/api``.

    >>> call(["v1", "images"], [("username", "lampwright"), ("limit", "200")])
    Target(spider='user', arguments={'username': 'lampwright'})

    Args:
        folders: parts of the path after ``api``, decoded; empty ones left out.
        pairs: the query.

    Raises:
        UnarchivableError: it names nothing that can be archived.
    """
    match folders:
        case ["v1", *rest]:
            return _rest(rest, pairs)
        case ["download", "models" | "training-data", version]:
            return targets.by_id("version", version, content="files")
        case ["download", *_]:
            raise UnarchivableError("only files of model versions are archived; paste the address of the version")
        case ["trpc", procedure]:
            return _trpc(procedure, dict(pairs))
        case _:
            raise UnarchivableError(
                f"civitscrape knows no interface {shown('/api/' + '/'.join(folders))}; paste a page's address"
            )


def _rest(folders: Sequence[str], pairs: Pairs) -> Target:
    """Find the target of ``/api/v1/…`` (rest.md §5-§8)."""
    match folders:
        case ["models"]:
            return targets.models(pairs)
        case ["models", model]:
            return targets.by_id("model", model)
        case ["model-versions", "by-hash", text]:
            return hashed(text)
        case ["model-versions", version] | ["model-versions", "mini", version]:
            return targets.by_id("version", version)
        case ["images"]:
            # Here it asks for generation data; on pages it leaves out images without any.
            return targets.images([pair for pair in pairs if pair[0] != "withMeta"])
        case ["creators"]:
            return Target("creators", filters.read(pairs, filters.CREATOR_FILTERS))
        case ["tags"]:
            return Target("tags", filters.read(pairs, filters.TAG_FILTERS))
        case ["collections", collection]:
            return targets.by_id("collection", collection)
        case [first, *_] if first in _REASONS:
            raise UnarchivableError(_REASONS[first])
        case _:
            raise UnarchivableError(
                f"civitscrape knows no interface {shown('/api/v1/' + '/'.join(folders))}; paste a page's address"
            )


def hashed(text: str) -> Target:
    """Make the target of a model file's hash; ``sha256=`` takes every kind.

    Raises:
        UnarchivableError: it is no hash.
    """
    if not HASH.fullmatch(text):
        raise UnarchivableError(f"{shown(text)} is not a hash; one has 8, 10, 12 or 64 digits from 0 to 9 and A to F")
    return Target("hash", {"sha256": text.upper()})


def _trpc(procedure: str, query: Mapping[str, str]) -> Target:
    """Find the target of one call; a batch of one is taken too (trpc-and-pages.md §1.2, §1.4)."""
    if "," in procedure:
        raise UnarchivableError(f"it holds {procedure.count(',') + 1} calls; paste the address of a page instead")
    given = _input(query)
    if procedure in _FEEDS:
        feed = _FEEDS[procedure]
        return targets.feed(feed, filters.read(_pairs(given), filters.FEEDS[feed]))
    if procedure in _PROFILES and USERNAME.fullmatch(_text(given.get("username"))):
        return targets.user(_text(given["username"]))
    if procedure in _BY_ID:
        return targets.by_id(_BY_ID[procedure], _text(given.get("id")))
    if procedure == "tag.getVotableTags" and _text(given.get("type")) in {"image", "model"}:
        return targets.by_id(_text(given["type"]), _text(given.get("id")))
    if procedure == "collection.getAllCollectionItems":
        return targets.by_id("collection", _text(given.get("collectionId")))
    if procedure == "tag.getTagWithModelCount":
        return targets.tag(_text(given.get("name")))
    if procedure == "tag.getById":
        return Target("tag", {"tag": filters.identifier(_text(given.get("id")), "tag")})
    if procedure == "tag.getAll":
        return Target("tags", filters.read(_pairs(given), filters.TAG_FILTERS))
    raise UnarchivableError(
        f"civitscrape does not know how to archive the call {shown(procedure)}; paste the address of a page"
    )


def _input(query: Mapping[str, str]) -> Mapping[str, Any]:
    """Open the input of a call."""
    if not query.get("input"):
        return {}
    try:
        given = json.loads(query["input"])
        if query.get("batch") == "1" and isinstance(given, Mapping):
            given = given.get("0", {"json": {}})
        plain = decode(given)
    except (ValueError, RecursionError, EnvelopeError) as error:
        raise UnarchivableError(f"its input cannot be read ({error}); paste the address of a page instead") from error
    if not isinstance(plain, Mapping):
        raise UnarchivableError("its input is not an object; paste the address of a page instead")
    return plain


def _pairs(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write an input as a query is written; None is what was not asked."""
    return [
        (str(name), _text(one))
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]


def _text(value: object) -> str:
    """Write one value of an input as text; what has parts is no value of any filter."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    raise UnarchivableError(
        "its input holds an object where a filter was expected; paste the address of a page instead"
    )
