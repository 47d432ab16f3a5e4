"""What did not come is told in the report: how many files, the first reason, and what can be done about it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.sandbox import Quirks, Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.worlds import ASK, NAME, world

if TYPE_CHECKING:
    from tests.crawls.conftest import Crawled

pytestmark = pytest.mark.crawl

KEY: dict[str, Any] = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
WORLD = World.build(creators=[CreatorSpec(username=NAME, images=4, models=2, versions_per_model=1)])
MODEL_FILES = {"username": NAME, "content": "files"}


def log_of(crawled: Crawled) -> str:
    newest = max((crawled.archive.folder / "logs").glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
    return newest.read_text("utf-8")


@pytest.mark.parametrize(
    ("quirks", "settings", "reason"),
    [
        (Quirks(downloads_blocked=True), KEY, "only its support can change that"),
        (Quirks(), {}, "set CIVITAI_API_KEY or CIVITAI_COOKIES"),
    ],
    ids=["blocked", "no key"],
)
async def test_model_files_that_do_not_come_again_leave_the_run_incomplete_and_say_why(
    crawl, caplog, quirks, settings, reason
):
    with Sandbox(WORLD).in_thread() as sandbox:
        first = await crawl(sandbox, "user", MODEL_FILES, **KEY)
        before = first.archive.rows("SELECT id, state, path FROM model_files ORDER BY id")
        sandbox.site.quirks = quirks
        caplog.set_level(logging.INFO)
        again = await crawl(sandbox, "user", {**MODEL_FILES, "redownload": "yes"}, **settings)

    count = again.report["counts"]["failed"]
    assert count >= 2
    assert {row["state"] for row in before} == {"stored"}
    assert again.archive.rows("SELECT id, state, path FROM model_files ORDER BY id") == before
    assert again.outcome == "incomplete"
    [told] = again.report["reasons"]
    assert told.startswith(f"{count} files could not be fetched again; what was here before is still here; the first: ")
    assert reason in told
    assert log_of(again).count(reason) >= count


@pytest.mark.parametrize("status", [404, 403, 500])
async def test_pictures_that_do_not_come_again_leave_the_run_incomplete_and_say_why(crawl, status):
    sight = world(7)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", ASK)
        sandbox.faults.add({"fault": "status", "status": status, "role": "media", "times": 1000})
        again = await crawl(sandbox, "user", {**ASK, "redownload": "yes"}, RETRY_TIMES=0)

    assert again.archive.differences(sight.truth(NAME, 3)) == []
    assert again.outcome == "incomplete"
    [told] = again.report["reasons"]
    assert told.startswith("7 files could not be fetched again; what was here before is still here; the first: image ")
    assert f"the CDN answered {status}" in told


async def test_a_poster_that_is_gone_when_it_is_asked_for_again_is_told_of(crawl):
    ask = {**ASK, "posters": "yes"}

    with Sandbox(world(5, videos=2)).in_thread() as sandbox:
        await crawl(sandbox, "user", ask)
        sandbox.faults.add({"contains": "anim=false", "fault": "status", "status": 404, "times": 1000})
        again = await crawl(sandbox, "user", {**ask, "redownload": "yes"})

    assert again.outcome == "incomplete"
    assert [reason.partition(";")[0] for reason in again.report["reasons"]] == ["2 posters could not be fetched"]


async def test_files_that_a_retry_does_not_bring_are_told_of_with_the_first_reason(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", MODEL_FILES)
        retried = await crawl(sandbox, "retry", {})

    assert retried.outcome == "incomplete"
    [told] = retried.report["reasons"]
    assert "files could not be fetched; the first: models/" in told
    assert "set CIVITAI_API_KEY or CIVITAI_COOKIES" in told


async def test_each_kind_of_refusal_is_told_once_with_the_number_of_files_and_the_first(crawl, caplog):
    caplog.set_level(logging.INFO)
    refusing = CreatorSpec(username=NAME, images=4, models=6, early_access_models=2, generate_only_models=2)

    with Sandbox(World.build(creators=[refusing])).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", MODEL_FILES, **KEY)

    rows = crawled.archive.rows("SELECT id, error FROM model_files WHERE state = 'refused' ORDER BY id")
    for words in ("it is free for all from", "has disabled downloads"):
        alike = [row for row in rows if words in row["error"]]
        [told] = [reason for reason in crawled.report["reasons"] if words in reason]
        assert len(alike) >= 2
        assert told.startswith(f"{len(alike)} files were refused; the first: models/")
        assert f"/{alike[0]['id']}-" in told
        assert len([line for line in log_of(crawled).splitlines() if words in line and "refused: " in line]) == len(
            alike
        )
    assert len({reason.partition("answered")[2] for reason in crawled.report["reasons"]}) == len(
        crawled.report["reasons"]
    )


async def test_model_files_that_are_gone_are_told_of_with_the_reason_and_leave_the_run_complete(crawl, capfd):
    losing = CreatorSpec(username=NAME, images=4, models=3, lost_files=1)

    with Sandbox(World.build(creators=[losing])).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", MODEL_FILES, **KEY)
    printed = capfd.readouterr().err

    [row] = crawled.archive.rows("SELECT id, name, error FROM model_files WHERE state = 'gone'")
    [target] = crawled.report["targets"]
    assert [(one["id"], one["state"], one["error"]) for one in target["failures"]] == [
        (row["id"], "gone", row["error"])
    ]
    assert crawled.outcome == "complete"
    [line] = [line for line in printed.splitlines() if "model files that the site has no more" in line]
    assert line.startswith(f"user:{NAME}: 1 model files that the site has no more; the first: models/")
    assert line.endswith("-a redownload=yes brings it")
