"""Models and versions as the REST routes tell them: five shapes that differ in more than meets the eye (§5, §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from civitscrape.items import Level
from civitscrape.sandbox import model_files
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.models import air, download_name, download_query, popularity
from civitscrape.sandbox.records import generation_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from civitscrape.sandbox.models import FileRecord, ModelRecord, VersionRecord
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.world import World

MOST_SHOWN = 20
"""Showcase images of a version in listings."""
MOST_TOLD = 10
"""Showcase images of a version on its own routes."""
NAMELESS = "civitai"
"""The one account whose models name no creator."""


def item(
    world: World,
    model: ModelRecord,
    versions: Sequence[VersionRecord],
    *,
    origin: str,
    location: str,
    nsfw: bool,
    primary_only: bool = False,
) -> dict[str, Any]:
    """Tell of a model as a listing does."""
    told = _head(model)
    told["modelVersions"] = [
        _list_version(world, model, one, origin=origin, location=location, nsfw=nsfw, primary_only=primary_only)
        for one in versions
    ]
    return told


def detail(world: World, model: ModelRecord, *, origin: str, location: str) -> dict[str, Any]:
    """Tell of a model as ``/models/{id}`` does: versions without nulls and empty lists, images without ids."""
    told = _head(model)
    told["modelVersions"] = []
    for version in model.visible_versions:
        shape = _list_version(world, model, version, origin=origin, location=location, nsfw=True)
        for image in shape["images"]:
            del image["id"]
        told["modelVersions"].append(_stripped(shape, model, version))
    return told


def _stripped(shape: dict[str, Any], model: ModelRecord, version: VersionRecord) -> dict[str, Any]:
    """Turn a version of a listing into one of the detail route, its keys in that route's order."""
    dated = {"createdAt": iso(version.created), "publishedAt": shape["publishedAt"], "status": version.status}
    told: dict[str, Any] = {}
    for name, value in shape.items():
        if name == "publishedAt":
            told |= dated
        elif name == "supportsGeneration":
            continue
        elif name == "stats":
            told |= {"covered": model.generates, "stats": value}
        else:
            told[name] = value
    return {name: value for name, value in told.items() if value is not None and value != []}


def _head(model: ModelRecord) -> dict[str, Any]:
    counts, allowed = popularity(model), model.permissions
    mode = {} if model.mode is None else {"mode": model.mode}
    name = None if model.vanished else model.username
    creator = {} if model.username == NAMELESS else {"creator": {"username": name, "image": None}}
    return {
        "id": model.id,
        "name": model.name,
        "description": model.description,
        "allowNoCredit": allowed["allowNoCredit"],
        "allowCommercialUse": list(model.commercial_use),
        "allowDerivatives": allowed["allowDerivatives"],
        "allowDifferentLicense": allowed["allowDifferentLicense"],
        "type": model.type,
        "minor": model.minor,
        "sfwOnly": model.minor,
        "poi": model.poi,
        "nsfw": model.nsfw,
        "nsfwLevel": model.level,
        **mode,
        "availability": model.availability,
        "userId": model.user_id,
        "baseModels": list(dict.fromkeys(one.base_model for one in model.visible_versions)),
        "cosmetic": None,
        "supportsGeneration": model.generates,
        "stats": {
            "downloadCount": None if counts.hidden else counts.downloads,
            "thumbsUpCount": counts.thumbs_up,
            "thumbsDownCount": counts.thumbs_down,
            "commentCount": counts.comments,
            "tippedAmountCount": None if counts.hidden else counts.tipped,
        },
        **creator,
        "tags": model.tags,
    }


def _paid(version: VersionRecord) -> dict[str, Any]:
    if not version.gated:
        return {"paidAccess": None}
    ends = None if version.paid_until is None else iso(version.paid_until)
    deadline = {} if ends is None else {"earlyAccessDeadline": ends}
    return {**deadline, "paidAccess": {"permanent": version.paid_forever, "endsAt": ends}}


def _list_version(
    world: World,
    model: ModelRecord,
    version: VersionRecord,
    *,
    origin: str,
    location: str,
    nsfw: bool,
    primary_only: bool = False,
) -> dict[str, Any]:
    counts = popularity(version)
    showcase = () if model.mode == "TakenDown" else world.showcases.get(version.id, ())
    shown = [one for one in showcase if nsfw or one.level == Level.PG][:MOST_SHOWN]
    files = () if model.mode == "Archived" else version.listed_files
    address = {} if model.mode == "Archived" else {"downloadUrl": download_url(origin, version)}
    return {
        "id": version.id,
        "index": version.index,
        "name": version.name,
        "baseModel": version.base_model,
        "baseModelType": "Standard",
        "publishedAt": None if version.published is None else iso(version.published),
        "flags": 0,
        "availability": version.availability,
        "nsfwLevel": version.level,
        "description": version.description,
        "trainedWords": list(version.trained_words),
        "vaeId": None,
        **_paid(version),
        "stats": {
            "downloadCount": None if model.hides_counts else counts.downloads,
            "thumbsUpCount": counts.thumbs_up,
            "thumbsDownCount": counts.thumbs_down,
        },
        "supportsGeneration": model.generates,
        "files": [
            _list_file(origin, model, version, one) for one in files if not primary_only or one is version.primary
        ],
        "images": [{"id": one.id, **_image(location, one)} for one in shown],
        **address,
    }


def download_url(origin: str, version: VersionRecord, file: FileRecord | None = None) -> str:
    """Build the address of a download: bare for the primary file, else with what tells it from that."""
    bare = f"{origin}/api/download/models/{version.id}"
    if file is None or file is version.primary:
        return bare
    return f"{bare}?{'&'.join(f'{name}={quote(text)}' for name, text in download_query(file).items())}"


def _scans(file: FileRecord) -> dict[str, Any]:
    return {
        "pickleScanResult": file.scan,
        "pickleScanMessage": "No Pickle imports" if file.format == "SafeTensor" else None,
        "virusScanResult": file.scan,
        "virusScanMessage": None,
    }


def _list_file(origin: str, model: ModelRecord, version: VersionRecord, file: FileRecord) -> dict[str, Any]:
    return {
        "id": file.id,
        "sizeKB": file.size_kb,
        "name": download_name(model, version, file),
        "overrideName": file.override_name,
        "type": file.type,
        **_scans(file),
        "scannedAt": iso(file.scanned),
        "metadata": file.metadata,
        "hashes": model_files.hashes(file),
        "downloadUrl": download_url(origin, version, file),
        **({"primary": True} if file is version.primary else {}),
    }


def _image(location: str, record: Record) -> dict[str, Any]:
    """Tell of a showcase image: the stem of its address is the image's id, not its key."""
    url = record.key if record.foreign else f"{location}/{record.key}/original=true/{record.id}.{record.extension}"
    meta = None if record.hide_meta else generation_data(record)
    return {
        "url": url,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "type": str(record.type),
        "minor": record.minor,
        "poi": record.poi,
        "hasMeta": meta is not None,
        "hasPositivePrompt": bool(meta and meta.get("prompt")),
        "onSite": record.on_site,
        "remixOfId": None,
    }


def _told_image(location: str, record: Record) -> dict[str, Any]:
    """Tell of a showcase image with its generation data, which this route gives even where the creator hid it."""
    shape = _image(location, record)
    size = {"size": record.file_size} if record.file_size is not None else {}
    told: dict[str, Any] = {}
    for name, value in shape.items():
        if name == "minor":
            told["metadata"] = {"hash": record.hash, **size, "width": record.width, "height": record.height}
        if name == "hasMeta":
            told |= {"meta": generation_data(record), "availability": "Public"}
        told[name] = value
    return told


def version_body(
    world: World,
    version: VersionRecord,
    files: Iterable[dict[str, Any]],
    *,
    origin: str,
    location: str,
    fee: float | None,
) -> dict[str, Any]:
    """Tell of a version as its own routes do (contract rest.md §6.1)."""
    model, counts = world.models[version.model_id], popularity(version)
    mode = {} if model.mode is None else {"mode": model.mode}
    showcase = () if model.mode == "TakenDown" else world.showcases.get(version.id, ())
    address = {} if model.mode == "Archived" else {"downloadUrl": download_url(origin, version)}
    return {
        "id": version.id,
        "modelId": version.model_id,
        "name": version.name,
        "nsfwLevel": version.level,
        "createdAt": iso(version.created),
        "updatedAt": iso(version.updated),
        "status": version.status,
        "publishedAt": None if version.published is None else iso(version.published),
        "trainedWords": list(version.trained_words),
        "trainingStatus": None,
        "trainingDetails": None,
        "baseModel": version.base_model,
        "baseModelType": "Standard",
        "description": version.description,
        "uploadType": "Created",
        "usageControl": version.usage_control,
        "licensingFee": fee,
        "paidAccess": _paid(version)["paidAccess"],
        "air": air(model, version),
        "stats": {
            "downloadCount": None if model.hides_counts else counts.downloads,
            "thumbsUpCount": counts.thumbs_up,
        },
        "model": {"name": model.name, "type": model.type, "nsfw": model.nsfw, "poi": model.poi, **mode},
        "files": [] if model.mode == "Archived" else list(files),
        "images": [_told_image(location, one) for one in showcase[:MOST_TOLD]],
        **address,
    }


def version_file(
    model: ModelRecord, version: VersionRecord, file: FileRecord, *, origin: str, scanned: str
) -> dict[str, Any]:
    """Tell of a file as a version's own routes do; ``scanned`` is the time in the form of the route."""
    return {
        "id": file.id,
        "sizeKB": file.size_kb,
        "name": download_name(model, version, file),
        "type": file.type,
        **_scans(file),
        "scannedAt": scanned,
        "metadata": {name: value for name, value in file.metadata.items() if name != "quantType"},
        "hashes": model_files.hashes(file),
        "primary": file is version.primary,
        "downloadUrl": download_url(origin, version, file),
    }
