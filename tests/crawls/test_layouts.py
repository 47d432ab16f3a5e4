"""Layouts and sidecars of whole crawls, and what a plan says of them before and after."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest

from civitscrape.items import Level
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.crawl

NAME = "lampwright"
LEVELS = ((Level.PG, 5.0), (Level.PG13, 3.0), (Level.R, 2.0))
WORLD = World.build(seed=7, creators=[CreatorSpec(username=NAME, images=40, videos=4, models=4, levels=LEVELS)])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(WORLD).in_thread() as running:
        yield running


@pytest.fixture
def civitscrape(sandbox: Sandbox, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *words: run(CIVITSCRAPE, *words, folder=tmp_path, settings=sandbox.settings())


def media(archive: Archived) -> set[str]:
    kinds = {".png", ".jpeg", ".webp", ".gif", ".mp4"}
    return {str(one.relative_to(archive.media)) for one in archive.media.rglob("*") if one.suffix in kinds}


SHAPES = {
    "flat": r"\d+\.\w+",
    "by-model": r"[^/]+/[^/]+/lampwright/\d+\.\w+",
    "rated": r"(Images|Videos)/(SFW|NSFW)/[^/]+/lampwright/\d+\.\w+",
    "grabber": r"Username_Search/lampwright/[^/]+/\d+\.\w+",
    "grabber-unsorted": r"Username_Search/lampwright/\d+\.\w+",
    "{creator}/{created_at:%Y}/{prompt|untold}{ext}": r"lampwright/20\d\d/[^/]+\.\w+",
}


@pytest.mark.parametrize("template", SHAPES)
async def test_every_layout_holds_all_files_where_the_database_says(crawl, sandbox, template) -> None:
    crawled = await crawl(sandbox, "user", {"username": NAME, "level": "all"}, MEDIA_PATH=template, SIDECARS="none")

    truth = WORLD.truth(NAME, 31)
    told = [row["path"] for row in crawled.archive.rows("SELECT path FROM images WHERE path IS NOT NULL")]
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert len(set(told)) == len(truth.stored)
    assert (
        media(crawled.archive) == set(told) == {str(one.relative_to(crawled.archive.media)) for one in files(crawled)}
    )
    assert [path for path in told if not re.fullmatch(SHAPES[template], path)] == []
    assert {row["path"] for row in crawled.archive.latest_feed()} - {""} == set(told)


def files(crawled) -> list[Path]:
    return [one for one in crawled.archive.media.rglob("*") if one.is_file()]


async def test_the_grabber_s_layout_has_its_texts_beside_each_file(crawl, sandbox) -> None:
    crawled = await crawl(sandbox, "user", {"username": NAME}, MEDIA_PATH="grabber")

    for path in media(crawled.archive):
        stem = path.rpartition(".")[0]
        beside = [crawled.archive.media / f"{stem}{end}" for end in ("_meta.txt", "_no_meta.txt", ".json")]
        assert [one.exists() for one in beside] in ([True, False, True], [False, True, True]), path
        if "/no_metadata/" in path:
            assert f"/images/{stem.rpartition('/')[2]}?username={NAME}" in beside[1].read_text("utf-8")


async def test_every_kind_of_sidecar_is_written_and_renewed(crawl, sandbox) -> None:
    wanted = {"MEDIA_PATH": "flat", "SIDECARS": "json,txt,tags"}
    crawled = await crawl(sandbox, "user", {"username": NAME}, **wanted)
    store = crawled.archive.media
    [made, *_] = crawled.archive.rows("SELECT id FROM images WHERE path LIKE '%.png' AND steps IS NOT NULL ORDER BY id")
    number = made["id"]
    tagged = store / f"{number}.png.txt"
    tagged.write_text("spoilt")

    await crawl(sandbox, "user", {"username": NAME}, **wanted)

    names = crawled.archive.rows(
        "SELECT name FROM tags JOIN image_tags ON tag_id = tags.id WHERE image_id = ? ORDER BY score DESC, tag_id",
        number,
    )
    assert tagged.read_text("utf-8").splitlines() == [row["name"] for row in names]
    assert "Steps: " in (store / f"{number}.txt").read_text("utf-8")


def test_a_plan_says_what_is_there_and_what_would_come_and_writes_nothing(civitscrape, sandbox, tmp_path) -> None:
    first = civitscrape("plan", NAME)
    assert (first.returncode, list(tmp_path.iterdir())) == (0, []), first.stderr
    civitscrape("get", NAME)
    archive = Archived(tmp_path / "output")
    before = {one: one.read_bytes() for one in archive.everything() if one.suffix != ".sqlite-shm"}
    asked = len([line for line in list(sandbox.log.lines) if line.role == "media"])

    again = civitscrape("plan", NAME, "-a", "level=all", "-a", "content=images,videos,files")

    safe, every = len(WORLD.truth(NAME, 3).ids), len(WORLD.truth(NAME, 31).ids)
    numbers = [
        list(map(int, re.findall(r"\b\d+\b", line)))[:4] for line in again.stdout.splitlines() if "images" in line
    ]
    videos = [
        list(map(int, re.findall(r"\b\d+\b", line)))[:4] for line in again.stdout.splitlines() if "videos" in line
    ]
    listed, here, gone, fetch = map(sum, zip(numbers[1], videos[1], strict=True))
    assert again.returncode == 0, again.stderr
    assert (listed, here, gone, fetch) == (every, safe, 0, every - safe)
    assert re.search(r"model files +\d+ +0 +0 +\d+ +[\d.]+ [kM]?B", again.stdout)
    assert "about" in again.stdout
    assert re.search(
        r"^\d+ API calls, 1 pages; no file was fetched, and nothing was written$", again.stdout, re.MULTILINE
    )
    assert len([line for line in list(sandbox.log.lines) if line.role == "media"]) == asked
    assert {one: one.read_bytes() for one in archive.everything() if one.suffix != ".sqlite-shm"} == before


def test_a_plan_counts_files_over_the_limit_apart(civitscrape) -> None:
    limited = civitscrape("plan", NAME, "-a", "content=files", "-a", "max_file_size=1kb")

    [counted] = re.findall(r"model files +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(.+?) *\n", limited.stdout)
    listed, here, gone, over, to_fetch = map(int, counted[:5])
    assert (here, gone, to_fetch, counted[5]) == (0, 0, 0, "0 bytes")
    assert listed == over > 0
    assert re.search(r"\bover\b", limited.stdout), limited.stdout


def test_a_plan_of_nobody_fails_as_the_crawl_would(civitscrape, tmp_path) -> None:
    done = civitscrape("plan", "nobody_here")

    assert done.returncode == 1
    assert "user:nobody_here: the site knows no such name" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_plan_of_names_is_what_the_move_then_does(civitscrape, tmp_path) -> None:
    civitscrape("get", NAME, "-s", "SIDECARS=json,txt")
    archive = Archived(tmp_path / "output")
    plan = civitscrape("plan", "--paths", "-s", "MEDIA_PATH=rated", "--limit", "0")
    moved = civitscrape("plan", "--paths", "--move", "-s", "MEDIA_PATH=rated")
    settled = civitscrape("plan", "--paths", "-s", "MEDIA_PATH=rated")

    pairs = dict(line.split(" → ") for line in plan.stdout.splitlines() if " → " in line)
    assert (
        set(pairs.values())
        == media(archive)
        == {row["path"] for row in archive.rows("SELECT path FROM images WHERE path IS NOT NULL")}
    )
    assert f"{len(pairs)} files moved, 0 left" in moved.stdout
    assert f"{len(pairs)} files, 0 would move, {len(pairs)} stay" in settled.stdout
    assert not (archive.media / NAME).exists()
    assert archive.differences(WORLD.truth(NAME, 3)) == []


async def test_what_is_fetched_again_keeps_its_name_whatever_the_template_says_by_now(crawl, sandbox) -> None:
    first = await crawl(sandbox, "user", {"username": NAME}, SIDECARS="none")
    before = media(first.archive)

    again = await crawl(sandbox, "user", {"username": NAME, "redownload": "yes"}, MEDIA_PATH="flat", SIDECARS="none")

    assert again.report["counts"]["stored"] == len(before)
    assert media(again.archive) == before


async def test_a_second_tag_has_a_summary_of_what_the_first_had_brought(crawl, sandbox) -> None:
    carriers: dict[str, set[int]] = {}
    for image in WORLD.truth(NAME, 3).images:
        for tag in image["tags"]:
            carriers.setdefault(tag["name"], set()).add(image["id"])
    one, other = sorted(carriers, key=lambda name: (-len(carriers[name]), name))[:2]

    await crawl(sandbox, "tag", {"tag": one}, MEDIA_PATH="grabber")
    crawled = await crawl(sandbox, "tag", {"tag": other}, MEDIA_PATH="grabber")

    [summary] = crawled.archive.media.rglob("summary_*.csv")
    with summary.open(encoding="utf-8", newline="") as file:
        held = list(csv.DictReader(file))
    shared = {
        row["path"]
        for row in crawled.archive.rows("SELECT id, path FROM images WHERE path IS NOT NULL")
        if row["id"] in carriers[one] & carriers[other]
    }
    assert {row["Relative Image Path"] for row in held} == shared
    assert {(row["Current Tag"], row["Previously Downloaded Tag"]) for row in held} == {(other, one)}
    assert shared != set()
    assert {path.split("/")[:2] == ["Model_Tag_Search", one] for path in shared} == {True}
