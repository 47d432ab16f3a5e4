"""How a walk that was cut short is divided: into parts that together are the whole, the cheapest first."""

from __future__ import annotations

import pytest

from civitscrape.civitai import levels
from civitscrape.items import Level
from civitscrape.ledger import Walk
from civitscrape.spiders import splitting


def walk(level: int = 3, **params: object) -> Walk:
    asked = {"username": "lampwright", "type": None, "sort": "Oldest"} | params
    return Walk(id=7, run_id="r", source="rest.images", target="user:lampwright", level=level, params=asked)


def half(level: int = 3, **params: object) -> Walk:
    return walk(level, sort="Newest", meets=5, **params)


def test_first_the_other_end_which_must_meet_the_walk():
    [part] = splitting.divide(walk(), logged_in=False)

    assert (part.parent_id, part.level, part.state) == (7, 3, "planned")
    assert part.params == {"username": "lampwright", "type": None, "sort": "Newest", "meets": 7}


@pytest.mark.parametrize("mask", [3, 28, 31, 6])
def test_then_each_level_from_its_oldest_end(mask):
    parts = splitting.divide(half(mask), logged_in=False)

    assert sum(part.level for part in parts) == mask
    assert all(part.level in levels.NAMES.values() for part in parts)
    assert all(part.params == {"username": "lampwright", "type": None, "sort": "Oldest"} for part in parts)


@pytest.mark.parametrize(
    ("source", "named"),
    [("rest.images", [{"type": one} for one in ("image", "video", "audio")]),
     ("trpc.image.getInfinite", [{"types": [one]} for one in ("image", "video", "audio")])],
)  # fmt: skip
def test_then_each_type_as_its_source_names_it(source, named):
    one = half(Level.PG)
    one.source = source

    parts = splitting.divide(one, logged_in=False)

    told = [{name: part.params[name] for name in ("type", "types") if part.params.get(name)} for part in parts]
    assert told == named


def test_then_the_posts_of_a_creator_for_those_who_are_logged_in():
    [part] = splitting.divide(half(Level.PG, type="image"), logged_in=True)

    assert (part.source, part.level) == ("trpc.post.getInfinite", Level.PG)
    assert part.params["brings"] == {"source": "rest.images", "type": "image"}


@pytest.mark.parametrize(
    ("one", "logged_in"),
    [(half(Level.PG, type="image"), False), (half(Level.PG, type="image", tags=[4]), True)],
    ids=["nobody", "a filter that posts do not know"],
)
def test_what_nothing_divides_is_not_divided(one, logged_in):
    assert splitting.divide(one, logged_in=logged_in) == []


def test_the_images_of_each_post_are_a_walk_of_their_own():
    [listing] = splitting.divide(half(Level.PG, type="image"), logged_in=True)

    parts = splitting.of_posts(listing, [11, 12])

    assert [part.params["postId"] for part in parts] == [11, 12]
    assert {(part.source, part.level, part.params["type"]) for part in parts} == {("rest.images", 1, "image")}


def test_what_covers_and_proves_nothing_is_marked_so():
    parts = splitting.cover(half(Level.PG, type="image"), ["Pony", "PonyPony"])

    assert all(part.params["covers"] and "meets" not in part.params for part in parts)
    assert {part.params.get("period") for part in parts} == {None, "Day", "Week", "Month", "Year"}
    assert [part.params["baseModels"] for part in parts if "baseModels" in part.params] == [["Pony"], ["Pony"]]
