"""Models of every route into items, with their versions, files and showcases.

One odd field never costs a model: it is None then, and the payload keeps it; only what lacks its number is refused
(contract rest.md §5, §6, §12; trpc-and-pages.md §4.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from civitscrape.items import Creator, Item, Model, ModelVersion, Tag
from civitscrape.parsers import fields, files, lenient, showcases, versions


def from_rest(entry: Any, *, site: str, media_url: str) -> list[Item]:
    """Return the items of a model as ``/models`` lists it or ``/models/{id}`` tells it, the model first.

    The two differ in what a version has, and each field is read where it is there.

    Args:
        entry: one of ``items``, or the body of ``/models/{id}``.
        site: CIVITAI_URL, which the addresses of downloads are built on.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: the model, a version or a file is no object, or has no number.
    """
    return _whole(entry, site, media_url)


def from_trpc(entry: Any, *, site: str, media_url: str) -> list[Item]:
    """Return the items of a model as ``model.getById`` tells it: all its versions and files, but no images.

    Args:
        entry: the result.
        site: CIVITAI_URL, which the addresses of downloads are built on.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: the model, a version or a file is no object, or has no number.
    """
    found = _whole(entry, site, media_url)
    model = found[0]
    if isinstance(model, Model) and model.base_models is None:
        named = (one.base_model for one in found if isinstance(one, ModelVersion))
        model.base_models = list(dict.fromkeys(name for name in named if name is not None))
    return found


def from_trpc_listing(entry: Any, *, site: str, media_url: str) -> list[Item]:
    """Return the items of a model as ``model.getAll`` lists it: one version, no files, some images.

    Its tags are numbers, so the names stay None. ``earlyAccessDeadline`` is left to the payload: it is the model's,
    not that of the version which is shown. The images are some of the showcase only, and have no place in it.

    Args:
        entry: one of ``items``; a card of the site's other procedures is read as well.
        site: CIVITAI_URL, which the addresses of downloads are built on.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: the model or its version is no object, or has no number.
    """
    model = _model(entry, fields.identity(entry))
    model.tags = None
    found: list[Item] = [model]
    version, number = entry.get("version"), None
    if version is not None:
        number = fields.part_identity(entry, "version", version)
        shown = versions.read(version, number=number, whole=_shared(entry, model, site, media_url), place="version.")
        for one in shown:
            if isinstance(one, ModelVersion):
                one.partial = True
        found += shown
    found += showcases.of_version(
        lenient.values(entry, "images") or [entry.get("image")],
        version_id=number,
        media_url=media_url,
        creator=model.creator,
        user_id=model.user_id,
        placed=False,
    )
    return [*found, *_creator(entry)]


def from_version(entry: Any, *, site: str, media_url: str) -> list[Item]:
    """Return the items of a version by its number or by a hash; of its model only what the answer tells.

    Args:
        entry: the body of ``/model-versions/{id}`` or ``/model-versions/by-hash/{hash}``, or an element of the answer
            to many hashes; the nulls among those are the caller's.
        site: CIVITAI_URL, which the addresses of downloads are built on.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: the version or a file is no object, or has no number.
    """
    number = fields.identity(entry)
    about = lenient.mapping(entry, "model")
    model_number = lenient.integer(entry, "modelId") or lenient.integer(about, "id")
    creator = _creator(entry)
    model = None if model_number is None or not about else _model(about, model_number)
    if model is not None:
        model.partial = True
        model.creator = creator[0].username if creator else model.creator
    whole = versions.Whole(
        entry=entry,
        site=site,
        media_url=media_url,
        model_id=model_number,
        mode=lenient.text(about, "mode"),
    )
    return [*([] if model is None else [model]), *versions.read(entry, number=number, whole=whole), *creator]


def version_from_trpc(entry: Any, *, site: str, media_url: str) -> list[Item]:
    """Return the items of a version as ``modelVersion.getById`` tells it, with or without its files.

    Args:
        entry: the result.
        site: CIVITAI_URL, which the addresses of downloads are built on.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.

    Raises:
        EntryError: the version or a file is no object, or has no number.
    """
    return from_version(entry, site=site, media_url=media_url)


def as_info(entry: Mapping[str, Any], *, site: str) -> dict[str, Any]:
    """Return a version as model browsers read it from a ``.civitai.info``: as it came, with addresses that work.

    The answer to many hashes names a host that does not exist (rest.md §6.3), and what creators hid is left out.

    >>> as_info({"id": 2, "files": [{"id": 3, "downloadUrl": "https://undefined/x"}]}, site="https://civitai.com")
    {'id': 2, 'files': [{'id': 3, 'downloadUrl': 'https://civitai.com/api/download/models/2?fileId=3'}]}
    """
    info: dict[str, Any] = {**showcases.keepable(entry)}
    number = version_id(entry)
    if number is None:
        return info
    if "downloadUrl" in info:
        info["downloadUrl"] = files.download_url(site, number)
    info["files"] = [
        {**one, "downloadUrl": files.download_url(site, number, model_id(one))}
        for one in lenient.values(entry, "files")
        if isinstance(one, Mapping)
    ]
    return info


def model_id(entry: Any) -> int | None:
    """Return the number of a model, even of one that was refused; None when it cannot be told.

    >>> model_id({"id": "1400001"}), model_id({"id": "?"}), model_id(None)
    (1400001, None, None)
    """
    return lenient.integer(entry, "id") if isinstance(entry, Mapping) else None


def version_id(entry: Any) -> int | None:
    """Return the number of a version, even of one that was refused; None when it cannot be told.

    >>> version_id({"id": 2900002}), version_id(["?"])
    (2900002, None)
    """
    return model_id(entry)


def _whole(entry: Any, site: str, media_url: str) -> list[Item]:
    """Return a model with all the versions that its entry holds."""
    model = _model(entry, fields.identity(entry))
    whole = _shared(entry, model, site, media_url)
    found: list[Item] = []
    for position, version in enumerate(lenient.values(entry, "modelVersions")):
        place = f"modelVersions.{position}"
        number = fields.part_identity(entry, place, version)
        found += versions.read(version, number=number, whole=whole, place=f"{place}.", position=position)
    if "publishedAt" not in entry:
        times = [one.published_at for one in found if isinstance(one, ModelVersion) and one.published_at]
        model.published_at = min(times, default=None)
    return [model, *found, *_tags(entry), *_creator(entry)]


def _shared(entry: Mapping[str, Any], model: Model, site: str, media_url: str) -> versions.Whole:
    return versions.Whole(
        entry=entry,
        site=site,
        media_url=media_url,
        model_id=model.id,
        mode=model.mode,
        creator=model.creator,
        user_id=model.user_id,
    )


def _model(entry: Mapping[str, Any], number: int) -> Model:
    """Return a model of any route, or what a version tells of it."""
    person = _person(entry)
    stats = lenient.mapping(entry, "stats") or lenient.mapping(entry, "rank")
    return Model(
        id=number,
        name=lenient.text(entry, "name"),
        description=lenient.text(entry, "description"),
        type=lenient.text(entry, "type"),
        nsfw=lenient.boolean(entry, "nsfw"),
        level=lenient.integer(entry, "nsfwLevel"),
        tags=_tag_names(entry),
        creator=lenient.username(person),
        user_id=lenient.integer(entry, "userId") or lenient.integer(person, "id"),
        download_count=lenient.integer(stats, "downloadCount", "downloadCountAllTime"),
        thumbs_up_count=lenient.integer(stats, "thumbsUpCount", "thumbsUpCountAllTime"),
        thumbs_down_count=lenient.integer(stats, "thumbsDownCount", "thumbsDownCountAllTime"),
        comment_count=lenient.integer(stats, "commentCount", "commentCountAllTime"),
        tipped_amount_count=lenient.integer(stats, "tippedAmountCount", "tippedAmountCountAllTime"),
        mode=lenient.text(entry, "mode"),
        availability=lenient.text(entry, "availability"),
        poi=lenient.boolean(entry, "poi"),
        minor=lenient.boolean(entry, "minor"),
        sfw_only=lenient.boolean(entry, "sfwOnly"),
        allow_no_credit=lenient.boolean(entry, "allowNoCredit"),
        allow_commercial_use=_commercial_use(entry),
        allow_derivatives=lenient.boolean(entry, "allowDerivatives"),
        allow_different_license=lenient.boolean(entry, "allowDifferentLicense"),
        base_models=lenient.texts(entry, "baseModels"),
        created_at=lenient.time(entry, "createdAt"),
        updated_at=lenient.time(entry, "updatedAt"),
        published_at=lenient.time(entry, "publishedAt"),
    )


def _person(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return whoever published it: ``creator`` in REST, ``user`` in tRPC."""
    return lenient.mapping(entry, "creator") or lenient.mapping(entry, "user")


def _creator(entry: Mapping[str, Any]) -> list[Creator]:
    """Return the creator; none for accounts without a name, such as deleted ones."""
    person = _person(entry)
    username = lenient.username(person)
    if username is None:
        return []
    picture = lenient.mapping(person, "profilePicture")
    return [
        Creator(
            username=username,
            user_id=lenient.integer(entry, "userId") or lenient.integer(person, "id"),
            image=lenient.text(person, "image") or lenient.text(picture, "url"),
            deleted_at=lenient.time(person, "deletedAt"),
        )
    ]


def _commercial_use(entry: Mapping[str, Any]) -> list[str] | None:
    """Return the uses that are allowed: a list, PostgreSQL's ``{Image,Rent}``, or one word in 2023 (rest.md §5.1)."""
    told = lenient.text(entry, "allowCommercialUse")
    if told is None:
        uses = lenient.texts(entry, "allowCommercialUse")
    else:
        uses = [word.strip(' "') for word in told.strip(" {}").split(",")]
    return None if uses is None else [word for word in uses if word not in {"", "None"}]


def _tag_names(entry: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the tags: texts, ``{name}`` in 2023, or tRPC's ``{tag: {id, name}}``."""
    told = entry.get("tags", entry.get("tagsOnModels"))
    if not isinstance(told, list):
        return None
    named = [(lenient.mapping(one, "tag") or one).get("name") if isinstance(one, Mapping) else one for one in told]
    return lenient.texts({"tags": named}, "tags")


def _tags(entry: Mapping[str, Any]) -> list[Tag]:
    """Return the tags that come with their numbers, as tRPC's do."""
    told = (lenient.mapping(one, "tag") for one in lenient.values(entry, "tagsOnModels") if isinstance(one, Mapping))
    pairs = ((lenient.integer(tag, "id"), lenient.text(tag, "name")) for tag in told)
    return [Tag(id=number, name=name) for number, name in pairs if number is not None and name is not None]
