from __future__ import annotations

import pytest

from tests.sandbox.conftest import WORLD, Caller, ids

LAMPWRIGHT = "username=lampwright&sort=Oldest&limit=200"


def levels(page) -> set[int]:
    return {one["browsingLevel"] for one in page["items"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {1}),
        ("nsfw=false", {1}),
        ("nsfw=None", {1}),
        ("nsfw=Soft", {1, 2}),
        ("nsfw=Mature", {1, 2, 4}),
        ("nsfw=X", {1, 2, 4, 8, 16}),
        ("nsfw=true", {4, 8, 16}),
        ("nsfw=Blocked", set()),
        ("browsingLevel=31", {1, 2, 4, 8, 16}),
        ("browsingLevel=2", {2}),
        ("browsingLevel=", {1}),
        ("browsingLevel=1&nsfw=X", {1}),
    ],
)
async def test_the_level_asked_for_is_the_level_given(caller: Caller, query, expected):
    page = await caller.images(f"{LAMPWRIGHT}&{query}", red=True)

    assert levels(page) == expected


@pytest.mark.parametrize("mask", [5, 9, 17, 31])
async def test_asking_for_r_hides_child_related_entries_of_every_level(caller: Caller, mask):
    mild = await caller.images(f"{LAMPWRIGHT}&browsingLevel=1")
    mature = await caller.images(f"{LAMPWRIGHT}&browsingLevel={mask}")

    lost = set(ids([mild])) - set(ids([mature]))
    assert lost == {one.id for one in WORLD.records.values() if one.childhood}


async def test_minor_flagged_entries_and_real_people_are_in_no_listing(caller: Caller):
    mild = await caller.images(f"{LAMPWRIGHT}&browsingLevel=3", red=True)
    all_levels = await caller.images(f"{LAMPWRIGHT}&browsingLevel=31", red=True)

    shown = {WORLD.records[one] for one in ids([mild, all_levels])}
    assert not any(one.minor or one.poi for one in shown)


async def test_the_green_host_filters_on_the_combined_rating(caller: Caller):
    green = await caller.images(f"{LAMPWRIGHT}&browsingLevel=3")
    red = await caller.images(f"{LAMPWRIGHT}&browsingLevel=3", red=True)

    more = set(ids([red])) - set(ids([green]))
    assert len(more) == 3
    assert all(WORLD.records[one].combined_level == 4 for one in more)


async def test_a_key_changes_nothing_on_images(caller: Caller):
    anonymous = await caller.ask(f"/api/v1/images?{LAMPWRIGHT}&browsingLevel=31")
    keyed = await caller.ask(
        f"/api/v1/images?{LAMPWRIGHT}&browsingLevel=31", headers={"Authorization": "Bearer sandbox-key"}
    )

    assert keyed.body == anonymous.body
    assert keyed.headers["Cache-Control"] == anonymous.headers["Cache-Control"]


async def test_pg13_is_flagged_as_nsfw(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&browsingLevel=3")

    told = {(one["browsingLevel"], one["nsfwLevel"], one["nsfw"]) for one in page["items"]}
    assert told == {(1, "None", False), (2, "Soft", True)}


async def test_x_and_xxx_share_one_name(caller: Caller):
    page = await caller.images(f"{LAMPWRIGHT}&browsingLevel=28", red=True)

    told = {(one["browsingLevel"], one["nsfwLevel"]) for one in page["items"]}
    assert told == {(4, "Mature"), (8, "X"), (16, "X")}


@pytest.mark.parametrize("mask", [1, 3])
async def test_a_walk_of_one_pass_finds_the_truth(caller: Caller, mask):
    pages = await caller.walk(f"username=lampwright&sort=Oldest&limit=7&browsingLevel={mask}")

    assert ids(pages) == WORLD.truth("lampwright", mask, hashes=False).ids


async def test_two_passes_find_the_whole_truth(caller: Caller):
    mild = await caller.walk("username=lampwright&sort=Oldest&limit=30&browsingLevel=3", red=True)
    mature = await caller.walk("username=lampwright&sort=Oldest&limit=30&browsingLevel=28", red=True)

    assert set(ids(mild)) | set(ids(mature)) == set(WORLD.truth("lampwright", 31, hashes=False).ids)
