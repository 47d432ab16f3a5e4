"""What failed is taken up, and nothing else is asked for."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from civitscrape.civitai import rest
from civitscrape.commands.main import app
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.ask import Role
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

pytestmark = pytest.mark.crawl

API = "/api/v1/images"
BROKEN_PAGE = Rule(fault=Fault.STATUS, status=500, body="{}", path=API, contains=at(40))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


@pytest.mark.parametrize(
    ("spider", "arguments"),
    [("user", ASK), ("url", {"url": f"https://civitai.com/user/{NAME}/images"})],
    ids=["user", "url"],
)
async def test_a_walk_that_broke_goes_on_at_its_cursor(crawl, spider, arguments):
    sight = world(70)

    with Sandbox(sight, faults=[BROKEN_PAGE]).in_thread() as sandbox:
        broken = await crawl(sandbox, spider, arguments, RETRY_TIMES=1)
        sandbox.faults.clear()
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    asked = [line.url for line in sandbox.log.of("api")]
    assert broken.outcome == "incomplete"
    assert retried.outcome == "complete", retried.report["reasons"]
    assert retried.archive.differences(sight.truth(NAME, 3)) == []
    assert at(40) in asked[0]
    assert len(asked) <= 3


async def test_files_that_failed_are_fetched_and_no_others(crawl):
    sight = world(40)
    keys = [one["key"] for one in sight.truth(NAME, 3).images][:7]
    faults = [Rule(fault=Fault.STATUS, status=500, contains=key) for key in keys]

    with Sandbox(sight, faults=faults).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", ASK, RETRY_TIMES=0)
        sandbox.faults.clear()
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    assert broken.outcome == "incomplete"
    assert retried.outcome == "complete", retried.report["reasons"]
    assert retried.archive.differences(sight.truth(NAME, 3)) == []
    assert len(sandbox.log.of("media")) == len(keys)
    assert sandbox.log.of("api") == []


async def test_where_nothing_failed_nothing_is_asked(crawl):
    with Sandbox(world(5)).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    assert retried.outcome == "complete", retried.report["reasons"]
    assert [line.url for line in list(sandbox.log.lines) if line.role != "page"] == []


async def test_files_that_fail_again_leave_the_run_incomplete_and_say_so(crawl):
    sight = world(10)
    fault = Rule(fault=Fault.STATUS, status=500, contains=sight.truth(NAME, 3).images[0]["key"])

    with Sandbox(sight, faults=[fault]).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK, RETRY_TIMES=0)
        retried = await crawl(sandbox, "retry", {}, RETRY_TIMES=0)

    assert retried.outcome == "incomplete", retried.report["reasons"]
    assert any("1 files could not be fetched" in reason for reason in retried.report["reasons"])


VIDEOS = 3
SMALL = {**ASK, "quality": "width=96"}
POSTER = Rule(fault=Fault.STATUS, status=500, role=Role.MEDIA, contains="anim=false")


def failing(keys: list[str]) -> list[Rule]:
    return [Rule(fault=Fault.STATUS, status=500, role=Role.MEDIA, contains=key) for key in keys]


async def test_renditions_and_posters_that_failed_are_fetched_and_counted_as_originals_are(crawl, capsys):
    sight = world(20, videos=VIDEOS, sizes=((160, 120),), video_sizes=((128, 96),))
    keys = [one["key"] for one in sight.truth(NAME, 3).images if one["type"] == "image"]

    with Sandbox(sight, faults=[POSTER, *failing(keys[:2])]).in_thread() as sandbox:
        await crawl(sandbox, "user", {**ASK, "posters": "yes"}, RETRY_TIMES=0)
        sandbox.faults.clear()
        for rule in failing(keys[2:6]):
            sandbox.faults.add(rule)
        await crawl(sandbox, "user", SMALL, RETRY_TIMES=0)
        sandbox.faults.clear()
        sandbox.log.reset()
        capsys.readouterr()
        retried = await crawl(sandbox, "retry", {})
        told = capsys.readouterr().err
        asked = sandbox.log.of("media")
        again = await crawl(sandbox, "retry", {})

    assert retried.outcome == "complete", retried.report["reasons"]
    assert retried.archive.differences(sight.truth(NAME, 3)) == []
    assert {row["state"] for row in retried.archive.rows("SELECT state FROM media")} == {"stored"}
    assert len(asked) == len(sandbox.log.of("media")) == 2 + 4 + VIDEOS
    [target] = retried.report["targets"]
    assert target["retried"] == {"originals": {"stored": 2}, "width=96": {"stored": 4}, "posters": {"stored": VIDEOS}}
    assert target["files"] == {"stored": 6}
    assert [line.split() for line in told.splitlines() if line.startswith(" posters")] == [
        ["posters", str(VIDEOS), str(VIDEOS), "0", "0", "0", "0", "0", "complete"]
    ]
    assert again.report["targets"][0]["retried"] == {}


async def test_a_poster_beside_a_rendition_comes_without_the_original(crawl):
    sight = world(8, videos=VIDEOS, video_sizes=((128, 96),))

    with Sandbox(sight, faults=[POSTER]).in_thread() as sandbox:
        await crawl(sandbox, "user", {**SMALL, "posters": "yes"}, RETRY_TIMES=0)
        sandbox.faults.clear()
        sandbox.log.reset()
        retried = await crawl(sandbox, "retry", {})

    found = retried.archive.rows("SELECT kind, state, path FROM media WHERE kind <> 'rendition'")
    assert retried.outcome == "complete", retried.report["reasons"]
    assert len(sandbox.log.of("media")) == VIDEOS
    assert [(row["kind"], row["state"]) for row in found] == [("poster", "stored")] * VIDEOS
    assert all(row["path"].startswith(f"width-96/{NAME}/") for row in found)


async def test_a_video_that_failed_with_its_poster_gets_both(crawl):
    sight = world(8, videos=VIDEOS)
    key = next(one["key"] for one in sight.truth(NAME, 3).images if one["type"] == "video")

    with Sandbox(sight, faults=[POSTER]).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", {**ASK, "posters": "yes"}, RETRY_TIMES=0)).archive
        [row] = archive.rows("SELECT path FROM media WHERE key = ?", key)
        (archive.media / row["path"]).unlink()
        verified = CliRunner().invoke(app, ["verify", "--mend", "-s", f"OUTPUT_DIR={archive.folder}"])
        sandbox.faults.clear()
        retried = await crawl(sandbox, "retry", {})

    assert verified.exit_code == 3, verified.output
    assert retried.outcome == "complete", retried.report["reasons"]
    assert archive.differences(sight.truth(NAME, 3)) == []
    assert retried.report["targets"][0]["retried"] == {"originals": {"stored": 1}, "posters": {"stored": VIDEOS}}


async def test_a_walk_that_asked_for_posters_goes_on_with_them(crawl):
    sight = world(70, videos=20)

    with Sandbox(sight, faults=[BROKEN_PAGE]).in_thread() as sandbox:
        await crawl(sandbox, "user", {**ASK, "posters": "yes"}, RETRY_TIMES=1)
        sandbox.faults.clear()
        retried = await crawl(sandbox, "retry", {})

    assert retried.outcome == "complete", retried.report["reasons"]
    assert retried.archive.differences(sight.truth(NAME, 3)) == []
    posters = retried.archive.rows("SELECT state FROM media WHERE kind = 'poster'")
    assert [row["state"] for row in posters] == ["stored"] * 20


async def test_posters_and_renditions_that_fail_again_are_counted_and_leave_the_run_incomplete(crawl):
    sight = world(8, videos=VIDEOS)
    small = Rule(fault=Fault.STATUS, status=500, role=Role.MEDIA, contains="width=96")

    with Sandbox(sight, faults=[POSTER]).in_thread() as sandbox:
        await crawl(sandbox, "user", {**ASK, "posters": "yes"}, RETRY_TIMES=0)
        sandbox.faults.add(small)
        await crawl(sandbox, "user", SMALL, RETRY_TIMES=0)
        retried = await crawl(sandbox, "retry", {}, RETRY_TIMES=0)

    [target] = retried.report["targets"]
    reasons = retried.report["reasons"]
    assert retried.outcome == "incomplete"
    assert target["retried"] == {"width=96": {"failed": 8}, "posters": {"failed": VIDEOS}}
    assert any(one.startswith("8 files could not be fetched;") and "answered 500" in one for one in reasons)
    assert any(one.startswith(f"{VIDEOS} posters could not be fetched;") for one in reasons)
