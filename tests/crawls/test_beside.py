"""What a crawl writes beside model files, and which videos and sizes it takes."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import formats
from civitscrape.items import Level
from civitscrape.sandbox import Quirks, Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.worlds import ASK, NAME, world

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.crawl

KEY: dict[str, Any] = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
WORLD = World.build(creators=[CreatorSpec(username=NAME, images=40, models=6, levels=((Level.PG, 1.0),))])
VERSION = next(
    version
    for model in WORLD.model_truth(NAME).models
    for version in model["versions"]
    if version["showcase"]
    and version["files"]
    and all(file["answer"] == 307 for file in version["files"])
    and not any(WORLD.records[one].deleted for one in version["showcase"])
)
FILES = {"version_id": str(VERSION["id"]), "content": "files"}


def beside(archive, ending: str) -> list[Path]:
    return sorted((archive.media / "models" / str(VERSION["id"])).glob(f"*{ending}"))


@pytest.mark.parametrize("payloads", ["yes", "no"], ids=["as it came", "from the tables"])
async def test_each_model_file_has_its_description_and_a_preview(crawl, payloads):
    with Sandbox(WORLD).in_thread() as sandbox:
        crawled = await crawl(sandbox, "version", FILES, KEEP_PAYLOADS=payloads == "yes", **KEY)

    infos = [json.loads(path.read_bytes()) for path in beside(crawled.archive, ".civitai.info")]
    assert len(infos) == len(VERSION["files"]) == len(beside(crawled.archive, ".preview.*"))
    assert {info["id"] for info in infos} == {VERSION["id"]}
    truth = WORLD.versions[VERSION["id"]]
    assert all(info["trainedWords"] == list(truth.trained_words) for info in infos)
    assert all("/api/download/models/" in file["downloadUrl"] for file in infos[0]["files"])
    for path in beside(crawled.archive, ".preview.*"):
        found = formats.sniff(path.read_bytes()[:512])
        assert found is not None
        assert path.suffix == found.extension


async def test_a_second_run_writes_nothing_anew_and_mends_what_is_missing(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        first = await crawl(sandbox, "version", FILES, **KEY)
        infos = beside(first.archive, ".civitai.info")
        infos[0].unlink()
        before = [path.stat().st_mtime_ns for path in infos[1:]]
        sandbox.log.reset()
        again = await crawl(sandbox, "version", FILES, **KEY)

    assert infos[0].exists()
    assert [path.stat().st_mtime_ns for path in infos[1:]] == before
    assert again.report["requests"]["media"] == 0


@pytest.mark.parametrize("text", ["", "mine", "[1]", '{"id": 7, "notes": "mine"}'])
async def test_what_somebody_else_wrote_stays(crawl, text):
    with Sandbox(WORLD).in_thread() as sandbox:
        first = await crawl(sandbox, "version", FILES, **KEY)
        [info, *_] = beside(first.archive, ".civitai.info")
        [preview, *_] = beside(first.archive, ".preview.*")
        info.write_text(text)
        preview.write_text("mine")
        await crawl(sandbox, "version", FILES, **KEY)

    assert info.read_text() == text
    assert preview.read_text() == "mine"


async def test_a_picture_that_is_archived_already_is_linked_as_the_preview(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.log.reset()
        crawled = await crawl(sandbox, "version", FILES, **KEY)

    assert sandbox.log.of("media") == []
    assert all(path.stat().st_nlink > 1 for path in beside(crawled.archive, ".preview.*"))


async def test_a_limit_on_sizes_leaves_files_out_and_a_run_without_it_takes_them_up(crawl):
    sight = world(8, file_size=30_000)
    with Sandbox(sight).in_thread() as sandbox:
        limited = await crawl(sandbox, "user", {**ASK, "max_file_size": "20KB"})
        same = await crawl(sandbox, "user", {**ASK, "max_file_size": "20KB"})
        whole = await crawl(sandbox, "user", ASK)

    rows = limited.report["targets"][0]["failures"]
    assert {row["state"] for row in rows} == {"refused"}
    assert all(row["error"].startswith("max_file_size=20000 leaves it out") for row in rows)
    assert limited.outcome == "incomplete"
    assert same.report["requests"]["media"] == 0
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete"


@pytest.mark.parametrize("wrong", ["many", "-5", "0", "5 apples", "1e9"])
async def test_a_size_that_is_none_is_refused(wrong):
    from civitscrape.exceptions import ArgumentError
    from civitscrape.spiders.arguments import UserArguments

    with pytest.raises(ArgumentError, match="spider argument max_file_size"):
        UserArguments.read({"username": NAME, "max_file_size": wrong})


async def test_a_still_is_never_stored_as_a_video_and_the_sites_rendering_is(crawl):
    sight = world(6, videos=2)
    with Sandbox(sight, quirks=Quirks(still_videos=True)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    rows = crawled.archive.rows("SELECT * FROM media WHERE kind = 'video'")
    assert len(rows) == 2
    for row in rows:
        assert (row["state"], row["content_type"]) == ("stored", "video/mp4")
        assert "transcode=true" in row["url"]
        assert row["error"] == "the CDN gave a still (image/jpeg) for a video; stored is the site's own rendering of it"
    assert crawled.outcome == "complete"


async def test_parts_that_nobody_goes_on_with_are_cleaned_up(crawl):
    sight = world(6)
    now = time.time()
    with Sandbox(sight).in_thread() as sandbox:
        first = await crawl(sandbox, "user", ASK)
        folder = first.archive.media / ".parts"
        folder.mkdir()
        stored = first.archive.rows("SELECT key FROM media")[0]["key"]
        ages = {"old": 15 * 86_400, stored: 2 * 3600, "resting": 2 * 3600, "fresh": 5}
        for name, age in ages.items():
            for path in (folder / f"{name}.part", folder / f"{name}.part.json"):
                path.write_bytes(b"{}")
                os.utime(path, (now - age, now - age))
        (folder / "lost.part.json").write_bytes(b"{}")
        os.utime(folder / "lost.part.json", (now - 7200, now - 7200))
        await crawl(sandbox, "user", ASK)

    left = {path.name for path in folder.iterdir()}
    assert left == {"resting.part", "resting.part.json", "fresh.part", "fresh.part.json"}
