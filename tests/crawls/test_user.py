"""The user spider, from the command's arguments to the archive."""

from __future__ import annotations

import pytest

from civitscrape.items import Level
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import CreatorSpec, World

pytestmark = pytest.mark.crawl

ALL = Level.PG | Level.PG13 | Level.R | Level.X | Level.XXX
MIX = ((Level.PG, 6.0), (Level.PG13, 2.0), (Level.R, 1.0), (Level.X, 0.5), (Level.XXX, 0.5))


def world(images: int = 60, **options: object) -> World:
    spec = CreatorSpec(username="lampwright", images=images, **options)  # type: ignore[arg-type]
    return World.build(seed=7, creators=[spec, CreatorSpec(username="quiet_one")])


async def test_an_archive_of_a_thousand_images_equals_the_truth_in_seven_calls(crawl) -> None:
    sight = world(1000, videos=50, deleted=3, hidden=20, ghosts=5, levels=((Level.PG, 7.0), (Level.PG13, 3.0)))

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright"})

    assert crawled.archive.differences(sight.truth("lampwright", 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert crawled.report["requests"]["api"] <= 7
    assert crawled.report["requests"]["page"] == 1


async def test_all_levels_are_archived_by_two_passes_that_hide_nothing(crawl) -> None:
    sight = world(120, levels=MIX, childhood=6, minors=3)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright", "level": "all"})

    assert crawled.archive.differences(sight.truth("lampwright", ALL)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert [walk["levels"] for walk in crawled.report["targets"][0]["walks"]] == [["pg", "pg13"], ["r", "x", "xxx"]]


async def test_a_second_run_fetches_no_file_and_mode_new_needs_one_call(crawl) -> None:
    sight = world(450)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", {"username": "lampwright"})
        again = await crawl(sandbox, "user", {"username": "lampwright"})
        new = await crawl(sandbox, "user", {"username": "lampwright", "mode": "new"})

    assert again.report["requests"]["media"] == 0
    assert again.report["counts"]["already_had"] == len(sight.truth("lampwright", 3).stored)
    assert new.report["requests"] == {"api": 1, "page": 1, "media": 0}
    assert (again.outcome, new.outcome) == ("complete", "complete")


async def test_mode_new_brings_what_was_published_since(crawl) -> None:
    before, after = world(300), world(300).with_images("lampwright", 330)

    with Sandbox(before).in_thread() as sandbox:
        await crawl(sandbox, "user", {"username": "lampwright"})
        sandbox.world = after
        new = await crawl(sandbox, "user", {"username": "lampwright", "mode": "new"})

    assert new.archive.differences(after.truth("lampwright", 3)) == []
    assert new.report["counts"]["stored"] == len(after.truth("lampwright", 3).stored) - len(
        before.truth("lampwright", 3).stored
    )


async def test_a_creator_who_does_not_exist_is_a_failure(crawl) -> None:
    with Sandbox(world(1)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "nobody_here"})

    assert crawled.outcome == "failed"
    assert crawled.report["reasons"] == ["user:nobody_here does not exist: the site knows no such name"]


async def test_a_creator_without_works_is_complete(crawl) -> None:
    with Sandbox(world(1)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "quiet_one"})

    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert crawled.archive.rows("SELECT * FROM images") == []


async def test_max_items_takes_the_newest_and_is_never_called_complete(crawl) -> None:
    sight = world(260)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright", "max_items": "7"})

    newest = sorted(sight.truth("lampwright", 3).images, key=lambda one: (one["listed_at"], one["id"]))[-7:]
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM images")} == {one["id"] for one in newest}
    assert crawled.outcome == "incomplete"
    assert crawled.report["targets"][0]["walks"][0]["state"] == "limited"


async def test_download_none_keeps_to_records(crawl) -> None:
    sight = world(30)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright", "download": "none"})

    assert crawled.report["requests"]["media"] == 0
    assert len(crawled.archive.rows("SELECT id FROM images")) == len(sight.truth("lampwright", 3).ids)
    assert crawled.archive.files() == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_the_feed_lists_everything_once_with_its_path(crawl) -> None:
    sight = world(230, deleted=2)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright"})

    feed = crawled.archive.latest_feed()
    assert {path.name for path in next((crawled.archive.folder / "feeds" / "user").iterdir()).iterdir()} == {
        "creators.csv",
        "creators.jsonl",
        "images.csv",
        "images.jsonl",
    }
    paths = {str(row["id"]): row["path"] or "" for row in crawled.archive.rows("SELECT id, path FROM images")}
    assert {row["id"]: row["path"] for row in feed} == paths
    assert len(feed) == len(sight.truth("lampwright", 3).ids)


async def test_two_images_of_one_key_are_fetched_once_and_share_the_bytes(crawl) -> None:
    sight = world(40, shared=3)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright"})
        again = await crawl(sandbox, "user", {"username": "lampwright"})

    keys = {one["key"] for one in sight.truth("lampwright", 3).stored}
    inodes = {path.stat().st_ino for path in crawled.archive.files()}
    assert len(crawled.archive.files()) == len(sight.truth("lampwright", 3).stored)
    assert len(keys) == len(inodes) == crawled.report["requests"]["media"]
    assert crawled.archive.differences(sight.truth("lampwright", 3)) == []
    assert again.report["requests"]["media"] == 0


async def test_an_interrupted_file_is_fetched_by_mode_new(crawl) -> None:
    sight = world(30)

    with Sandbox(sight).in_thread() as sandbox:
        sandbox.faults.add({"fault": "status", "status": 500, "role": "media", "times": 1000, "after": 20})
        broken = await crawl(sandbox, "user", {"username": "lampwright"}, RETRY_TIMES=1)
        sandbox.faults.clear()
        mended = await crawl(sandbox, "user", {"username": "lampwright", "mode": "new"})

    assert broken.outcome == "incomplete"
    assert mended.outcome == "complete", mended.report["reasons"]
    assert mended.archive.differences(sight.truth("lampwright", 3)) == []


async def test_redownload_fetches_again_what_is_there(crawl) -> None:
    sight = world(20)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": "lampwright"})
        victim = crawled.archive.files()[0]
        victim.write_bytes(b"damaged")
        again = await crawl(sandbox, "user", {"username": "lampwright", "redownload": "yes"})

    assert again.archive.differences(sight.truth("lampwright", 3)) == []
