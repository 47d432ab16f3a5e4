"""Whole crawls while files go wrong: no damaged file under its final name, and nothing that is not told of."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from civitscrape.downloads.handler import DiskDownloadHandler
from civitscrape.sandbox import Quirks, Sandbox
from civitscrape.sandbox.faults import CHALLENGE_PAGE, Fault, Rule
from civitscrape.sandbox.media import BUCKET
from tests.crawls.worlds import ASK, NAME, world

pytestmark = pytest.mark.crawl

MEDIA = f"/{BUCKET}/"
SLOW = frozenset({Fault.STALL, Fault.DRIP})
SHORT = 0.5
"""Seconds of silence after which a file is given up, in these crawls."""

PASSING = {
    "a body that breaks off": {"fault": Fault.TRUNCATE},
    "a body that never begins": {"fault": Fault.TRUNCATE, "share": 0},
    "a length that is too much": {"fault": Fault.LENGTH},
    "a length that is too little": {"fault": Fault.LENGTH, "delta": -100},
    "half a file whose length is true": {"fault": Fault.MALFORMED},
    "a reset": {"fault": Fault.RESET},
    "silence in the middle": {"fault": Fault.STALL, "seconds": 3 * SHORT},
    "slow drops": {"fault": Fault.DRIP, "seconds": 0.5},
    "500": {"fault": Fault.STATUS, "status": 500},
    "503 with a time": {"fault": Fault.STATUS, "status": 503, "headers": {"Retry-After": "0"}},
    "a challenge": {"fault": Fault.CHALLENGE, "status": 503},
}


@pytest.mark.parametrize("rule", PASSING.values(), ids=PASSING)
async def test_files_that_go_wrong_in_passing_are_fetched_again_and_come_whole(crawl, monkeypatch, rule):
    if rule["fault"] in SLOW:
        monkeypatch.setattr(DiskDownloadHandler, "idle_timeout", SHORT)
    sight = world(12)

    with Sandbox(sight, faults=[{"path": MEDIA, "times": 4, **rule}]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert len(sandbox.log.of("media")) == 12 + (0 if rule["fault"] is Fault.DRIP else 4)


LASTING = {
    "500": ({"fault": Fault.STATUS, "status": 500}, "the CDN answered 500"),
    "403": ({"fault": Fault.STATUS, "status": 403}, "the CDN answered 403"),
    "a body that breaks off": ({"fault": Fault.TRUNCATE}, "broke off"),
    "a length that is too much": ({"fault": Fault.LENGTH}, "broke off"),
    "a length that is too little": (
        {"fault": Fault.LENGTH, "delta": -100},
        "more came than was announced|Bad status line",
    ),
    "half a file whose length is true": ({"fault": Fault.MALFORMED}, "its end is missing: a "),
    "a reset": ({"fault": Fault.RESET}, "DownloadFailedError"),
    "silence in the middle": ({"fault": Fault.STALL, "seconds": 3 * SHORT}, "DownloadTimeoutError"),
    "a page with status 200": ({"fault": Fault.CHALLENGE, "status": 200}, "no known media format"),
    "no body": ({"fault": Fault.EMPTY}, "no known media format"),
    "JSON": ({"fault": Fault.STATUS, "status": 200, "body": '{"error":"Unauthorized"}'}, "no known media format"),
    "a redirect to somebody else": (
        {"fault": Fault.STATUS, "status": 302, "headers": {"Location": "http://images.invalid/1.png"}},
        "leads to images.invalid, which is not an address of the site or its storage",
    ),
    "a redirect in a circle": ({"fault": Fault.STATUS, "status": 302, "headers": {"Location": "?"}}, "redirect"),
}


@pytest.mark.parametrize(("rule", "words"), LASTING.values(), ids=LASTING)
async def test_a_file_that_fails_for_ever_is_told_of_and_tried_again_by_the_next_run(crawl, monkeypatch, rule, words):
    if rule["fault"] in SLOW:
        monkeypatch.setattr(DiskDownloadHandler, "idle_timeout", SHORT)
    sight = world(6)
    one = sight.truth(NAME, 3).images[2]

    with Sandbox(sight, faults=[{"path": MEDIA + one["key"], **rule}]).in_thread() as sandbox:
        failed = await crawl(sandbox, "user", ASK, RETRY_TIMES=2)
        kept = sorted(path.stem for path in failed.archive.files())
        sandbox.faults.clear()
        sandbox.log.reset()
        whole = await crawl(sandbox, "user", ASK)

    told = failed.report["targets"][0]["failures"]
    assert kept == [f"{other['id']}" for other in sight.truth(NAME, 3).images if other["id"] != one["id"]]
    assert failed.outcome == "incomplete"
    (reason,) = failed.report["reasons"]
    assert reason.startswith("1 files could not be fetched; the same command tries them again; the first: ")
    assert [(row["id"], row["state"]) for row in told] == [(one["id"], "failed")]
    assert re.search(words, told[0]["error"])
    assert failed.report["counts"] | {"bytes": 0} == {
        "listed": 6, "known": 0, "stored": 5, "already_had": 0, "gone": 0, "failed": 1, "refused": 0, "bytes": 0,
    }  # fmt: skip
    assert [line.path for line in sandbox.log.of("media")] == [f"{MEDIA}{one['key']}/original=true/{one['key']}.jpeg"]
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_half_a_file_never_replaces_a_whole_one(crawl):
    sight = world(12)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.faults.add({"fault": Fault.MALFORMED, "role": "media"})
        again = await crawl(sandbox, "user", {**ASK, "redownload": "yes"}, RETRY_TIMES=1)

    assert again.archive.differences(sight.truth(NAME, 3)) == []
    assert again.report["counts"]["failed"] == 12
    assert again.outcome == "incomplete"


async def test_what_is_no_picture_never_lies_among_the_pictures(crawl):
    rule = Rule(fault=Fault.CHALLENGE, status=200, path=MEDIA)

    with Sandbox(world(6), faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.files() == []
    assert not any(CHALLENGE_PAGE in path.read_bytes() for path in crawled.archive.everything())
    assert {row["state"] for row in crawled.archive.rows("SELECT state FROM media")} == {"failed"}


async def test_a_file_that_the_cdn_has_no_more_is_gone_and_not_asked_for_again(crawl):
    sight = world(10, deleted=2)

    with Sandbox(sight).in_thread() as sandbox:
        first = await crawl(sandbox, "user", ASK)
        again = await crawl(sandbox, "user", ASK)

    gone = first.archive.rows("SELECT entry_id, error FROM media WHERE state = 'gone'")
    assert {row["entry_id"] for row in gone} == {one["id"] for one in sight.truth(NAME, 3).gone}
    assert {row["error"] for row in gone} == {"the CDN answered 404"}
    assert (first.outcome, again.outcome) == ("complete", "complete")
    assert again.report["requests"]["media"] == 0
    assert first.archive.differences(sight.truth(NAME, 3)) == []


MARKED = {
    "404": ({"status": 404}, "gone", "complete"),
    "410": ({"status": 410}, "gone", "complete"),
    "403": ({"status": 403, "body": '{"error":"Forbidden"}'}, "refused", "incomplete"),
}


@pytest.mark.parametrize(("answer", "state", "outcome"), MARKED.values(), ids=MARKED)
async def test_a_file_that_is_gone_or_forbidden_is_asked_for_once_and_is_no_failure(crawl, answer, state, outcome):
    sight = world(9)
    truth = sight.truth(NAME, 3)
    one = truth.images[4]
    rule = Rule(fault=Fault.STATUS, path=MEDIA + one["key"], **answer)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        runs = [await crawl(sandbox, "user", {**ASK, "mode": mode}) for mode in ("all", "all", "new")]
        marked = runs[0].archive.rows("SELECT state, error, path FROM media WHERE key = ?", one["key"])
        left = runs[0].archive.differences(
            replace(
                truth,
                images=[
                    {**other, "deleted": other is one} for other in truth.images if state == "gone" or other is not one
                ],
            )
        )
        sandbox.faults.clear()
        asked_again = await crawl(sandbox, "user", {**ASK, "redownload": "yes"})

    assert rule.hit == 1
    assert marked == [{"state": state, "error": f"the CDN answered {answer['status']}", "path": None}]
    assert left == ([] if state == "gone" else [f"image {one['id']} is too much"])
    assert [run.outcome for run in runs] == [outcome] * 3
    assert [run.report["counts"]["failed"] for run in runs] == [0, 0, 0]
    assert asked_again.archive.differences(truth) == []
    assert asked_again.outcome == "complete", asked_again.report["reasons"]


async def test_a_page_with_403_is_the_edge_and_may_pass(crawl):
    sight = world(9)
    rule = Rule(fault=Fault.CHALLENGE, status=403, path=MEDIA, times=3)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        failed = await crawl(sandbox, "user", ASK)
        whole = await crawl(sandbox, "user", ASK)

    assert failed.report["counts"]["failed"] == 3
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_a_foreign_address_is_refused_with_the_reason_and_never_asked(crawl):
    sight = world(8, foreign=1)
    foreign = next(one for one in sight.truth(NAME, 3).images if one["foreign"])

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    [row] = crawled.archive.rows("SELECT * FROM media WHERE state = 'refused'")
    assert row["entry_id"] == foreign["id"]
    assert repr(foreign["key"]) in row["error"]
    assert len(sandbox.log.of("media")) == 7
    assert len(crawled.archive.files()) == 7
    assert crawled.outcome == "incomplete"
    assert [one.partition(";")[0] for one in crawled.report["reasons"]] == ["1 files were refused"]


async def test_media_that_the_cdn_sends_on_to_its_storage_come_all_the_same(crawl):
    sight = world(12)

    with Sandbox(sight, quirks=Quirks(redirect_media=True)).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


async def test_a_cdn_that_asks_to_wait_is_waited_for(crawl):
    sight = world(40)
    wait = Rule(fault=Fault.STATUS, status=429, headers={"Retry-After": "1"}, path=MEDIA, after=20, times=1)

    with Sandbox(sight, faults=[wait]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK, MEDIA_CONCURRENCY=1)

    lines = sandbox.log.of("media")
    refused = next(line for line in lines if line.status == 429)
    assert min(line.at - refused.at for line in lines if line.at > refused.at) >= 0.95
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []


async def test_a_cdn_that_asks_to_wait_too_long_is_asked_nothing_more(crawl):
    sight = world(40)
    wait = Rule(fault=Fault.STATUS, status=429, headers={"Retry-After": "3600"}, path=MEDIA, after=5)

    with Sandbox(sight, faults=[wait]).in_thread() as sandbox:
        short = await crawl(sandbox, "user", ASK, MEDIA_CONCURRENCY=1)
        asked = len(sandbox.log.of("media"))
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK)

    assert asked == 6
    assert short.outcome == "incomplete"
    assert "asks to wait 3600 s" in short.report["targets"][0]["failures"][0]["error"]
    assert whole.archive.differences(sight.truth(NAME, 3)) == []


async def test_a_store_that_cannot_be_written_stops_the_crawl_once_and_says_so(crawl, tmp_path):
    blocked = tmp_path / "output" / "media" / NAME
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder must be")
    sight = world(30)

    with Sandbox(sight).in_thread() as sandbox:
        stopped = await crawl(sandbox, "user", ASK)
        blocked.unlink()
        whole = await crawl(sandbox, "user", ASK)

    assert stopped.outcome == "incomplete"
    assert len([reason for reason in stopped.report["reasons"] if "cannot be written" in reason]) == 1
    assert whole.outcome == "complete", whole.report["reasons"]
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
