"""One model of 2026 as each route tells it; what two routes both tell is the same in both."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

MEDIA = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"
SHA256 = "9C1F5B7E0A3D62488E1D7C40B6F2A95D3E8071C4AB59DF26E0174B8C93A6D5F2"
HASHES = {"AutoV1": "5D3A19C0", "AutoV2": "9C1F5B7E0A", "SHA256": SHA256, "CRC32": "7E21B0C4", "BLAKE3": SHA256[::-1]}
META = {"prompt": "amber lantern", "seed": 1938345220, "resources": [{"name": "lantern", "type": "lora"}]}

LICENCE = {
    "allowNoCredit": True,
    "allowCommercialUse": ["Image", "RentCivit"],
    "allowDerivatives": True,
    "allowDifferentLicense": False,
}


def picture(number: int, **fields: Any) -> dict[str, Any]:
    """Make an image of a showcase in REST's form, without its number as in ``/models/{id}``."""
    key = f"{number:08x}-6d4e-4b0a-9a55-0c8e2f7d91a1"
    defaults = {
        "url": f"{MEDIA}/{key}/original=true/{number}.jpeg",
        "nsfwLevel": 1,
        "width": 832,
        "height": 1216,
        "hash": "UHEV$z00_N9GxuM{ozM|0K-;MxxtD*xun%xt",
        "type": "image",
        "minor": False,
        "poi": False,
        "hasMeta": True,
        "hasPositivePrompt": True,
        "onSite": False,
        "remixOfId": None,
    }
    return deepcopy(defaults | fields)


def file(**fields: Any) -> dict[str, Any]:
    """Make a file in the form of ``/models``."""
    defaults = {
        "id": 3100001,
        "sizeKB": 223231.3515625,
        "name": "amberLantern_v2.safetensors",
        "overrideName": None,
        "type": "Model",
        "pickleScanResult": "Success",
        "pickleScanMessage": "No Pickle imports",
        "virusScanResult": "Success",
        "virusScanMessage": None,
        "scannedAt": "2026-07-02T10:20:31.900Z",
        "metadata": {"format": "SafeTensor", "size": "pruned", "fp": "fp16"},
        "hashes": dict(HASHES),
        "downloadUrl": "https://civitai.com/api/download/models/2900002",
        "primary": True,
    }
    return defaults | fields


def version(**fields: Any) -> dict[str, Any]:
    """Make a version in the form of ``/models``."""
    defaults = {
        "id": 2900002,
        "index": 0,
        "name": "v2.0",
        "baseModel": "SDXL 1.0",
        "baseModelType": "Standard",
        "publishedAt": "2026-07-02T10:15:00.120Z",
        "flags": 0,
        "availability": "Public",
        "nsfwLevel": 3,
        "description": "<p>Retrained on a wider set.</p>",
        "trainedWords": ["amber lantern"],
        "vaeId": None,
        "paidAccess": None,
        "stats": {"downloadCount": 18233, "thumbsUpCount": 1402, "thumbsDownCount": 6},
        "supportsGeneration": True,
        "files": [file()],
        "images": [picture(98000001, id=98000001), picture(98000002, id=98000002, nsfwLevel=2, hasMeta=False)],
        "downloadUrl": "https://civitai.com/api/download/models/2900002",
    }
    return defaults | fields


def older(**fields: Any) -> dict[str, Any]:
    """Make the version before that one, which came out first."""
    defaults = {
        "id": 2900001,
        "index": 1,
        "name": "v1.0",
        "baseModel": "SD 1.5",
        "publishedAt": "2026-02-03T09:00:00.000Z",
        "files": [],
        "images": [],
        "trainedWords": ["lantern"],
    }
    return version(**defaults | fields)


def listed(**fields: Any) -> dict[str, Any]:
    """Make the model as ``/models`` lists it (contract rest.md §5.1)."""
    defaults = {
        "id": 1400001,
        "name": "Amber Lantern XL",
        "description": "<p>A warm light.</p>",
        **LICENCE,
        "type": "LORA",
        "minor": False,
        "sfwOnly": False,
        "poi": False,
        "nsfw": False,
        "nsfwLevel": 3,
        "availability": "Public",
        "userId": 550012,
        "baseModels": ["SDXL 1.0", "SD 1.5"],
        "cosmetic": None,
        "supportsGeneration": True,
        "stats": {
            "downloadCount": 40121,
            "thumbsUpCount": 3311,
            "thumbsDownCount": 14,
            "commentCount": 207,
            "tippedAmountCount": 5120,
        },
        "creator": {"username": "lampwright", "image": "avatar"},
        "tags": ["style", "lantern"],
        "modelVersions": [version(), older()],
    }
    return defaults | fields


def detailed(**fields: Any) -> dict[str, Any]:
    """Make the model as ``/models/{id}`` tells it: nulls, empty lists and numbers of images are left out (§5.2)."""
    versions = []
    for one, made in ((version(), "2026-07-01T22:41:09.003Z"), (older(), "2026-02-03T08:15:00.000Z")):
        del one["supportsGeneration"]
        one |= {"createdAt": made, "status": "Published", "covered": True}
        one["images"] = [{name: value for name, value in image.items() if name != "id"} for image in one["images"]]
        versions.append({name: value for name, value in one.items() if value not in (None, [])})
    return listed(modelVersions=versions) | fields


def by_number(**fields: Any) -> dict[str, Any]:
    """Make its newer version as ``/model-versions/{id}`` tells it: times without a zone, generation data (§6.1)."""
    defaults = version(
        modelId=1400001,
        createdAt="2026-07-01T22:41:09.003Z",
        updatedAt="2026-07-02T10:15:00.410Z",
        status="Published",
        usageControl="Download",
        air="urn:air:sdxl:lora:civitai:1400001@2900002",
        stats={"downloadCount": 18233, "thumbsUpCount": 1402},
        model={"name": "Amber Lantern XL", "type": "LORA", "nsfw": False, "poi": False},
        files=[file(scannedAt="2026-07-02T10:20:31.9")],
        images=[picture(98000001, meta=META), picture(98000002, nsfwLevel=2, meta=META, hasMeta=False)],
    )
    for name in ("index", "availability", "vaeId", "flags", "supportsGeneration"):
        del defaults[name]
    return defaults | fields


def by_trpc(**fields: Any) -> dict[str, Any]:
    """Make the model as ``model.getById`` tells it (contract trpc-and-pages.md §4.4)."""
    versions = []
    for one, made in ((version(), "2026-07-01T22:41:09.003Z"), (older(), "2026-02-03T08:15:00.000Z")):
        for name in ("index", "images", "downloadUrl", "flags", "supportsGeneration"):
            del one[name]
        stats = one.pop("stats")
        one |= {
            "modelId": 1400001,
            "createdAt": made,
            "updatedAt": "2026-07-02T10:15:00.410Z",
            "status": "Published",
            "usageControl": "Download",
            "rank": {f"{name}AllTime": value for name, value in stats.items()},
            "posts": [{"id": 7}],
            "hashes": [SHA256.lower()],
            "earlyAccessDeadline": None,
            "canDownload": True,
        }
        for part in one["files"]:
            del part["primary"], part["downloadUrl"]
            part["hashes"] = [{"type": kind, "hash": value} for kind, value in part["hashes"].items()]
            part |= {"modelVersionId": one["id"], "visibility": "Public", "url": "https://storage.example/lantern"}
        versions.append(one)
    entry = listed(modelVersions=versions)
    stats = entry.pop("stats")
    for name in ("userId", "baseModels", "creator", "tags", "cosmetic", "supportsGeneration"):
        del entry[name]
    told = {
        "updatedAt": "2026-07-02T10:15:00.410Z",
        "publishedAt": "2026-02-03T09:00:00.000Z",
        "status": "Published",
        "mode": None,
        "rank": {f"{name}AllTime": value for name, value in stats.items()},
        "user": {"id": 550012, "username": "lampwright", "image": "avatar", "deletedAt": None, "profilePicture": None},
        "tagsOnModels": [
            {"tag": {"id": 3673, "name": "style", "isCategory": True}},
            {"tag": {"id": 81, "name": "lantern", "isCategory": False}},
        ],
    }
    return entry | told | fields


def by_listing(**fields: Any) -> dict[str, Any]:
    """Make the model as ``model.getAll`` lists it: one version, bare keys, numbers of tags (§10.1)."""
    shown = version(createdAt="2026-07-01T22:41:09.003Z", status="Published", earlyAccessTimeFrame=0, covered=True)
    for name in ("files", "images", "downloadUrl", "paidAccess", "stats", "supportsGeneration"):
        del shown[name]
    key = "05d75c81-6d4e-4b0a-9a55-0c8e2f7d91a1"
    defaults = {
        "id": 1400001,
        "name": "Amber Lantern XL",
        "type": "LORA",
        "minor": False,
        "sfwOnly": False,
        "poi": False,
        "nsfw": False,
        "nsfwLevel": 3,
        "status": "Published",
        "createdAt": "2026-02-03T08:15:00.000Z",
        "lastVersionAt": "2026-07-02T10:15:00.120Z",
        "publishedAt": "2026-02-03T09:00:00.000Z",
        "mode": None,
        "availability": "Public",
        "userId": 550012,
        "earlyAccessDeadline": None,
        "baseModels": ["SDXL 1.0", "SD 1.5"],
        "user": {"id": 550012, "username": "lampwright", "image": "avatar", "deletedAt": None, "profilePicture": None},
        "tags": [3673, 81],
        "hashes": [SHA256.lower()],
        "rank": {"downloadCount": 40121, "thumbsUpCount": 3311, "commentCount": 207, "tippedAmountCount": None},
        "version": shown,
        "images": [
            {
                "id": 98000001,
                "userId": 550012,
                "name": "dock.png",
                "url": key,
                "nsfwLevel": 1,
                "width": 832,
                "height": 1216,
                "hash": "UHEV$z00_N9GxuM{ozM|0K-;MxxtD*xun%xt",
                "type": "image",
                "metadata": {"size": 1803344},
                "remixOfId": None,
                "tags": [4, 5133],
            }
        ],
        "canGenerate": True,
    }
    return defaults | fields
