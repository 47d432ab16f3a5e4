"""``/api/v1/model-versions``: by id, by one hash, by many, and in short (contract rest.md §6)."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import model_entries, model_files
from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.model_query import js_number, not_a_number
from civitscrape.sandbox.model_search import database_time
from civitscrape.sandbox.models import air
from civitscrape.sandbox.rest_models import MOST, prettified
from civitscrape.sandbox.wrappers import error, mixed, public
from civitscrape.sandbox.zod import message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.models import FileRecord, VersionRecord
    from civitscrape.sandbox.site import Site
    from civitscrape.sandbox.zod import Issue

HASH_CACHE = "public, s-maxage=3600, stale-while-revalidate=1800"
MOST_BODIES, MOST_IDS = 100, 10_000
LENGTH = 64
"""Characters of a SHA-256."""
FEES = (0, 0.5, 1)
UNDEFINED = "https://undefined"
"""Origin of addresses in the batch answer: the site reads a header that nobody sends."""


@mixed
def version(site: Site, ask: Ask, name: str) -> Answer:
    """``/api/v1/model-versions/{id}``: the parent's status does not matter, replaced files are told."""
    value = js_number(name)
    if not math.isfinite(value):
        return error(ask, 400, prettified(not_a_number(["id"])))
    if value == 0:
        return error(ask, 400, "Missing modelVersionId")
    if abs(value) > MOST:
        return error(ask, 500, "Failed to fetch model version details")
    found = site.world.versions.get(int(value))
    if found is None or found.status != "Published" or found.level == 0:
        return error(ask, 404, "Model not found")
    if found.primary is None:
        return error(ask, 404, "Missing model file")
    parent = site.world.models[found.model_id]
    files = [
        model_entries.version_file(parent, found, one, origin=ask.origin, scanned=database_time(one.scanned, "T"))
        for one in found.files
        if one.public
    ]
    body = model_entries.version_body(
        site.world, found, files, origin=ask.origin, location=ask.image_location, fee=None
    )
    return json_answer(ask, compact(body))


def _by_hash(site: Site, ask: Ask, found: VersionRecord, origin: str) -> dict[str, Any]:
    """Tell of a version that was found by a hash: files with their override name, and a real fee."""
    parent = site.world.models[found.model_id]
    files = [
        model_entries.version_file(parent, found, one, origin=origin, scanned=iso(one.scanned))
        | {"overrideName": one.override_name}
        for one in found.listed_files
    ]
    fee = FEES[found.seed % len(FEES)]
    return model_entries.version_body(site.world, found, files, origin=origin, location=ask.image_location, fee=fee)


def _published(site: Site, files: Iterable[FileRecord]) -> list[tuple[VersionRecord, FileRecord]]:
    """Keep the files whose version and model are out, by the age of the version."""
    versions, models = site.world.versions, site.world.models
    pairs = [(versions[one.version_id], one) for one in files]
    out = [
        (version, file)
        for version, file in pairs
        if version.status == "Published" and models[version.model_id].status == "Published"
    ]
    return sorted(out, key=lambda pair: (pair[0].published or 0, pair[0].id))


@public
def by_hash(site: Site, ask: Ask, name: str) -> Answer:
    """``/api/v1/model-versions/by-hash/{hash}``: any kind of hash, any case; of several the earliest version."""
    found = _published(site, site.world.hashes.get(name.upper(), ()))
    answer = (
        json_answer(ask, compact(_by_hash(site, ask, found[0][0], ask.origin)))
        if found
        else error(ask, 404, "Model not found")
    )
    answer.headers["Cache-Control"] = HASH_CACHE
    return answer


@public
def by_hashes(site: Site, ask: Ask) -> Answer:
    """``POST /api/v1/model-versions/by-hash``: a version for each matching file, in no order that was asked for."""
    hashes = _hashes(ask, MOST_BODIES)
    if isinstance(hashes, Answer):
        return hashes
    return json_answer(
        ask,
        compact(
            [
                _by_hash(site, ask, found, UNDEFINED) if found.primary is not None else None
                for found, _ in _found(site, hashes)
            ]
        ),
    )


@public
def ids_by_hashes(site: Site, ask: Ask) -> Answer:
    """``POST /api/v1/model-versions/by-hash/ids``: ids only, of a hundred times as many."""
    hashes = _hashes(ask, MOST_IDS)
    if isinstance(hashes, Answer):
        return hashes
    return json_answer(
        ask,
        compact(
            [
                {"modelVersionId": found.id, "modelId": found.model_id, "hash": model_files.sha256(file)}
                for found, file in _found(site, hashes)
            ]
        ),
    )


def _found(site: Site, hashes: list[str]) -> list[tuple[VersionRecord, FileRecord]]:
    """Find the files of some SHA-256s, in the order of the database: the newest file first."""
    asked = {one.upper() for one in hashes}
    files = {file.id: file for one in asked for file in site.world.hashes.get(one, ())}
    return sorted(_published(site, files.values()), key=lambda pair: -pair[1].id)


def _hashes(ask: Ask, most: int) -> list[str] | Answer:
    """Read the hashes that were sent, or answer what is wrong with them."""
    kind = ask.headers.get("Content-Type", "").partition(";")[0].strip()
    given: Any = ask.body.decode(errors="replace")
    if kind == "application/json":
        try:
            given = json.loads(ask.body) if ask.body else {}
        except ValueError:
            return Answer(400, b"Invalid JSON", {"Content-Type": "text/plain; charset=utf-8"})
    issues = _issues(given, most)
    if issues:
        return error(ask, 400, f"Request must include an array of SHA256 Hashes. {message(issues)}")
    return [str(one) for one in given]


def _issues(given: Any, most: int) -> list[Issue]:
    if not isinstance(given, list):
        received = {str: "string", dict: "object", bool: "boolean", type(None): "null"}.get(type(given), "number")
        text = f"Invalid input: expected array, received {received}"
        return [{"expected": "array", "code": "invalid_type", "path": [], "message": text}]
    issues: list[Issue] = [
        {
            "origin": "string",
            "code": "too_small" if len(str(one)) < LENGTH else "too_big",
            "minimum" if len(str(one)) < LENGTH else "maximum": LENGTH,
            "inclusive": True,
            "exact": True,
            "path": [place],
            "message": "Invalid hash",
        }
        for place, one in enumerate(given)
        if not isinstance(one, str) or len(one) != LENGTH
    ]
    if len(given) > most:
        head = {"origin": "array", "code": "too_big", "maximum": most, "inclusive": True}
        issues.append({**head, "path": [], "message": "Too many hashes"})
    return issues


@mixed
def mini(site: Site, ask: Ask, name: str) -> Answer:
    """``/api/v1/model-versions/mini/{id}``: one file of a version in short, ``modelFileId`` says which."""
    for text, path in ((name, "id"), (ask.query.get("modelFileId", "1"), "modelFileId")):
        if not math.isfinite(js_number(text)):
            return error(ask, 400, prettified(not_a_number([path])))
    if "epoch" in ask.query:
        issue = {"path": ["epoch"], "message": "Invalid input: expected number, received string"}
        return error(ask, 400, prettified(issue))
    found = site.world.versions.get(int(js_number(name)))
    if found is None or found.status != "Published":
        return error(ask, 404, "Model not found")
    file = found.primary
    if "modelFileId" in ask.query:
        number = int(js_number(ask.query["modelFileId"]))
        file = next((one for one in found.listed_files if one.id == number), None)
        if file is None:
            return error(ask, 404, f"Model file {number} not found in version {found.id}")
    if file is None:
        return error(ask, 404, "Missing model file")
    return json_answer(ask, compact(_mini(site, ask, found, file)))


def _mini(site: Site, ask: Ask, found: VersionRecord, file: FileRecord) -> dict[str, Any]:
    parent = site.world.models[found.model_id]
    gate: dict[str, Any] = {}
    if found.gated:
        gate = {
            "earlyAccessEndsAt": None if found.paid_until is None else iso(found.paid_until),
            "freeTrialLimit": 10,
        }
    return {
        "air": air(parent, found),
        "versionName": found.name,
        "modelName": parent.name,
        "userId": parent.user_id,
        "baseModel": found.base_model,
        "availability": found.availability,
        "publishedAt": None if found.published is None else iso(found.published),
        "size": file.size_kb,
        "fileType": file.type,
        "fileName": file.name,
        "hashes": model_files.hashes(file),
        "downloadUrls": [model_entries.download_url(ask.origin, found, file)],
        **({} if file.format is None else {"format": file.format}),
        "canGenerate": parent.generates,
        "isFeatured": False,
        "requireAuth": found.require_auth,
        "checkPermission": found.gated,
        **gate,
        "additionalResourceCharge": False,
        "minor": parent.minor,
        "sfwOnly": parent.minor,
        "fees": [],
        "payoutEnabled": True,
    }
