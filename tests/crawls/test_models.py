"""Models, versions and files, archived from a sandbox by every door that leads to them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from civitscrape.archive import paths
from civitscrape.downloads import cleaning
from civitscrape.items import Level
from civitscrape.ledger import Outcome
from civitscrape.sandbox import model_files
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import CreatorSpec, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crawls.archive import Archived

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
WORLD = World.build(
    creators=[
        CreatorSpec(
            username="lampwright",
            images=40,
            videos=2,
            models=12,
            archived_models=1,
            early_access_models=1,
            unsearchable_models=1,
            generate_only_models=1,
            minor_models=1,
            nsfw_models=2,
        ),
        CreatorSpec(username="harbourmaster", images=8, models=3),
    ]
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(WORLD).in_thread() as running:
        yield running


def models_differ(archive: Archived, truth) -> list[str]:
    """Say in which ways the models of an archive are not the truth; empty when they are."""
    models = {row["id"]: row for row in archive.rows("SELECT * FROM models")}
    versions = {row["id"]: row for row in archive.rows("SELECT * FROM model_versions")}
    files = {row["id"]: row for row in archive.rows("SELECT * FROM model_files")}
    wrong = [f"model {number} is missing" for number in set(truth.ids) - models.keys()]
    wrong += [f"model {number} is too much" for number in models.keys() - set(truth.ids)]
    for version in truth.versions:
        here = versions.get(version["id"])
        if here is None:
            wrong.append(f"version {version['id']} is missing")
        elif (here["name"], here["base_model"]) != (version["name"], version["base_model"]):
            wrong.append(f"version {version['id']} is {dict(here)}")
    for file in truth.files:
        here = files.get(file["id"])
        if here is None:
            wrong.append(f"file {file['id']} is missing")
        elif (here["sha256"] or "").lower() != file["hashes"]["SHA256"].lower():
            wrong.append(f"file {file['id']} has SHA-256 {here['sha256']}")
    return wrong


async def test_the_models_of_a_creator_equal_the_truth(sandbox, crawl):
    crawled = await crawl(sandbox, "user", {"username": "lampwright", "content": "models", "level": "all"})

    assert models_differ(crawled.archive, WORLD.model_truth("lampwright")) == []
    assert crawled.report["requests"]["api"] == 2
    assert crawled.outcome is Outcome.COMPLETE


async def test_models_of_other_levels_are_left_out(sandbox, crawl):
    crawled = await crawl(sandbox, "user", {"username": "lampwright", "content": "models", "level": "pg"})

    truth = WORLD.model_truth("lampwright", mask=Level.PG)
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM models")} == set(truth.ids)
    levels = {row["level"] for row in crawled.archive.rows("SELECT level FROM images")}
    assert levels <= {Level.PG}


async def test_the_catalogue_is_walked_to_its_end(sandbox, crawl):
    crawled = await crawl(sandbox, "models", {"level": "all", "download": "none"})

    assert models_differ(crawled.archive, WORLD.model_truth()) == []
    assert crawled.outcome is Outcome.COMPLETE


async def test_an_unknown_tag_never_gives_the_whole_catalogue(sandbox, crawl):
    crawled = await crawl(sandbox, "models", {"tag": "no such tag at all", "download": "none"})

    assert crawled.archive.rows("SELECT * FROM models") == []
    assert crawled.outcome is not Outcome.COMPLETE
    assert any("without it" in reason for reason in crawled.report["reasons"])


async def test_a_model_brings_its_versions_and_its_showcase_with_prompts(sandbox, crawl):
    model = max(WORLD.named("lampwright").models, key=lambda one: len(one.versions))

    crawled = await crawl(sandbox, "model", {"model_id": str(model.id), "level": "all"})

    versions = {row["id"] for row in crawled.archive.rows("SELECT id FROM model_versions")}
    assert versions >= {version.id for version in model.versions if version.published}
    shown = crawled.archive.rows("SELECT * FROM version_images WHERE source = 'showcase'")
    pictures = {row["id"]: row for row in crawled.archive.rows("SELECT * FROM images")}
    assert all(row["image_id"] in pictures for row in shown)
    assert crawled.outcome is Outcome.COMPLETE


async def test_files_of_a_model_come_with_a_key_and_are_what_their_records_say(sandbox, crawl):
    truth = WORLD.model_truth("lampwright")
    stored = truth.stored
    model = next(one for one in truth.models if any(file in stored for v in one["versions"] for file in v["files"]))

    crawled = await crawl(sandbox, "model", {"model_id": str(model["id"]), "content": "files"}, **KEY)

    expected = {file["id"]: file for version in model["versions"] for file in version["files"] if file in stored}
    here = {row["id"]: row for row in crawled.archive.rows("SELECT * FROM model_files WHERE state = 'stored'")}
    assert here.keys() == expected.keys()
    for number, row in here.items():
        body = (crawled.archive.media / row["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == expected[number]["hashes"]["SHA256"].lower() == row["sha256"]


async def test_what_is_left_of_a_download_goes_with_the_next_crawl_once_its_file_is_stored(sandbox, crawl):
    truth = WORLD.model_truth("lampwright")
    model = next(one for one in truth.models if any(f in truth.stored for v in one["versions"] for f in v["files"]))
    ask = {"model_id": str(model["id"])}
    archive = (await crawl(sandbox, "model", {**ask, "content": "files"}, **KEY)).archive
    number = archive.rows("SELECT id FROM model_files WHERE state = 'stored'")[0]["id"]
    stored, unknown = (paths.file_part_path(archive.media, one) for one in (number, 10**9))
    for part in (stored, unknown):
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(b"half")
        os.utime(part, (time.time() - 2 * cleaning.QUIET,) * 2)

    again = await crawl(sandbox, "model", {**ask, "content": "files"}, **KEY)

    assert (stored.exists(), unknown.exists()) == (False, True)
    assert again.stats["civitscrape/bytes_cleaned"] == len(b"half")


async def test_a_file_that_is_refused_says_why(sandbox, crawl):
    model = next(one for one in WORLD.model_truth("lampwright").models if one["mode"] is None)

    crawled = await crawl(sandbox, "model", {"model_id": str(model["id"]), "content": "files"})

    rows = crawled.archive.rows("SELECT state, error, path FROM model_files WHERE state IS NOT NULL")
    assert rows
    assert {row["state"] for row in rows} <= {"failed", "gone"}
    assert any("key" in row["error"] or "log" in row["error"] for row in rows)
    assert crawled.outcome is Outcome.INCOMPLETE


async def test_a_model_that_does_not_exist_is_named_and_never_called_complete(sandbox, crawl):
    crawled = await crawl(sandbox, "model", {"model_id": "987654"})

    assert crawled.outcome is Outcome.FAILED
    assert any("987654" in reason for reason in crawled.report["reasons"])


async def test_a_version_brings_its_files_and_the_name_of_its_model(sandbox, crawl):
    version = WORLD.model_truth("harbourmaster").versions[0]

    crawled = await crawl(sandbox, "version", {"version_id": str(version["id"])})

    files = {row["id"] for row in crawled.archive.rows("SELECT id FROM model_files")}
    assert files == {file["id"] for file in version["files"]}
    assert crawled.archive.rows("SELECT name FROM models")[0]["name"]


async def test_local_files_are_looked_up_by_their_hashes_in_three_calls(sandbox, crawl, tmp_path: Path):
    folder = tmp_path / "loras"
    folder.mkdir()
    known = [file for file in WORLD.files.values() if file.id in {one["id"] for one in WORLD.model_truth().files}]
    for number in range(100):
        body = model_files.content(known[number]) if number < len(known) else b"mine alone %d" % number
        (folder / f"model {number}.safetensors").write_bytes(body)

    crawled = await crawl(sandbox, "hash", {"path": str(folder)})

    assert crawled.report["requests"]["api"] <= 3
    assert crawled.report["requests"]["media"] == 0
    assert crawled.outcome is Outcome.COMPLETE
    infos = {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.civitai.info")}
    for number in range(min(100, len(known))):
        assert known[number].version_id == infos[f"model {number}.civitai.info"]["id"]
    assert len(infos) == min(100, len(known))
    assert all("undefined" not in json.dumps(info) for info in infos.values())


async def test_a_file_that_was_hashed_is_not_read_again(sandbox, crawl, tmp_path: Path):
    file = tmp_path / "one.safetensors"
    file.write_bytes(b"unknown to the site")
    await crawl(sandbox, "hash", {"path": str(file)})

    crawled = await crawl(sandbox, "hash", {"path": str(file)})

    assert crawled.stats.get("civitscrape/hashed", 0) == 0


async def test_short_hashes_are_asked_one_by_one(sandbox, crawl):
    version = WORLD.model_truth("harbourmaster").versions[0]
    short = version["files"][0]["hashes"]["AutoV2"]

    crawled = await crawl(sandbox, "hash", {"sha256": short, "download": "none"})

    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM model_versions")} == {version["id"]}


async def test_odd_local_files_are_named_and_hinder_no_other(sandbox, crawl, tmp_path: Path):
    known = next(one for one in WORLD.files.values() if one.id in {file["id"] for file in WORLD.model_truth().files})
    folder = tmp_path / "loras"
    folder.mkdir()
    (folder / "fine.safetensors").write_bytes(model_files.content(known))
    (folder / "gone.bin").symlink_to(folder / "nowhere")
    (folder / "loop.bin").symlink_to(folder / "loop.bin")
    odd = os.fsdecode(os.fsencode(folder) + b"/n\xff.safetensors")
    shutil.copyfile(folder / "fine.safetensors", odd)

    crawled = await crawl(sandbox, "hash", {"path": str(folder)})

    assert (folder / "fine.civitai.info").exists()
    assert Path(odd).with_suffix(".civitai.info").exists()
    paths = {row["path"] for row in crawled.archive.rows("SELECT path FROM local_files")}
    assert paths == {str(folder / "fine.safetensors"), f"{folder}/n\\xff.safetensors"}
    assert crawled.stats["civitscrape/unreadable_files"] == 2
    assert [one for one in crawled.report["reasons"] if "2 local files could not be read; the first: " in one]
    assert crawled.outcome is Outcome.INCOMPLETE


async def test_a_file_may_be_asked_for_by_a_name_that_is_no_utf8(sandbox, crawl, tmp_path: Path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/n\xff.safetensors")
    (tmp_path / "fine").write_bytes(b"mine alone")
    shutil.move(tmp_path / "fine", odd)

    crawled = await crawl(sandbox, "hash", {"path": odd})

    told = crawled.archive.rows("SELECT command FROM runs")[0]["command"]
    assert "n\\xff.safetensors" in told
    assert crawled.report["arguments"]["path"] == [f"{tmp_path}/n\\xff.safetensors"]
    assert crawled.stats["civitscrape/hashed"] == 1


async def test_what_cannot_be_written_beside_a_file_is_named_and_the_rest_goes_on(sandbox, crawl, tmp_path: Path):
    files = [one for one in WORLD.files.values() if one.id in {file["id"] for file in WORLD.model_truth().files}]
    for number, file in enumerate(files[:3]):
        (tmp_path / f"{number}.safetensors").write_bytes(model_files.content(file))
    (tmp_path / "1.civitai.info" / "mine").mkdir(parents=True)

    crawled = await crawl(sandbox, "hash", {"path": str(tmp_path)})

    assert (tmp_path / "0.civitai.info").is_file()
    assert (tmp_path / "2.civitai.info").is_file()
    assert [one for one in crawled.report["reasons"] if "1 `.civitai.info` file could not be written" in one]
    assert crawled.outcome is Outcome.INCOMPLETE


async def test_two_hashes_of_one_version_list_its_gallery_once(sandbox, crawl):
    version = WORLD.model_truth("harbourmaster").versions[0]
    hashes = version["files"][0]["hashes"]
    both = f"{hashes['AutoV2']},{hashes['AutoV3']},{hashes['SHA256']}"

    crawled = await crawl(sandbox, "hash", {"sha256": both, "content": "gallery", "download": "none"})

    galleries = crawled.archive.rows("SELECT id FROM walks WHERE source = 'rest.images' AND level = 3")
    assert len(galleries) == 1


async def test_files_that_the_site_does_not_know_are_an_answer_and_one_call(sandbox, crawl, tmp_path: Path):
    (tmp_path / "mine.safetensors").write_bytes(b"nobody else has this")

    crawled = await crawl(sandbox, "hash", {"path": str(tmp_path / "mine.safetensors")})

    assert crawled.report["requests"]["api"] == 1
    assert crawled.outcome is Outcome.COMPLETE


async def test_pictures_of_a_version_lie_under_their_creator_after_the_first_run(sandbox, crawl):
    shown = next(
        version
        for model in WORLD.model_truth("lampwright", mask=1).models
        for version in model["versions"]
        if any(WORLD.records[one].level & 3 and not WORLD.records[one].deleted for one in version["showcase"])
    )

    crawled = await crawl(sandbox, "version", {"version_id": str(shown["id"])})

    paths = [row["path"] for row in crawled.archive.rows("SELECT path FROM images WHERE path IS NOT NULL")]
    assert paths
    assert all(path.startswith("lampwright/") for path in paths)
    assert crawled.report["counts"]["stored"] == len(paths)
    assert crawled.outcome is Outcome.COMPLETE


async def test_files_alone_bring_no_pictures(sandbox, crawl):
    model = next(one for one in WORLD.model_truth("lampwright").models if one["mode"] is None)

    crawled = await crawl(sandbox, "model", {"model_id": str(model["id"]), "content": "files"}, **KEY)

    assert crawled.report["requests"]["media"] <= sum(len(version["files"]) for version in model["versions"])
    assert crawled.archive.rows("SELECT * FROM images WHERE path IS NOT NULL") == []
