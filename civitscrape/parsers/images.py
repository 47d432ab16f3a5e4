"""Images of the REST API and of their own pages into items (contract rest.md §7.4, trpc-and-pages.md §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from civitscrape.civitai.levels import LEGACY
from civitscrape.items import Image, ImageTag, Item, Level, MetaState, Post, ResourceSource, Tag, TagName
from civitscrape.parsers import fields, lenient, loose, parts
from civitscrape.parsers.generation import Generation, innermost, normalise
from civitscrape.parsers.resources import Resource, word


def from_rest(entry: Any, *, meta_asked: bool = True, media_url: str = "", legacy: bool = False) -> list[Item]:
    """Return the items of an entry, the image first.

    Args:
        entry: one of ``items``.
        meta_asked: whether the call asked for generation data (``withMeta=true``).
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.
        legacy: whether the legacy route answered, as for ``imageId`` and for ``modelId`` alone (§7.2): its
            ``baseModel`` is the name of a group, which is not kept.

    Raises:
        EntryError: a field does not hold what it should.
    """
    image_id = fields.identity(entry)
    generation, state = _generation(entry, meta_asked=meta_asked)
    tags = _tags(entry)
    versions = parts.version_set(parts.integers(entry, "modelVersionIds"))
    creator = fields.username(entry)
    post_id = fields.integer(entry, "postId")
    url = fields.text(entry, "url")
    image = Image(
        id=image_id,
        **parts.place(url, media_url),
        type=parts.media_type(entry, url),
        creator=creator,
        post_id=post_id,
        width=fields.integer(entry, "width"),
        height=fields.integer(entry, "height"),
        hash=fields.text(entry, "hash"),
        level=_level(entry),
        nsfw=_nsfw(entry),
        created_at=fields.time(entry, "createdAt"),
        base_model=None if legacy else fields.text(entry, "baseModel") or None,
        model_version_ids=versions,
        **parts.generation_data(generation),
        meta_state=state,
        **parts.counts(entry),
        tags=list(dict.fromkeys(name for _, name in tags if name is not None)),
    )
    items: list[Item] = [image]
    if post_id is not None:
        items.append(Post(id=post_id, creator=creator))
    items += _tag_items(image_id, tags)
    items += parts.resource_items(image_id, generation.resources, versions)
    items += parts.version_items(image_id, versions)
    return items


def from_detail(image: Any, generation: Any, *, media_url: str = "", image_id: int | None = None) -> list[Item]:
    """Return the items of an image as its own page tells of it, the image first.

    Without ``image`` only what it was made with is told; the site gives that of images, too, that it shows to nobody.

    Args:
        image: answer of ``image.get``, or None.
        generation: answer of ``image.getGenerationData``, or None.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.
        image_id: number that was asked for, needed where ``image`` is None.

    Raises:
        EntryError: a field does not hold what it should, or nothing tells which image it is.
    """
    entry: dict[str, Any] = {"id": image_id} if image is None else image
    image_id = fields.identity(entry)
    made = {} if generation is None else parts.mapping({"id": image_id, "generation": generation}, "generation")
    data, state = _detailed(entry, made, told=generation is not None)
    named = _resources(made)
    versions = parts.version_set([one.model_version_id for one in named if one.model_version_id is not None])
    record = parts.record({"type": made.get("type"), **entry}, media_url=media_url)
    found = Image(
        id=image_id,
        **record,
        base_model=_base_model(made),
        model_version_ids=None if generation is None else versions,
        tools=_names(made, "tools"),
        techniques=_names(made, "techniques"),
        **parts.generation_data(data),
        meta_state=state,
    )
    items: list[Item] = [found]
    if found.post_id is not None:
        items.append(Post(id=found.post_id, creator=found.creator))
    items += parts.resource_items(image_id, named or data.resources, None)
    items += parts.version_items(image_id, versions)
    return items


def entry_id(entry: Any) -> int | None:
    """Return the id of an entry that was refused, as well as it can be told; None when it cannot.

    >>> entry_id({"id": "98000001", "stats": 5}), entry_id({"meta": {"id": 7, "meta": None}}), entry_id("?")
    (98000001, 7, None)
    """
    if type(entry) is dict and type(number := entry.get("id")) is int and abs(number) < 2**63:
        return number  # all but a few; this is asked several times of each entry
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


def _level(entry: Mapping[str, Any]) -> int | None:
    """Return the rating bit; ``browsingLevel`` tells X from XXX, which ``nsfwLevel`` does not."""
    bit = fields.integer(entry, "browsingLevel")
    if bit in parts.BITS:
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
    if type(label) is not int or label not in parts.BITS:
        raise fields.wrong(entry, "nsfwLevel", label, f"a rating bit or one of {', '.join(LEGACY)}")
    return label


def _nsfw(entry: Mapping[str, Any]) -> bool | None:
    label = entry.get("nsfw")
    if isinstance(label, str) and label in LEGACY:
        return LEGACY[label] is not Level.PG
    return fields.boolean(entry, "nsfw")


def _tags(entry: Mapping[str, Any]) -> list[tuple[int | None, str | None]]:
    """Return the number and the name of each tag; old forms lack one of them."""
    values = parts.listed(entry, "tags") or []
    return [_tag(entry, position, value) for position, value in enumerate(values)]


def _tag(entry: Mapping[str, Any], position: int, value: Any) -> tuple[int | None, str | None]:
    if isinstance(value, str):
        return None, fields.storable(value)
    if isinstance(value, dict) and fields.is_integer(value.get("id")) and isinstance(value.get("name"), str):
        return value["id"], fields.storable(value["name"])
    return _odd_tag(entry, f"tags.{position}", value)


def _odd_tag(entry: Mapping[str, Any], name: str, value: Any) -> tuple[int | None, str | None]:
    """Read a tag of another form than the usual; ``name`` is what an error calls it."""
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


def _detailed(entry: Mapping[str, Any], made: Mapping[str, Any], *, told: bool) -> tuple[Generation, MetaState]:
    """Read the generation data that came beside an image; where they came empty, it has none."""
    data, state = parts.generation_of({**entry, "meta": made.get("meta")} if told else entry)
    if told and state is MetaState.NOT_ASKED:
        state = MetaState.ABSENT if entry.get("hideMeta") is False else MetaState.UNKNOWN
    return data, state


def _resources(made: Mapping[str, Any]) -> list[Resource]:
    """Read the resources that the site knows, with their strengths."""
    return [
        Resource(
            model_version_id=version,
            name=lenient.text(one, "modelName"),
            type=word(lenient.text(one, "modelType")),
            weight=loose.number(one.get("strength")),
            source=ResourceSource.GENERATION,
        )
        for one in lenient.values(made, "resources")
        if isinstance(one, Mapping) and (version := lenient.integer(one, "modelVersionId", "versionId")) is not None
    ]


def _base_model(made: Mapping[str, Any]) -> str | None:
    """Return the base model of the only checkpoint; of several, listings run the names together, here none is told."""
    resources = [one for one in lenient.values(made, "resources") if isinstance(one, Mapping)]
    checkpoints = [one for one in resources if one.get("modelType") == "Checkpoint"]
    return lenient.text(checkpoints[0], "baseModel") or None if len(checkpoints) == 1 else None


def _names(made: Mapping[str, Any], name: str) -> list[str] | None:
    """Read the names of tools or techniques; None where there is no list."""
    values = made.get(name)
    if not isinstance(values, list):
        return None
    names = [lenient.text(one, "name") for one in values if isinstance(one, Mapping)]
    return [one for one in names if one is not None]
