from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from civitscrape.sandbox import model_files
from civitscrape.sandbox.proxy import Proxy
from tests.sandbox.conftest import KEY, MODELS, Caller

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.sandbox.models import FileRecord, VersionRecord

DOWNLOAD = "/api/download/models"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
OWN = MODELS.creators["lampwright"].models
VERSIONS = [version for model in OWN if model.visible for version in model.visible_versions]


def plain(**wanted: object) -> VersionRecord:
    """Find a version that nothing keeps from being downloaded."""
    return next(
        one
        for one in VERSIONS
        if not marks(one)
        and MODELS.models[one.model_id].mode is None
        and all(file.hashed and not file.replaced for file in one.files)
        and all(getattr(one, name) == value for name, value in wanted.items())
    )


def marked(mark: str) -> VersionRecord:
    """Find a version with a mark: ``archived``, ``generate``, ``early`` or ``lost``."""
    return next(one for one in VERSIONS if mark in marks(one))


def marks(version: VersionRecord) -> set[str]:
    """Name the reasons for which a version's primary file cannot be had."""
    found = {
        "archived": MODELS.models[version.model_id].mode == "Archived",
        "generate": version.usage_control == "Generation",
        "early": version.gated,
        "lost": any(file.lost for file in version.files),
    }
    return {name for name, holds in found.items() if holds}


async def location(models: Caller, path: str) -> str:
    return (await models.ask(path, headers=KEY)).headers["Location"]


async def test_every_file_of_the_truth_is_answered_as_it_says(models: Caller):
    for told in MODELS.model_truth("lampwright").files:
        reply = await models.ask(f"{DOWNLOAD}/{told['version_id']}?fileId={told['id']}", headers=KEY)

        assert reply.status == told["answer"]
        if told["answer"] == 307:
            body = (await models.ask(reply.headers["Location"])).body
            assert hashlib.sha256(body).hexdigest().upper() == told["sha256"]
            assert len(body) == told["size"]


async def test_a_success_is_a_redirect_that_says_its_address_and_is_not_kept(models: Caller):
    reply = await models.ask(f"{DOWNLOAD}/{plain().id}", headers=KEY)

    assert reply.status == 307
    assert reply.body.decode() == reply.headers["Location"]
    assert reply.headers["Location"].startswith(f"{models.sandbox.url}/storage/")
    assert reply.headers["Cache-Control"] == "no-store, max-age=0"


@pytest.mark.parametrize(
    ("version", "status", "body"),
    [
        ("archived", 410, {"error": "Model archived, not available for download"}),
        (
            "generate",
            401,
            {"error": "Unauthorized", "message": "The creator of this asset has disabled downloads on this file"},
        ),
        ("lost", 404, {"error": "File not found"}),
    ],
)
async def test_each_check_has_its_answer(models: Caller, version, status, body):
    reply = await models.ask(f"{DOWNLOAD}/{marked(version).id}", headers=KEY)

    assert (reply.status, reply.json()) == (status, body)


@pytest.mark.parametrize("name", ["5", "3999999"])
async def test_what_is_not_there_is_404(models: Caller, name):
    reply = await models.ask(f"{DOWNLOAD}/{name}", headers=KEY)

    assert (reply.status, reply.json()) == (404, {"error": "File not found"})


async def test_drafts_and_real_people_are_404(models: Caller):
    versions = [one.versions[0].id for one in OWN if one.status == "Draft" or one.poi]

    replies = [await models.ask(f"{DOWNLOAD}/{one}", headers=KEY) for one in versions]

    assert {one.status for one in replies} == {404}


async def test_a_private_model_is_refused_differently_with_and_without_a_key(models: Caller):
    (version, *_) = next(one.versions for one in OWN if one.availability == "Private")

    keyed = await models.ask(f"{DOWNLOAD}/{version.id}", headers=KEY)
    anonymous = await models.ask(f"{DOWNLOAD}/{version.id}")

    assert (keyed.status, keyed.json()) == (403, {"error": "You do not have access to download this file"})
    assert anonymous.status == 401


async def test_training_data_has_an_address_of_its_own(models: Caller):
    reply = await models.ask("/api/download/training-data/3000001")

    assert reply.status == 308
    assert reply.headers["Location"].endswith("/api/download/models/3000001?type=Training%20Data")


async def test_without_a_login_downloads_are_401(models: Caller):
    reply = await models.ask(f"{DOWNLOAD}/{plain().id}")
    wrong = await models.ask(f"{DOWNLOAD}/{plain().id}", headers={"Authorization": "Bearer wrong"})

    assert (reply.status, wrong.status) == (401, 401)
    assert reply.json() == {
        "error": "Unauthorized",
        "message": "The creator of this asset requires you to be logged in to download it",
    }


async def test_the_token_parameter_is_a_login(models: Caller):
    reply = await models.ask(f"{DOWNLOAD}/{plain().id}?token=sandbox-key")

    assert reply.status == 307
    assert "sandbox-key" not in reply.headers["Location"]


async def test_anonymous_downloads_are_a_setting_that_a_version_may_refuse(models: Caller):
    models.sandbox.site.quirks.anonymous_downloads = True

    free = await models.ask(f"{DOWNLOAD}/{plain(require_auth=False).id}")
    locked = await models.ask(f"{DOWNLOAD}/{plain(require_auth=True).id}")

    assert (free.status, locked.status) == (307, 401)


async def test_early_access_is_403_with_a_deadline_unless_it_never_ends(models: Caller, schema):
    gated = [one for one in VERSIONS if one.gated]

    for version in gated:
        reply = await models.ask(f"{DOWNLOAD}/{version.id}", headers=KEY)

        assert reply.status == 403
        schema("ErrorEarlyAccess", reply.json())
        assert ("deadline" in reply.json()) != version.paid_forever


async def test_an_anonymous_caller_hears_of_the_login_before_early_access(models: Caller):
    reply = await models.ask(f"{DOWNLOAD}/{marked('early').id}")

    assert reply.status == 401


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("type=Lantern", "✖ Invalid option: expected one of"),
        ("format=exe", "✖ Invalid option: expected one of"),
        ("fileId=x", "✖ Invalid input: expected number, received NaN\n  → at fileId"),
        (f"fp={'x' * 65}", "✖ Too big: expected string to have <=64 characters\n  → at fp"),
    ],
)
async def test_a_wrong_parameter_is_prettified_text(models: Caller, query, text):
    reply = await models.ask(f"{DOWNLOAD}/{plain().id}?{query}", headers=KEY)

    assert reply.status == 400
    assert reply.json()["error"].startswith(text)


async def test_parameters_are_checked_before_the_version(models: Caller):
    reply = await models.ask(f"{DOWNLOAD}/5?format=exe")

    assert reply.status == 400


async def test_a_quota_is_429_without_retry_after(models: Caller):
    models.sandbox.site.quirks.download_quota = 2

    replies = [await models.ask(f"{DOWNLOAD}/{plain().id}", headers=KEY) for _ in range(3)]

    assert [one.status for one in replies] == [307, 307, 429]
    assert "unusual amount of downloading" in replies[-1].json()["error"]
    assert "Retry-After" not in replies[-1].headers


async def test_a_browser_gets_pages_and_is_sent_to_the_login(models: Caller):
    version = plain()

    anonymous = await models.ask(f"{DOWNLOAD}/{version.id}", headers=BROWSER)
    early = await models.ask(f"{DOWNLOAD}/{marked('early').id}", headers=BROWSER | KEY)
    archived = await models.ask(f"{DOWNLOAD}/{marked('archived').id}", headers=BROWSER | KEY)

    returns = f"/login?returnUrl=%2Fmodel-versions%2F{version.id}&reason=download-auth"
    assert (anonymous.status, anonymous.headers["Location"]) == (307, returns)
    assert (early.status, early.headers["Location"]) == (307, f"/model-versions/{marked('early').id}")
    assert (archived.status, archived.body) == (410, b"Model archived, not available for download")
    assert archived.headers["Content-Type"].startswith("text/html")


def named(url: str) -> str:
    return parse_qs(urlsplit(url).query)["response-content-disposition"][0]


async def test_the_bare_address_gives_the_primary_file(models: Caller):
    version = next(one for one in VERSIONS if one.id == plain().id)

    url = await location(models, f"{DOWNLOAD}/{version.id}")

    assert version.primary is not None
    assert f"/{version.primary.id}/" in url


async def test_listed_addresses_give_their_file_unless_two_look_alike(models: Caller):
    missed: list[FileRecord] = []

    for told in MODELS.model_truth("lampwright").stored:
        version, file = MODELS.versions[told["version_id"]], MODELS.files[told["id"]]
        body = (await models.ask(f"/api/v1/model-versions/{version.id}")).json()
        url = next(one["downloadUrl"] for one in body["files"] if one["id"] == file.id)
        if f"/{file.id}/" not in await location(models, url):
            missed.append(file)

    assert missed
    for file in missed:
        twins = [one for one in MODELS.versions[file.version_id].files if one.metadata == file.metadata]
        assert len(twins) > 1


async def test_a_file_that_contradicts_what_was_asked_is_404(models: Caller):
    reply = await models.ask(f"{DOWNLOAD}/{plain().id}?format=ONNX", headers=KEY)

    assert reply.status == 404


async def test_the_storage_names_the_file(models: Caller):
    file = next(
        one
        for version in VERSIONS
        for one in version.listed_files
        if one.override_name and version.usage_control == "Download" and not version.gated
        and MODELS.models[version.model_id].mode is None
    )  # fmt: skip

    reply = await models.ask(await location(models, f"{DOWNLOAD}/{file.version_id}?fileId={file.id}"))

    assert reply.status == 200
    assert file.override_name is not None
    saved_as = quote(file.override_name, safe=" ()'")
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{saved_as}"'
    assert reply.headers["Content-Type"] == "application/octet-stream"


async def test_the_storage_serves_parts(models: Caller):
    version = plain()
    assert version.primary is not None
    whole = model_files.content(version.primary)
    url = await location(models, f"{DOWNLOAD}/{version.id}")

    part = await models.ask(url, headers={"Range": "bytes=100-"})
    beyond = await models.ask(url, headers={"Range": "bytes=999999999-"})
    head = await models.ask(url, method="HEAD")

    assert (part.status, part.body) == (206, whole[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    assert beyond.status == 416
    assert (head.status, head.body, int(head.headers["Content-Length"])) == (200, b"", len(whole))


async def test_an_address_is_good_for_a_while_only(models: Caller):
    models.sandbox.site.quirks.signature_seconds = 0

    reply = await models.ask(await location(models, f"{DOWNLOAD}/{plain().id}"))

    assert reply.status == 403
    assert b"Request has expired" in reply.body


async def test_an_address_that_was_altered_is_403(models: Caller):
    url = await location(models, f"{DOWNLOAD}/{plain().id}")

    longer = await models.ask(url.replace("X-Amz-Expires=300", "X-Amz-Expires=900000"))
    bare = await models.ask(url.partition("?")[0])

    assert (longer.status, bare.status) == (403, 403)
    assert b"SignatureDoesNotMatch" in longer.body


async def test_the_storage_refuses_who_sends_the_key_along_and_it_is_remembered(models: Caller):
    url = await location(models, f"{DOWNLOAD}/{plain().id}")

    reply = await models.ask(url, headers=KEY)

    assert (reply.status, b"InvalidArgument" in reply.body) == (400, True)
    (line,) = models.sandbox.log.of("storage")
    assert line.authorized


async def test_an_unmodified_client_downloads_by_the_sites_own_names(models: Caller, tmp_path: Path):
    version = plain()
    assert version.primary is not None

    async with Proxy(models.sandbox, tmp_path / "ca.pem") as proxy:
        trust = ssl.create_default_context(cafile=str(proxy.ca_file))
        url = f"https://civitai.com{DOWNLOAD}/{version.id}"
        async with models.session.get(url, proxy=proxy.url, ssl=trust, headers=KEY) as response:
            body = await response.read()

    assert (response.status, body) == (200, model_files.content(version.primary))
    assert response.url.host == "civitai-delivery.r2.cloudflarestorage.com"


async def test_faults_hit_the_storage_by_its_role(models: Caller):
    models.sandbox.faults.add({"fault": "status", "role": "storage", "status": 503, "times": 1})
    url = await location(models, f"{DOWNLOAD}/{plain().id}")

    replies = [await models.ask(url), await models.ask(url)]

    assert [one.status for one in replies] == [503, 200]


async def test_a_file_that_vanished_since_is_404(models: Caller):
    version = plain()
    url = await location(models, f"{DOWNLOAD}/{version.id}")
    models.sandbox.world = MODELS.without_models(version.model_id)

    reply = await models.ask(url)

    assert (reply.status, b"NoSuchKey" in reply.body) == (404, True)


async def test_the_real_hosts_send_to_a_storage_of_their_own(models: Caller):
    url = f"{DOWNLOAD}/{plain().id}"

    reply = await models.ask(url, headers=KEY | {"Host": "civitai.com"})

    target = urlsplit(reply.headers["Location"])
    assert (target.scheme, target.hostname) == ("https", "civitai-delivery.r2.cloudflarestorage.com")
    there = await models.ask(f"{target.path}?{target.query}", headers={"Host": str(target.hostname)})
    assert there.status == 200
