"""Whole crawls while some entries are not what they were: those are kept and named, all others are stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive.payloads import restore
from civitscrape.civitai import rest
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, world

if TYPE_CHECKING:
    from civitscrape.sandbox.truth import Truth

pytestmark = pytest.mark.crawl

API = "/api/v1/images"
SOME = slice(3, 50, 13)
"""Which of the entries are hit: one or two of each page."""

REFUSED = {
    "a field missing": ({"fault": Fault.DROP, "field": "id"}, "id"),
    "null": ({"fault": Fault.SET, "field": "id", "value": None}, "id"),
    "another type": ({"fault": Fault.SET, "field": "width", "value": "wide"}, "width"),
    "another type inside": ({"fault": Fault.SET, "field": "stats.likeCount", "value": "many"}, "stats.likeCount"),
}
HARMLESS: dict[str, dict[str, Any]] = {
    "new": {"fault": Fault.SET, "field": "lighthouse", "value": {"lit": [True]}},
    "new inside": {"fault": Fault.SET, "field": "stats.lanternCount", "value": 5},
}


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def apart_from(truth: Truth, ids: list[int]) -> Truth:
    return replace(truth, images=[one for one in truth.images if one["id"] not in ids])


def key_of(entry: dict[str, Any]) -> str:
    """Find the key in an entry's address."""
    found: str = entry["url"].split("/original=true/")[0].rpartition("/")[2]
    return found


@pytest.mark.parametrize(("bad", "field"), REFUSED.values(), ids=REFUSED)
async def test_entries_that_cannot_be_read_are_kept_with_the_field_named_and_all_others_stored(crawl, bad, field):
    sight = world()
    truth = sight.truth(NAME, 3)
    hit, keys = truth.ids[SOME], {one["id"]: one["key"] for one in truth.images}
    rule = Rule(path=API, ids=hit, **bad)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)
        left = crawled.archive.differences(apart_from(truth, hit))
        kept = crawled.archive.rows("SELECT refused, body FROM payloads WHERE refused IS NOT NULL")
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK)

    assert left == []
    assert sorted(key_of(restore(row["body"])) for row in kept) == sorted(keys[number] for number in hit)
    assert all(field in row["refused"] for row in kept)
    assert crawled.report["counts"]["refused"] == len(hit)
    assert crawled.outcome == "incomplete"
    assert whole.archive.differences(truth) == []
    assert whole.outcome == "complete", whole.report["reasons"]


@pytest.mark.parametrize("odd", HARMLESS.values(), ids=HARMLESS)
async def test_a_field_that_nobody_knows_harms_nothing(crawl, odd):
    sight = world()
    truth = sight.truth(NAME, 3)
    rule = Rule(path=API, ids=truth.ids[SOME], **odd)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert rule.hit
    assert crawled.archive.differences(truth) == []
    assert crawled.report["counts"]["refused"] == 0
    assert crawled.outcome == "complete", crawled.report["reasons"]


@pytest.mark.parametrize("bad", [{"fault": Fault.DROP}, {"fault": Fault.SET, "value": None}], ids=["missing", "null"])
@pytest.mark.parametrize("field", ["hash", "stats"])
async def test_a_field_that_may_be_unknown_is_unknown_and_the_entry_stored(crawl, bad, field):
    sight = world(30)
    truth = sight.truth(NAME, 3)
    hit = truth.ids[5:7]
    rule = Rule(path=API, ids=hit, field=field, **bad)

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    rows = {row["id"]: row for row in crawled.archive.rows("SELECT * FROM images")}
    column = "like_count" if field == "stats" else field
    assert [rows[number][column] for number in hit] == [None, None]
    assert set(rows) == set(truth.ids)
    assert [one for one in crawled.archive.differences(truth) if not one.startswith(tuple(map(of, hit)))] == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


def of(number: int) -> str:
    """Tell how a difference of an image begins."""
    return f"image {number}: "
