"""Which record holds which leaf of a recorded model, and which leaves are in none, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.items import Creator, Image, ImageTag, Model, ModelFile, ModelVersion, VersionImage
from civitscrape.parsers import showcases
from tests.parsers import recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Path of a leaf -> field of the record that holds its very value, by the part of the entry that it is a leaf of.
SAME: dict[type, dict[str, str]] = {
    Model: {
        "id": "id",
        "name": "name",
        "description": "description",
        "type": "type",
        "nsfw": "nsfw",
        "nsfwLevel": "level",
        "userId": "user_id",
        "mode": "mode",
        "availability": "availability",
        "poi": "poi",
        "minor": "minor",
        "sfwOnly": "sfw_only",
        "allowNoCredit": "allow_no_credit",
        "allowDerivatives": "allow_derivatives",
        "allowDifferentLicense": "allow_different_license",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "publishedAt": "published_at",
        "tags": "tags",
        "user.id": "user_id",
    },
    ModelVersion: {
        "id": "id",
        "modelId": "model_id",
        "index": "position",
        "name": "name",
        "description": "description",
        "baseModel": "base_model",
        "baseModelType": "base_model_type",
        "trainedWords": "trained_words",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "publishedAt": "published_at",
        "status": "status",
        "availability": "availability",
        "nsfwLevel": "level",
        "usageControl": "usage_control",
        "air": "air",
        "earlyAccessEndsAt": "early_access_ends_at",
        "earlyAccessDeadline": "early_access_ends_at",
        "paidAccess": "paid_access",
    },
    ModelFile: {
        "id": "id",
        "modelVersionId": "version_id",
        "name": "name",
        "type": "type",
        "sizeKB": "size_kb",
        "primary": "is_primary",
        "pickleScanResult": "pickle_scan",
        "virusScanResult": "virus_scan",
        "scannedAt": "scanned_at",
        "metadata.format": "format",
        "metadata.fp": "fp",
        "metadata.size": "pruning",
        "metadata.quantType": "quant_type",
    },
    Image: {
        "id": "id",
        "width": "width",
        "height": "height",
        "hash": "hash",
        "type": "type",
        "nsfwLevel": "level",
    },
    Creator: {"id": "user_id", "username": "username", "image": "image", "deletedAt": "deleted_at"},
}
COUNTS = {
    "downloadCount": "download_count",
    "thumbsUpCount": "thumbs_up_count",
    "thumbsDownCount": "thumbs_down_count",
    "commentCount": "comment_count",
    "tippedAmountCount": "tipped_amount_count",
}

ONLY_HERE = "what the site's own machinery does with it; nobody asks an archive for it"
OLD = "the site has given it up, and no later answer tells it"
DERIVED = "made from numbers that are kept"
LOGGED_IN = "about whoever asks"
LOOKS = "how the site decorates it"
ELSEWHERE = "told as well where it belongs"

# What is left to the payload on purpose; a path ending in a dot stands for everything below it.
UNKEPT: dict[type, dict[str, str]] = {
    Model: {
        "cosmetic": LOOKS,
        "supportsGeneration": ONLY_HERE,
        "canGenerate": ONLY_HERE,
        "stats.favoriteCount": OLD,
        "stats.rating": OLD,
        "stats.ratingCount": OLD,
        "rank.favoriteCount": OLD,
        "rank.rating": OLD,
        "rank.ratingCount": OLD,
        "rank.collectedCount": "no other route tells it",
        "status": "only published ones are shown",
        "uploadType": ONLY_HERE,
        "checkpointType": "no other route tells it",
        "deletedAt": LOGGED_IN,
        "deletedBy": LOGGED_IN,
        "licenses": ONLY_HERE,
        "locked": ONLY_HERE,
        "lockedProperties": ONLY_HERE,
        "meta.": "notes of moderators",
        "reportStats.": ONLY_HERE,
        "earlyAccessDeadline": "its versions tell theirs",
        "lastVersionAt": "its versions tell theirs",
        "hashes[]": "of files, which other routes tell by their numbers",
        "tags[]": "numbers in listings of tRPC",
        "resourceType": "the kind of a card",
    },
    ModelVersion: {
        "downloadUrl": DERIVED,
        "supportsGeneration": ONLY_HERE,
        "covered": ONLY_HERE,
        "canGenerate": ONLY_HERE,
        "canDownload": LOGGED_IN,
        "generationCoverage": ONLY_HERE,
        "generationCoverage.": ONLY_HERE,
        "flags": ONLY_HERE,
        "vaeId": "the linked file itself is kept, with the version that it is of",
        "earlyAccessTimeFrame": OLD,
        "earlyAccessConfig": "its end is kept",
        "trainingStatus": ONLY_HERE,
        "trainingDetails": ONLY_HERE,
        "steps": ONLY_HERE,
        "epochs": ONLY_HERE,
        "clipSkip": "no other route tells it",
        "settings": ONLY_HERE,
        "inaccurate": ONLY_HERE,
        "requireAuth": LOGGED_IN,
        "monetization": ONLY_HERE,
        "metrics": ONLY_HERE,
        "meta.": "notes of moderators",
        "uploadType": ONLY_HERE,
        "recommendedResources": ONLY_HERE,
        "posts[].id": "posts tell which version they are of",
        "hashes[]": "of files, which are told beside them",
        "stats.rating": OLD,
        "stats.ratingCount": OLD,
        "rank.ratingAllTime": OLD,
        "rank.ratingCountAllTime": OLD,
        "rank.generationCountAllTime": ONLY_HERE,
        "rank.earnedAmountAllTime": ONLY_HERE,
        "paidAccess.timeframeDays": "prices; whether and until when there is a gate is kept",
        "paidAccess.terms.": "prices; whether and until when there is a gate is kept",
        "paidAccess.sale": "prices; whether and until when there is a gate is kept",
        "paidAccess.sale.": "prices; whether and until when there is a gate is kept",
        "model.user.id": "kept with the model",
        "model.status": "only published ones are shown",
        "model.uploadType": ONLY_HERE,
    },
    ModelFile: {
        "downloadUrl": DERIVED,
        "url": "where the site stores it; not for downloads",
        "visibility": "only public ones are shown",
        "pickleScanMessage": "the result is kept",
        "virusScanMessage": "the result is kept",
        "overrideName": "it is the name where there is one",
        "metadata.isRequired": ONLY_HERE,
    },
    Image: {
        "minor": "no other route tells it",
        "poi": "no other route tells it",
        "availability": "no other route tells it",
        "hasMeta": "kept as the state of its generation data",
        "hasPositivePrompt": DERIVED,
        "onSite": ONLY_HERE,
        "remixOfId": "no other route tells it",
        "userId": "kept with its creator",
        "name": "no other route tells it",
        "metadata.": ELSEWHERE,
    },
    Creator: {
        "cosmetics": LOOKS,
        "cosmetics[].": LOOKS,
        "profilePicture": LOOKS,
        "profilePicture.": LOOKS,
        "rank.": ONLY_HERE,
    },
}


class Part(NamedTuple):
    """One thing inside an entry, and the record of it."""

    kind: type
    leaves: list[tuple[str, Any]]
    record: Any
    found: list[Any]


INNER = ("modelVersions", "version", "files", "images", "image", "creator", "user", "meta")
"""Keys of an entry that hold parts of their own, and generation data, which are compared as a whole."""


def record_of(found: list[Any], kind: type[Any], number: Any) -> Any:
    return next((one for one in found if isinstance(one, kind) and one.id == number), None)


def part_of(kind: type, value: dict[str, Any], found: list[Any]) -> Part:
    number = showcases.number_of(value) if kind is Image else value.get("id")
    people = (one for one in found if isinstance(one, Creator))
    record = next(people, None) if kind is Creator else record_of(found, kind, number)
    inner = () if kind is Creator else INNER
    bare = {key: child for key, child in value.items() if key not in inner}
    if kind in {Model, ModelVersion} and isinstance(value.get("meta"), dict):
        bare["meta"] = value["meta"]
    return Part(kind, list(recorded.leaves(bare)), record, found)


def parts_of(kind: type, value: dict[str, Any], found: list[Any]) -> Iterator[Part]:
    """Yield a model or a version, and everything inside it."""
    yield part_of(kind, value, found)
    for name in ("creator", "user"):
        if name in value:
            yield part_of(Creator, value[name], found)
    for version in [*value.get("modelVersions", []), *([value["version"]] if "version" in value else [])]:
        yield from parts_of(ModelVersion, version, found)
    for file in value.get("files") or []:
        yield part_of(ModelFile, file, found)
    for picture in pictures_of(value):
        yield part_of(Image, picture, found)


def pictures_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(value.get("images") or []), *([value["image"]] if "image" in value else [])]


def unkept(kind: type, path: str) -> str | None:
    """Return the row of the table that a leaf is left out by."""
    rows = UNKEPT[kind]
    above = [f"{path[:end]}." for end in range(len(path)) if path[end] == "."]
    return next((row for row in (path, *above) if row in rows), None)


def holds(part: Part, path: str, value: Any) -> bool:
    """Tell whether the records of a part hold one of its leaves."""
    group, _, name = path.partition(".")
    if path in SAME[part.kind]:
        kept = getattr(part.record, SAME[part.kind][path])
        # Some answers leave the zone out; all are UTC.
        if kept == value or (path.endswith("At") and kept == f"{value}Z"):
            return True
    if group in {"stats", "rank"} and name.removesuffix("AllTime") in COUNTS:
        return bool(getattr(part.record, COUNTS[name.removesuffix("AllTime")]) == value)
    return FORMS[part.kind](part, path, value)


def model_holds(part: Part, path: str, value: Any) -> bool:
    match path:
        case "allowCommercialUse" if value == []:
            return bool(part.record.allow_commercial_use == [])
        case "allowCommercialUse":
            words = [word for word in value.strip("{}").split(",") if word != "None"]
            return bool(part.record.allow_commercial_use == words)
        case "allowCommercialUse[]":
            return value in (part.record.allow_commercial_use or [])
        case "tags[]" | "tags[].name":
            return value in (part.record.tags or [])
        case "baseModels[]":
            return value in (part.record.base_models or [])
    return False


def version_holds(part: Part, path: str, value: Any) -> bool:
    group, _, name = path.partition(".")
    if group == "model":
        number = next(child for at, child in part.leaves if at in {"modelId", "model.id"})
        model = record_of(part.found, Model, number)
        return name in SAME[Model] and bool(getattr(model, SAME[Model][name]) == value)
    if group == "paidAccess":
        return name in part.record.paid_access and bool(part.record.paid_access[name] == value)
    return path == "trainedWords[]" and value in part.record.trained_words


def file_holds(part: Part, path: str, value: Any) -> bool:
    one = part.record
    told = (one.sha256, one.autov1, one.autov2, one.autov3, one.blake3, one.crc32)
    # The official samples are cut with dots, and such a thing is no hash.
    is_hash = path.startswith(("hashes.", "hashes[].hash")) and (value.lower() in told or value.endswith("..."))
    return is_hash or path == "hashes[].type"


def image_holds(part: Part, path: str, value: Any) -> bool:
    match path:
        case "nsfw" if isinstance(value, bool):
            return part.record.nsfw is value
        case "nsfw":
            return value == "None" and (part.record.level, part.record.nsfw) == (1, False)
        case "url":
            return value in {part.record.url, part.record.key}
        case "modelVersionId":
            return any(isinstance(one, VersionImage) and one.version_id == value for one in part.found)
    return path == "tags[]" and ImageTag(image_id=part.record.id, tag_id=value) in part.found


def creator_holds(_: Part, path: str, value: Any) -> bool:
    return (path, value) == ("image", None)  # then it is another picture of theirs


FORMS: dict[type, Callable[[Part, str, Any], bool]] = {
    Model: model_holds,
    ModelVersion: version_holds,
    ModelFile: file_holds,
    Image: image_holds,
    Creator: creator_holds,
}


def lost(entry: dict[str, Any], found: list[Any], kind: type) -> list[str]:
    """Return the leaves of an entry that are neither in its records nor in the table of those that are not kept."""
    missing = []
    for part in parts_of(kind, entry, found):
        missing += [
            f"{part.kind.__name__}: {path}={value!r}"
            for path, value in part.leaves
            if unkept(part.kind, path) is None and (part.record is None or not holds(part, path, value))
        ]
    return missing
