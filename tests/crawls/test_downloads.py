"""Model files, fetched from a sandbox that refuses, breaks off, forgets and expires as the site and its storage do."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.items import ModelFile
from civitscrape.sandbox import Quirks, Sandbox, model_files
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.faults import CHALLENGE_PAGE, Fault
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.given import address, spider_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.models import FileRecord, ModelRecord, VersionRecord

pytestmark = pytest.mark.crawl

KEY: dict[str, Any] = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
BROWSER: dict[str, Any] = {"USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
WORLD = World.build(
    creators=[
        CreatorSpec(
            username="lampwright",
            images=30,
            models=24,
            archived_models=1,
            draft_models=1,
            early_access_models=3,
            private_models=1,
            poi_models=1,
            generate_only_models=1,
            lost_files=1,
            unhashed_files=1,
        )
    ]
)
BIG = World.build(
    creators=[
        CreatorSpec(
            username="lampwright",
            images=4,
            models=1,
            versions_per_model=1,
            files_per_version=1,
            model_file_bytes=(20_000_000, 20_000_000),
        )
    ]
)
MODELS = WORLD.creators["lampwright"].models


def first(fits: Callable[[ModelRecord, VersionRecord, FileRecord], bool]) -> FileRecord:
    return next(
        file for model in MODELS for version in model.versions for file in version.files if fits(model, version, file)
    )


def plain(model: ModelRecord, version: VersionRecord, file: FileRecord) -> bool:
    return (
        model.visible
        and model.mode is None
        and version.visible
        and version.usage_control == "Download"
        and version.availability == "Public"
        and not version.gated
        and file.listed
        and file.hashed
        and not file.lost
    )


PLAIN = first(plain)
EARLY = first(lambda model, version, file: model.visible and version.paid_until is not None and file.listed)
TRAINING = first(lambda *about: plain(*about) and about[2].type == "Training Data")
UNHASHED = first(lambda model, _version, file: model.visible and not file.hashed and file.listed)
LOST = first(lambda _model, _version, file: file.lost)


def item(sandbox: Sandbox, record: FileRecord, query: str | None = None, **values: Any) -> ModelFile:
    hashes = model_files.hashes(record)
    stated = {"sha256": hashes["SHA256"].lower()} if hashes else {}
    about = {"id": record.id, "version_id": record.version_id, "name": record.name, "size_kb": record.size_kb}
    return ModelFile(**{**about, **stated, "download_url": address(sandbox, record, query), **values})


async def fetched(crawl, sandbox: Sandbox, *files: ModelFile, arguments: dict[str, str] | None = None, **settings):
    """Crawl for some files, and return their rows in their order."""
    crawled = await crawl(sandbox, spider_of(*files, **arguments or {}), {}, **settings)
    rows = {row["id"]: row for row in crawled.archive.rows("SELECT * FROM model_files")}
    return [rows[file.id] for file in files], crawled


REFUSALS: dict[str, tuple[FileRecord, dict[str, Any], str | None, dict[str, Any], str, str]] = {
    "1 blocked": (PLAIN, {"downloads_blocked": True}, None, KEY, "refused", "only its support can change that"),
    "2 quota": (PLAIN, {"download_quota": 0}, None, KEY, "failed", "the same command goes on tomorrow"),
    "3 bad parameter": (PLAIN, {}, "fileId=harbour", KEY, "failed", "fileId"),
    "4 real person": (first(lambda model, *_: model.poi), {}, None, KEY, "gone", "File not found"),
    "5 archived": (first(lambda model, *_: model.mode == "Archived"), {}, None, KEY, "refused", "cannot be had"),
    "5 not published": (first(lambda model, *_: model.status == "Draft"), {}, None, KEY, "gone", "File not found"),
    "6 not given out": (
        first(lambda _model, version, _file: version.usage_control != "Download"),
        {}, None, KEY, "refused", "has disabled downloads",
    ),
    "7 login needed": (PLAIN, {}, None, {}, "failed", "set CIVITAI_API_KEY or CIVITAI_COOKIES"),
    "7 login needed, as a browser": (PLAIN, {}, None, BROWSER, "failed", "a login is asked for"),
    "8 early access": (EARLY, {}, None, KEY, "refused", "it is free for all from"),
    "8 early access, as a browser": (EARLY, {}, None, KEY | BROWSER, "refused", "the file is not free; buy access"),
    "9 private": (
        first(lambda model, *_: model.availability == "Private"),
        {}, None, KEY, "refused", "do not have access to download this file",
    ),
    "10 no such file": (PLAIN, {}, "fileId=1", KEY, "gone", "-a redownload=yes"),
    "10 lost": (LOST, {}, None, KEY, "gone", "File not found"),
    "11 contradiction": (PLAIN, {}, "format=GGUF", KEY, "gone", "File not found"),
}  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_each_refusal_is_reported_with_its_reason_and_the_way_out(crawl, refusal):
    record, quirks, query, settings, state, words = refusal

    with Sandbox(WORLD, quirks=Quirks(**quirks)).in_thread() as sandbox:
        [row], crawled = await fetched(crawl, sandbox, item(sandbox, record, query), **settings)

    assert (row["state"], row["path"]) == (state, None)
    assert words in row["error"]
    assert crawled.archive.files() == []
    assert sandbox.log.of("storage") == []


async def test_a_missing_version_is_gone_after_two_questions(crawl):
    missing = ModelFile(id=1, version_id=3_999_999, name="x.safetensors")

    with Sandbox(WORLD).in_thread() as sandbox:
        missing.download_url = f"{sandbox.url}/api/download/models/3999999?fileId=1"
        [row], _ = await fetched(crawl, sandbox, missing, **KEY)

    assert row["state"] == "gone"
    assert [line.status for line in sandbox.log.of("api")] == [404, 404]


async def test_after_the_quota_nothing_more_is_asked(crawl):
    with Sandbox(WORLD, quirks=Quirks(download_quota=0)).in_thread() as sandbox:
        rows, _ = await fetched(crawl, sandbox, item(sandbox, PLAIN), item(sandbox, TRAINING), **KEY)

    assert {row["state"] for row in rows} == {"failed"}
    assert all("the same command goes on tomorrow" in row["error"] for row in rows)
    assert len(sandbox.log.of("api")) < 2 * len(rows)


async def test_training_data_comes_like_any_file(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        url = f"{sandbox.url}/api/download/training-data/{TRAINING.version_id}"
        rows, crawled = await fetched(crawl, sandbox, item(sandbox, TRAINING, download_url=url), **KEY)

    assert rows[0]["state"] == "stored"
    assert (crawled.archive.media / rows[0]["path"]).read_bytes() == model_files.content(TRAINING)
    assert [line.authorized for line in sandbox.log.of("api")] == [True, True]
    assert [line.authorized for line in sandbox.log.of("storage")] == [False]


PAGES = {
    "a challenge": {"fault": Fault.CHALLENGE, "status": 200},
    "an error in XML": {"fault": Fault.STATUS, "status": 200, "body": "<?xml version='1.0'?><Error/>"},
    "JSON": {"fault": Fault.STATUS, "status": 200, "body": '{"error":"Unauthorized"}'},
    "nothing": {"fault": Fault.EMPTY},
}


@pytest.mark.parametrize("rule", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("record", [PLAIN, UNHASHED], ids=["hashed", "unhashed"])
async def test_a_page_is_never_stored_as_a_model_file(crawl, rule, record):
    with Sandbox(WORLD, faults=[{"role": "storage", **rule}]).in_thread() as sandbox:
        [row], crawled = await fetched(crawl, sandbox, item(sandbox, record), **KEY)

    assert row["state"] == "failed"
    assert "bytes came" in row["error"]
    assert crawled.archive.files() == []
    assert not any(CHALLENGE_PAGE in path.read_bytes() for path in crawled.archive.everything())


async def test_a_broken_download_goes_on_across_signed_addresses(crawl):
    record = BIG.creators["lampwright"].models[0].versions[0].files[0]
    breaks = {"role": "storage", "fault": Fault.TRUNCATE, "share": 0.5, "times": 3}

    with Sandbox(BIG, faults=[breaks]).in_thread() as sandbox:
        [row], crawled = await fetched(crawl, sandbox, item(sandbox, record), RETRY_TIMES=1, **KEY)

    asked = sandbox.log.of("storage")
    assert row["state"] == "stored"
    assert crawled.stats["civitscrape/resumed"] == 3
    assert [bool(line.range) for line in asked] == [False, True, True, True]
    assert sum(line.sent for line in asked) <= 1.1 * record.length
    body = (crawled.archive.media / row["path"]).read_bytes()
    assert hashlib.sha256(body).hexdigest().upper() == model_files.sha256(record)
    assert [path for path in crawled.archive.everything() if ".part" in path.name] == []


@pytest.mark.parametrize("rule", [PAGES["a challenge"], PAGES["JSON"]], ids=["a challenge", "JSON"])
async def test_a_page_in_place_of_the_rest_costs_nothing_of_what_is_here(crawl, rule):
    record = BIG.creators["lampwright"].models[0].versions[0].files[0]
    breaks = {"role": "storage", "fault": Fault.TRUNCATE, "share": 0.5, "times": 1}

    with Sandbox(BIG, faults=[breaks, {"role": "storage", "times": 1, **rule}]).in_thread() as sandbox:
        [row], _ = await fetched(crawl, sandbox, item(sandbox, record), **KEY)

    asked = sandbox.log.of("storage")
    assert row["state"] == "stored"
    assert [bool(line.range) for line in asked] == [False, True, True]
    assert sum(line.sent for line in asked) <= 1.1 * record.length


async def test_a_signature_that_expires_on_the_way_is_renewed_and_the_download_goes_on(crawl):
    record = BIG.creators["lampwright"].models[0].versions[0].files[0]
    faults = [
        {"role": "storage", "fault": Fault.TRUNCATE, "share": 0.8, "times": 1},
        {"role": "storage", "fault": Fault.STATUS, "status": 403, "times": 1},
    ]

    with Sandbox(BIG, faults=faults).in_thread() as sandbox:
        [row], crawled = await fetched(crawl, sandbox, item(sandbox, record), **KEY)

    assert row["state"] == "stored"
    assert len(sandbox.log.of("api")) == 2
    assert [line.status for line in sandbox.log.of("storage")][1:] == [403, 206]
    assert len({line.url for line in sandbox.log.of("storage")}) >= 1
    assert crawled.stats["civitscrape/renewed"] == 1


async def test_a_storage_that_refuses_for_good_is_asked_three_times(crawl):
    faults = [{"role": "storage", "fault": Fault.STATUS, "status": 403}]

    with Sandbox(WORLD, faults=faults).in_thread() as sandbox:
        [row], _ = await fetched(crawl, sandbox, item(sandbox, PLAIN), **KEY)

    assert row["state"] == "failed"
    assert "which is the storage's answer, not the site's" in row["error"]
    assert len(sandbox.log.of("storage")) == 3


async def test_what_is_put_together_and_is_not_the_file_is_fetched_anew(crawl):
    record = BIG.creators["lampwright"].models[0].versions[0].files[0]
    breaks = {"role": "storage", "fault": Fault.TRUNCATE, "share": 0.5, "times": 1}

    with Sandbox(BIG, faults=[breaks]).in_thread() as sandbox:
        wanted = item(sandbox, record)
        failed = await crawl(sandbox, spider_of(wanted), {}, RETRY_TIMES=0, **KEY)
        [part] = (failed.archive.media / ".parts").glob("*.part")
        with part.open("r+b") as file:
            file.write(b"spoilt")
        [row], crawled = await fetched(crawl, sandbox, item(sandbox, record), **KEY)

    assert row["state"] == "stored"
    assert hashlib.sha256((crawled.archive.media / row["path"]).read_bytes()).hexdigest() == row["sha256"]
    assert [bool(line.range) for line in sandbox.log.of("storage")] == [False, True, False]


async def test_a_mirror_is_tried_when_the_storage_has_lost_the_file(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        picture = WORLD.truth("lampwright", 3).images[0]
        url = f"{sandbox.media_url}/{picture['key']}/original=true/x.jpeg"
        mirrors = [
            {"url": f"{url}-deleted", "deletedAt": "2025-01-01"},
            {"url": "https://elsewhere.example/x", "deletedAt": None},
            {"url": url, "deletedAt": None},
        ]
        wanted = item(sandbox, LOST, mirrors=mirrors, sha256=picture["sha256"])
        [row], crawled = await fetched(crawl, sandbox, wanted, **KEY)

    assert row["state"] == "stored"
    assert crawled.stats["civitscrape/mirrors_asked"] == 1
    assert [line.authorized for line in sandbox.log.of("media")] == [False]


@pytest.mark.parametrize(
    ("record", "values", "words"),
    [
        (LOST, {}, "mirrors elsewhere are not asked (elsewhere.example); CIVITAI_STORAGE_HOSTS"),
        (LOST, {"sha256": None}, "for want of a checksum"),
    ],
)
async def test_other_mirrors_are_named_and_not_asked(crawl, record, values, words):
    mirrors = [{"url": "https://elsewhere.example/x", "deletedAt": None}]

    with Sandbox(WORLD).in_thread() as sandbox:
        [row], _ = await fetched(crawl, sandbox, item(sandbox, record, mirrors=mirrors, **values), **KEY)

    assert row["state"] == "gone"
    assert words in row["error"]


async def test_what_the_site_does_not_give_is_not_looked_for_elsewhere(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        mirrors = [{"url": f"{sandbox.media_url}/x/original=true/x.jpeg", "deletedAt": None}]
        [row], _ = await fetched(crawl, sandbox, item(sandbox, EARLY, mirrors=mirrors), **KEY)

    assert row["state"] == "refused"
    assert sandbox.log.of("media") == []


async def test_a_model_file_over_the_limit_is_not_asked_for(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        wanted = item(sandbox, PLAIN)
        limited, _ = await fetched(crawl, sandbox, wanted, arguments={"max_file_size": "10KB"}, **KEY)
        asked = list(sandbox.log.lines)
        rows, _ = await fetched(crawl, sandbox, item(sandbox, PLAIN), **KEY)

    assert asked == []
    assert limited[0]["state"] == "refused"
    assert limited[0]["error"].startswith("max_file_size=10000 leaves it out: it has ")
    assert rows[0]["state"] == "stored"
