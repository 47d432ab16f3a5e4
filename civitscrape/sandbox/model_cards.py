"""Models as tRPC tells them: cards in lists, whole by id, versions by themselves (§4.4, §10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import feed_items, model_files
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.models import air, popularity
from civitscrape.sandbox.people import lite
from civitscrape.sandbox.tags import TAGS
from civitscrape.sandbox.wire import UNDEFINED, Date

if TYPE_CHECKING:
    from civitscrape.items import Level
    from civitscrape.sandbox.models import FileRecord, ModelRecord, VersionRecord
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

MOST_IMAGES = 12
TIMEFRAME = 10
"""Days that a timed paid gate was set to."""
PRICES = (100, 250, 500)
"""In the site's own currency."""


def date(milliseconds: int | None) -> Date | None:
    """Write a time that may be missing."""
    return None if milliseconds is None else Date(iso(milliseconds))


def _merits(model: ModelRecord) -> dict[str, Any]:
    """Tell what a model's page shows about its use."""
    hidden = popularity(model).hidden
    return {"buzz": hidden, "downloads": hidden, "generations": False}


def card(site: Site, model: ModelRecord, version: VersionRecord, mask: Level) -> dict[str, Any]:
    """Tell of a model in a list, by one of its versions."""
    counts, shown = popularity(model), site.world.showcases.get(version.id, ())
    return {
        "id": model.id,
        "name": model.name,
        "type": model.type,
        "minor": model.minor,
        "sfwOnly": False,
        "poi": model.poi,
        "nsfw": model.nsfw,
        "nsfwLevel": model.level,
        "status": model.status,
        "createdAt": Date(iso(model.created)),
        "lastVersionAt": date(model.last_version_at),
        "publishedAt": date(model.published),
        "locked": False,
        "mode": model.mode,
        "availability": model.availability,
        "userId": model.user_id,
        "earlyAccessDeadline": date(version.paid_until),
        "baseModels": list(dict.fromkeys(one.base_model for one in model.visible_versions)),
        "user": lite(model.user_id, model.username, vanished=model.vanished),
        "cosmetic": None,
        "tags": list(model.tag_ids),
        "hashes": [model_files.sha256(one).lower() for one in version.listed_files],
        "hiddenMetrics": _merits(model),
        "rank": {
            "downloadCount": None if counts.hidden else counts.downloads,
            "thumbsUpCount": counts.thumbs_up,
            "thumbsDownCount": counts.thumbs_down,
            "commentCount": counts.comments,
            "collectedCount": counts.collected,
            "tippedAmountCount": None if counts.hidden else counts.tipped,
        },
        "version": {
            "id": version.id,
            "index": version.index,
            "name": version.name,
            "earlyAccessTimeFrame": 0,
            "baseModel": version.base_model,
            "baseModelType": "Standard",
            "createdAt": Date(iso(version.created)),
            "trainingStatus": None,
            "publishedAt": date(version.published),
            "status": version.status,
            "flags": 0,
            "availability": version.availability,
            "nsfwLevel": version.level,
            "description": version.description,
            "trainedWords": list(version.trained_words),
            "vaeId": None,
            "covered": model.generates,
        },
        "images": [_image(one) for one in shown if one.level & mask][:MOST_IMAGES],
        "canGenerate": model.generates,
    }


def _image(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "userId": record.user_id,
        "name": record.name,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "type": record.type,
        "metadata": feed_items.metadata(record),
        "minor": record.minor,
        "poi": record.poi,
        "remixOfId": None,
        "tags": list(record.tag_ids),
    }


def whole(site: Site, model: ModelRecord) -> dict[str, Any]:
    """Tell of a model with its published versions, as ``model.getById`` does."""
    counts = popularity(model)
    return {
        "id": model.id,
        "name": model.name,
        "description": model.description,
        "poi": model.poi,
        "minor": model.minor,
        "sfwOnly": False,
        "isOfficial": False,
        "nsfwLevel": model.level,
        "nsfw": model.nsfw,
        "type": model.type,
        "uploadType": "Created",
        "updatedAt": Date(iso(model.updated)),
        **dict.fromkeys(("deletedAt", "deletedBy")),
        "status": model.status,
        "checkpointType": "Trained" if model.type == "Checkpoint" else None,
        **model.permissions,
        "allowCommercialUse": list(model.commercial_use),
        "licenses": [],
        "publishedAt": date(model.published),
        "locked": False,
        "meta": None,
        "mode": model.mode,
        "availability": model.availability,
        "lockedProperties": [],
        "reportStats": {"ownershipProcessing": 0},
        "user": lite(model.user_id, model.username, vanished=model.vanished) | {"rank": {"leaderboardRank": None}},
        "rank": {
            "downloadCountAllTime": counts.downloads,
            "thumbsUpCountAllTime": counts.thumbs_up,
            "thumbsDownCountAllTime": counts.thumbs_down,
            "commentCountAllTime": counts.comments,
            "tippedAmountCountAllTime": counts.tipped,
            "imageCountAllTime": counts.images,
            "collectedCountAllTime": counts.collected,
            "generationCountAllTime": 0,
        },
        "hiddenMetrics": _merits(model),
        "canGenerate": model.generates,
        "hasSuggestedResources": False,
        "tagsOnModels": [
            {"tag": {"id": one, "name": TAGS[one].name, "isCategory": TAGS[one].category}} for one in model.tag_ids
        ],
        "modelVersions": [_version(site, model, one) for one in model.visible_versions],
    }


def _common(model: ModelRecord, version: VersionRecord) -> dict[str, Any]:
    return {
        "id": version.id,
        "name": version.name,
        "description": version.description,
        **dict.fromkeys(("steps", "epochs", "clipSkip", "trainingStatus", "trainingDetails")),
        "createdAt": Date(iso(version.created)),
        "trainedWords": list(version.trained_words),
        "baseModel": version.base_model,
        "baseModelType": "Standard",
        "status": version.status,
        "vaeId": None,
        "settings": None,
        "requireAuth": version.require_auth,
        "uploadType": "Created",
        "usageControl": version.usage_control,
        "canGenerate": model.generates,
        "recommendedResources": [],
        "linkedComponents": [],
    }


def _version(site: Site, model: ModelRecord, version: VersionRecord) -> dict[str, Any]:
    counts, loads = popularity(version), model.mode != "Archived" and version.usage_control == "Download"
    posts = dict.fromkeys(one.post_id for one in site.world.showcases.get(version.id, ()))
    return _common(model, version) | {
        "modelId": model.id,
        "updatedAt": Date(iso(version.updated)),
        "inaccurate": False,
        "availability": version.availability,
        "publishedAt": date(version.published),
        "meta": {},
        "nsfwLevel": version.level,
        "licensingFee": None,
        "rank": {
            "generationCountAllTime": 0,
            "downloadCountAllTime": counts.downloads,
            "thumbsUpCountAllTime": counts.thumbs_up,
            "thumbsDownCountAllTime": counts.thumbs_down,
        },
        "posts": [{"id": one} for one in posts],
        "hashes": [model_files.sha256(one).lower() for one in version.listed_files],
        "earlyAccessDeadline": date(version.paid_until),
        "paidAccess": _paid(version),
        "canDownload": loads and not version.gated,
        "files": [_file(one) for one in version.listed_files] if loads else [],
    }


def _paid(version: VersionRecord) -> dict[str, Any] | None:
    """Tell of a paid gate with its prices, not in REST's form: a permanent one has neither an end nor a length."""
    if not version.gated:
        return None
    return {
        "endsAt": date(version.paid_until),
        "timeframeDays": None if version.paid_forever else TIMEFRAME,
        "terms": {"download": {"price": PRICES[version.seed % len(PRICES)]}, "generation": {"trialLimit": 10}},
        "sale": None,
    }


def _file(file: FileRecord) -> dict[str, Any]:
    return {
        "id": file.id,
        "url": f"https://model-store.invalid/{file.id}/{file.extension}",
        "sizeKB": file.size_kb,
        "name": file.name,
        "overrideName": file.override_name,
        "type": file.type,
        "visibility": "Public",
        "metadata": file.metadata,
        "pickleScanResult": file.scan,
        "pickleScanMessage": "No Pickle imports",
        "virusScanResult": file.scan,
        "virusScanMessage": None,
        "scannedAt": Date(iso(file.scanned)),
        "modelVersionId": file.version_id,
        "hashes": [{"type": name, "hash": one} for name, one in model_files.hashes(file).items()],
    }


def single(site: Site, model: ModelRecord, version: VersionRecord, *, with_files: bool) -> dict[str, Any]:
    """Tell of a version by itself, as ``modelVersion.getById`` does: files only when they are asked for."""
    told = _version(site, model, version)
    owner = {"id": model.user_id}
    return _common(model, version) | {
        "earlyAccessConfig": None,
        "monetization": None,
        "generationCoverage": {"covered": model.generates},
        "model": {
            "id": model.id,
            "name": model.name,
            "type": model.type,
            "status": model.status,
            "publishedAt": date(model.published),
            "nsfw": model.nsfw,
            "uploadType": "Created",
            "user": owner,
            "availability": model.availability,
        },
        "files": told["files"] if with_files else UNDEFINED,
        **({"posts": told["posts"]} if with_files else {}),
    }


def resource(model: ModelRecord, version: VersionRecord) -> dict[str, Any]:
    """Tell of a version as the site's generator needs it."""
    return {
        "id": version.id,
        "name": version.name,
        "trainedWords": list(version.trained_words),
        "baseModel": version.base_model,
        "air": air(model, version),
        "availability": version.availability,
        "strength": 1,
        "minStrength": -1,
        "maxStrength": 2,
        "model": {"id": model.id, "name": model.name, "type": model.type, "nsfw": model.nsfw},
        "canGenerate": model.generates,
        "hasAccess": not version.gated,
    }
