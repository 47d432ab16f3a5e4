"""Votes for what is archived already, asked for in batches of fifty, held against the sandbox's truth tag by tag."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level
from civitscrape.ledger import Outcome
from civitscrape.sandbox import procedures
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.content_truth import votes_truth
from civitscrape.sandbox.inputs import ProcedureError
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.worlds import bared

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.site import Site

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
NAME = "lampwright"
RECORDS = {"username": NAME, "level": "all", "download": "none"}
WORLD = World.build(creators=[CreatorSpec(username=NAME, images=120), CreatorSpec(username="harbourmaster", images=8)])


def votes_in(archive: Any) -> dict[tuple[int, int], tuple[Any, ...]]:
    query = "SELECT image_id, tag_id, score, up_votes, down_votes, automated FROM image_tags WHERE score IS NOT NULL"
    return {(row["image_id"], row["tag_id"]): tuple(row.values())[2:] for row in archive.rows(query)}


def true_votes(world: World, ids: list[int]) -> dict[tuple[int, int], tuple[Any, ...]]:
    return {
        (number, one["tag_id"]): (one["score"], one["up_votes"], one["down_votes"], int(one["automated"]))
        for number in ids
        for one in votes_truth(world, number)
        if one["shown"]
    }


def ids_in(archive: Any) -> list[int]:
    return [row["id"] for row in archive.rows("SELECT id FROM images ORDER BY id")]


@pytest.mark.parametrize("encoding", ["never", "alternate"])
async def test_votes_by_batch_agree_with_the_site_tag_by_tag(crawl, encoding):
    with Sandbox(WORLD, quirks=Quirks(devalue=encoding)).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)

        crawled = await crawl(sandbox, "votes", {}, **KEY)

    ids = ids_in(crawled.archive)
    assert len(ids) >= 100
    assert votes_in(crawled.archive) == true_votes(WORLD, ids)
    assert crawled.archive.rows("SELECT id FROM images WHERE votes_at IS NULL") == []
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_thousand_images_with_tags_cost_twenty_requests(crawl):
    sight = World.build(creators=[CreatorSpec(username=NAME, images=1000, levels=((Level.PG, 1.0),))])
    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)

        crawled = await crawl(sandbox, "votes", {}, **KEY)

    empty = [one for one in ids_in(crawled.archive) if not [tag for tag in votes_truth(sight, one) if tag["shown"]]]
    assert len(ids_in(crawled.archive)) == 1000
    assert empty == []
    assert crawled.report["requests"]["api"] == 20


async def test_nothing_is_asked_twice_before_it_is_stale(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)
        await crawl(sandbox, "votes", {}, **KEY)

        again = await crawl(sandbox, "votes", {}, **KEY)
        stale = await crawl(sandbox, "votes", {"only": "stale", "older_than": "0h"}, **KEY)

    assert again.report["requests"]["api"] == 0
    assert again.outcome is Outcome.COMPLETE
    assert stale.report["requests"]["api"] >= 2


async def test_runs_beside_each_other_ask_for_each_image_once_and_say_what_they_leave(crawl):
    with Sandbox(WORLD, latency={"api": 300}).in_thread() as sandbox:
        before = await crawl(sandbox, "user", {**RECORDS, "username": f"{NAME},harbourmaster"})
        sandbox.log.reset()

        broad = asyncio.create_task(crawl(sandbox, "votes", {}, **KEY))
        await asyncio.sleep(0.5)
        narrow = await crawl(sandbox, "votes", {"username": NAME}, **KEY)
        asked = await broad
        calls = sum(line.url.count("tag.getVotableTags") for line in list(sandbox.log.lines))

    (reason,) = narrow.report["reasons"]
    assert calls == len(ids_in(before.archive))
    assert (asked.outcome, narrow.outcome) == (Outcome.COMPLETE, Outcome.INCOMPLETE)
    assert "is at it right now" in reason
    assert "votes:all" in reason


async def test_a_run_of_all_leaves_the_creators_that_another_run_is_at(crawl):
    with Sandbox(WORLD, latency={"api": 300}).in_thread() as sandbox:
        before = await crawl(sandbox, "user", {**RECORDS, "username": f"{NAME},harbourmaster"})
        sandbox.log.reset()

        narrow = asyncio.create_task(crawl(sandbox, "votes", {"username": NAME.upper()}, **KEY))
        await asyncio.sleep(0.5)
        broad = await crawl(sandbox, "votes", {}, **KEY)
        asked = await narrow
        calls = sum(line.url.count("tag.getVotableTags") for line in list(sandbox.log.lines))
        again = await crawl(sandbox, "votes", {}, **KEY)

    assert calls == len(ids_in(before.archive))
    assert (asked.outcome, broad.outcome, again.outcome) == (Outcome.COMPLETE, Outcome.INCOMPLETE, Outcome.COMPLETE)
    assert any(f"the votes of {NAME} are left to" in one for one in broad.report["reasons"])
    assert again.archive.rows("SELECT id FROM images WHERE votes_at IS NULL") == []


async def test_only_the_creator_named_is_asked_about(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", {**RECORDS, "username": f"{NAME},harbourmaster"})

        crawled = await crawl(sandbox, "votes", {"username": "HarbourMaster"}, **KEY)

    creators = crawled.archive.rows("SELECT DISTINCT creator FROM images WHERE votes_at IS NOT NULL")
    assert creators == [{"creator": "harbourmaster"}]


async def test_an_image_that_is_gone_is_told_from_one_without_tags(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        before = await crawl(sandbox, "user", RECORDS)
        bare, lost = ids_in(before.archive)[3:5]
        sandbox.world = bared(WORLD.without(lost), bare)

        crawled = await crawl(sandbox, "votes", {}, **KEY)

    gone = crawled.archive.rows("SELECT id FROM images WHERE gone_at IS NOT NULL")
    asked_for = {row["id"] for row in crawled.archive.rows("SELECT id FROM images WHERE votes_at IS NOT NULL")}
    assert gone == [{"id": lost}]
    assert {bare, lost} <= asked_for
    assert crawled.archive.rows("SELECT tag_id FROM image_tags WHERE image_id = ?", lost)
    assert crawled.report["requests"]["api"] == 3


async def test_tags_that_a_page_no_longer_shows_are_marked_so(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        before = await crawl(sandbox, "user", {**RECORDS, "votes": "yes"}, **KEY)
        bare = ids_in(before.archive)[5]
        sandbox.world = bared(WORLD, bare)

        crawled = await crawl(sandbox, "votes", {"older_than": "0h"}, **KEY)

    shown = crawled.archive.rows("SELECT DISTINCT shown FROM image_tags WHERE image_id = ?", bare)
    assert shown == [{"shown": 0}]


async def test_sidecars_say_the_votes(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", {"username": "harbourmaster"})

        crawled = await crawl(sandbox, "votes", {}, **KEY)

    row = crawled.archive.rows("SELECT id, path FROM images WHERE path IS NOT NULL LIMIT 1")[0]
    sidecar = json.loads((crawled.archive.media / row["path"]).with_suffix(".json").read_text("utf-8"))
    told = {(row["id"], one["id"]): one["score"] for one in sidecar["tags"] if "score" in one}
    assert told == {key: value[0] for key, value in true_votes(WORLD, [row["id"]]).items()}
    assert sidecar["image"]["votes_at"] is not None


async def test_a_run_that_was_cut_short_goes_on_at_its_batch(crawl):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)
        first = await crawl(sandbox, "votes", {}, CLOSESPIDER_PAGECOUNT=1, **KEY)

        crawled = await crawl(sandbox, "votes", {}, **KEY)

    assert first.archive.rows("SELECT state FROM walks WHERE target = 'votes:all'") == [{"state": "complete"}]
    assert votes_in(crawled.archive) == true_votes(WORLD, ids_in(crawled.archive))


async def test_without_key_and_cookies_it_says_what_would_help(crawl):
    with Sandbox(WORLD).in_thread() as sandbox, pytest.raises(ArgumentError, match="votes=browser"):
        await crawl(sandbox, "votes", {})


@pytest.mark.parametrize("fault", ["empty", "malformed", "reset", "challenge", "status"])
async def test_what_is_said_of_a_batch_that_failed_is_short(crawl, caplog, fault):
    with Sandbox(WORLD).in_thread() as sandbox:
        await crawl(sandbox, "user", RECORDS)
        sandbox.faults.add({"fault": fault, "path": "/api/trpc/tag.getVotableTags"})
        caplog.clear()
        crawled = await crawl(sandbox, "votes", {}, RETRY_TIMES=1, **KEY)

    said = [*crawled.report["reasons"], *(one.getMessage() for one in caplog.records if one.levelname != "DEBUG")]
    assert any("(50 calls)" in one for one in said)
    assert max(map(len, said)) < 600


async def test_an_image_whose_own_call_fails_is_told_and_asked_again_and_the_others_of_its_batch_are_kept(
    crawl, monkeypatch
):
    real = procedures.TABLE["tag.getVotableTags"]
    with Sandbox(WORLD).in_thread() as sandbox:
        ids = ids_in((await crawl(sandbox, "user", RECORDS)).archive)
        bad = ids[7]

        def failing(site: Site, ask: Ask, given: dict[str, Any]) -> Any:
            if given["id"] == bad:
                raise ProcedureError("INTERNAL_SERVER_ERROR", "no time for this one")
            return real(site, ask, given)

        monkeypatch.setitem(procedures.TABLE, "tag.getVotableTags", failing)
        crawled = await crawl(sandbox, "votes", {}, **KEY)
        unmarked = crawled.archive.rows("SELECT id FROM images WHERE votes_at IS NULL")
        told = votes_in(crawled.archive)
        monkeypatch.undo()
        again = await crawl(sandbox, "votes", {}, **KEY)

    (reason,) = crawled.report["reasons"]
    assert (crawled.outcome, again.outcome) == (Outcome.INCOMPLETE, Outcome.COMPLETE)
    assert f"votes of 1 image could not be had; the first: image {bad}: " in reason
    assert "no time for this one" in reason
    assert unmarked == [{"id": bad}]
    assert told == true_votes(WORLD, [one for one in ids if one != bad])
    assert votes_in(again.archive) == true_votes(WORLD, ids)
    assert again.report["requests"]["api"] == 1
