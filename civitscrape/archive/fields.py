"""What a path template may say of an image: its own fields, and what the archive knows of what it belongs to."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import prompts, schema
from civitscrape.archive.database import in_chunks
from civitscrape.items import Image, Level, MediaType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from sqlalchemy.engine import Connection

    Record = dict[str, Any]

CARRIED = frozenset({"id", "key", "creator", "type", "ext"})
"""Fields that an item always brings: a template that names no others does without the database."""

KINDS = {MediaType.IMAGE: "Images", MediaType.VIDEO: "Videos", MediaType.AUDIO: "Audio"}
LEVELS = {Level.PG: "pg", Level.PG13: "pg13", Level.R: "r", Level.X: "x", Level.XXX: "xxx", Level.BLOCKED: "blocked"}
SAFE = Level.PG | Level.PG13

SEARCHES = {
    "user": "Username_Search",
    "model": "Model_ID_Search",
    "version": "Model_Version_ID_Search",
    "tag": "Model_Tag_Search",
}
"""Folders of CivitAI_Image_grabber, by what was asked for."""
_REPEATED = re.compile(r"(.+?)\1+")
"""A base model that stands there once for each checkpoint, with nothing between (contract rest.md §8)."""
_FILE = re.compile(r"\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$", re.IGNORECASE)
"""End of a checkpoint's name that is the name of its file."""
ID_ONLY = re.compile(r"urn[:_]", re.IGNORECASE)
"""Beginning of a checkpoint's name that is an AIR urn instead: it says nothing to people."""

_POST = {
    "post_title": "Title of its post.",
    "post_published_at": "When its post was published.",
    "post_model_version_id": "Model version that its post was posted to.",
}
_TARGET = {
    "target_kind": "What first led to it, as the spiders are called: `user`, `model`, `tag` …",
    "target": "Name or number of that, lower case.",
}
_VERSION = {
    "version_id": "Model version it belongs to: the checkpoint it was made with, else the version that it was posted "
    "to or shows, else any other that it was made with.",
    "version_name": "Name of that version.",
    "model_id": "Model of that version.",
    "model_name": "Name of that model.",
    "model_type": "`Checkpoint`, `LORA` and so on.",
    "model_creator": "Who published that model.",
    "model_version": "Names of model and version together; what the uploader's tool wrote where they are not known.",
    "checkpoint": "Name of the checkpoint as the uploader's tool wrote it, else as the site calls it.",
}
_GRABBER = {
    "grabber_search": "`Username_Search`, `Model_ID_Search`, `Model_Version_ID_Search`, `Model_Tag_Search`, and so on.",
    "grabber_target": "Name or number of what was searched.",
    "grabber_model": "`model_` and the model's number, under a tag.",
    "grabber_folder": "Name of the checkpoint, or `invalid_metadata`, `no_metadata`, `videos`.",
}
_DERIVED = {
    "kind": "`Images`, `Videos` or `Audio`.",
    "rating": "`SFW` (PG and PG-13) or `NSFW`; unrated ones are `NSFW`, unless the site's own flag says they are not.",
    "level_name": "`pg`, `pg13`, `r`, `x` or `xxx`.",
}

JOINED: Mapping[str, str] = {**_DERIVED, **_POST, **_VERSION, **_TARGET, **_GRABBER}
"""Fields beside an image's own, and what they say."""

KNOWN = (*Image.__dataclass_fields__, *JOINED, "ext")
"""All that a template may name."""

_LINKED = _TARGET.keys() | _GRABBER.keys()
_FROM_VERSIONS = _VERSION.keys() | _GRABBER.keys() | {"base_model"}


def fields_for(connection: Connection, ids: Collection[int], wanted: Collection[str]) -> dict[int, Record]:
    """Ask what templates may say of some images; only what is wanted costs a question.

    Args:
        connection: inside a transaction.
        ids: numbers of images; those that there are not are left out of the answer.
        wanted: names of fields; ``ext`` is for the caller to add.
    """
    found: dict[int, Record] = {}
    table = schema.images
    for chunk in in_chunks(ids):
        for row in connection.execute(sa.select(table).where(table.c.id.in_(chunk))):
            found[row.id] = {**row._mapping, **_derived(row._mapping)}  # noqa: SLF001 (its public name)
    asked = set(wanted)
    if "tags" in asked:
        _add_tags(connection, found)
    if "prompt_tags" in asked:
        _add_prompt_tags(connection, found)
    if asked & (_POST.keys() | _FROM_VERSIONS):
        _add_posts(connection, found)
    if asked & _FROM_VERSIONS:
        _add_versions(connection, found, shown=bool(asked & _GRABBER.keys()))
    if asked & _LINKED:
        _add_targets(connection, found)
    if asked & _GRABBER.keys():
        for image in found.values():
            image.update(_grabber(image))
    nothing = dict.fromkeys(KNOWN)
    return {number: nothing | image for number, image in found.items()}


def _derived(image: Mapping[Any, Any]) -> Record:
    level, flag = image["level"], image["nsfw"]
    safe = bool(level & SAFE) and not level & ~SAFE if level else flag is False
    repeated = _REPEATED.fullmatch(image["base_model"] or "")
    return {
        "base_model": repeated[1] if repeated else image["base_model"],
        "kind": KINDS.get(image["type"], "Images"),
        "rating": "SFW" if safe else "NSFW",
        "level_name": LEVELS.get(level) if level else None,
    }


def _rows(
    connection: Connection, values: Iterable[Any], ask: Callable[[list[Any]], sa.Select[Any]]
) -> Iterable[sa.Row[Any]]:
    """Ask in chunks, of values that are there."""
    for chunk in in_chunks({value for value in values if value is not None}):
        yield from connection.execute(ask(chunk))


def _add_tags(connection: Connection, found: dict[int, Record]) -> None:
    table, tags = schema.image_tags, schema.tags
    joined = table.join(tags, tags.c.id == table.c.tag_id)
    query = sa.select(table.c.image_id, tags.c.name).select_from(joined).order_by(table.c.image_id, tags.c.id)
    for image in found.values():
        image["tags"] = []
    for row in _rows(connection, found, lambda chunk: query.where(table.c.image_id.in_(chunk))):
        found[row.image_id]["tags"].append(row.name)


def _add_prompt_tags(connection: Connection, found: dict[int, Record]) -> None:
    words = prompts.tags(connection, found)
    for number, image in found.items():
        image["prompt_tags"] = [word["text"] for word in words.get(number, [])]


def _add_posts(connection: Connection, found: dict[int, Record]) -> None:
    table = schema.posts
    query = sa.select(table.c.id, table.c.title, table.c.published_at, table.c.model_version_id)
    numbers = [image["post_id"] for image in found.values()]
    posts = {row.id: row for row in _rows(connection, numbers, lambda chunk: query.where(table.c.id.in_(chunk)))}
    for image in found.values():
        post = posts.get(image["post_id"])
        if post is not None:
            image["post_title"], image["post_published_at"] = post.title, post.published_at
            image["post_model_version_id"] = post.model_version_id


def _add_targets(connection: Connection, found: dict[int, Record]) -> None:
    """Find the target that first led to each image; of two in one moment the first by name."""
    table = schema.links
    query = sa.select(table.c.entry_id, table.c.target_kind, table.c.target, table.c.first_seen_at)
    query = query.where(table.c.entry_kind == "image")
    first: dict[int, tuple[str, str, str]] = {}
    for row in _rows(connection, found, lambda chunk: query.where(table.c.entry_id.in_(chunk))):
        link = (row.first_seen_at, row.target_kind, row.target)
        first[row.entry_id] = min(first.get(row.entry_id, link), link)
    for number, (_, kind, target) in first.items():
        found[number] |= {"target_kind": kind, "target": target}


_TIES = {"showcase": 0, "gallery": 1, "detected": 2}


def _add_versions(connection: Connection, found: dict[int, Record], *, shown: bool) -> None:
    """Find the model version that each image belongs to, with its model."""
    table = schema.image_resources
    query = sa.select(table).order_by(table.c.image_id, table.c.position)
    resources: defaultdict[int, list[sa.Row[Any]]] = defaultdict(list)
    for row in _rows(connection, found, lambda chunk: query.where(table.c.image_id.in_(chunk))):
        resources[row.image_id].append(row)
    ties = schema.version_images
    shows: dict[int, tuple[int, int]] = {}
    for row in _rows(connection, found, lambda chunk: sa.select(ties).where(ties.c.image_id.in_(chunk))):
        tie = (_TIES.get(row.source, len(_TIES)), row.version_id)
        shows[row.image_id] = min(shows.get(row.image_id, tie), tie)
    candidates = {}
    for number, image in found.items():
        image["_resources"], image["_base_model"] = resources[number], image["base_model"]
        posted = [image.get("post_model_version_id"), shows[number][1] if number in shows else None]
        image["_shown"] = posted[::-1]
        checkpoints = [one.model_version_id for one in resources[number] if one.type == "checkpoint"]
        others = [one.model_version_id for one in resources[number] if one.type != "checkpoint"]
        made_with = image["model_version_ids"] or []
        candidates[number] = [one for one in (*checkpoints, *posted, *others, *made_with) if one is not None]
    versions = _versions(connection, (one for some in candidates.values() for one in some))
    for number, image in found.items():
        chosen = next((one for one in candidates[number] if one in versions), next(iter(candidates[number]), None))
        version = versions.get(chosen) if chosen is not None else None
        image.update(_named(image, chosen, version))
        if shown:
            known = next((versions[one] for one in image["_shown"] if one in versions), version)
            image["_shown_model"] = known.model_id if known is not None else None


def _versions(connection: Connection, numbers: Iterable[int]) -> dict[int, sa.Row[Any]]:
    table, models = schema.model_versions, schema.models
    query = sa.select(
        table.c.id,
        table.c.model_id,
        table.c.name,
        table.c.base_model,
        models.c.name.label("model_name"),
        models.c.type.label("model_type"),
        models.c.creator.label("model_creator"),
    ).outerjoin(models, models.c.id == table.c.model_id)
    return {row.id: row for row in _rows(connection, numbers, lambda chunk: query.where(table.c.id.in_(chunk)))}


def _named(image: Record, chosen: int | None, version: sa.Row[Any] | None) -> Record:
    """Name the version that an image belongs to, by what is known of it."""
    resources = image["_resources"]
    called = next((one.name for one in resources if one.model_version_id == chosen and one.name), None)
    written = image["model"] if image["model"] and not ID_ONLY.match(image["model"]) else None
    checkpoint = next((one.name for one in resources if one.type == "checkpoint" and one.name), None)
    called, written, checkpoint = (_FILE.sub("", text) if text else None for text in (called, written, checkpoint))
    named: Record = {"version_id": chosen, "checkpoint": written or checkpoint}
    if version is None:
        return named | {"model_version": called or written or checkpoint}
    named |= {"version_name": version.name, "model_id": version.model_id, "model_name": version.model_name}
    named |= {"model_type": version.model_type, "model_creator": version.model_creator}
    named["model_version"] = " ".join(filter(None, (version.model_name or called, version.name)))
    named["checkpoint"] = written or checkpoint or (version.model_name if version.model_type == "Checkpoint" else None)
    own = image["base_model"]
    if version.base_model and (own is None or version.base_model in own):  # else of several, run together
        named["base_model"] = version.base_model
    return named


def _grabber(image: Record) -> Record:
    """Say where CivitAI_Image_grabber would put an image."""
    kind, target = image.get("target_kind") or "user", image.get("target") or image["creator"] or "-deleted"
    if kind == "user" and (image["creator"] or "").lower() == str(target).lower():
        target = image["creator"] or target  # links are in lower case
    model = image.get("_shown_model")
    own = image | {"base_model": image["_base_model"]}
    return {
        "grabber_search": SEARCHES.get(kind, f"{kind.title()}_Search"),
        "grabber_target": target,
        "grabber_model": f"model_{model}" if kind == "tag" and model is not None else None,
        "grabber_folder": model_of(own) or _unsorted(image),
    }


def _unsorted(image: Record) -> str:
    if image["type"] == MediaType.VIDEO:
        return "videos"
    return "invalid_metadata" if image["meta"] else "no_metadata"


def model_of(image: Record) -> str | None:
    """Name what an image was made with as its generation data do: the checkpoint, else the base model."""
    meta, base_model = image["meta"], image["base_model"]
    if not meta:
        return None
    if image["model"] and not ID_ONLY.match(image["model"]):
        return str(image["model"])
    resources = meta.get("civitaiResources")
    for one in resources if isinstance(resources, list) else []:
        if isinstance(one, dict) and one.get("type") == "checkpoint" and one.get("modelVersionName"):
            return str(one["modelVersionName"])
    return None if base_model is None else str(base_model)
