"""Converted files are told what the database knows, and are whole and booked wherever a process is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.archive import retagging
from civitscrape.archive.commit import mark_untold
from civitscrape.archive.conversions import Site, Wanted
from civitscrape.archive.voting import untold
from tests.archive.asking import key_of, picture, put
from tests.archive.converting import convert, files, media, retell, shelve, tag, told
from tests.archive.pictures.making import png_of

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.database import Archive

WEBP = "lampwright/7.webp"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def converted(archive: Archive, store: Path) -> Path:
    """Convert a picture whose original goes, and learn of a tag after that."""
    shelve(archive, store, 7, png_of({}))
    convert(archive, store, wanted=Wanted(keep=False), beside=())
    tag(archive, 7, "night")
    archive.run_now(mark_untold, [7])
    return store / WEBP


def is_whole(archive: Archive, store: Path) -> bool:
    """Tell whether the file is what its row says."""
    found = media(archive, 7)
    return retagging._sha256(store, WEBP) in {found.webp_sha256, (found.untold or {}).get("sha256")}


def test_a_file_that_is_told_everything_is_no_longer_marked(archive, store, converted):
    changed = retell(archive, store, 7)

    assert changed == 1
    assert told(store, WEBP).subjects == ["night"]
    assert archive.run_now(untold, 10) == []
    assert media(archive, 7).webp_size == converted.stat().st_size
    assert [one for one in files(store) if "part" in one] == []


def test_a_process_killed_before_the_new_file_has_its_name_leaves_the_old_one(archive, store, converted):
    before = converted.read_bytes()

    archive.run_now(retagging.prepare, store, [7], Site())

    assert converted.read_bytes() == before
    assert is_whole(archive, store)
    assert archive.run_now(untold, 10) == [7]
    assert retell(archive, store, 7) == 1
    assert told(store, WEBP).subjects == ["night"]


@pytest.mark.parametrize("checked", [True, False])
def test_a_process_killed_before_the_new_file_is_booked_leaves_one_that_is_known(archive, store, converted, checked):
    [written] = archive.run_now(retagging.prepare, store, [7], Site())
    written.part.replace(converted)

    assert is_whole(archive, store)
    if checked:
        assert archive.run_now(retagging.finish, store) == 1
        assert media(archive, 7).webp_sha256 == written.sha256
    assert archive.run_now(untold, 10) == [7]
    retell(archive, store, 7)
    assert media(archive, 7).webp_sha256 == retagging._sha256(store, WEBP) == written.sha256
    assert archive.run_now(untold, 10) == []


def test_of_two_processes_at_one_file_the_later_one_books_it(archive, store, converted):
    earlier = archive.run_now(retagging.prepare, store, [7], Site())
    tag(archive, 7, "night", "rain")
    later = archive.run_now(retagging.prepare, store, [7], Site())

    booked = [archive.run_now(retagging.book, store, written) for written in (earlier, later)]

    assert booked == [0, 1]
    assert told(store, WEBP).subjects == ["night", "rain"]
    assert media(archive, 7).webp_sha256 == retagging._sha256(store, WEBP)
    assert converted.is_file()


def test_a_damaged_file_is_left_as_it_is(archive, store, converted):
    converted.write_bytes(converted.read_bytes() + b"damaged")
    before, booked = converted.read_bytes(), media(archive, 7).webp_sha256

    assert retell(archive, store, 7) == 0
    assert converted.read_bytes() == before
    assert media(archive, 7).webp_sha256 == booked
    assert archive.run_now(untold, 10) == []


def test_the_names_of_all_images_lead_to_the_new_file(archive, store, converted):
    other = picture(9, key=key_of(7), path="lampwright/9.webp", type="image")
    put(archive, other)
    (store / "lampwright/9.webp").hardlink_to(converted)

    retell(archive, store, 7, 9)

    assert (store / "lampwright/9.webp").samefile(converted)
