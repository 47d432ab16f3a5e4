"""``model.*``, ``modelVersion.*`` and ``generation.*``: lists of models, and look-ups by id (§4.4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.sandbox import model_cards, model_files
from civitscrape.sandbox.feed import MATURE, PERIODS
from civitscrape.sandbox.inputs import (
    FLAG,
    ID,
    NOT_ALLOWED,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    ProcedureError,
    Rule,
    capped,
    check,
    slug,
)
from civitscrape.sandbox.models import popularity
from civitscrape.sandbox.people import follows
from civitscrape.sandbox.tags import named
from civitscrape.sandbox.vocabulary import ENUMS
from civitscrape.sandbox.wire import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.items import Level
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.models import ModelRecord, Popularity, VersionRecord
    from civitscrape.sandbox.site import Site

MOST_MODELS, MOST_VERSIONS, MOST_RESOURCES = 100, 50, 100
INNER_PAGES = 3
"""Pages that one answer is put together from, when models had to be left out."""

_RANKS: dict[str, Callable[[Popularity], tuple[int, ...]]] = {
    "Highest Rated": lambda one: (one.thumbs_up, one.downloads),
    "Most Downloaded": lambda one: (one.downloads, one.thumbs_up),
    "Most Liked": lambda one: (one.thumbs_up,),
    "Most Discussed": lambda one: (one.comments,),
    "Most Collected": lambda one: (one.collected,),
    "Most Images": lambda one: (one.images,),
}
SORTS = (*_RANKS, "Newest", "Oldest")
LISTS = ("types", "baseModels", "ids", "modelVersionIds", "fileFormats", "allowCommercialUse")
"""Inputs that may be one value instead of an array."""

RULES = {
    "limit": Rule("number", least=0, most=MOST_MODELS),
    "sort": Rule("string", values=SORTS),
    "period": Rule("string", values=tuple(PERIODS)),
    "periodMode": Rule("string", values=("stats", "published")),
    "browsingLevel": Rule("number", least=0),
    "types": Rule("array", values=ENUMS["ModelType"]),
    "availability": Rule("string", values=("Public", "Unsearchable", "Private", "EarlyAccess")),
    **dict.fromkeys(("query", "tag", "tagname", "user", "username", "cursor"), TEXT),
    **dict.fromkeys(("collectionId", "collectionTagId"), NUMBER),
    **dict.fromkeys(("baseModels", "fileFormats", "allowCommercialUse"), TEXTS),
    **dict.fromkeys(("ids", "modelVersionIds", "excludedTagIds", "excludedUserIds"), NUMBERS),
    **dict.fromkeys(("excludedModelIds", "excludedImageIds"), NUMBERS),
    **dict.fromkeys(("favorites", "hidden", "needsReview", "earlyAccess", "supportsGeneration", "fromPlatform"), FLAG),
    **dict.fromkeys(("followed", "newCreators", "archived", "pending", "disablePoi", "disableMinor"), FLAG),
    **dict.fromkeys(("isFeatured", "allowNoCredit", "allowDerivatives", "allowDifferentLicense"), FLAG),
}


class _Row(NamedTuple):
    model: ModelRecord
    version: VersionRecord
    """The one that it is shown by: the first that matches."""


def model_get_all(site: Site, ask: Ask, given: Input) -> Input:
    """``model.getAll``: cards, one version each; models without a rated image are left out without a word."""
    given = _normal(given)
    check(given, RULES)
    if "page" in given:
        raise ProcedureError("BAD_REQUEST", "Invalid input: expected never, received number")
    if (given.get("favorites") or given.get("hidden")) and ask.caller is None:
        raise ProcedureError("UNAUTHORIZED", NOT_ALLOWED)
    mask, sort = capped(ask, given.get("browsingLevel")), given.get("sort", "Highest Rated")
    rows = sorted(_rows(site, ask, given, mask), key=lambda one: _rank(one.model, sort), reverse=sort != "Oldest")
    start = None if given.get("query") else _position(given.get("cursor"), sort)
    if start is not None:
        rows = [one for one in rows if _follows(_rank(one.model, sort), start, sort)]
    limit, shown = given.get("limit", MOST_MODELS), []
    at = 0
    for _ in range(INNER_PAGES):
        shown += [one for one in rows[at : at + limit] if site.world.showcases.get(one.version.id)]
        at += limit
        if len(shown) >= limit or at >= len(rows):
            break
    more = at < len(rows) and limit > 0 and not given.get("query")
    # A page put together from several may be too long: its tail then comes again on the next one.
    following = shown[limit] if more and len(shown) > limit else rows[at] if more else None
    return {
        "items": [model_cards.card(site, one.model, one.version, mask) for one in shown],
        "nextCursor": UNDEFINED if following is None else _cursor(following.model, sort),
    }


def _normal(given: Input) -> Input:
    """Bring the forms that an input may take to one: single values to arrays, numbers in texts to numbers."""
    told = dict(given)
    for name in LISTS:
        value = told.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            numbers = name in ("ids", "modelVersionIds")
            told[name] = [int(one) for one in str(value).split(",")] if numbers else [value]
    if isinstance(told.get("limit"), str) and told["limit"].isdecimal():
        told["limit"] = int(told["limit"])
    return told


def _rows(site: Site, ask: Ask, given: Input, mask: Level) -> list[_Row]:
    found = (_Row(one, version) for one in _pool(site, ask, given) for version in _first(one, given, mask))
    return [one for one in found if _visible(one.model, mask) and _asked(one.model, given, ask)]


def _pool(site: Site, ask: Ask, given: Input) -> list[ModelRecord]:
    world = site.world
    username = given.get("username") or given.get("user")
    if username:
        creator = world.creator(slug(username))
        if creator is None:
            raise ProcedureError("NOT_FOUND", "User not found")
        models = [one for one in creator.models if one.availability != "Private"]
    else:
        models = [one for one in world.models.values() if one.availability not in ("Private", "Unsearchable")]
    if given.get("collectionId"):
        collection = world.collections.get(given["collectionId"])
        readable = collection is not None and collection.readable(ask.caller)
        members = {one.entry_id for one in collection.accepted} if collection and readable else set()
        models = [one for one in models if one.id in members]
    length = PERIODS[given.get("period", "AllTime")]
    since = 0 if length is None else int(world.now.timestamp() * 1000) - length
    return [one for one in models if one.visible and (one.last_version_at or 0) >= since]


def _first(model: ModelRecord, given: Input, mask: Level) -> list[VersionRecord]:
    """Find the version that a model is shown by."""
    bases, ids = given.get("baseModels"), given.get("modelVersionIds")
    matching = [
        one
        for one in model.visible_versions
        if (not bases or one.base_model in bases)
        and (not ids or one.id in ids)
        and (not given.get("earlyAccess") or one.gated)
        and one.level & mask
    ]
    return sorted(matching, key=lambda one: one.index)[:1]


def _visible(model: ModelRecord, mask: Level) -> bool:
    """Hold a model against the levels and the site's policy (§4.1, §4.4)."""
    return bool(model.level & mask) and not (mask & MATURE and (model.minor or model.childhood))


def _asked(model: ModelRecord, given: Input, ask: Ask) -> bool:
    tag = given.get("tagname") or given.get("tag")
    known = named(tag) if tag else None
    query = given.get("query", "").lower()
    return (
        (tag is None or (known is not None and known.id in model.tag_ids))
        and (bool(given.get("archived")) or model.mode != "Archived")
        and (not given.get("types") or model.type in given["types"])
        and (not given.get("ids") or model.id in given["ids"])
        and query in model.name.lower()
        and not (given.get("favorites") or given.get("hidden") or given.get("fromPlatform"))
        and (not given.get("followed") or ask.caller is None or follows(model.user_id))
        and (not given.get("supportsGeneration") or model.generates)
        and given.get("availability") in (None, model.availability)
        and model.user_id not in given.get("excludedUserIds", ())
        and model.id not in given.get("excludedModelIds", ())
        and set(given.get("excludedTagIds", ())).isdisjoint(model.tag_ids)
        and not (given.get("disableMinor") and model.minor)
        and all(given.get(name) in (None, value) for name, value in model.permissions.items())
        and set(given.get("allowCommercialUse", ())) <= set(model.commercial_use)
        and set(given.get("fileFormats", ())) <= {file.format for one in model.visible_versions for file in one.files}
    )


def _rank(model: ModelRecord, sort: str) -> tuple[int, ...]:
    rank = _RANKS.get(sort)
    return (*(rank(popularity(model)) if rank else (model.last_version_at or 0,)), model.id)


def _follows(rank: tuple[int, ...], start: tuple[int, ...], sort: str) -> bool:
    """Tell whether a row is on a page that begins at a cursor; Newest alone leaves out the row that it names (§4.4)."""
    return rank >= start if sort == "Oldest" else rank < start if sort == "Newest" else rank <= start


def _cursor(model: ModelRecord, sort: str) -> str:
    first, *rest = _rank(model, sort)
    if sort not in _RANKS:
        moment = datetime.fromtimestamp(first / 1000, UTC)
        return "|".join((f"{moment:%Y-%m-%d %H:%M:%S}.{first % 1000:03d}", *map(str, rest)))
    return "|".join(map(str, (first, *rest)))


def _position(cursor: str | None, sort: str) -> tuple[int, ...] | None:
    if cursor is None:
        return None
    first, *rest = cursor.split("|")
    try:
        if sort in _RANKS:
            return tuple(int(one) for one in (first, *rest))
        moment = datetime.fromisoformat(re.sub(r"\.(\d+)$", lambda one: "." + one[1].ljust(3, "0"), first))
        return (round(moment.replace(tzinfo=UTC).timestamp() * 1000), *(int(one) for one in rest))
    except ValueError:
        raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}") from None


def model_card(site: Site, model: ModelRecord, mask: Level) -> Input:
    """Tell of a model in somebody's collection, by its first version."""
    return model_cards.card(site, model, model.visible_versions[0], mask)


def _model(site: Site, number: int) -> ModelRecord:
    found = site.world.models.get(number)
    if found is None or not found.visible:
        raise ProcedureError("NOT_FOUND", f"No model with id {number}")
    return found


def model_get_by_id(site: Site, _ask: Ask, given: Input) -> Input:
    """``model.getById``: everything, whatever its level."""
    check(given, ID | {"excludeTrainingData": FLAG})
    return model_cards.whole(site, _model(site, given["id"]))


def model_get_simple(site: Site, _ask: Ask, given: Input) -> Input:
    """``model.getSimple``."""
    check(given, ID)
    told = model_cards.whole(site, _model(site, given["id"]))
    return {name: told[name] for name in ("id", "name", "locked", "status", "user")}


def model_get_gallery_settings(site: Site, _ask: Ask, given: Input) -> Input:
    """``model.getGallerySettings``: what its author hides from its gallery; here nothing."""
    check(given, ID)
    hidden: Input = {"hiddenUsers": [], "hiddenTags": [], "hiddenImages": {}}
    return hidden | {"level": _model(site, given["id"]).level, "pinnedPosts": {}}


def model_get_versions(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``model.getVersions``: drafts too, unless they are declined."""
    check(given, ID | {"excludeUnpublished": FLAG})
    model = site.world.models.get(given["id"])
    return [
        {
            "id": one.id,
            "name": one.name,
            "index": one.index,
            "createdAt": model_cards.date(one.created),
            "publishedAt": model_cards.date(one.published),
            "isEarlyAccess": one.gated,
        }
        for one in (model.versions if model else ())
        if one.status == "Published" or not given.get("excludeUnpublished")
    ]


def model_version_get_by_id(site: Site, _ask: Ask, given: Input) -> Input:
    """``modelVersion.getById``: whatever its status."""
    check(given, ID | {"withFiles": FLAG})
    version = site.world.versions.get(given["id"])
    if version is None:
        raise ProcedureError("NOT_FOUND", f"No version with id {given['id']}")
    model = site.world.models[version.model_id]
    return model_cards.single(site, model, version, with_files=bool(given.get("withFiles")))


def model_version_get_versions_by_ids(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``modelVersion.getVersionsByIds``: names of 50 versions at most; unknown ones are missing."""
    check(given, {"ids": Rule("array", required=True, most=MOST_VERSIONS, of="number")})
    return [
        {
            "id": one.id,
            "name": one.name,
            "baseModel": one.base_model,
            "modelId": model.id,
            "modelName": model.name,
        }
        for model, one in _known(site, given["ids"])
    ]


def generation_get_resource_data_by_ids(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``generation.getResourceDataByIds``: 100 versions at most."""
    check(given, {"ids": Rule("array", required=True, least=1, most=MOST_RESOURCES, of="number")})
    return [model_cards.resource(model, one) for model, one in _known(site, given["ids"])]


def _known(site: Site, numbers: list[int]) -> list[tuple[ModelRecord, VersionRecord]]:
    versions = (site.world.versions[one] for one in numbers if one in site.world.versions)
    return [(site.world.models[one.model_id], one) for one in versions if one.visible]


def model_get_models_by_hash(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``model.getModelsByHash``: the version of each hash that is known; a mutation, so POST only."""
    check(given, {"hashes": Rule("array", required=True)})
    wanted = {str(one).upper() for one in given["hashes"]}
    return [
        {"hash": file_hash, "modelId": version.model_id, "modelVersionId": version.id}
        for version in site.world.versions.values()
        if version.visible
        for file in version.listed_files
        for file_hash in wanted & set(model_files.hashes(file).values())
    ]
