"""Another template takes renditions and posters along: to where a crawl with it would have put them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.commands.main import app
from civitscrape.sandbox import Sandbox
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

PICTURES, VIDEOS, WIDTH = 10, 3, 96
RENDITIONS = {"username": NAME, "quality": f"width={WIDTH}"}
ORIGINALS = {"username": NAME, "posters": "yes"}
SIDECARS = "json,tags"
TEMPLATE = "all/{type}-{id}{ext}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    scene = world(PICTURES, videos=VIDEOS, sizes=((160, 120),), video_sizes=((128, 96),))
    with Sandbox(scene).in_thread() as running:
        yield running


def command(archive: Archived, *words: str) -> Any:
    settings = [f"OUTPUT_DIR={archive.folder}", f"MEDIA_PATH={TEMPLATE}", f"SIDECARS={SIDECARS}"]
    return CliRunner().invoke(app, [*words, *(word for one in settings for word in ("-s", one))])


def media(archive: Archived) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in archive.rows("SELECT * FROM media WHERE path IS NOT NULL")}


def layout(archive: Archived) -> set[str]:
    return {one.relative_to(archive.media).as_posix() for one in archive.media.rglob("*") if one.is_file()}


async def test_renditions_and_posters_move_to_where_a_crawl_would_have_put_them(crawl, sandbox, tmp_path) -> None:
    archive = (await crawl(sandbox, "user", RENDITIONS, SIDECARS=SIDECARS)).archive
    await crawl(sandbox, "user", ORIGINALS, SIDECARS=SIDECARS)
    before, told = media(archive), command(archive, "plan", "--paths", "--limit", "0")
    there = {"folder": tmp_path / "there", "MEDIA_PATH": TEMPLATE, "SIDECARS": SIDECARS}
    await crawl(sandbox, "user", RENDITIONS, **there)
    aim = (await crawl(sandbox, "user", ORIGINALS, **there)).archive
    bodies = {key: (archive.media / row["path"]).read_bytes() for key, row in before.items()}

    moved = command(archive, "plan", "--paths", "--move")
    verified = command(archive, "verify")
    sandbox.log.reset()
    again = [await crawl(sandbox, "user", ask, MEDIA_PATH=TEMPLATE) for ask in (RENDITIONS, ORIGINALS)]

    after = media(archive)
    assert moved.exit_code == 0, moved.output
    assert verified.exit_code == 0, verified.output
    assert layout(archive) == layout(aim)
    assert {key: row["path"] for key, row in after.items()} == {key: row["path"] for key, row in media(aim).items()}
    assert {key: (archive.media / row["path"]).read_bytes() for key, row in after.items()} == bodies
    assert sorted(row["kind"] for row in after.values()).count("poster") == len(posters(after)) > 0
    pairs = dict(line.split(" → ") for line in told.output.splitlines() if " → " in line)
    assert pairs.items() >= {
        (before[key]["path"], row["path"]) for key, row in after.items() if row["kind"] != "poster"
    }
    assert sandbox.log.of("media") == []
    assert [one.outcome for one in again] == ["complete", "complete"]


def posters(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Find the posters that lie beside their video."""
    videos = {row["path"].rpartition(".")[0] for row in rows.values() if row["kind"] == "video"}
    return [row["path"] for row in rows.values() if row["path"].removesuffix(".poster.jpeg") in videos]


async def test_a_poster_beside_a_rendition_goes_along_with_it_and_its_sidecar_says_where_it_is(crawl, sandbox) -> None:
    archive = (await crawl(sandbox, "user", {**RENDITIONS, "posters": "yes"}, SIDECARS=SIDECARS)).archive

    moved = command(archive, "plan", "--paths", "--move")
    verified = command(archive, "verify")

    rows = media(archive).values()
    assert (moved.exit_code, verified.exit_code) == (0, 0), moved.output + verified.output
    assert {row["path"].rpartition("/")[0] for row in rows} == {f"width-{WIDTH}/all"}
    assert sum(row["kind"] == "poster" for row in rows) > 0
    for row in rows:
        if row["kind"] == "rendition":
            sidecar = json.loads((archive.media / row["path"]).with_suffix(".json").read_text("utf-8"))
            assert sidecar["file"]["path"] == row["path"]
