"""``/api/download/models/{versionId}``: checks in their order, then a redirect to the storage (rest.md §9)."""

from __future__ import annotations

import math
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from civitscrape.sandbox import storage
from civitscrape.sandbox.ask import Answer, compact
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.model_query import FILE_FORMATS, js_number, not_a_number
from civitscrape.sandbox.models import FileRecord, download_name
from civitscrape.sandbox.rest import CORS
from civitscrape.sandbox.rest_models import prettified
from civitscrape.sandbox.vocabulary import ENUMS
from civitscrape.sandbox.zod import option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.models import ModelRecord, VersionRecord
    from civitscrape.sandbox.site import Site
    from civitscrape.sandbox.zod import Issue

NO_STORE = {"Cache-Control": "no-store, max-age=0", **CORS}
BROWSERS = re.compile(r"mozilla|chrome|safari|firefox|opera|edge", re.IGNORECASE)
"""What makes a User-Agent a browser's: it gets pages and redirects where others get JSON."""
LONGEST_MARK = 64
CHOICES = {"type": tuple(ENUMS["ModelFileType"]), "format": FILE_FORMATS, "size": ("full", "pruned")}
METADATA = ("format", "size", "fp", "quantType")

QUOTA = (
    "We've noticed an unusual amount of downloading from your account. Contact support@civitai.com or come back later."
)
DISABLED = "The creator of this asset has disabled downloads on this file"
LOGIN_NEEDED = "The creator of this asset requires you to be logged in to download it"
EARLY = "This asset is in Early Access. You can use Buzz access it now!"


class _Refused(Exception):  # noqa: N818 - not an error of ours: what the site answers
    """Carries the answer of the first check that fails."""

    def __init__(self, status: int, body: Mapping[str, object], *, page: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.body = dict(body)
        self.page = page
        """Where a browser is sent instead."""


def download(site: Site, ask: Ask, name: str) -> Answer:
    """Answer a download: 307 to a signed address, or the first check that fails."""
    if ask.method == "OPTIONS":
        return Answer(200, b"", dict(NO_STORE))
    try:
        file, saved_as = _granted(site, ask, name)
    except _Refused as refused:
        return _refusal(ask, refused)
    url = storage.signed(ask, file, saved_as, seconds=site.quirks.signature_seconds)
    headers = {"Location": url, "Content-Type": "text/plain; charset=utf-8"}
    return Answer(HTTPStatus.TEMPORARY_REDIRECT, url.encode(), headers | NO_STORE)


def training_data(_site: Site, ask: Ask, name: str) -> Answer:
    """``/api/download/training-data/{id}``: sent on for good to the version's file of that type."""
    return Answer(308, b"", {"Location": f"{ask.origin}/api/download/models/{quote(name)}?type=Training%20Data"})


def _refusal(ask: Ask, refused: _Refused) -> Answer:
    if not BROWSERS.search(ask.headers.get("User-Agent", "")):
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return Answer(refused.status, compact(refused.body), kind | NO_STORE)
    if refused.page:
        return Answer(HTTPStatus.TEMPORARY_REDIRECT, b"", {"Location": refused.page} | NO_STORE)
    text = str(refused.body.get("message", refused.body["error"]))
    return Answer(refused.status, text.encode(), {"Content-Type": "text/html; charset=utf-8"} | NO_STORE)


def _granted(site: Site, ask: Ask, name: str) -> tuple[FileRecord, str]:
    """Run the checks in the contract's order; return the file and the name that it is saved under.

    Raises:
        _Refused: one of them fails.
    """
    if site.quirks.downloads_blocked:
        raise _Refused(403, {"error": "Forbidden"})
    _count(site, ask)
    issue = _issue(ask, name)
    if issue is not None:
        raise _Refused(400, {"error": prettified(issue)})
    version = site.world.versions.get(int(js_number(name)))
    model = site.world.models[version.model_id] if version else None
    if version is None or model is None or model.poi:
        raise _Refused(404, {"error": "File not found"})
    if model.mode == "Archived":
        raise _Refused(410, {"error": "Model archived, not available for download"})
    if not model.status == version.status == "Published":
        raise _Refused(404, {"error": "File not found"})
    _access(site, ask, model, version)
    file = _chosen(ask, version)
    if file is None or file.lost:
        raise _Refused(404, {"error": "File not found"})
    return file, download_name(model, version, file)


def _count(site: Site, ask: Ask) -> None:
    who = str(ask.caller.user_id) if ask.caller else "anonymous"
    site.downloads[who] += 1
    if site.quirks.download_quota is not None and site.downloads[who] > site.quirks.download_quota:
        raise _Refused(429, {"error": QUOTA})


def _access(site: Site, ask: Ask, model: ModelRecord, version: VersionRecord) -> None:
    if version.usage_control != "Download":
        raise _Refused(401, {"error": "Unauthorized", "message": DISABLED})
    private = "Private" in (version.availability, model.availability)
    login = f"/login?returnUrl={quote(f'/model-versions/{version.id}', safe='')}&reason=download-auth"
    if ask.caller is None and (version.require_auth or private or not site.quirks.anonymous_downloads):
        raise _Refused(401, {"error": "Unauthorized", "message": LOGIN_NEEDED}, page=login)
    if version.gated:
        deadline = {} if version.paid_until is None else {"deadline": iso(version.paid_until)}
        page = f"/model-versions/{version.id}"
        raise _Refused(403, {"error": "Early Access", **deadline, "message": EARLY}, page=page)
    if private:
        raise _Refused(403, {"error": "You do not have access to download this file"})


def _issue(ask: Ask, name: str) -> Issue | None:
    """Find the first parameter that is wrong."""
    for text, path in ((name, "modelVersionId"), (ask.query.get("fileId", "1"), "fileId")):
        if not math.isfinite(js_number(text)):
            return not_a_number([path])
    for choice, values in CHOICES.items():
        if choice in ask.query and ask.query[choice] not in values:
            return option(values, [choice])
    for mark in ("fp", "quantType"):
        if len(ask.query.get(mark, "")) > LONGEST_MARK:
            return {"path": [mark], "message": f"Too big: expected string to have <={LONGEST_MARK} characters"}
    return None


def _chosen(ask: Ask, version: VersionRecord) -> FileRecord | None:
    """Choose the file: by its id, or the one that suits best and does not contradict what was asked."""
    if "fileId" in ask.query:
        number = int(js_number(ask.query["fileId"]))
        return next((one for one in version.files if one.id == number and one.public), None)
    wanted = {name: ask.query[name] for name in METADATA if ask.query.get(name)}
    kind = ask.query.get("type")
    fitting = [one for one in version.listed_files if kind is None or one.type == kind]
    best = max(fitting, key=lambda one: one.score(wanted), default=None)
    if best is not None and any(best.metadata.get(name, value) != value for name, value in wanted.items()):
        return None
    return best
