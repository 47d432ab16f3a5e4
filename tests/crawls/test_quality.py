"""Smaller renditions are fetched, kept and told apart from originals, whichever of the two came first."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from civitscrape.commands.main import app
from civitscrape.sandbox import Sandbox
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.sandbox.world import World
    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

WIDTH = 96
SMALL = {"username": NAME, "quality": f"width={WIDTH}"}
FULL = {"username": NAME}
PICTURES = 12


def of_renditions(archive: Archived) -> list[dict[str, Any]]:
    return archive.rows("SELECT * FROM media WHERE kind = 'rendition' ORDER BY key")


def of_originals(archive: Archived) -> list[dict[str, Any]]:
    return archive.rows("SELECT * FROM media WHERE kind <> 'rendition' ORDER BY key")


def asked(sandbox: Sandbox) -> list[str]:
    return [line.path for line in list(sandbox.log.lines) if line.role == "media"]


def bodies(archive: Archived) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in archive.media.rglob("*") if path.is_file()}


def verify(archive: Archived, *words: str) -> Any:
    return CliRunner().invoke(app, ["verify", *words, "-s", f"OUTPUT_DIR={archive.folder}"])


def sight(**options: object) -> World:
    """Build a world whose pictures are wider than the renditions."""
    return world(PICTURES, sizes=((160, 120), (120, 160)), video_sizes=((128, 96),), **options)


async def test_renditions_come_instead_of_originals_and_lie_in_a_folder_of_their_own(crawl) -> None:
    with Sandbox(sight()).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", SMALL)
        addresses = asked(sandbox)

    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert len(addresses) == PICTURES
    assert all(f"/width={WIDTH}/" in address for address in addresses)
    assert of_originals(crawled.archive) == []
    found = of_renditions(crawled.archive)
    assert len(found) == PICTURES
    for row in found:
        assert row["path"].startswith(f"width-{WIDTH}/{NAME}/")
        with Image.open(BytesIO((crawled.archive.media / row["path"]).read_bytes())) as picture:
            assert (picture.format, picture.width) == ("JPEG", WIDTH)
    assert crawled.archive.rows("SELECT 1 FROM images WHERE path IS NOT NULL") == []
    assert {path.parts[0] for path in (one.relative_to(crawled.archive.media) for one in bodies(crawled.archive))} == {
        f"width-{WIDTH}"
    }


async def test_the_report_counts_the_files_of_the_quality_that_was_asked_for(crawl) -> None:
    with Sandbox(sight()).in_thread() as sandbox:
        full = await crawl(sandbox, "user", FULL)
        small = await crawl(sandbox, "user", SMALL)
        again = await crawl(sandbox, "user", SMALL)

    assert [one.report["targets"][0]["files"] for one in (full, small, again)] == [
        {"stored": PICTURES},
        {"stored": PICTURES},
        {"had": PICTURES},
    ]


@pytest.mark.parametrize("order", [(SMALL, FULL), (FULL, SMALL)], ids=["rendition first", "original first"])
@pytest.mark.parametrize("mode", ["all", "new"])
async def test_neither_counts_for_the_other_and_nothing_is_fetched_twice(crawl, order, mode) -> None:
    scene = sight()
    first, second = ({**one, "mode": mode} for one in order)

    with Sandbox(scene).in_thread() as sandbox:
        await crawl(sandbox, "user", first)
        one = len(asked(sandbox))
        archive = (await crawl(sandbox, "user", second)).archive
        two = len(asked(sandbox))
        before = bodies(archive)
        await crawl(sandbox, "user", first)
        last = await crawl(sandbox, "user", second)
        again = len(asked(sandbox))

    assert (one, two, again) == (PICTURES, 2 * PICTURES, 2 * PICTURES)
    assert last.outcome == "complete"
    assert archive.differences(scene.truth(NAME, 3)) == []
    assert {row["state"] for row in of_renditions(archive)} == {"stored"}
    assert bodies(archive) == before
    assert verify(archive).exit_code == 0


async def test_a_video_comes_as_the_site_plays_it_and_keeps_its_own_type(crawl) -> None:
    with Sandbox(sight(videos=3)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {**SMALL, "content": "videos"})
        addresses = asked(sandbox)

    assert len(addresses) == 3
    assert all(f"/transcode=true,width={WIDTH}/" in address for address in addresses)
    assert {(row["content_type"], row["state"]) for row in of_renditions(crawled.archive)} == {("video/mp4", "stored")}


async def test_sidecars_beside_renditions_tell_of_the_rendition(crawl) -> None:
    with Sandbox(sight()).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", SMALL, SIDECARS="json,caption")).archive

    for row in of_renditions(archive):
        path = archive.media / row["path"]
        told = json.loads(path.with_suffix(".json").read_text("utf-8"))
        assert told["file"] == {
            "sha256": row["sha256"],
            "size": path.stat().st_size,
            "content_type": "image/jpeg",
            "path": row["path"],
            "rendition": f"width={WIDTH}",
        }
        assert told["image"]["id"] == row["entry_id"]
        assert "path" not in told["image"]
    assert any(path.suffix == ".txt" for path in bodies(archive))


async def test_retry_brings_what_failed_in_the_quality_that_was_wanted(crawl) -> None:
    with Sandbox(sight()).in_thread() as sandbox:
        rule = {"role": "media", "fault": "status", "status": 500}
        sandbox.faults.add(rule)
        failed = await crawl(sandbox, "user", SMALL, RETRY_TIMES=0)
        both = await crawl(sandbox, "user", FULL, RETRY_TIMES=0)
        sandbox.faults.clear()
        before = len(asked(sandbox))
        retried = await crawl(sandbox, "retry", {})
        addresses = asked(sandbox)[before:]

    assert failed.outcome == both.outcome == "incomplete"
    assert len(addresses) == 2 * PICTURES
    assert sum(f"/width={WIDTH}/" in address for address in addresses) == PICTURES
    assert {row["state"] for row in retried.archive.rows("SELECT state FROM media")} == {"stored"}
    assert retried.outcome == "complete", retried.report["reasons"]


async def test_a_lost_rendition_is_found_by_verify_and_fetched_again(crawl) -> None:
    with Sandbox(sight()).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", FULL)).archive
        await crawl(sandbox, "user", SMALL)
        lost, cut, *_ = [archive.media / row["path"] for row in of_renditions(archive)]
        whole = bodies(archive)
        lost.unlink()
        cut.write_bytes(b"half")
        told = verify(archive, "--target", f"user:{NAME}")
        mended = verify(archive, "--mend")
        before = len(asked(sandbox))
        await crawl(sandbox, "user", SMALL)
        addresses = asked(sandbox)[before:]

    assert [told.exit_code, mended.exit_code] == [3, 3], told.output
    assert len(addresses) == 2
    assert {path: bodies(archive)[path] for path in whole} == whole
    assert verify(archive).exit_code == 0


async def test_renditions_are_not_converted_and_leave_the_conversion_of_originals_alone(crawl) -> None:
    with Sandbox(sight(file_size=30_000)).in_thread() as sandbox:
        await crawl(sandbox, "user", SMALL, WEBP_ENABLED=True, WEBP_METHOD=0)
        archive = (await crawl(sandbox, "user", FULL, WEBP_ENABLED=True, WEBP_METHOD=0)).archive

    assert {row["webp_path"] for row in of_renditions(archive)} == {None}
    assert any(row["webp_path"] for row in of_originals(archive))


async def test_images_that_share_a_key_share_one_rendition(crawl) -> None:
    with Sandbox(sight(shared=4)).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", SMALL)).archive
        again = await crawl(sandbox, "user", {**SMALL, "redownload": "yes"})

    keys = archive.rows("SELECT DISTINCT key FROM images")
    assert len(keys) == len(of_renditions(archive)) < PICTURES
    assert {row["state"] for row in of_renditions(archive)} == {"stored"}
    assert again.outcome == "complete"
    assert verify(archive).exit_code == 0


async def test_sound_has_no_rendition_and_comes_as_it_was_uploaded(crawl) -> None:
    with Sandbox(sight(audio=2)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "images", {"username": NAME, "quality": SMALL["quality"]})
        addresses = asked(sandbox)

    sound = crawled.archive.rows("SELECT * FROM media WHERE kind = 'audio'")
    assert {row["state"] for row in sound} <= {"stored"}
    assert sum("/original=true/" in address for address in addresses) == len(sound)
    assert crawled.report["targets"][0]["files"] == {"stored": len(addresses)}


async def test_two_qualities_of_a_folder_that_originals_could_have_too_do_not_meet(crawl) -> None:
    scene = sight()

    with Sandbox(scene).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", SMALL, MEDIA_PATH="{creator}/{id}{ext}")).archive
        await crawl(sandbox, "user", FULL, MEDIA_PATH=f"width-{WIDTH}/{{creator}}/{{id}}{{ext}}")

    assert archive.differences(scene.truth(NAME, 3)) == []
    places = [row["path"] for row in archive.rows("SELECT path FROM media")]
    assert len(set(places)) == 2 * PICTURES
    assert verify(archive).exit_code == 0
