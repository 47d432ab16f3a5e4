"""Parts of an image's record that the entries of every route share (contract rest.md §7.4, trpc-and-pages.md §4.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields as fields_of
from typing import Any
from urllib.parse import urlsplit

from civitscrape.civitai import media
from civitscrape.items import (
    Image,
    ImageResource,
    Item,
    Level,
    MediaType,
    MetaState,
    ResourceSource,
    VersionImage,
)
from civitscrape.parsers import fields, lenient
from civitscrape.parsers.generation import Generation, innermost, normalise
from civitscrape.parsers.resources import Resource

BITS = frozenset(int(bit) for bit in Level)
"""Rating bits; an image has one of them."""

_TYPES = {kind.value: kind for kind in MediaType}
_SUFFIXES = {".mp4": MediaType.VIDEO, ".webm": MediaType.VIDEO, ".mp3": MediaType.AUDIO, ".wav": MediaType.AUDIO}
_COUNTS = {name: f"{name}_count" for name in ("cry", "laugh", "like", "heart", "comment")}
_GENERATION = [one.name for one in fields_of(Generation) if one.name in {own.name for own in fields_of(Image)}]


def place(url: str | None, media_url: str) -> dict[str, Any]:
    """Return ``key`` and ``url`` of an image; a route that gives a bare key gives no address.

    A foreign address is its own key, so that the file can be told of as refused.

    >>> place("1f0a", ""), place("https://elsewhere.example/1.png", "")["key"]
    ({'key': '1f0a', 'url': None}, 'https://elsewhere.example/1.png')
    """
    key = (media.key_of(url, base=media_url) or url) if url else None
    return {"key": key, "url": None if url == key and "/" not in (url or "") else url}


def media_type(entry: Mapping[str, Any], url: str | None) -> MediaType:
    """Return the type; answers before 2025 do not tell it, there the extension must."""
    kind = fields.text(entry, "type")
    if kind is not None:
        if kind not in _TYPES:
            raise fields.wrong(entry, "type", kind, " or ".join(_TYPES))
        return _TYPES[kind]
    try:
        path = urlsplit(url or "").path.lower()
    except ValueError:
        return MediaType.IMAGE
    return _SUFFIXES.get(f".{path.rpartition('.')[2]}", MediaType.IMAGE)


def mapping(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Read an object; empty where there is none."""
    value = entry.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise fields.wrong(entry, name, value, "an object")
    return value


def listed(entry: Mapping[str, Any], name: str) -> list[Any] | None:
    """Read a list; None where there is none."""
    value = entry.get(name)
    if value is not None and not isinstance(value, list):
        raise fields.wrong(entry, name, value, "a list")
    return value


def counts(entry: Mapping[str, Any], *, suffix: str = "") -> dict[str, Any]:
    """Read reactions and comments; ``suffix`` follows the site's names, ``AllTime`` in tRPC's answers."""
    stats = mapping(entry, "stats")
    return {field: fields.count(entry, stats, f"stats.{name}Count{suffix}") for name, field in _COUNTS.items()}


def generation_data(generation: Generation) -> dict[str, Any]:
    """Return the fields of an image that generation data fill."""
    return {name: getattr(generation, name) for name in _GENERATION}


def integers(entry: Mapping[str, Any], name: str) -> list[int] | None:
    """Read a list of integers; None where there is none."""
    values = listed(entry, name)
    if values is None:
        return None
    found: list[int] = []
    for position, value in enumerate(values):
        number = fields.to_integer(entry, f"{name}.{position}", value)
        if number is None:
            raise fields.wrong(entry, f"{name}.{position}", value, "an integer")
        found.append(number)
    return found


def version_set(*lists: Iterable[int] | None) -> list[int] | None:
    """Join what an image was made with, each version once, by number: routes give them in orders of their own.

    None when no list is there.

    >>> version_set([9, 4], None, [4, 7]), version_set(None)
    ([4, 7, 9], None)
    """
    known = [one for one in lists if one is not None]
    return sorted({version for one in known for version in one}) if known else None


def resource_items(image_id: int, named: list[Resource], versions: list[int] | None) -> list[Item]:
    """Return the best set of resources: what lists name, else what the site detected, else what the prompt names."""
    if versions and (not named or named[0].source is ResourceSource.DETECTED):
        named = [Resource(model_version_id=version, source=ResourceSource.DETECTED) for version in versions]
    return [
        ImageResource(
            image_id=image_id,
            position=position,
            model_version_id=one.model_version_id,
            name=one.name,
            type=one.type,
            weight=one.weight,
            hash=one.hash,
            source=one.source,
        )
        for position, one in enumerate(named)
    ]


def version_items(image_id: int, versions: list[int] | None) -> list[Item]:
    """Tie an image to the versions that it was made with."""
    return [VersionImage(version_id=one, image_id=image_id, source="detected") for one in versions or ()]


def creator(entry: Mapping[str, Any]) -> str | None:
    """Read the username of an entry's ``user``; None for nobody."""
    name = mapping(entry, "user").get("username")
    return fields.username({"id": entry.get("id"), "user.username": name}, "user.username")


def record(entry: Mapping[str, Any], *, media_url: str) -> dict[str, Any]:
    """Return the fields of an image that every route of tRPC tells under the same names; without ``id``."""
    url = fields.text(entry, "url")
    shape = lenient.mapping(entry, "metadata")
    width, height = fields.integer(entry, "width"), fields.integer(entry, "height")
    return {
        **place(url, media_url),
        "type": media_type(entry, url),
        "creator": creator(entry),
        "post_id": fields.integer(entry, "postId"),
        "post_index": fields.integer(entry, "index"),
        "width": lenient.integer(shape, "width") if width is None else width,
        "height": lenient.integer(shape, "height") if height is None else height,
        "hash": fields.text(entry, "hash"),
        "level": level(entry),
        "created_at": fields.time(entry, "createdAt"),
        "published_at": fields.time(entry, "publishedAt"),
        **counts(entry, suffix="AllTime"),
    }


def level(entry: Mapping[str, Any]) -> int | None:
    """Read the rating bit of one image; 0 is unrated."""
    bit = fields.integer(entry, "nsfwLevel") or None
    if bit is not None and bit not in BITS:
        raise fields.wrong(entry, "nsfwLevel", bit, "a rating bit")
    return bit


def levels(entry: Mapping[str, Any]) -> int | None:
    """Read the rating bits of what holds many images; 0 is unrated."""
    return fields.integer(entry, "nsfwLevel") or None


def generation_of(entry: Mapping[str, Any]) -> tuple[Generation, MetaState]:
    """Return the generation data of an entry of tRPC, and what is known of them.

    Some routes send what its creator hid: it is dropped. ``hasMeta`` stands for data that everybody may see; false
    says hidden or absent, true without data that they were not asked for.
    """
    meta = innermost(entry.get("meta"))
    if meta is not None and not isinstance(meta, dict):
        raise fields.wrong(entry, "meta", meta, "an object")
    hidden, has = fields.boolean(entry, "hideMeta"), fields.boolean(entry, "hasMeta")
    if hidden or (hidden is None and has is False and meta is not None):
        return Generation(), MetaState.HIDDEN
    if meta is not None:
        return normalise(meta), MetaState.VISIBLE
    if has or (has is None and "meta" not in entry):
        return Generation(), MetaState.NOT_ASKED
    return Generation(), MetaState.ABSENT if hidden is False else MetaState.UNKNOWN
