"""How few requests a crawl makes: the numbers that the documentation promises."""

from __future__ import annotations

import pytest

from civitscrape.items import Level
from civitscrape.ledger import Outcome
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.faults import Fault, Rule
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import CreatorSpec, World

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
NAME = "lampwright"


def world(models: int) -> World:
    return World.build(creators=[CreatorSpec(username=NAME, models=models)])


@pytest.fixture
def sight() -> World:
    return World.build(creators=[CreatorSpec(username=NAME, images=1000, levels=((Level.PG, 0.7), (Level.PG13, 0.3)))])


@pytest.mark.parametrize("encoding", ["never", "always"])
async def test_a_thousand_images_with_votes_and_names_cost_five_calls(crawl, sight, encoding):
    with Sandbox(sight).in_thread() as sandbox:
        sandbox.site.quirks.devalue = encoding
        crawled = await crawl(sandbox, "user", {"username": NAME, "votes": "yes", "download": "none"}, **KEY)

    assert len(crawled.archive.rows("SELECT id FROM images WHERE votes_at IS NOT NULL")) == 1000
    assert crawled.archive.rows("SELECT * FROM image_resources WHERE model_version_id > 0 AND name IS NULL") == []
    assert crawled.report["requests"]["api"] == 5
    assert crawled.report["requests"]["page"] == 1
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_page_that_fails_beside_another_is_asked_for_alone(crawl, sight):
    with Sandbox(sight).in_thread() as sandbox:
        sandbox.site.quirks.bulkhead = 1
        crawled = await crawl(sandbox, "user", {"username": NAME, "votes": "yes", "download": "none"}, **KEY)

    assert len(crawled.archive.rows("SELECT id FROM images WHERE votes_at IS NOT NULL")) == 1000
    assert crawled.report["requests"]["api"] == 6
    assert crawled.outcome is Outcome.COMPLETE


TOGETHER = "/api/trpc/image.getInfinite,"
"""What the paths of requests begin with that ask for a page and something beside it."""


def site_of(images: int) -> World:
    return World.build(creators=[CreatorSpec(username=NAME, images=images, levels=((Level.PG, 1.0),))])


def newest_of(sight: World) -> int:
    return int(max(sight.truth(NAME, 1).images, key=lambda one: one["listed_at"])["id"])


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"fault": Fault.STATUS, "status": 400, "body": "{}"}, id="refused as a whole"),
        pytest.param({"fault": Fault.STATUS, "status": 404, "body": "{}"}, id="not found as a whole"),
        pytest.param({"fault": Fault.STATUS, "status": 200, "body": '[{"result": {}}, {"result": {}}]'}, id="hollow"),
        pytest.param({"fault": Fault.EMPTY_PAGE}, id="empty"),
        pytest.param({"fault": Fault.MALFORMED, "times": 1}, id="malformed once"),
    ],
)
async def test_what_fails_in_one_request_is_asked_for_alone_and_nothing_is_lost(crawl, rule):
    sight = site_of(450)

    with Sandbox(sight, faults=[Rule(path=TOGETHER, **rule)]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", {"username": NAME, "votes": "yes", "download": "none"}, **KEY)

    assert len(crawled.archive.rows("SELECT id FROM images WHERE votes_at IS NOT NULL")) == 450
    assert crawled.archive.rows("SELECT * FROM image_resources WHERE model_version_id > 0 AND name IS NULL") == []
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_newest_page_of_somebody_else_loses_nothing_of_the_first(crawl):
    sight = site_of(450)
    wrong = Rule(fault=Fault.SET, path="/api/trpc/", ids=[newest_of(sight)], field="user.username", value="stranger")

    with Sandbox(sight, faults=[wrong]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", {"username": NAME, "votes": "yes", "download": "none"}, **KEY)
        sandbox.faults.clear()
        mended = await crawl(sandbox, "user", {"username": NAME, "votes": "yes", "download": "none"}, **KEY)

    assert broken.outcome is not Outcome.COMPLETE
    assert len(mended.archive.rows("SELECT id FROM images")) == 450
    assert mended.outcome is Outcome.COMPLETE


async def test_a_crawl_of_a_part_leaves_the_names_of_models_as_they_are(crawl):
    with Sandbox(site_of(250)).in_thread() as sandbox:
        await crawl(sandbox, "user", {"username": NAME, "votes": "yes", "download": "none"}, **KEY)
        some = {"username": NAME, "votes": "yes", "download": "none", "max_items": "50"}
        crawled = await crawl(sandbox, "user", some, **KEY)

    assert crawled.archive.rows("SELECT * FROM image_resources WHERE model_version_id > 0 AND name IS NULL") == []


async def test_a_thousand_models_cost_eleven_calls_a_pass(crawl):
    sight = world(models=1000)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "models", {"username": NAME, "level": "all", "download": "none"})

    passes = crawled.archive.rows("SELECT level, pages FROM walks")
    assert len(crawled.archive.rows("SELECT id FROM models")) == len(sight.model_truth(NAME).ids)
    assert len(passes) == 2
    assert crawled.report["requests"]["api"] <= 22
    assert all(one["pages"] <= 11 for one in passes)


async def test_new_models_are_found_where_the_last_walk_ended(crawl):
    sight = world(models=250)
    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "models", {"username": NAME, "level": "pg", "download": "none"})
        sandbox.site.world = sight.with_models(NAME, 3)

        crawled = await crawl(sandbox, "models", {"username": NAME, "level": "pg", "download": "none", "mode": "new"})

    truth = sight.with_models(NAME, 3).model_truth(NAME, mask=1)
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM models")} >= set(truth.ids)
    assert crawled.report["requests"]["api"] == 1


async def test_a_crawl_of_models_that_was_cut_short_goes_on_at_its_cursor(crawl):
    sight = world(models=300)
    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "models", {"username": NAME, "level": "pg", "download": "none"}, CLOSESPIDER_PAGECOUNT=1)

        crawled = await crawl(sandbox, "models", {"username": NAME, "level": "pg", "download": "none"})
        asked = [line.url for line in list(sandbox.log.lines) if line.url.startswith("/api/v1/models")]

    assert len(asked) <= len(set(asked)) + 1
    truth = sight.model_truth(NAME, mask=1)
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM models")} == set(truth.ids)
    assert crawled.outcome is Outcome.COMPLETE
