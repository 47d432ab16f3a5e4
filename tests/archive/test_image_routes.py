"""The record of an image is the same whichever route told of it first, and no route takes from another."""

from __future__ import annotations

import json
from itertools import combinations, permutations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive.database import Archive
from civitscrape.parsers import feeds
from civitscrape.parsers.images import from_detail, from_rest
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.site import Site
from civitscrape.sandbox.world import World
from tests.archive.routes import AT, MEDIA, every_route, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAYLOADS = Path(__file__).parents[1] / "payloads" / "routes"
ROUTES = ("rest-search", "rest-legacy", "index", "database", "page")
KEY = "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1"
LATE, REAL = "2026-07-02T10:15:00.120Z", "2026-07-02T10:02:44.318Z"

WORLD = World.build(
    seed=5,
    creators=(
        CreatorSpec(username="lampwright", images=56, videos=4, audio=2, hidden=9, twins=2, foreign=1, stricter=2),
        CreatorSpec(username="moved_away", images=6, vanished=True),
    ),
)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    archive = Archive(f"sqlite:///{tmp_path_factory.mktemp('routes') / 'civitscrape.sqlite'}")
    yield archive
    archive.close()


def payload(route: str) -> Any:
    return json.loads((PAYLOADS / f"{route}.json").read_text())


def read(route: str, entry: Any) -> list[Any]:
    """Read an entry as the parser of its route does."""
    match route:
        case "rest-search":
            return from_rest(entry, media_url=MEDIA)
        case "rest-legacy":
            return from_rest(entry, media_url=MEDIA, legacy=True)
        case "page":
            return from_detail(entry["image"], entry["generation"], media_url=MEDIA)
    return feeds.from_feed(entry, media_url=MEDIA, at=AT)


def without_meta(route: str, *, hidden: bool) -> Any:
    """Return an entry of a route as it is where an image has no generation data, or its creator hid them."""
    entry = payload(route)
    if route == "page":
        entry["image"] |= {"hasMeta": False, "hideMeta": hidden}
        del entry["generation"]["meta"]
    else:
        wrapped = isinstance(entry["meta"], dict) and "meta" in entry["meta"]
        entry |= {"meta": {"id": entry["id"], "meta": None} if wrapped else None}
    if "hasMeta" in entry:
        entry["hasMeta"] = False
    return entry


def all_orders(archive: Archive, answers: list[list[Any]]) -> list[Any]:
    """Return what comes of some answers in every order."""
    return [archive.run_now(merged, order) for order in permutations(answers)]


def rows_of(archive: Archive, answers: Iterable[list[Any]]) -> Any:
    """Return the rows of some answers; the sandbox posts images of one post to versions of their own, so not these."""
    rows = archive.run_now(merged, answers)
    for post in rows["posts"]:
        del post["model_version_id"]
    return rows


def test_five_routes_in_any_order_make_the_same_rows(lasting):
    answers = [read(route, payload(route)) for route in ROUTES]

    first, *others = all_orders(lasting, answers)

    assert len(others) == 119
    assert [one for one in others if one != first] == []


@pytest.mark.parametrize("routes", list(combinations(ROUTES, 2)), ids="+".join)
def test_any_two_routes_make_the_same_rows_in_both_orders(lasting, routes):
    answers = [read(route, payload(route)) for route in routes]

    one, other = all_orders(lasting, answers)

    assert one == other


def test_the_record_has_the_best_of_every_route(lasting):
    answers = [read(route, payload(route)) for route in ROUTES]

    rows = lasting.run_now(merged, answers)

    (image,) = rows["images"]
    told = payload("rest-search")
    assert image["url"] == told["url"]
    assert image["key"] == KEY
    assert image["created_at"] == REAL
    assert image["published_at"] == LATE
    assert image["post_index"] == 3
    assert image["base_model"] == "SDXL 1.0"
    assert image["model_version_ids"] == [2900002, 2900005, 2900009]
    assert image["meta"] == told["meta"]
    assert (image["tools"], image["techniques"]) == (["ComfyUI"], ["img2img"])
    assert [(one["name"], one["weight"]) for one in rows["image_resources"]] == [
        ("Harbour Mix", None),
        ("Old Paper", 0.8),
        ("Rain", 0.4),
    ]
    assert {one["tag_id"]: one["shown"] for one in rows["image_tags"]} == {
        4: True,
        81: True,
        5133: False,
        5262: True,
        234268: None,
    }
    assert [one["model_version_id"] for one in rows["posts"]] == [2900002]


@pytest.mark.parametrize(("hidden", "state"), [(True, "hidden"), (False, "absent")])
def test_without_generation_data_the_order_matters_as_little(lasting, hidden, state):
    answers = [read(route, without_meta(route, hidden=hidden)) for route in ROUTES]

    first, *others = all_orders(lasting, answers)

    assert first["images"][0]["meta_state"] == state
    assert [one for one in others if one != first] == []


def test_what_was_detected_is_as_many_whichever_listing_came_last(lasting):
    routes = [route for route in ROUTES if route != "page"]
    answers = [read(route, without_meta(route, hidden=True)) for route in routes]

    first, *others = all_orders(lasting, answers)

    assert [one["model_version_id"] for one in first["image_resources"]] == [2900002, 2900005, 2900009]
    assert [one for one in others if one != first] == []


def test_a_name_in_the_prompt_gives_way_to_a_version_that_the_site_knows(lasting):
    search, legacy = payload("rest-search"), payload("rest-legacy")
    search |= {"meta": {"prompt": "a lantern <lora:oldpaper:0.5>"}, "modelVersionIds": []}
    legacy |= {"meta": search["meta"], "modelVersionIds": [2900002]}

    first, other = all_orders(lasting, [read("rest-search", search), read("rest-legacy", legacy)])

    assert [one["model_version_id"] for one in first["image_resources"]] == [2900002]
    assert other == first


@pytest.mark.parametrize("seed", range(3))
def test_every_image_of_a_site_is_the_same_whatever_the_order_of_eleven_routes(lasting, seed):
    site, draw = Site(WORLD), Random(seed)
    records = [one for one in WORLD.records.values() if one.listed]
    assert len(records) == 62

    for record in records[seed::3]:
        answers = every_route(site, record)
        expected = rows_of(lasting, answers.values())
        for _ in range(4):
            order = draw.sample(sorted(answers), len(answers))
            assert rows_of(lasting, [answers[one] for one in order]) == expected, f"{record.id}: {order}"


def test_hidden_generation_data_are_kept_by_no_route():
    site = Site(WORLD)
    hidden = [one for one in WORLD.records.values() if one.hide_meta and one.listed]
    assert hidden

    for record in hidden:
        for route, items in every_route(site, record).items():
            told = [one for one in items if getattr(one, "id", None) == record.id and hasattr(one, "meta")]
            assert [(one.meta, one.prompt) for one in told] == [(None, None)] * len(told), f"{record.id}: {route}"
