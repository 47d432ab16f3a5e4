"""Entries of ``/api/v1/images`` into items (contract rest.md §7.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from civitscrape.civitai import media
from civitscrape.civitai.levels import LEGACY
from civitscrape.items import (
    Image,
    ImageResource,
    ImageTag,
    Item,
    Level,
    MediaType,
    MetaState,
    Post,
    ResourceSource,
    Tag,
    TagName,
    VersionImage,
)
from civitscrape.parsers import fields
from civitscrape.parsers.generation import Generation, innermost, normalise

_BITS = frozenset(int(bit) for bit in Level)
_TYPES = {kind.value: kind for kind in MediaType}
_SUFFIXES = {".mp4": MediaType.VIDEO, ".webm": MediaType.VIDEO, ".mp3": MediaType.AUDIO, ".wav": MediaType.AUDIO}


def from_rest(entry: Any, *, meta_asked: bool = True, media_url: str = "") -> list[Item]:
    """Return the items of an entry, the image first.

    Args:
        entry: one of ``items``.
        meta_asked: whether the call asked for generation data (``withMeta=true``).
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: a field does not hold what it should.
    """
    image_id = fields.identity(entry)
    generation, state = _generation(entry, meta_asked=meta_asked)
    tags = _tags(entry)
    versions = _versions(entry)
    creator = fields.username(entry)
    post_id = fields.integer(entry, "postId")
    url = fields.text(entry, "url")
    stats = _stats(entry)
    image = Image(
        id=image_id,
        # A foreign address is its own key, so that the file can be told of as refused.
        key=media.key_of(url, base=media_url) or url if url else None,
        url=url,
        type=_type(entry, url),
        creator=creator,
        post_id=post_id,
        width=fields.integer(entry, "width"),
        height=fields.integer(entry, "height"),
        hash=fields.text(entry, "hash"),
        level=_level(entry),
        nsfw=_nsfw(entry),
        created_at=fields.time(entry, "createdAt"),
        base_model=fields.text(entry, "baseModel") or None,
        model_version_ids=versions,
        prompt=generation.prompt,
        negative_prompt=generation.negative_prompt,
        sampler=generation.sampler,
        steps=generation.steps,
        cfg_scale=generation.cfg_scale,
        seed=generation.seed,
        size=generation.size,
        model=generation.model,
        meta=generation.meta,
        meta_state=state,
        cry_count=fields.count(entry, stats, "stats.cryCount"),
        laugh_count=fields.count(entry, stats, "stats.laughCount"),
        like_count=fields.count(entry, stats, "stats.likeCount"),
        heart_count=fields.count(entry, stats, "stats.heartCount"),
        comment_count=fields.count(entry, stats, "stats.commentCount"),
        tags=list(dict.fromkeys(name for _, name in tags if name is not None)),
    )
    items: list[Item] = [image]
    if post_id is not None:
        items.append(Post(id=post_id, creator=creator))
    items += _tag_items(image_id, tags)
    items += _resource_items(image_id, generation, versions)
    items += [
        VersionImage(version_id=version, image_id=image_id, source="detected")
        for version in dict.fromkeys(versions or ())
    ]
    return items


def entry_id(entry: Any) -> int | None:
    """Return the id of an entry that was refused, as well as it can be told; None when it cannot.

    >>> entry_id({"id": "98000001", "stats": 5}), entry_id({"meta": {"id": 7, "meta": None}}), entry_id("?")
    (98000001, 7, None)
    """
    holders = [entry, entry.get("meta")] if isinstance(entry, Mapping) else []
    for holder in holders:
        value = holder.get("id") if isinstance(holder, Mapping) else None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(2**63)):
            return int(value)
        if type(value) is int and abs(value) < 2**63:
            return value
    return None


def _generation(entry: Mapping[str, Any], *, meta_asked: bool) -> tuple[Generation, MetaState]:
    """Return the generation data and what is known of them: REST gives null for hidden and for absent ones alike."""
    meta = entry.get("meta")
    inner = innermost(meta)
    if inner is None:
        return Generation(), MetaState.NOT_ASKED if meta is None and not meta_asked else MetaState.UNKNOWN
    if not isinstance(inner, dict):
        raise fields.wrong(entry, "meta", inner, "an object")
    return normalise(inner), MetaState.VISIBLE


def _stats(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    stats = entry.get("stats")
    if stats is None:
        return {}
    if not isinstance(stats, Mapping):
        raise fields.wrong(entry, "stats", stats, "an object")
    return stats


def _type(entry: Mapping[str, Any], url: str | None) -> MediaType:
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


def _level(entry: Mapping[str, Any]) -> int | None:
    """Return the rating bit; ``browsingLevel`` tells X from XXX, which ``nsfwLevel`` does not."""
    bit = fields.integer(entry, "browsingLevel")
    if bit in _BITS:
        return bit
    label = entry.get("nsfwLevel")
    if label is None and isinstance(entry.get("nsfw"), str):
        label = entry["nsfw"]  # where the label stood in 2023
    if bit == 0 or (bit is None and label is None):
        return None
    if isinstance(label, str) and label in LEGACY:
        return int(LEGACY[label])
    if label is None:
        raise fields.wrong(entry, "browsingLevel", bit, "a rating bit")
    if label == 0:
        return None
    if type(label) is not int or label not in _BITS:
        raise fields.wrong(entry, "nsfwLevel", label, f"a rating bit or one of {', '.join(LEGACY)}")
    return label


def _nsfw(entry: Mapping[str, Any]) -> bool | None:
    label = entry.get("nsfw")
    if isinstance(label, str) and label in LEGACY:
        return LEGACY[label] is not Level.PG
    return fields.boolean(entry, "nsfw")


def _versions(entry: Mapping[str, Any]) -> list[int] | None:
    values = entry.get("modelVersionIds")
    if values is None:
        return None
    if not isinstance(values, list):
        raise fields.wrong(entry, "modelVersionIds", values, "a list")
    versions: list[int] = []
    for position, value in enumerate(values):
        name = f"modelVersionIds.{position}"
        version = fields.to_integer(entry, name, value)
        if version is None:
            raise fields.wrong(entry, name, value, "an integer")
        versions.append(version)
    return versions


def _tags(entry: Mapping[str, Any]) -> list[tuple[int | None, str | None]]:
    """Return the number and the name of each tag; old forms lack one of them."""
    values = entry.get("tags")
    if values is None:
        return []
    if not isinstance(values, list):
        raise fields.wrong(entry, "tags", values, "a list")
    return [_tag(entry, f"tags.{position}", value) for position, value in enumerate(values)]


def _tag(entry: Mapping[str, Any], name: str, value: Any) -> tuple[int | None, str | None]:
    if isinstance(value, str):
        return None, fields.storable(value)
    if not isinstance(value, Mapping):
        number = fields.to_integer(entry, name, value)
        title = None
    else:
        number = fields.to_integer(entry, f"{name}.id", value.get("id"))
        title = value.get("name")
        if title is not None and not isinstance(title, str):
            raise fields.wrong(entry, f"{name}.name", title, "a text")
    if number is None and title is None:
        raise fields.wrong(entry, name, value, "a tag")
    return number, None if title is None else fields.storable(title)


def _tag_items(image_id: int, tags: list[tuple[int | None, str | None]]) -> list[Item]:
    items: list[Item] = []
    seen: set[int | str | None] = set()
    for number, name in tags:
        sign = name if number is None else number
        if sign in seen:
            continue
        seen.add(sign)
        if number is not None:
            if name is not None:
                items.append(Tag(id=number, name=name))
            items.append(ImageTag(image_id=image_id, tag_id=number))
        elif name is not None:
            items.append(TagName(name=name, image_id=image_id))
    return items


def _resource_items(image_id: int, generation: Generation, versions: list[int] | None) -> list[Item]:
    """Return the best set of resources: what lists name, else what the site detected, else what the prompt names."""
    named = generation.resources
    if versions and (not named or named[0].source is ResourceSource.DETECTED):
        return [
            ImageResource(image_id=image_id, position=position, model_version_id=version)
            for position, version in enumerate(dict.fromkeys(versions))
        ]
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
