"""A whole file gets its name and is booked in the same breath; what is booked is there."""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import paths, placing, shelf
from civitscrape.archive.shelf import Fate, shelve
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image
from civitscrape.ledger import Media, MediaState
from tests.archive.asking import key_of, media_of, picture, put, row, rows

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from civitscrape.archive.database import Archive

LANTERNS = b"\x89PNG lanterns over a harbour"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "media"


def arrive(store: Path, number: int, content: bytes = LANTERNS, *, key: str | None = None) -> Fate:
    """Let the file of an image come in."""
    part = paths.part_path(store, key or key_of(number))
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    return Fate(
        image_id=number,
        key=key or key_of(number),
        state=MediaState.STORED,
        path=f"lampwright/{number}.png",
        part=str(part),
        sha256=sha256(content).hexdigest(),
        size=len(content),
        content_type="image/png",
    )


def miss(number: int, state: str = MediaState.FAILED, error: str = "the CDN answered 500") -> Fate:
    return Fate(image_id=number, key=key_of(number), state=state, error=error)


def book(archive: Archive, store: Path, *fates: Fate, beside: Collection[str] = ()) -> None:
    archive.run_now(lambda connection: shelve(connection, store, fates, beside=beside))


def want(archive: Archive, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        image = picture(number, **fields)
        put(archive, image, media_of(image))


def files(store: Path) -> dict[str, bytes]:
    return {str(one.relative_to(store)): one.read_bytes() for one in store.rglob("*") if one.is_file()}


def test_a_file_that_came_is_moved_and_booked(archive, store):
    want(archive, 7)

    book(archive, store, arrive(store, 7))

    media = row(archive, Media)
    assert files(store) == {"lampwright/7.png": LANTERNS}
    assert row(archive, Image).path == media.path == "lampwright/7.png"
    assert (media.state, media.size, media.content_type) == ("stored", len(LANTERNS), "image/png")
    assert media.sha256 == sha256(LANTERNS).hexdigest()
    assert media.fetched_at is not None
    assert (media.error, media.attempts) == (None, 0)


@pytest.mark.parametrize("state", [MediaState.FAILED, MediaState.GONE, MediaState.REFUSED])
def test_a_file_that_did_not_come_is_booked_with_the_reason(archive, store, state):
    want(archive, 7)

    book(archive, store, miss(7, state, "the CDN answered 404"))

    media = row(archive, Media)
    assert (media.state, media.error, media.attempts) == (state, "the CDN answered 404", 1)
    assert (media.path, media.fetched_at, row(archive, Image).path) == (None, None, None)
    assert not store.exists()


@pytest.mark.parametrize(
    ("met", "error"),
    [
        ("max_file_size=1000 leaves it out: it has 6000 bytes; a run without that argument fetches it", None),
        ("the CDN answered 500", "the CDN answered 500"),
    ],
)
def test_a_stored_file_says_what_a_second_download_met_but_not_that_a_limit_left_it_out(archive, store, met, error):
    want(archive, 7)
    book(archive, store, arrive(store, 7))

    book(archive, store, miss(7, MediaState.REFUSED, met))

    media = row(archive, Media)
    assert (media.state, media.error) == ("stored", error)


def test_every_time_that_a_file_does_not_come_is_counted_until_it_comes(archive, store):
    want(archive, 7)
    book(archive, store, miss(7))
    book(archive, store, miss(7))

    book(archive, store, arrive(store, 7))

    media = row(archive, Media)
    assert (media.state, media.error, media.attempts) == ("stored", None, 2)


@pytest.mark.parametrize("state", [MediaState.FAILED, MediaState.GONE, MediaState.REFUSED])
def test_a_second_download_that_fails_does_not_unsay_the_first(archive, store, state):
    want(archive, 7)
    book(archive, store, arrive(store, 7))
    before = row(archive, Media)

    book(archive, store, miss(7, state))

    after = row(archive, Media)
    lasting = ("state", "path", "sha256", "size", "content_type", "fetched_at")
    assert [getattr(after, name) for name in lasting] == [getattr(before, name) for name in lasting]
    assert row(archive, Image).path == "lampwright/7.png"
    assert files(store) == {"lampwright/7.png": LANTERNS}


def test_a_second_download_with_other_bytes_replaces_the_first(archive, store):
    want(archive, 7)
    book(archive, store, arrive(store, 7))

    book(archive, store, arrive(store, 7, b"\x89PNG repaired"))

    assert files(store) == {"lampwright/7.png": b"\x89PNG repaired"}
    assert row(archive, Media).sha256 == sha256(b"\x89PNG repaired").hexdigest()


def test_a_file_that_is_not_there_is_said_and_nothing_is_booked(archive, store):
    want(archive, 6, 7)
    present, missing = arrive(store, 6), arrive(store, 7)
    paths.part_path(store, key_of(7)).unlink()
    before = rows(archive, Media), rows(archive, Image)

    with pytest.raises(ArchiveError, match=rf"lampwright/7\.png: .*{key_of(7)}\.part, is gone"):
        book(archive, store, present, missing)

    assert (rows(archive, Media), rows(archive, Image)) == before


@pytest.mark.parametrize("content", [b"", LANTERNS[:9], LANTERNS + b"!"])
def test_a_file_that_is_not_whole_is_said_and_stays_where_it_is(archive, store, content):
    want(archive, 7)
    fate = arrive(store, 7)
    part = paths.part_path(store, key_of(7))
    part.write_bytes(content)

    with pytest.raises(ArchiveError, match=rf"{key_of(7)}\.part, has {len(content)} bytes, not {len(LANTERNS)}"):
        book(archive, store, fate)

    assert files(store) == {f".parts/{part.name}": content}
    assert row(archive, Media).state == "wanted"


def test_equal_bytes_under_two_ids_are_stored_once_and_linked(archive, store):
    want(archive, 7)
    want(archive, 8, key=key_of(7))
    book(archive, store, arrive(store, 7))

    book(archive, store, Fate(image_id=8, key=key_of(7), state=MediaState.STORED, path="lampwright/8.png"))

    first, second = (store / f"lampwright/{number}.png" for number in (7, 8))
    assert first.samefile(second)
    assert second.read_bytes() == LANTERNS
    assert [image.path for image in rows(archive, Image)] == ["lampwright/7.png", "lampwright/8.png"]
    assert row(archive, Media).path == "lampwright/7.png"


def test_two_ids_whose_file_comes_in_one_go_are_linked(archive, store):
    want(archive, 7)
    want(archive, 8, key=key_of(7), creator="dunewalker")
    fates = [arrive(store, number, key=key_of(7)) for number in (7, 8)]

    book(archive, store, *fates)

    assert (store / "lampwright/7.png").samefile(store / "lampwright/8.png")
    assert [image.path for image in rows(archive, Image)] == ["lampwright/7.png", "lampwright/8.png"]
    assert (row(archive, Media).state, row(archive, Media).path) == ("stored", "lampwright/7.png")


def test_bytes_that_came_a_second_time_for_another_id_are_stored_once(archive, store):
    want(archive, 7)
    want(archive, 8, key=key_of(7))
    book(archive, store, arrive(store, 7))

    book(archive, store, arrive(store, 8, key=key_of(7)))

    assert (store / "lampwright/7.png").samefile(store / "lampwright/8.png")
    assert not paths.part_path(store, key_of(7)).exists()
    assert row(archive, Media).path == "lampwright/7.png"


@pytest.mark.parametrize("order", [(7, 8), (8, 7)])
@pytest.mark.parametrize("downloads", [1, 2])
def test_a_second_download_repairs_a_spoilt_file_under_all_its_names(archive, store, order, downloads):
    want(archive, 7)
    want(archive, 8, key=key_of(7))
    book(archive, store, arrive(store, 7), arrive(store, 8, key=key_of(7)))
    (store / "lampwright/7.png").write_bytes(b"spoilt")

    for number in order:
        fate = arrive(store, number, key=key_of(7))
        if number == order[-1] and downloads == 1:
            paths.part_path(store, key_of(7)).unlink()
        book(archive, store, fate)

    assert files(store) == {"lampwright/7.png": LANTERNS, "lampwright/8.png": LANTERNS}


def test_equal_bytes_are_copied_where_there_are_no_links(archive, store, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    want(archive, 7)
    book(archive, store, arrive(store, 7))

    book(archive, store, Fate(image_id=8, key=key_of(7), state=MediaState.STORED, path="dunewalker/8.png"))

    assert not (store / "lampwright/7.png").samefile(store / "dunewalker/8.png")
    assert files(store) == {"lampwright/7.png": LANTERNS, "dunewalker/8.png": LANTERNS}


def test_a_second_name_that_is_there_is_left_as_it_is(archive, store):
    want(archive, 7)
    book(archive, store, arrive(store, 7))
    second = Fate(image_id=8, key=key_of(7), state=MediaState.STORED, path="lampwright/8.png")
    book(archive, store, second)
    (store / "lampwright/7.png").unlink()

    book(archive, store, second)

    assert files(store) == {"lampwright/8.png": LANTERNS}


def test_bytes_that_were_taken_out_of_the_store_are_missed_when_they_shall_be_linked(archive, store):
    want(archive, 7)
    book(archive, store, arrive(store, 7))
    (store / "lampwright/7.png").unlink()

    with pytest.raises(ArchiveError, match=r"lampwright/7\.png is there no more; .*redownload=yes"):
        book(archive, store, Fate(image_id=8, key=key_of(7), state=MediaState.STORED, path="lampwright/8.png"))


@pytest.mark.parametrize("path", ["lampwright/7.png", "lampwright/deeper/7.png"])
def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_booked(archive, store, path):
    want(archive, 7)
    fate = arrive(store, 7)
    fate.path = path
    (store / "lampwright").write_text("a file where a folder must be")

    with pytest.raises(ArchiveError, match=r"lampwright.* cannot be (written|used): "):
        book(archive, store, fate)

    assert row(archive, Media).state == "wanted"
    assert paths.part_path(store, key_of(7)).read_bytes() == LANTERNS


def test_a_path_out_of_the_store_is_refused(archive, store):
    want(archive, 7)
    fate = arrive(store, 7)
    fate.path = "../7.png"

    with pytest.raises(ArchiveError, match="stay inside it"):
        book(archive, store, fate)

    assert not (store.parent / "7.png").exists()


def test_sidecars_are_written_beside_what_is_stored(archive, store):
    want(archive, 6, 7)

    book(archive, store, arrive(store, 6), miss(7), beside=["json"])

    assert sorted(files(store)) == ["lampwright/6.json", "lampwright/6.png"]


def test_an_image_whose_file_is_known_only_has_its_sidecar_seen_to(archive, store):
    want(archive, 7)
    book(archive, store, arrive(store, 7))
    before = row(archive, Media)
    known = Fate(image_id=7, key=key_of(7), state=MediaState.STORED, path="lampwright/7.png")

    book(archive, store, known, beside=["json"])

    assert row(archive, Media) == before
    assert sorted(files(store)) == ["lampwright/7.json", "lampwright/7.png"]


def test_fates_of_many_images_are_booked_at_once(archive, store):
    numbers = range(1, 701)
    images = [picture(number) for number in numbers]
    put(archive, *images, *map(media_of, images))

    book(archive, store, *[arrive(store, number) for number in numbers])

    assert {media.state for media in rows(archive, Media)} == {"stored"}
    assert len(files(store)) == 700


def held(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another program hold the target for some tries, as only Windows does."""
    left, replace = [times], os.replace

    def busy(source: Any, target: Any) -> None:
        if str(target).endswith("1.png") and left[0]:
            left[0] -= 1
            error = PermissionError(errno.EACCES, "in use")
            error.winerror = 32  # type: ignore[attr-defined]
            raise error
        replace(source, target)

    monkeypatch.setattr(placing, "PATIENCE", (0, 0, 0))
    monkeypatch.setattr(os, "replace", busy)


def test_a_file_that_another_program_lets_go_of_is_replaced(archive, store, monkeypatch):
    want(archive, 1)
    (store / "lampwright").mkdir(parents=True)
    held(3, monkeypatch)

    book(archive, store, arrive(store, 1))

    assert (store / "lampwright" / "1.png").read_bytes() == LANTERNS


def test_a_file_that_another_program_holds_is_told_of_and_hinders_no_other(archive, store, monkeypatch):
    want(archive, 1, 2)
    held(99, monkeypatch)
    fate = arrive(store, 1)

    book(archive, store, fate, arrive(store, 2))

    states = {one.key: (one.state, one.error) for one in rows(archive, Media)}
    assert states[key_of(2)] == ("stored", None)
    assert states[key_of(1)][0] == fate.state == "failed"
    assert "is open in another program; close it" in str(states[key_of(1)][1])


def test_what_another_limit_left_out_is_wanted_again(archive, store):
    want(archive, 1, 2, 3)
    reasons = {1: "max_file_size=500 leaves it out: 9", 2: "max_file_size=5000 leaves it out: 9", 3: "foreign"}
    book(archive, store, *(miss(number, MediaState.REFUSED, reason) for number, reason in reasons.items()))

    same = archive.run_now(shelf.want_again, 500)
    none = archive.run_now(shelf.want_again, None)

    assert (same, none) == (1, 1)
    assert [one.state for one in rows(archive, Media)] == ["wanted", "wanted", "refused"]
