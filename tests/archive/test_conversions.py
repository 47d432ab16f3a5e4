"""A picture is an original or a proven WebP at every moment, and the database says which."""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Picture

from civitscrape.archive import conversions, shelf
from civitscrape.archive.conversions import Site, Wanted
from civitscrape.archive.converter import Copies, Plan, run
from civitscrape.archive.pictures.convert import Converted
from civitscrape.archive.pictures.metadata import About
from civitscrape.archive.pictures.options import Options
from civitscrape.archive.shelf import Fate
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image, ImageTag, PromptTag
from civitscrape.ledger import Media
from tests.archive.asking import key_of, picture, put, rows
from tests.archive.converting import QUICK, convert, files, losses, media, retell, shelve, tag, told
from tests.archive.pictures.making import drawn, packet, png_of, saved, uploads
from tests.archive.pictures.test_hostile import hostile

if TYPE_CHECKING:
    from pathlib import Path

KEEP, DROP = Wanted(), Wanted(keep=False)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def test_a_webp_lies_beside_its_original_and_both_are_booked(archive, store):
    path = shelve(archive, store, 7, content := png_of({"parameters": "Steps: 30"}))

    tally = convert(archive, store)

    row = media(archive, 7)
    assert files(store) == ["lampwright/7.png", "lampwright/7.webp"]
    assert (row.path, row.webp_path, row.webp_quality) == (path, "lampwright/7.webp", 85)
    assert row.webp_size == (store / "lampwright/7.webp").stat().st_size
    assert len(row.phash or "") == 16
    assert losses(archive, store, {7: content}) == []
    assert (tally.converted, tally.before, tally.after) == (1, len(content), row.webp_size)


def test_an_original_that_is_not_kept_goes_once_its_webp_is_booked(archive, store):
    shelve(archive, store, 7, content := png_of({}))

    tally = convert(archive, store, wanted=DROP)

    row = media(archive, 7)
    assert files(store) == ["lampwright/7.json", "lampwright/7.webp"]
    assert (row.path, row.webp_path, row.webp_replaced) == ("lampwright/7.webp", "lampwright/7.webp", None)
    assert (row.size, row.content_type) == (len(content), "image/png")
    assert [image.path for image in rows(archive, Image)] == ["lampwright/7.webp"]
    assert tally.removed == 1


def test_originals_that_were_kept_can_go_later(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    convert(archive, store)

    convert(archive, store, wanted=DROP, beside=())

    assert files(store) == ["lampwright/7.webp"]
    assert losses(archive, store, {7: content}) == []


@pytest.mark.parametrize("wanted", [KEEP, DROP])
def test_images_that_share_a_file_share_its_webp(archive, store, wanted):
    shelve(archive, store, 7, content := png_of({}))
    put(archive, picture(9, key=key_of(7), path="harbourmaster/9.png"))
    (store / "harbourmaster").mkdir()
    os.link(store / "lampwright/7.png", store / "harbourmaster/9.png")

    tally = convert(archive, store, wanted=wanted, beside=())

    first, second = store / "lampwright/7.webp", store / "harbourmaster/9.webp"
    assert tally.converted == 1
    assert first.samefile(second)
    assert (store / "harbourmaster/9.png").exists() is wanted.keep
    assert losses(archive, store, {7: content}) == []


def test_an_image_that_comes_later_gets_a_name_for_the_webp_too(archive, store):
    shelve(archive, store, 7, png_of({}))
    convert(archive, store)
    put(archive, picture(9, key=key_of(7)))
    known = Fate(image_id=9, key=key_of(7), state="stored", path="harbourmaster/9.png")

    archive.run_now(lambda connection: shelf.shelve(connection, store, [known], beside=()))

    assert (store / "harbourmaster/9.webp").samefile(store / "lampwright/7.webp")


def test_what_is_downloaded_again_does_not_take_the_webp_s_name(archive, store, tmp_path):
    shelve(archive, store, 7, content := png_of({}))
    convert(archive, store, wanted=DROP, beside=())
    part = tmp_path / "7.part"
    part.write_bytes(content)
    fetched = Fate(
        image_id=7, key=key_of(7), state="stored", path="lampwright/7.png", part=str(part), size=len(content)
    )

    archive.run_now(lambda connection: shelf.shelve(connection, store, [fetched], beside=()))

    assert files(store) == ["lampwright/7.png", "lampwright/7.webp"]
    assert (store / "lampwright/7.png").read_bytes() == content
    assert (media(archive, 7).path, media(archive, 7).webp_path) == ("lampwright/7.png", "lampwright/7.webp")
    assert losses(archive, store, {7: content}) == []


@pytest.mark.parametrize("stranger", [b"somebody's own", None])
def test_the_webp_s_name_of_a_later_image_is_taken_only_where_nobody_has_it(archive, store, stranger):
    shelve(archive, store, 7, png_of({}))
    convert(archive, store)
    put(archive, picture(8, key=key_of(7)))
    if stranger is not None:
        (store / "lampwright/8.webp").write_bytes(stranger)

    later = Fate(image_id=8, key=key_of(7), state="stored", path="lampwright/8.png")
    archive.run_now(lambda connection: shelf.shelve(connection, store, [later], beside=()))

    made = (store / "lampwright/7.webp").read_bytes()
    assert (store / "lampwright/8.png").samefile(store / "lampwright/7.png")
    assert (store / "lampwright/8.webp").read_bytes() == (stranger or made)


def test_the_record_and_the_tags_are_in_the_webp(archive, store):
    shelve(archive, store, 7, png_of({}), level=4)
    tag(archive, 7, "lantern", "night")

    convert(archive, store)

    said = told(store, "lampwright/7.webp")
    assert said.subjects == ["lantern", "night"]
    assert (said.creators, said.source) == (["lampwright"], "https://civitai.red/images/7")
    assert said.record is not None
    assert said.record["image"]["id"] == 7
    assert "path" not in said.record["image"]
    assert [one["score"] for one in said.record["tags"]] == [10, 9]


def test_words_of_the_prompt_are_in_the_record_and_no_subjects(archive, store):
    prompt = {"prompt": "fog, (港:1.2)"}
    shelve(archive, store, 7, png_of({}), **prompt, meta=prompt, meta_state="visible")
    tag(archive, 7, "lantern")
    put(archive, PromptTag(image_id=7, position=0, text="fog"))
    convert(archive, store)
    put(archive, PromptTag(image_id=7, position=1, text="港", weight=1.2))

    retell(archive, store, 7)

    said = told(store, "lampwright/7.webp")
    assert said.subjects == ["lantern"]
    assert said.record is not None
    assert said.record["prompt_tags"] == [{"text": "fog", "weight": 1.0}, {"text": "港", "weight": 1.2}]


def test_tags_that_the_site_does_not_show_are_in_the_record_alone(archive, store):
    shelve(archive, store, 7, png_of({}))
    tag(archive, 7, "lantern", "night")
    put(archive, ImageTag(image_id=7, tag_id=2, shown=False))
    convert(archive, store)
    before = told(store, "lampwright/7.webp")
    put(archive, ImageTag(image_id=7, tag_id=1, shown=False), ImageTag(image_id=7, tag_id=2, shown=True))

    retell(archive, store, 7)

    after = told(store, "lampwright/7.webp")
    assert (before.subjects, after.subjects) == (["lantern"], ["night"])
    for said in (before, after):
        assert said.record is not None
        assert {one["name"] for one in said.record["tags"]} == {"lantern", "night"}


def test_only_tagged_means_tags_that_the_site_shows(archive, store):
    for number in (7, 8, 9):
        shelve(archive, store, number, png_of({}, drawn(number)))
        tag(archive, number, "lantern")
    put(archive, ImageTag(image_id=7, tag_id=1, shown=False), ImageTag(image_id=8, tag_id=1, shown=True))

    convert(archive, store, wanted=Wanted(only_tagged=True))

    assert sorted(one.name for one in store.rglob("*.webp")) == ["8.webp", "9.webp"]


def test_only_what_is_tagged_or_led_to_is_converted(archive, store):
    for number in (7, 8, 9):
        shelve(archive, store, number, png_of({}, drawn(number)))
    tag(archive, 8, "lantern")

    assert convert(archive, store, wanted=Wanted(only_tagged=True)).converted == 1
    assert convert(archive, store, wanted=Wanted(target="user:somebody")).converted == 0
    assert convert(archive, store, wanted=Wanted(target="user:lampwright"), limit=1).converted == 1
    assert convert(archive, store, wanted=KEEP).converted == 1


def test_what_is_left_says_why_and_is_not_tried_again_unasked(archive, store):
    shelve(archive, store, 7, saved(drawn(), "WEBP"))

    tallies = [convert(archive, store) for _ in range(2)] + [convert(archive, store, wanted=Wanted(again=True))]

    assert [tally.left.total() for tally in tallies] == [1, 0, 1]
    assert media(archive, 7).webp_error == "it is a WebP already"
    assert files(store) == ["lampwright/7.webp"]


def test_again_takes_another_quality(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    convert(archive, store)
    before = media(archive, 7).webp_size or 0

    convert(archive, store, wanted=Wanted(again=True), options=Options(quality=20, method=0))

    assert media(archive, 7).webp_quality == 20
    assert (media(archive, 7).webp_size or 0) < before
    assert losses(archive, store, {7: content}) == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "its file is not there"),
        (lambda path: path.write_bytes(png_of({}, drawn(8))), "its file is not what was downloaded"),
        (lambda path: (path.unlink(), path.mkdir()), "it cannot be read"),
    ],
)
def test_a_file_that_is_not_what_was_stored_is_left(archive, store, spoil, reason):
    path = shelve(archive, store, 7, png_of({}))
    spoil(store / path)
    before = files(store)

    convert(archive, store, wanted=DROP)

    assert (media(archive, 7).webp_error or "").startswith(reason)
    assert files(store) == before


def test_a_picture_that_is_wrongly_called_webp_is_not_overwritten(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    (store / "lampwright/7.png").rename(store / "lampwright/7.webp")
    archive.run_now(lambda connection: connection.exec_driver_sql("UPDATE media SET path = 'lampwright/7.webp'"))

    tally = convert(archive, store, wanted=DROP)

    assert (tally.converted, tally.left.total()) == (0, 1)
    assert (store / "lampwright/7.webp").read_bytes() == content
    assert "is called .webp, and is none" in (media(archive, 7).webp_error or "")


@pytest.mark.parametrize("wanted", [KEEP, DROP])
@pytest.mark.parametrize("name", ["lampwright/7.webp", "harbourmaster/9.webp"])
@pytest.mark.parametrize("stranger", [b"", b"notes of somebody", saved(drawn(8), "WEBP")], ids=["", "text", "WebP"])
def test_a_file_of_somebody_else_is_never_overwritten(archive, store, stranger, name, wanted):
    shelve(archive, store, 7, content := png_of({}))
    put(archive, picture(9, key=key_of(7), path="harbourmaster/9.png"))
    (store / "harbourmaster").mkdir()
    os.link(store / "lampwright/7.png", store / "harbourmaster/9.png")
    (store / name).write_bytes(stranger)

    tally = convert(archive, store, wanted=wanted)

    assert files(store) == sorted(["harbourmaster/9.png", "lampwright/7.png", name])
    assert (store / name).read_bytes() == stranger
    assert f"a file that the archive does not know lies at {name}" in (media(archive, 7).webp_error or "")
    assert (tally.converted, tally.left.total()) == (0, 1)
    assert losses(archive, store, {7: content}) == []


def test_a_webp_of_another_image_is_never_overwritten(archive, store):
    for number in (7, 8):
        shelve(archive, store, number, png_of({}, drawn(number)))
    convert(archive, store, wanted=Wanted(target="user:lampwright"), limit=1)
    (made,) = store.rglob("*.webp")
    other = "lampwright/8.webp" if made.name == "7.webp" else "lampwright/7.webp"
    (store / other).write_bytes(before := made.read_bytes())

    convert(archive, store)

    assert (store / other).read_bytes() == before


@pytest.mark.parametrize(
    ("about", "quality", "error"),
    [(True, 20, None), (False, QUICK.quality, None), (False, 20, "a file that the archive does not know")],
    ids=["its record", "its bytes", "neither"],
)
def test_what_a_kill_left_before_it_was_booked_is_known_by_its_record_or_its_bytes(
    archive, store, about, quality, error
):
    shelve(archive, store, 7, content := png_of({}))
    (job,) = archive.run_now(conversions.find, KEEP, Site())
    job.about = job.about if about else About()
    left = conversions.make(store, job, QUICK).fate
    assert isinstance(left, Converted)
    (store / "lampwright/7.webp").write_bytes(left.content)

    done = conversions.make(store, job, Options(quality=quality, method=0))
    archive.run_now(lambda connection: conversions.book(connection, store, [done], keep=True, beside=()))

    assert (media(archive, 7).webp_error or "")[: len(error or "")] == (error or "")
    assert (media(archive, 7).webp_path is None) is (error is not None)
    assert losses(archive, store, {7: content}) == []


def test_a_damaged_webp_that_the_archive_knows_is_made_again(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    convert(archive, store)
    (store / "lampwright/7.webp").write_bytes(b"spoilt")

    convert(archive, store, wanted=Wanted(again=True))

    assert losses(archive, store, {7: content}) == []


def test_a_picture_that_was_fetched_again_meanwhile_is_left_for_the_next_time(archive, store):
    shelve(archive, store, 7, png_of({}))
    (job,) = archive.run_now(conversions.find, KEEP, Site())
    done = conversions.make(store, job, QUICK)
    shelve(archive, store, 7, other := png_of({}, drawn(8)))

    archive.run_now(lambda connection: conversions.book(connection, store, [done], keep=False, beside=()))

    assert files(store) == ["lampwright/7.png"]
    assert losses(archive, store, {7: other}) == []
    assert archive.run_now(conversions.count, KEEP) == 1


def test_what_a_kill_left_to_be_removed_is_removed_by_the_next_run(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    (job,) = archive.run_now(conversions.find, DROP, Site())
    done = conversions.make(store, job, QUICK)
    archive.run_now(lambda connection: conversions.book(connection, store, [done], keep=False, beside=()))
    assert files(store) == ["lampwright/7.png", "lampwright/7.webp"]

    convert(archive, store, wanted=DROP)

    assert files(store) == ["lampwright/7.webp"]
    assert media(archive, 7).webp_replaced is None
    assert losses(archive, store, {7: content}) == []


@pytest.mark.parametrize(("beside", "tags"), [((), "of my own"), (("tags",), "lantern\n")])
def test_the_tags_of_an_original_go_along_with_it(archive, store, beside, tags):
    shelve(archive, store, 7, png_of({}))
    tag(archive, 7, "lantern")
    (store / "lampwright/7.png.txt").write_text("of my own")

    convert(archive, store, wanted=DROP, beside=beside)

    assert files(store) == ["lampwright/7.webp", "lampwright/7.webp.txt"]
    assert (store / "lampwright/7.webp.txt").read_text("utf-8") == tags


def test_the_tags_of_an_original_that_is_kept_stay_with_it(archive, store):
    shelve(archive, store, 7, png_of({}))
    (store / "lampwright/7.png.txt").write_text("of my own")

    convert(archive, store, beside=("tags",))

    assert files(store) == ["lampwright/7.png", "lampwright/7.png.txt", "lampwright/7.webp"]


def test_tags_that_a_kill_left_under_both_names_are_under_one_after_the_next_run(archive, store):
    shelve(archive, store, 7, png_of({}))
    (store / "lampwright/7.png.txt").write_text("of my own")
    (job,) = archive.run_now(conversions.find, DROP, Site())
    done = conversions.make(store, job, QUICK)
    archive.run_now(lambda connection: conversions.book(connection, store, [done], keep=False, beside=()))
    assert {"lampwright/7.png.txt", "lampwright/7.webp.txt"} < set(files(store))

    convert(archive, store, wanted=DROP, beside=())

    assert files(store) == ["lampwright/7.webp", "lampwright/7.webp.txt"]


def test_an_original_whose_webp_is_not_there_is_never_removed(archive, store):
    shelve(archive, store, 7, png_of({}))
    (job,) = archive.run_now(conversions.find, DROP, Site())
    done = conversions.make(store, job, QUICK)
    archive.run_now(lambda connection: conversions.book(connection, store, [done], keep=False, beside=()))
    (store / "lampwright/7.webp").unlink()

    assert archive.run_now(conversions.sweep, store) == 0
    assert files(store) == ["lampwright/7.png"]


def test_an_original_whose_webp_has_other_bytes_is_never_removed_and_waits_for_the_right_ones(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    (job,) = archive.run_now(conversions.find, DROP, Site())
    done = conversions.make(store, job, QUICK)
    archive.run_now(lambda connection: conversions.book(connection, store, [done], keep=False, beside=()))
    made = (store / "lampwright/7.webp").read_bytes()
    (store / "lampwright/7.webp").write_bytes(bytes(len(made)))

    spoilt = archive.run_now(conversions.sweep, store), files(store), media(archive, 7).webp_replaced
    (store / "lampwright/7.webp").write_bytes(made)
    mended = archive.run_now(conversions.sweep, store), files(store), media(archive, 7).webp_replaced

    assert spoilt == (0, ["lampwright/7.png", "lampwright/7.webp"], ["lampwright/7.png"])
    assert mended == (1, ["lampwright/7.webp"], None)
    assert losses(archive, store, {7: content}) == []


def test_a_booking_that_fails_leaves_the_original_and_the_row(archive, store):
    shelve(archive, store, 7, content := png_of({}))
    (store / "lampwright/7.webp").mkdir()

    with pytest.raises(ArchiveError, match=r"7\.webp cannot be written"):
        convert(archive, store, wanted=DROP)

    assert (store / "lampwright/7.png").read_bytes() == content
    assert (media(archive, 7).path, media(archive, 7).webp_path) == ("lampwright/7.png", None)


def test_reasons_that_differ_in_numbers_only_are_counted_as_one(archive, store):
    for number, side in ((7, 17_000), (8, 18_000)):
        shelve(archive, store, number, saved(Picture.new("1", (side, 2)), "PNG"))

    tally = convert(archive, store)

    assert tally.left == {"it has … x … pixels, and a side of a WebP at most …": 2}


def test_copies_go_to_another_folder_under_a_template_and_leave_the_archive_alone(archive, store, tmp_path):
    for number in (7, 8):
        shelve(archive, store, number, png_of({}, drawn(number)))
    put(archive, picture(9, key=key_of(7), path="lampwright/9.png"))
    copies = Copies(folder=tmp_path / "phone", template="{level}/{id}{ext}")
    copies.folder.mkdir()

    first = convert(archive, store, wanted=Wanted(copies=True), copies=copies)
    second = convert(archive, store, wanted=Wanted(copies=True), copies=copies)

    assert files(copies.folder) == ["1/7.webp", "1/8.webp", "1/9.webp"]
    assert (first.converted, second.there) == (2, 2)
    assert files(store) == ["lampwright/7.png", "lampwright/8.png"]
    assert media(archive, 7).webp_path is None


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("by-model", ["no-base-model/no-model/lampwright/7.webp", "no-base-model/no-model/lampwright/8.webp"]),
        ("{creator}/{level_name}{ext}", ["lampwright/pg_7.webp", "lampwright/pg_8.webp"]),
    ],
)
def test_copies_may_be_called_by_all_that_crawls_know_and_never_take_each_other_s_name(
    archive, store, tmp_path, template, names
):
    for number in (7, 8):
        shelve(archive, store, number, png_of({}, drawn(number)))
    copies = Copies(folder=tmp_path / "phone", template=template)
    copies.folder.mkdir()

    convert(archive, store, wanted=Wanted(copies=True), copies=copies)

    assert files(copies.folder) == names


@pytest.mark.parametrize(
    ("stranger", "again", "left"),
    [
        (b"notes of somebody", False, 1),
        (b"", False, 1),
        (saved(drawn(8), "WEBP")[:-9], False, 1),
        (saved(drawn(8), "WEBP"), False, 0),  # any WebP is taken for the copy, as the help says
        (saved(drawn(8), "WEBP"), True, 1),
    ],
    ids=["text", "nothing", "half a WebP", "WebP", "WebP, --again"],
)
def test_what_lies_at_the_name_of_a_copy_is_never_overwritten(archive, store, stranger, again, left):
    shelve(archive, store, 7, png_of({}))
    copies = Copies(folder=store.with_name("phone"), template="{id}{ext}")
    copies.folder.mkdir()
    (copies.folder / "7.webp").write_bytes(stranger)

    tally = convert(archive, store, wanted=Wanted(copies=True, again=again), copies=copies)

    assert (tally.converted, tally.left.total(), tally.there) == (0, left, 1 - left)
    assert (copies.folder / "7.webp").read_bytes() == stranger
    assert media(archive, 7).webp_error is None  # beside its original, it can still be converted


def test_copies_are_written_anew_with_again(archive, store, tmp_path):
    shelve(archive, store, 7, png_of({}))
    copies = Copies(folder=tmp_path / "phone", template="{id}{ext}")
    copies.folder.mkdir()
    wanted = Wanted(copies=True, again=True)
    convert(archive, store, wanted=wanted, copies=copies)
    before = (copies.folder / "7.webp").stat().st_size

    convert(archive, store, wanted=wanted, copies=copies, options=Options(quality=20, method=0))

    assert (copies.folder / "7.webp").stat().st_size < before


def test_what_was_replaced_by_a_webp_is_copied_as_it_is(archive, store, tmp_path):
    shelve(archive, store, 7, png_of({}))
    convert(archive, store, wanted=DROP, beside=())
    copies = Copies(folder=tmp_path / "phone", template="{id}{ext}")
    copies.folder.mkdir()

    convert(archive, store, wanted=Wanted(copies=True), copies=copies)

    assert (copies.folder / "7.webp").read_bytes() == (store / "lampwright/7.webp").read_bytes()


def test_once_asked_to_stop_what_is_in_work_is_booked_and_nothing_else_begun(archive, store):
    originals = {number: png_of({}, drawn(number)) for number in range(30)}
    for number, content in originals.items():
        shelve(archive, store, number, content)
    stop, heard = Event(), []

    def hear(done: conversions.Done) -> None:
        heard.append(done)
        stop.set()

    tally = run(archive, Plan(store=store, wanted=DROP, options=QUICK, threads=2, batch=50), stop, hear)

    booked = [row for row in rows(archive, Media) if row.webp_path]
    assert 1 <= tally.converted == len(heard) == len(booked) <= 5
    assert losses(archive, store, originals) == []
    assert convert(archive, store, wanted=DROP).converted == 30 - tally.converted


def test_new_tags_reach_a_converted_file_beside_the_same_pixels(archive, store):
    before = saved(drawn(), "JPEG", quality=95, xmp=_tagged("boats", "lantern"))
    shelve(archive, store, 7, before)
    tag(archive, 7, "lantern")
    convert(archive, store, wanted=DROP, beside=())
    pixels = Picture.open(store / "lampwright/7.webp").tobytes()
    tag(archive, 7, "night")

    changed = [retell(archive, store, 7) for _ in range(2)]

    said = told(store, "lampwright/7.webp")
    row = media(archive, 7)
    assert changed == [1, 0]
    assert said.subjects == ["boats", "night"]
    assert Picture.open(store / "lampwright/7.webp").tobytes() == pixels
    assert row.webp_size == (store / "lampwright/7.webp").stat().st_size
    assert losses(archive, store, {7: before}) == []


def _tagged(*words: str) -> bytes:
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return packet(f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>")


def test_of_500_hostile_pictures_none_is_lost(archive, store):
    originals = dict(enumerate(hostile(500)))
    for number, content in originals.items():
        shelve(archive, store, number, content)

    tally = convert(archive, store, wanted=DROP, beside=())

    assert tally.converted + tally.left.total() == 500
    assert min(tally.converted, tally.left.total()) > 50
    assert losses(archive, store, originals) == []
    reasons = [row.webp_error for row in rows(archive, Media) if row.webp_path is None]
    assert all(reasons)


@pytest.mark.parametrize("kind", sorted(uploads()))
def test_every_kind_of_upload_can_be_replaced(archive, store, kind):
    shelve(archive, store, 7, content := uploads()[kind])

    convert(archive, store, wanted=DROP, beside=())

    assert files(store) == ["lampwright/7.webp"]
    assert losses(archive, store, {7: content}) == []
