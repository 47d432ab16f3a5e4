"""What was found and what is held is counted once, by the levels that were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.archive import tally
from civitscrape.ledger import MediaState
from tests.archive.asking import LONG_AGO, TARGET, key_of, link_to, media_of, picture, put, walk_of

if TYPE_CHECKING:
    from civitscrape.archive.database import Archive
    from civitscrape.items import Image

START = "2026-11-20T18:30:00.000Z"
LATER = "2026-11-20T18:31:00.000Z"
ALL = 31


def keep(archive: Archive, image: Image, target: str = TARGET, **media: object) -> None:
    put(archive, image, link_to(image, target), *([media_of(image, **media)] if media else []))


@pytest.mark.parametrize(("mask", "expected"), [(1, 1), (2, 2), (3, 3), (28, 3), (31, 6), (32, 0)])
def test_records_are_counted_by_the_levels_of_a_mask(archive, mask, expected):
    for number, level in enumerate([1, 2, 2, 4, 8, 16]):
        keep(archive, picture(number, level=level))

    held = archive.run_now(tally.held, TARGET, mask)

    assert sum(held.values()) == expected


@pytest.mark.parametrize("mask", [1, 28, 31])
def test_a_record_that_is_not_rated_counts_in_every_mask(archive, mask):
    keep(archive, picture(7, level=None))

    assert archive.run_now(tally.held, TARGET, mask) == {"image": 1}


def test_records_are_counted_by_type(archive):
    for number, kind in enumerate(["image", "image", "video", "audio"]):
        keep(archive, picture(number, type=kind))

    assert archive.run_now(tally.held, TARGET, ALL) == {"image": 2, "video": 1, "audio": 1}


def test_a_record_that_the_site_has_no_more_is_not_counted(archive):
    keep(archive, picture(7, gone_at=START))
    keep(archive, picture(8))

    assert archive.run_now(tally.held, TARGET, ALL) == {"image": 1}


def test_only_records_of_the_target_are_counted(archive):
    keep(archive, picture(7), "user:dunewalker")
    keep(archive, picture(8), "post:lampwright")
    put(archive, picture(9), link_to(picture(10)))

    assert archive.run_now(tally.held, TARGET, ALL) == {}


def test_a_record_that_two_targets_led_to_counts_for_each(archive):
    image = picture(7)
    put(archive, image, link_to(image), link_to(image, "user:dunewalker"))

    counted = [archive.run_now(tally.held, target, ALL) for target in (TARGET, "user:dunewalker")]

    assert counted == [{"image": 1}, {"image": 1}]


def test_files_stored_before_the_run_are_told_from_those_stored_in_it(archive):
    keep(archive, picture(1), state=MediaState.STORED, fetched_at=LONG_AGO)
    keep(archive, picture(2), state=MediaState.STORED, fetched_at=LONG_AGO)
    keep(archive, picture(3), state=MediaState.STORED, fetched_at=START)
    keep(archive, picture(4), state=MediaState.STORED, fetched_at=LATER)
    keep(archive, picture(5), state=MediaState.STORED, fetched_at=LATER)

    assert archive.run_now(tally.media_of, TARGET, ALL, START) == {"had": 2, "stored": 3}


def test_files_are_counted_by_what_became_of_them(archive):
    for number, state in enumerate(MediaState):
        keep(archive, picture(number), state=state)

    found = archive.run_now(tally.media_of, TARGET, ALL, START)

    assert found == dict.fromkeys(MediaState, 1)


def test_a_file_of_two_images_is_counted_once(archive):
    keep(archive, picture(7), state=MediaState.STORED, fetched_at=LATER)
    keep(archive, picture(8, key=key_of(7)))

    assert archive.run_now(tally.media_of, TARGET, ALL, START) == {"stored": 1}


def test_files_are_counted_by_the_levels_of_a_mask_and_by_target(archive):
    keep(archive, picture(1, level=1), state=MediaState.FAILED)
    keep(archive, picture(2, level=8), state=MediaState.FAILED)
    keep(archive, picture(3, level=1), "user:dunewalker", state=MediaState.FAILED)

    found = [archive.run_now(tally.media_of, TARGET, mask, START) for mask in (3, 28, 31)]

    assert found == [{"failed": 1}, {"failed": 1}, {"failed": 2}]


def test_a_file_with_a_foreign_address_is_counted_and_named(archive):
    image = picture(7, key="https://pictures.test/7.png")
    keep(archive, image, key="image:7", state=MediaState.REFUSED, error="its address is not one of the CDN")

    counted = archive.run_now(tally.media_of, TARGET, ALL, START)
    named = archive.run_now(tally.failures, TARGET, ALL, 10)

    assert counted == {"refused": 1}
    assert named == [{"id": 7, "state": "refused", "error": "its address is not one of the CDN"}]


def test_failures_are_named_with_the_reason(archive):
    for number, state in enumerate(MediaState):
        keep(archive, picture(number), state=state, error=f"it is {state}")

    found = archive.run_now(tally.failures, TARGET, ALL, 10)

    assert {(one["state"], one["error"]) for one in found} == {("failed", "it is failed"), ("refused", "it is refused")}


def test_no_more_failures_are_named_than_asked(archive):
    for number in range(9, 0, -1):
        keep(archive, picture(number), state=MediaState.FAILED)

    found = archive.run_now(tally.failures, TARGET, ALL, 4)

    assert [one["id"] for one in found] == [1, 2, 3, 4]


def test_the_walks_of_a_run_come_in_the_order_of_their_beginning(archive):
    mine = [walk_of(level=3), walk_of(level=28), walk_of("user:dunewalker")]
    put(archive, mine[0], walk_of(run_id="another"), *mine[1:])

    found = archive.run_now(tally.walks_of, mine[0].run_id)

    assert found == mine
