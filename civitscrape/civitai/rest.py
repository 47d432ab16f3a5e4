"""The public REST API: one builder an endpoint (contract rest.md §5-§9); ``answers`` opens what comes back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from scrapy import Request
from w3lib.url import add_or_replace_parameter

from civitscrape.civitai.roles import Role, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PAGE_SIZE = 200
"""Most entries that ``/images``, ``/creators`` and ``/tags`` give in one answer (rest.md §7.1, §8)."""

MODELS_PAGE_SIZE = 100
"""Most entries that ``/models`` gives in one answer (rest.md §5.1)."""

HASHES_PER_CALL = 10_000
"""Most hashes that ``by-hash/ids`` takes (rest.md §6.4)."""

VERSIONS_PER_CALL = 100
"""Most hashes that ``by-hash`` takes (rest.md §6.3)."""

MARK = "_"
"""Parameter that the site strips and the edge takes for a part of the address (rest.md §2.3, §7.1)."""

HEADERS = {"Accept": "application/json"}


def images(
    base: str,
    filters: Mapping[str, Any],
    *,
    level: int,
    sort: str,
    cursor: str | None = None,
    mark: str | None = None,
    **how: Any,
) -> Request:
    """Ask for a page of images with generation data and tags (rest.md §7).

    Args:
        base: address of the site, ``https://civitai.com``.
        filters: parameters under the site's names, such as ``username``, ``modelVersionId``, ``postId``, ``tags``,
            ``type``, ``baseModels``; None leaves one out. ``username`` has letters, digits and ``_`` only.
        level: mask of rating bits.
        sort: ``Oldest``, ``Newest`` or another of the site's.
        cursor: cursor of the page before; None for the first page.
        mark: text that no address had before, where an answer kept by the edge is of no use.
        how: ``callback``, ``cb_kwargs`` and whatever else a request takes.
    """
    query = {
        **given(filters),
        "limit": PAGE_SIZE - (mark is not None),
        "sort": sort,
        "period": filters.get("period") or "AllTime",
        "browsingLevel": int(level),
        "withMeta": "true",
        "flatMeta": "true",
        "withTags": "true",
    }
    return _get(base, "images", query, cursor=cursor, mark=mark, **how)


def models(
    base: str,
    filters: Mapping[str, Any],
    *,
    nsfw: bool,
    sort: str,
    cursor: str | None = None,
    mark: str | None = None,
    **how: Any,
) -> Request:
    """Ask for a page of models with all their versions (rest.md §5.1); archived ones come, too.

    Args:
        base: address of the site.
        filters: parameters under the site's names; lists are repeated, None leaves one out.
        nsfw: whether models and images of all levels come, or PG alone; there is nothing between.
        sort: ``Oldest``, ``Newest`` or another of the site's; without meaning beside ``query``.
        cursor: cursor of the page before; None for the first page.
        mark: see ``images``.
        how: see ``images``.
    """
    query = {
        "archived": "true",
        **given(filters),
        "limit": MODELS_PAGE_SIZE - (mark is not None),
        "sort": sort,
        "period": filters.get("period") or "AllTime",
        "nsfw": "true" if nsfw else "false",
    }
    return _get(base, "models", query, cursor=cursor, mark=mark, **how)


def model(base: str, number: int, **how: Any) -> Request:
    """Ask for one model, whatever its level (rest.md §5.2)."""
    return _get(base, f"models/{number}", {}, **how)


def version(base: str, number: int, **how: Any) -> Request:
    """Ask for one model version, whatever its level (rest.md §6.1)."""
    return _get(base, f"model-versions/{number}", {}, **how)


def by_hash(base: str, digest: str, **how: Any) -> Request:
    """Ask for the version that has a file of this hash, of any kind (rest.md §6.2)."""
    return _get(base, f"model-versions/by-hash/{quote(digest, safe='')}", {}, **how)


def ids_by_hash(base: str, hashes: Sequence[str], **how: Any) -> Request:
    """Ask which versions have files of these SHA-256, at most ``HASHES_PER_CALL`` (rest.md §6.4)."""
    return _post(base, "model-versions/by-hash/ids", list(hashes), **how)


def versions_by_hash(base: str, hashes: Sequence[str], **how: Any) -> Request:
    """Ask for the versions that have files of these SHA-256, at most ``VERSIONS_PER_CALL`` (rest.md §6.3)."""
    return _post(base, "model-versions/by-hash", list(hashes), **how)


def creators(base: str, filters: Mapping[str, Any], *, page: int, **how: Any) -> Request:
    """Ask for a page of creators (rest.md §8.1); pages count from 1."""
    return _get(base, "creators", {**given(filters), "limit": PAGE_SIZE, "page": page}, **how)


def tags(base: str, filters: Mapping[str, Any], *, page: int, **how: Any) -> Request:
    """Ask for a page of tags (rest.md §8.2); pages count from 1, and an empty one is the end."""
    return _get(base, "tags", {**given(filters), "limit": PAGE_SIZE, "page": page}, **how)


def collection(base: str, number: int, **how: Any) -> Request:
    """Ask for one public collection, without its entries, which no REST route lists (rest.md §8.8)."""
    return _get(base, f"collections/{number}", {}, **how)


def given(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not asked, and write the rest as the site reads it.

    >>> given({"tags": [4, 5], "type": None, "archived": True})
    {'tags': [4, 5], 'archived': 'true'}
    """
    words = {True: "true", False: "false"}
    found = {}
    for name, value in filters.items():
        if value is not None and value != []:
            found[name] = words[value] if isinstance(value, bool) else value
    return found


def other_address(url: str, mark: str) -> str:
    """Ask the same question under another address: the edge keeps bad answers too, for five minutes (rest.md §2.3).

    >>> other_address("https://civitai.com/api/v1/images?limit=200&cursor=200%7C17", "a1")
    'https://civitai.com/api/v1/images?limit=199&cursor=200%7C17&_=a1'
    """
    smaller = re.sub(r"(?<=[?&]limit=)\d+", lambda limit: str(max(1, int(limit[0]) - 1)), url)
    return add_or_replace_parameter(smaller, MARK, mark)


def _get(
    base: str, path: str, query: Mapping[str, Any], *, cursor: str | None = None, mark: str | None = None, **how: Any
) -> Request:
    asked = {**query, **given({"cursor": cursor, MARK: mark})}
    url = f"{base}/api/v1/{path}" + (f"?{urlencode(asked, doseq=True)}" if asked else "")
    return _request(url, **how)


def _post(base: str, path: str, body: list[str], **how: Any) -> Request:
    headers = {**HEADERS, "Content-Type": "application/json"}
    return _request(f"{base}/api/v1/{path}", method="POST", body=json.dumps(body), headers=headers, **how)


def _request(
    url: str, *, callback: Callable[..., Any] | None = None, headers: Mapping[str, str] = HEADERS, **how: Any
) -> Request:
    return Request(url, callback=callback, headers=dict(headers), meta=stamp(Role.API, url), dont_filter=True, **how)
