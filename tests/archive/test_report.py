"""A run is called complete only where everything that was asked, and announced, is there."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import report
from civitscrape.archive.report import TargetReport, WalkReport, judge
from civitscrape.ledger import Announcement, MediaState, Outcome, WalkState
from tests.archive.asking import LONG_AGO, TARGET, link_to, media_of, picture, put, walk_of

if TYPE_CHECKING:
    from civitscrape.archive.database import Archive

START = "2026-11-20T18:30:00.000Z"
LATER = "2026-11-20T18:31:00.000Z"
OTHER = "user:dunewalker"


def listed(archive: Archive, count: int, *, target: str = TARGET, level: int = 1, **media: Any) -> None:
    """Let a target lead to images whose files are stored."""
    first = len(target) * 10_000 + level * 1000
    images = [picture(number, level=level) for number in range(first, first + count)]
    files = [media_of(image, **{"state": MediaState.STORED, "fetched_at": LATER} | media) for image in images]
    put(archive, *images, *files, *[link_to(image, target) for image in images])


def walked(archive: Archive, target: str = TARGET, **fields: Any) -> None:
    put(archive, walk_of(target, **{"state": WalkState.COMPLETE, "pages": 1, "entries": 1} | fields))


def announce(target: str = TARGET, *, level: int = 1, exists: bool | None = True, **counts: int) -> Announcement:
    return Announcement(target=target, exists=exists, counts=counts or None, level=level)


def build(archive: Archive, *announcements: Announcement) -> list[TargetReport]:
    by_target = {one.target: one for one in announcements}
    return archive.run_now(report.build, walk_of().run_id, START, by_target)


def outcome(archive: Archive, *announcements: Announcement, **ends: Any) -> tuple[Outcome, list[str]]:
    targets = build(archive, *announcements)
    return judge(targets, **{"refused": 0, "stopped": False, "error": None} | ends)


def test_a_run_is_complete_when_all_that_was_announced_is_there(archive):
    listed(archive, 12)
    walked(archive)

    assert outcome(archive, announce(imageCount=12, videoCount=0)) == (Outcome.COMPLETE, [])


def test_a_run_is_complete_when_nobody_announced_anything(archive):
    listed(archive, 12)
    walked(archive)

    assert outcome(archive) == (Outcome.COMPLETE, [])


def test_a_file_that_the_site_has_no_more_leaves_a_run_complete(archive):
    listed(archive, 1, state=MediaState.GONE)
    walked(archive)

    assert outcome(archive) == (Outcome.COMPLETE, [])


def test_a_creator_without_works_is_complete(archive):
    walked(archive, entries=0)

    assert outcome(archive, announce(imageCount=0, videoCount=0)) == (Outcome.COMPLETE, [])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"state": WalkState.LIMITED, "entries": 5},
            "walk 1 (pg+pg13) took the newest 5 entries only, as max_items asks",
        ),
        (
            {"state": WalkState.CAPPED, "error": "it ended early"},
            "walk 1 (pg+pg13) was cut short by the site: it ended early",
        ),
        (
            {"state": WalkState.BROKEN, "cursor": "200|17", "error": "the site answered 503"},
            "walk 1 (pg+pg13) is broken at cursor '200|17': the site answered 503; run the same command again",
        ),
        (
            {"state": WalkState.BROKEN, "cursor": "60: 11 12 13 14 15?", "error": "status 503"},
            "walk 1 (pg+pg13) is broken at cursor '60: 11 12 13 … (2 more)': status 503; run the same command again",
        ),
        (
            {"state": WalkState.BROKEN, "pages": 28, "error": "4 pages could not be read"},
            "walk 1 (pg+pg13) is broken after 28 pages: 4 pages could not be read; run the same command again",
        ),
        (
            {"state": WalkState.RUNNING, "cursor": "200|17"},
            "walk 1 (pg+pg13) is running at cursor '200|17': the crawl ended before it; run the same command again",
        ),
        (
            {"state": WalkState.PLANNED},
            "walk 1 (pg+pg13) is planned at its first page: the crawl ended before it; run the same command again",
        ),
    ],
)
def test_a_run_is_incomplete_while_a_walk_is_anything_but_whole(archive, fields, reason):
    listed(archive, 12)
    walked(archive, **fields)

    assert outcome(archive, announce(imageCount=12)) == (Outcome.INCOMPLETE, [reason])


def test_one_walk_of_several_that_did_not_end_makes_a_run_incomplete(archive):
    walked(archive)
    walked(archive, level=28, state=WalkState.CAPPED, error="it ended early")

    assert outcome(archive) == (Outcome.INCOMPLETE, ["walk 2 (r+x+xxx) was cut short by the site: it ended early"])


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (MediaState.FAILED, "3 files could not be fetched; the same command tries them again"),
        (MediaState.REFUSED, "3 files were refused"),
        (MediaState.WANTED, "3 files are still wanted; the same command goes on with them"),
    ],
)
def test_a_run_is_incomplete_while_files_are_not_there(archive, state, reason):
    listed(archive, 12)
    listed(archive, 3, level=2, state=state)
    walked(archive)

    assert outcome(archive) == (Outcome.INCOMPLETE, [reason])


def test_reasons_that_differ_in_addresses_and_numbers_alone_are_told_as_one(archive):
    for number, error in enumerate(["the CDN answered 500", "2000 bytes came that are no known media format"] * 2):
        image = picture(7 + number)
        put(archive, image, link_to(image), media_of(image, state=MediaState.FAILED, error=error))
    image = picture(90)
    error = "31 bytes came that are no known media format"
    put(archive, image, link_to(image), media_of(image, state=MediaState.FAILED, error=error))
    walked(archive)

    (target,) = build(archive)

    failed = "files could not be fetched; the same command tries them again; the first: image"
    assert target.reasons == [
        f"3 {failed} 8: 2000 bytes came that are no known media format",
        f"2 {failed} 7: the CDN answered 500",
    ]


def test_a_file_that_two_walks_led_to_is_missed_once(archive):
    image = picture(7, level=None)
    put(archive, image, link_to(image), media_of(image, state=MediaState.FAILED))
    walked(archive, level=3)
    walked(archive, level=28)

    (target,) = build(archive)

    assert [walk.files for walk in target.walks] == [{"failed": 1}, {"failed": 1}]
    assert target.reasons == ["1 files could not be fetched; the same command tries them again"]


def test_entries_that_could_not_be_read_make_a_run_incomplete(archive):
    walked(archive)

    found = outcome(archive, refused=2)

    assert found == (
        Outcome.INCOMPLETE,
        ["2 entries could not be read; they are kept in the table payloads, with the reason"],
    )


@pytest.mark.parametrize(
    ("announced", "there", "is_complete"),
    [(3, 0, True), (4, 0, False), (15, 12, True), (16, 12, False), (400, 396, True), (400, 395, False), (5, 9, True)],
)
def test_a_little_less_than_announced_is_complete(archive, announced, there, is_complete):
    listed(archive, there)
    walked(archive)

    found, why = outcome(archive, announce(imageCount=announced))

    assert (found is Outcome.COMPLETE) == is_complete
    sentence = f"the site announces {announced} images, the archive has {there} of them"
    assert why == ([] if is_complete else [sentence])


def test_records_of_other_levels_do_not_make_up_for_announced_ones(archive):
    listed(archive, 12, level=2)
    walked(archive)

    found = outcome(archive, announce(imageCount=12, level=1))

    assert found == (Outcome.INCOMPLETE, ["the site announces 12 images, the archive has 0 of them"])


def test_videos_are_held_against_videos(archive):
    listed(archive, 12)
    walked(archive)

    found = outcome(archive, announce(imageCount=12, videoCount=9))

    assert found == (Outcome.INCOMPLETE, ["the site announces 9 videos, the archive has 0 of them"])


def test_what_was_announced_of_a_type_that_was_not_asked_is_not_missed(archive):
    listed(archive, 12)
    video = picture(7, type="video")
    put(archive, video, link_to(video))
    walked(archive, params={"username": "lampwright", "type": "image", "sort": "Oldest"})

    (target,) = build(archive, announce(imageCount=12, videoCount=9, modelCount=4))

    assert (target.announced, target.held) == ({"image": 12}, {"image": 12})
    assert target.reasons == []


@pytest.mark.parametrize("level", [31, 7, 4])
def test_what_was_announced_of_levels_that_were_not_asked_is_not_missed(archive, level):
    listed(archive, 12)
    walked(archive, level=3)

    (target,) = build(archive, announce(imageCount=900, level=level))

    assert target.reasons == []
    assert (target.levels_not_asked, target.ask_with) == (["r", "x", "xxx"], "-a level=all")


def test_announced_counts_are_compared_when_the_walks_together_cover_their_levels(archive):
    listed(archive, 12)
    walked(archive, level=3)
    walked(archive, level=28)

    (target,) = build(archive, announce(imageCount=900, level=31))

    assert target.reasons == ["the site announces 900 images, the archive has 12 of them"]
    assert (target.levels_not_asked, target.ask_with) == ([], None)


def test_a_walk_shows_the_count_that_was_announced_for_exactly_its_levels(archive):
    walked(archive, level=3)
    walked(archive, level=28)

    (target,) = build(archive, announce(imageCount=12, videoCount=2, level=3))

    assert [walk.announced for walk in target.walks] == [14, None]


def test_a_run_that_was_stopped_is_stopped_whatever_else(archive):
    walked(archive, state=WalkState.RUNNING, cursor="200|17")

    found, why = outcome(archive, stopped=True, refused=1)

    assert found is Outcome.STOPPED
    assert len(why) == 3
    assert why[-1] == "the run was stopped; the same command goes on from here"


def test_a_run_of_a_creator_who_does_not_exist_has_failed(archive):
    walked(archive, entries=0)

    found = outcome(archive, announce(exists=False))

    assert found == (Outcome.FAILED, [f"{TARGET} does not exist: the site knows no such name"])


def test_a_creator_whose_works_were_found_exists_whatever_the_page_says(archive):
    listed(archive, 12)
    walked(archive, entries=12)

    assert outcome(archive, announce(exists=False)) == (Outcome.COMPLETE, [])


def test_nothing_listed_of_a_creator_whose_page_could_not_be_read_proves_nothing(archive):
    walked(archive, entries=0)

    how, why = outcome(archive, announce(exists=None))

    assert how is Outcome.INCOMPLETE
    assert "whether it exists is not known" in why[0]


def test_one_missing_target_of_several_makes_a_run_incomplete(archive):
    listed(archive, 12)
    walked(archive)
    walked(archive, OTHER, entries=0)

    found = outcome(archive, announce(imageCount=12), announce(OTHER, exists=False))

    assert found == (Outcome.INCOMPLETE, [f"{OTHER} does not exist: the site knows no such name"])


def test_a_run_whose_targets_are_all_missing_has_failed(archive):
    walked(archive, entries=0)
    walked(archive, OTHER, entries=0)

    found, why = outcome(archive, announce(exists=False), announce(OTHER, exists=False))

    assert found is Outcome.FAILED
    assert len(why) == 2


def test_a_run_without_a_single_page_has_failed(archive):
    walked(archive, state=WalkState.BROKEN, pages=0, entries=0, error="the site cannot be reached")

    found, why = outcome(archive)

    assert found is Outcome.FAILED
    assert any("the site cannot be reached" in reason for reason in why)


def test_a_run_that_something_else_ended_is_incomplete_and_says_so(archive):
    walked(archive)

    found = outcome(archive, error="media/7.png cannot be written: No space left on device")

    assert found == (Outcome.INCOMPLETE, ["media/7.png cannot be written: No space left on device"])


def test_a_run_that_asked_nothing_has_failed(archive):
    assert outcome(archive) == (Outcome.FAILED, ["nothing was asked"])


def test_a_target_of_which_no_page_was_asked_is_not_complete(archive):
    listed(archive, 12)
    walked(archive)

    found = outcome(archive, announce(imageCount=12), announce(OTHER, imageCount=0))

    assert found == (
        Outcome.INCOMPLETE,
        [f"{OTHER} was not listed: the crawl ended before it; run the same command again"],
    )


def test_a_run_that_only_learnt_of_a_target_has_failed(archive):
    found, why = outcome(archive, announce(imageCount=12))

    assert found is Outcome.FAILED
    assert why == [f"{TARGET} was not listed: the crawl ended before it; run the same command again"]


def test_a_report_shows_what_was_found_of_each_target(archive):
    listed(archive, 2)
    listed(archive, 1, level=2, fetched_at=LONG_AGO)
    listed(archive, 1, level=8, state=MediaState.FAILED, error="the CDN answered 500")
    listed(archive, 5, target=OTHER)
    walked(archive, entries=3, pages=1)
    walked(archive, level=28, entries=1, state=WalkState.RUNNING, cursor="200|17")
    walked(archive, OTHER, entries=5)
    walked(archive, "user:nobody", run_id="another")

    target, other = build(archive, announce(imageCount=2))

    assert (target.target, target.exists, target.announced, target.announced_levels) == (
        TARGET,
        True,
        {"image": 2},
        ["pg"],
    )
    assert target.held == {"image": 2}
    assert [one["error"] for one in target.failures] == ["the CDN answered 500"]
    first, second = target.walks
    assert (first.levels, first.sort, first.listed, first.files) == (
        ["pg", "pg13"],
        "Oldest",
        3,
        {"stored": 2, "had": 1},
    )
    assert (second.state, second.cursor, second.files) == ("running", "200|17", {"failed": 1})
    assert (other.target, other.exists, other.announced, other.held) == (OTHER, None, None, {"image": 5})


def test_a_report_is_json(archive):
    listed(archive, 2)
    walked(archive)

    (target,) = json.loads(json.dumps(report.as_json(build(archive, announce(imageCount=2)))))

    assert target.keys() == {one.name for one in fields(TargetReport)}
    assert target["walks"][0].keys() == {one.name for one in fields(WalkReport)}
