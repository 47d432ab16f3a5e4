"""A crawl of a time takes what was published in it, with few calls, and is never called complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.civitai import rest
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.worlds import NAME, PAGE, world

if TYPE_CHECKING:
    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
ASK = {"username": NAME, "download": "none"}


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def times(scene: World) -> list[str]:
    return sorted(one["listed_at"] for one in scene.truth(NAME, 3).images)


def known(archive: Archived) -> set[str]:
    return {row["created_at"] for row in archive.rows("SELECT created_at FROM images")}


def listings(sandbox: Sandbox) -> int:
    """Count the calls for pages of images, by either route."""
    routes = ("/api/v1/images", "/api/trpc/image.getInfinite")
    return len([line for line in list(sandbox.log.lines) if line.path.startswith(routes)])


@pytest.mark.parametrize("settings", [{}, KEY], ids=["public API", "feed"])
async def test_since_takes_the_newest_and_stops_after_a_page_that_is_older(crawl, settings) -> None:
    scene = world(60 * PAGE if settings else 6 * PAGE)
    since = times(scene)[-10]
    ask = {**ASK, "since": since} | ({"votes": "yes"} if settings else {})

    with Sandbox(scene).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ask, **settings)
        calls = listings(sandbox)

    newest = {one["id"] for one in scene.truth(NAME, 3).images if one["listed_at"] >= since}
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM images")} == newest
    assert calls <= 3
    [walk] = crawled.report["targets"][0]["walks"]
    assert (walk["state"], walk["sort"]) == ("limited", "Newest")
    assert crawled.outcome == "incomplete"
    assert any(since in reason and "since" in reason for reason in crawled.report["reasons"])


async def test_until_leaves_out_what_came_later_and_both_together_make_a_window(crawl, tmp_path) -> None:
    scene = world(3 * PAGE)
    moments = times(scene)
    since, until = moments[15], moments[40]

    with Sandbox(scene).in_thread() as sandbox:
        until_only = await crawl(sandbox, "user", {**ASK, "until": until}, tmp_path / "until")
        both = await crawl(sandbox, "user", {**ASK, "since": since, "until": until}, tmp_path / "both")

    assert known(until_only.archive) == {one for one in moments if one < until}
    assert known(both.archive) == {one for one in moments if since <= one < until}
    assert both.outcome == until_only.outcome == "incomplete"


@pytest.mark.parametrize("mode", ["all", "new"])
async def test_a_longer_time_and_then_everything_are_still_brought(crawl, mode) -> None:
    scene = world(3 * PAGE)
    moments = times(scene)

    with Sandbox(scene).in_thread() as sandbox:
        await crawl(sandbox, "user", {**ASK, "mode": mode, "since": moments[-5]})
        longer = await crawl(sandbox, "user", {**ASK, "mode": mode, "since": moments[-45]})
        after_longer = known(longer.archive)
        whole = await crawl(sandbox, "user", {**ASK, "mode": mode})

    assert after_longer == {one for one in moments if one >= moments[-45]}
    assert known(whole.archive) == set(moments)
    assert whole.outcome == "complete"


async def test_an_order_of_ones_own_is_filtered_too(crawl) -> None:
    scene = world(2 * PAGE)
    moments = times(scene)
    ask = {"username": NAME, "download": "none", "sort": "Oldest", "since": moments[-7]}

    with Sandbox(scene).in_thread() as sandbox:
        crawled = await crawl(sandbox, "images", ask)

    assert known(crawled.archive) == set(moments[-7:])
    assert crawled.outcome == "incomplete"


async def test_models_are_kept_by_their_latest_version(crawl, tmp_path) -> None:
    scene = World.build(seed=7, creators=[CreatorSpec(username=NAME, models=8)])
    ask: dict[str, Any] = {**ASK, "content": "models"}
    latest = "SELECT model_id, max(published_at) AS at FROM model_versions GROUP BY model_id"

    with Sandbox(scene).in_thread() as sandbox:
        whole = await crawl(sandbox, "user", ask, tmp_path / "whole")
        told = {row["model_id"]: row["at"] for row in whole.archive.rows(latest)}
        since = sorted(told.values())[-3]
        crawled = await crawl(sandbox, "user", {**ask, "since": since}, tmp_path / "since")

    found = {row["id"] for row in crawled.archive.rows("SELECT id FROM models")}
    assert found == {number for number, at in told.items() if at >= since}
    assert len(found) == 3
