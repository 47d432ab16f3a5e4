"""A walk is taken up where it was left, by whoever asks the same; nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from civitscrape.archive import schema, unfetched, walks
from civitscrape.items import ImageTag, Tag
from civitscrape.ledger import Link, Media, MediaState, Walk, WalkState
from tests.archive.asking import LONG_AGO, TARGET, key_of, link_to, media_of, picture, put, rows, walk_of

if TYPE_CHECKING:
    from civitscrape.items import Image

UNFINISHED = [WalkState.PLANNED, WalkState.RUNNING, WalkState.BROKEN]
FINISHED = [state for state in WalkState if state not in UNFINISHED]
NEXT_RUN = "20261121T090000-q2m5"


@pytest.mark.parametrize("state", UNFINISHED)
def test_an_unfinished_walk_is_taken_up_at_its_cursor(archive, claims, state):
    left = walk_of(state=state, cursor="200|1767225600000", pages=3, entries=600, error="the connection broke")
    put(archive, left)

    walk = archive.run_now(walks.adopt, walk_of(run_id=NEXT_RUN), claims)

    expected = replace(left, run_id=NEXT_RUN, state=WalkState.RUNNING, error=None, updated_at=walk.updated_at)
    assert walk == expected


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_walk_is_not_taken_up(archive, claims, state):
    put(archive, walk_of(state=state, cursor="200|1767225600000"))
    fresh = walk_of(run_id=NEXT_RUN)

    walk = archive.run_now(walks.adopt, fresh, claims)

    assert walk is fresh
    assert walk.id not in {None, 1}


def test_the_latest_of_several_unfinished_walks_is_taken_up(archive, claims):
    put(archive, walk_of(cursor="a"), walk_of(cursor="b"), walk_of("user:dunewalker", cursor="c"))

    walk = archive.run_now(walks.adopt, walk_of(), claims)

    assert walk.cursor == "b"


def test_an_unfinished_walk_is_found_behind_one_that_asks_something_else(archive, claims):
    put(archive, walk_of(cursor="a"), walk_of(cursor="b", params={"username": "lampwright", "type": "video"}))

    walk = archive.run_now(walks.adopt, walk_of(), claims)

    assert walk.cursor == "a"


@pytest.mark.parametrize(
    "other",
    [
        {"target": "user:dunewalker"},
        {"source": "trpc.images"},
        {"level": 28},
        {"level": 1},
        {"params": {"username": "lampwright", "type": "video", "sort": "Oldest"}},
        {"params": {"username": "lampwright", "type": None, "sort": "Newest"}},
        {"params": {"username": "lampwright", "type": None, "sort": "Oldest", "max_items": 5}},
        {"params": {}},
    ],
)
def test_a_walk_that_asks_something_else_is_not_taken_up(archive, claims, other):
    put(archive, walk_of(**other, cursor="200|1767225600000"))
    fresh = walk_of()

    walk = archive.run_now(walks.adopt, fresh, claims)

    assert walk is fresh


def test_the_order_in_which_parameters_are_named_does_not_matter(archive, claims):
    put(archive, walk_of(cursor="a", params={"sort": "Oldest", "type": None, "username": "lampwright"}))

    walk = archive.run_now(walks.adopt, walk_of(), claims)

    assert walk.cursor == "a"


def test_a_walk_that_was_taken_up_goes_on_in_its_row(archive, claims):
    put(archive, walk_of(cursor="a", pages=1))
    walk = archive.run_now(walks.adopt, walk_of(run_id=NEXT_RUN), claims)

    walk.cursor, walk.pages = "b", 2
    put(archive, walk)

    assert rows(archive, Walk) == [walk]
    assert (walk.id, walk.run_id) == (1, NEXT_RUN)


@pytest.mark.parametrize("sort", ["Oldest", "Newest"])
def test_a_walk_was_completed_whatever_end_it_started_from(archive, sort):
    put(archive, walk_of(state=WalkState.COMPLETE, params={"username": "lampwright", "type": None, "sort": sort}))

    assert archive.run_now(walks.last_whole, walk_of())


@pytest.mark.parametrize(
    "other",
    [
        *[{"state": state} for state in WalkState if state is not WalkState.COMPLETE],
        {"state": WalkState.COMPLETE, "level": 28},
        {"state": WalkState.COMPLETE, "target": "user:dunewalker"},
        {"state": WalkState.COMPLETE, "params": {"username": "lampwright", "type": "image", "sort": "Oldest"}},
    ],
)
def test_a_walk_that_did_not_end_or_asked_something_else_was_not_completed(archive, other):
    put(archive, walk_of(**other))

    assert not archive.run_now(walks.last_whole, walk_of())


@pytest.mark.parametrize(
    ("sort", "state"), [("Newest", WalkState.RUNNING), ("Newest", WalkState.LIMITED), ("Oldest", WalkState.CAPPED)]
)
def test_a_walk_cut_short_after_a_whole_one_changes_nothing_about_what_was_known_then(archive, sort, state):
    put(archive, walk_of(state=WalkState.COMPLETE))
    put(archive, walk_of(state=state, params={"username": "Lampwright", "type": None, "sort": sort, "max_items": 9}))

    whole = archive.run_now(walks.last_whole, walk_of())

    assert whole.id == 1


def test_what_a_target_led_to_later_was_not_known_then(archive):
    put(archive, link_to(picture(1)))
    put(archive, replace(link_to(picture(2)), first_seen_at="2026-11-21T09:00:00.000Z"))

    known = archive.run_now(walks.known, TARGET, "image", [1, 2], "2026-11-21T08:00:00.000Z")

    assert known == {1}


def test_a_walk_from_the_newest_end_takes_the_place_of_those_that_were_cut_short(archive):
    newest = {"username": "lampwright", "type": None, "sort": "Newest", "until_known": "2026-11-20T09:00:00.000Z"}
    put(archive, walk_of(state=WalkState.BROKEN, params=newest), walk_of(state=WalkState.BROKEN))

    archive.run_now(walks.replace_newest, walk_of(id=9, params=newest))

    assert [row.state for row in rows(archive, Walk)] == [WalkState.LIMITED, WalkState.BROKEN]


def test_a_target_knows_what_it_led_to(archive):
    put(archive, *[link_to(picture(number)) for number in range(1, 1201)])

    known = archive.run_now(walks.known, TARGET, "image", [*range(1100, 1300)])

    assert known == {*range(1100, 1201)}


def test_a_target_does_not_know_what_others_led_to(archive):
    put(archive, link_to(picture(1), "user:dunewalker"), link_to(picture(2), "post:lampwright"), picture(3))
    post = Link(target_kind="user", target="lampwright", entry_kind="post", entry_id=4, first_seen_at=LONG_AGO)
    put(archive, post)

    known = archive.run_now(walks.known, TARGET, "image", [1, 2, 3, 4])

    assert known == set()


def test_more_is_asked_at_once_than_one_question_can_hold(archive):
    put(archive, *[link_to(picture(number)) for number in range(1, 1201)])

    known = archive.run_now(walks.known, TARGET, "image", range(1, 1401))

    assert known == {*range(1, 1201)}


def test_what_is_left_over_comes_in_chunks_in_the_order_of_the_ids(archive):
    images = [picture(number, prompt="lanterns") for number in range(11, 0, -1)]
    put(archive, *images, *map(link_to, images), *map(media_of, images))
    found: list[list[Image]] = []
    after = 0

    for _ in range(4):
        found.append(archive.run_now(unfetched.leftovers, TARGET, 3, after, 4))
        after = found[-1][-1].id if found[-1] else after

    assert [[image.id for image in chunk] for chunk in found] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11], []]
    assert found[0][0] == picture(1, prompt="lanterns")


def test_only_files_that_are_wanted_or_failed_are_left_over(archive):
    images = [picture(number) for number, _ in enumerate(MediaState)]
    files = [media_of(image, state=state) for image, state in zip(images, MediaState, strict=True)]
    put(archive, *images, *map(link_to, images), *files)

    left = archive.run_now(unfetched.leftovers, TARGET, 3, -1, 100)

    states = {media.key: media.state for media in rows(archive, Media)}
    assert [states[image.key or ""] for image in left] == ["wanted", "failed"]


def test_what_another_target_led_to_is_not_left_over(archive):
    image, other = picture(7), picture(8)
    put(archive, image, other, media_of(image), media_of(other))
    put(archive, link_to(image), link_to(other, "user:dunewalker"), link_to(other, "post:lampwright"))

    left = archive.run_now(unfetched.leftovers, TARGET, 3, 0, 100)

    assert left == [image]


def test_each_image_of_a_file_that_is_wanted_is_left_over(archive):
    image, twin = picture(7), picture(8, key=key_of(7))
    put(archive, image, twin, media_of(image), link_to(image), link_to(twin), link_to(image, "post:3"))

    left = archive.run_now(unfetched.leftovers, TARGET, 3, 0, 100)

    assert left == [image, twin]


def test_an_image_that_was_archived_without_its_file_is_left_over_in_the_levels_asked_for(archive):
    mild, mature = picture(7, level=1), picture(8, level=4)
    put(archive, mild, mature, link_to(mild), link_to(mature))

    left = archive.run_now(unfetched.leftovers, TARGET, 3, 0, 100)

    assert [image.id for image in left] == [7]


def test_what_is_left_over_brings_its_tags(archive):
    image = picture(7)
    put(archive, image, link_to(image), Tag(id=4, name="lantern"), ImageTag(image_id=7, tag_id=4))

    [left] = archive.run_now(unfetched.leftovers, TARGET, 3, 0, 100)

    assert left.tags == ["lantern"]


def test_a_walk_has_met_what_it_was_linked_to_and_nothing_from_before(archive):
    put(archive, walk_of(), link_to(picture(7)))
    archive.run_now(lambda connection: connection.execute(sa.update(schema.links).values(walk_id=1)))
    put(archive, link_to(picture(8)))

    found = archive.run_now(walks.met, walk_of(id=1), "image", [7, 8, 9])

    assert found == {7}
