"""Whole crawls over entries that are not what they were: refused ones are kept as they came, all others stored."""

from __future__ import annotations

import json
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive.payloads import restore
from civitscrape.civitai import rest
from civitscrape.json_text import to_canonical
from civitscrape.sandbox import Sandbox, profiles
from civitscrape.sandbox.faults import Fault, Rule
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from civitscrape.sandbox.building import Creator

pytestmark = pytest.mark.crawl


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda entry: {key: value for key, value in entry.items() if key != name}


def having(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda entry: {**entry, **values}


REFUSED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no id": without("id"),
    "an id that is no number": having(id="lantern"),
    "counters that are no object": having(stats=5),
    "a counter that is a word": having(stats={"likeCount": "many"}),
    "a type that nobody knows": having(type="hologram"),
    "a width in a list": having(width=[64]),
    "tags in an object": having(tags={"a": 1}),
    "a tag without a name or number": having(tags=[{}]),
    "versions in a text": having(modelVersionIds="1,2"),
    "a time that is none": having(createdAt="yesterday"),
    "a time that is a number": having(createdAt=1744925337225),
    "generation data that is a number": having(meta=5),
    "a post that is true": having(postId=True),
    "a level that is none": having(browsingLevel=3, nsfwLevel=None),
}
KEPT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a new field": having(lighthouse={"lit": True}),
    "no dimensions": without("width"),
    "null for a text": having(hash=None),
    "no base model": without("baseModel"),
    "no name of a creator": without("username"),
    "an unknown creator": having(username="unknown"),
    "an id in a text": lambda entry: {**entry, "id": str(entry["id"])},
    "no generation data": having(meta=None),
    "half a character and a zero": having(meta={"prompt": "a lantern \ud83c\0 at sea", "note": "\udfff\0"}),
    "a seed of any size": having(meta={"prompt": "waves", "seed": 2**80}),
}


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def spoil(sandbox: Sandbox, changes: Iterable[Callable[[dict[str, Any]], Any]]) -> list[Any]:
    """Change an entry a change on the second page of a sandbox's listing, behind the one that overlaps with the first.

    Returns:
        The entries as they will come.
    """
    ask = partial(rest.images, sandbox.url, {"username": NAME}, level=3, sort="Oldest")
    first = get(ask().url)
    moment = first["metadata"]["nextCursor"].partition("|")[2]
    page = get(ask(cursor=f"{PAGE - 1}|{moment}").url)
    known, *unknown = page["items"]
    assert known == first["items"][-1]
    changed = [change(entry) for change, entry in zip(changes, unknown, strict=False)]
    page["items"][1 : 1 + len(changed)] = changed
    sandbox.faults.add(
        Rule(fault=Fault.STATUS, status=200, body=json.dumps(page), path="/api/v1/images", contains=at(PAGE))
    )
    sandbox.log.reset()
    return changed


async def test_entries_that_cannot_be_read_are_kept_as_they_came_and_all_others_are_stored(crawl):
    sight = world(80)
    others = [None, "an entry", ["a", "list"]]
    changes = [*REFUSED.values(), *((lambda _, other=other: other) for other in others)]

    with Sandbox(sight).in_thread() as sandbox:
        refused = spoil(sandbox, changes)
        crawled = await crawl(sandbox, "user", ASK)
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK)

    rows = crawled.archive.rows("SELECT body, refused FROM payloads WHERE refused IS NOT NULL")
    kept = [restore(row["body"]) for row in rows]
    assert sorted(map(to_canonical, kept)) == sorted(map(to_canonical, refused))
    assert crawled.report["counts"]["refused"] == len(changes)
    assert crawled.report["counts"]["listed"] == crawled.report["counts"]["stored"] == 80 - len(changes)
    assert crawled.outcome == "incomplete"
    sentence = f"{len(changes)} entries could not be read; they are kept in the table payloads, with the reason"
    assert sentence in crawled.report["reasons"]
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_an_entry_that_cannot_be_read_counts_once_though_the_check_brings_it_again(crawl):
    sight = world(5)
    rule = Rule(fault=Fault.SET, field="type", value="hologram", path="/api/v1/images")

    with Sandbox(sight, faults=[rule]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.report["counts"]["refused"] == 5
    assert len(crawled.archive.rows("SELECT * FROM payloads WHERE refused IS NOT NULL")) == 5
    assert crawled.outcome == "incomplete"


async def test_entries_that_are_merely_odd_are_stored_with_all_others(crawl):
    sight = world(80)

    with Sandbox(sight).in_thread() as sandbox:
        odd = spoil(sandbox, KEPT.values())
        crawled = await crawl(sandbox, "user", ASK)

    rows = {row["id"]: row for row in crawled.archive.rows("SELECT * FROM images")}
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert set(rows) == set(sight.truth(NAME, 3).ids)
    assert len(crawled.archive.files()) == 80
    assert {row["id"] for row in crawled.archive.latest_feed()} == {str(number) for number in rows}
    prompts = [rows[int(entry["id"])]["prompt"] for entry in odd]
    assert prompts[-2:] == ["a lantern \ufffd\ufffd at sea", "waves"]


async def test_a_profile_that_cannot_be_read_is_not_kept_and_the_crawl_goes_on(crawl, monkeypatch):
    sight = world(5)
    told = profiles.profile

    def odd(creator: Creator) -> dict[str, Any]:
        return told(creator) | {"createdAt": {"seconds": 5}}

    monkeypatch.setattr(profiles, "profile", odd)
    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert crawled.archive.rows("SELECT * FROM creators") == []
    assert crawled.report["targets"][0]["exists"] is True
    assert crawled.report["targets"][0]["announced"] is not None
    assert crawled.outcome == "complete", crawled.report["reasons"]
