"""Equal files and pictures that look alike are found, told from each other, and left where they are."""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image as Picture

from civitscrape.archive import duplicates, looks
from civitscrape.archive.pictures.hashing import look
from civitscrape.exceptions import PictureError
from civitscrape.items import Image
from civitscrape.ledger import Media, MediaState
from tests.archive.asking import key_of, link_to, media_of, picture, put, rows
from tests.archive.converting import files, shelve
from tests.archive.pictures.making import drawn, saved

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.database import Archive

SIZE = (320, 240)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "media"


def see(archive: Archive, store: Path, **how: Any) -> looks.Looked:
    return looks.look(archive, store, how.pop("stop", Event()), how.pop("tell", lambda: None), **how)


def find(archive: Archive, store: Path, near: int = 6, keys: set[str] | None = None) -> duplicates.Found:
    return duplicates.find(archive, store, near=near, keys=keys)


def paths(groups: list[duplicates.Group]) -> list[list[str]]:
    return [[file.path for file in group.files] for group in groups]


def test_equal_files_are_a_group_and_what_they_take_is_told(archive, store):
    content = saved(drawn(7), "PNG")
    for number in (1, 2):
        shelve(archive, store, number, content)
    shelve(archive, store, 3, saved(drawn(8), "PNG"))

    [group] = find(archive, store).equal

    assert [file.id for file in group.files] == [1, 2]
    assert group.saves == len(content)
    assert [file.link_of for file in group.files] == [None, None]


def test_a_hard_link_saves_nothing_and_says_of_what_it_is_one(archive, store):
    content = saved(drawn(7), "PNG")
    first, second = (shelve(archive, store, number, content) for number in (1, 2))
    (store / second).unlink()
    os.link(store / first, store / second)

    [group] = find(archive, store).equal

    assert (group.saves, [file.link_of for file in group.files]) == (0, [None, first])


def test_two_images_of_one_key_are_a_group(archive, store):
    path = shelve(archive, store, 1, saved(drawn(7), "PNG"))
    put(archive, picture(2, key=key_of(1), path="dunewalker/2.png"))
    (store / "dunewalker").mkdir()
    os.link(store / path, store / "dunewalker/2.png")

    [group] = find(archive, store).equal

    assert [(file.id, file.link_of) for file in group.files] == [(1, None), (2, path)]


def test_a_file_that_is_not_there_is_told_and_saves_nothing(archive, store):
    first, _ = (shelve(archive, store, number, saved(drawn(7), "PNG")) for number in (1, 2))
    (store / first).unlink()

    [group] = find(archive, store).equal

    assert group.files[0].size is None
    assert group.saves == 0


def test_pictures_that_look_alike_are_a_group_around_the_largest(archive, store):
    large = drawn(7, size=(640, 480))
    shelve(archive, store, 1, saved(large.resize((160, 120)), "JPEG", quality=60))
    shelve(archive, store, 2, saved(large, "PNG"))
    shelve(archive, store, 3, saved(drawn(8, size=SIZE), "PNG"))

    looked = see(archive, store)
    found = find(archive, store)

    assert (looked.seen, found.pictures, found.equal) == (3, 3, [])
    assert paths(found.near) == [["lampwright/2.png", "lampwright/1.jpeg"]]
    assert found.near[0].files[0].bits == 0


def test_equal_files_are_one_member_of_a_group_that_looks_alike(archive, store):
    content = saved(drawn(7), "PNG")
    for number in (1, 2):
        shelve(archive, store, number, content)

    see(archive, store)

    assert find(archive, store).near == []


def test_only_what_was_asked_for_is_compared(archive, store):
    content = saved(drawn(7), "PNG")
    for number in (1, 2, 3):
        shelve(archive, store, number, content, creator="lampwright" if number < 3 else "dunewalker")
    put(archive, link_to(picture(3), "user:dunewalker"))

    keys = archive.run_now(duplicates.keys_of, "user:dunewalker")

    assert keys == {key_of(3)}
    assert see(archive, store, keys=keys).seen == 1
    assert find(archive, store, keys=keys).equal == []


def test_films_are_compared_by_their_bytes_alone(archive, store):
    for number in (1, 2):
        image = picture(number, path=f"lampwright/{number}.mp4", type="video")
        told = {"state": MediaState.STORED, "path": image.path, "sha256": "ab" * 32, "content_type": "video/mp4"}
        put(archive, image, media_of(image, **told))

    looked, found = see(archive, store), find(archive, store)

    assert (looked.seen, looked.left.total(), found.videos, found.pictures) == (0, 0, 2, 0)
    assert len(found.equal) == 1


def test_what_was_looked_at_is_remembered(archive, store):
    for number in (1, 2):
        shelve(archive, store, number, saved(drawn(number), "PNG"))

    first, second = see(archive, store), see(archive, store)

    assert (first.seen, second.seen) == (2, 0)
    assert [one.phash for one in rows(archive, Media)] == [str(look(drawn(number))) for number in (1, 2)]


def test_who_is_stopped_goes_on_where_he_was(archive, store, monkeypatch):
    monkeypatch.setattr(looks, "BATCH", 2)
    for number in range(1, 6):
        shelve(archive, store, number, saved(drawn(number), "PNG"))
    stop = Event()

    first = see(archive, store, stop=stop, tell=stop.set, threads=1)

    assert 1 <= first.seen <= 2
    assert see(archive, store).seen == 5 - first.seen
    assert None not in [one.phash for one in rows(archive, Media)]


def test_a_picture_that_was_fetched_again_meanwhile_keeps_no_old_hash(archive, store):
    shelve(archive, store, 1, saved(drawn(7), "PNG"))
    old = [{"_key": key_of(1), "_sha256": "ab" * 32, "_phash": "0" * 16}]

    archive.run_now(looks._book, old)

    assert rows(archive, Media)[0].phash is None


def test_pictures_that_cannot_be_looked_at_are_counted_by_the_reason(archive, store):
    shelve(archive, store, 1, b"a text")
    shelve(archive, store, 2, saved(drawn(7), "PNG")[:-4000])
    gone = shelve(archive, store, 3, saved(drawn(8), "PNG"))
    (store / gone).unlink()
    shelve(archive, store, 4, saved(drawn(9), "PNG"))

    looked = see(archive, store)

    assert (looked.seen, looked.left.total()) == (1, 3)
    assert {"it is no picture", "its file is not there; `civitscrape verify` tells more"} <= set(looked.left)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no picture"),
        (saved(drawn(), "BMP"), "image/bmp, and PNG"),
        (saved(drawn(), "JPEG")[:300], "cut short"),
        (saved(Picture.new("1", (9000, 9000)), "PNG"), "9000 x 9000 pixels, which are more"),
    ],
)
def test_what_is_wrong_with_a_picture_is_said(content, reason):
    with pytest.raises(PictureError, match=reason):
        looks.look_at(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_picture_looks_the_same_in_every_format(kind, mode):
    shown = drawn(7, size=SIZE, mode=mode)

    seen = looks.look_at(saved(shown, kind))

    assert (seen.hash ^ look(shown).hash).bit_count() <= 4


def test_nothing_is_changed_by_looking(archive, store):
    for number in (1, 2):
        shelve(archive, store, number, saved(drawn(7), "PNG"))
    before = files(store), rows(archive, Image)

    see(archive, store)
    find(archive, store)

    assert (files(store), rows(archive, Image)) == before
