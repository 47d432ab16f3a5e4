"""The same bytes under another key are stored once, whatever becomes of either name later."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from civitscrape.archive import placing, schema, taken
from civitscrape.archive.conversions import Wanted
from civitscrape.archive.moving import move
from civitscrape.archive.verify.planning import Kind
from civitscrape.items import Image
from civitscrape.ledger import Media
from tests.archive.asking import key_of, rows
from tests.archive.converting import convert
from tests.archive.pictures.making import noise, saved
from tests.archive.test_shelf import LANTERNS, arrive, book, files, want
from tests.archive.verify.conftest import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.database import Archive


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "media"


def both(archive: Archive, store: Path, content: bytes = LANTERNS) -> tuple[Path, Path]:
    """Let two images of different keys come with the same bytes, one after the other."""
    want(archive, 7, 8)
    for number in (7, 8):
        book(archive, store, arrive(store, number, content))
    return store / "lampwright/7.png", store / "lampwright/8.png"


def alter(archive: Archive, number: int, **values: Any) -> None:
    table = schema.media
    change = sa.update(table).where(table.c.key == key_of(number)).values(values)
    archive.run_now(lambda connection: connection.execute(change))


@pytest.mark.parametrize("at_once", [True, False])
def test_the_same_bytes_under_two_keys_are_stored_once(archive, store, at_once):
    want(archive, 7, 8)
    fates = [arrive(store, number) for number in (7, 8)]

    for batch in [fates] if at_once else [[one] for one in fates]:
        book(archive, store, *batch)

    assert (store / "lampwright/7.png").samefile(store / "lampwright/8.png")
    assert files(store) == {"lampwright/7.png": LANTERNS, "lampwright/8.png": LANTERNS}
    assert [(one.path, one.state) for one in rows(archive, Media)] == [
        ("lampwright/7.png", "stored"),
        ("lampwright/8.png", "stored"),
    ]


def test_other_bytes_are_not_linked(archive, store):
    want(archive, 7, 8)

    book(archive, store, arrive(store, 7), arrive(store, 8, b"\x89PNG dunes"))

    assert files(store) == {"lampwright/7.png": LANTERNS, "lampwright/8.png": b"\x89PNG dunes"}


@pytest.mark.parametrize("there", [None, b"short", LANTERNS[::-1]])
def test_a_file_that_is_gone_or_spoilt_takes_no_good_bytes_away(archive, store, there):
    want(archive, 7, 8)
    book(archive, store, arrive(store, 7))
    first = store / "lampwright/7.png"
    first.unlink() if there is None else first.write_bytes(there)

    book(archive, store, arrive(store, 8))

    assert files(store).pop("lampwright/8.png") == LANTERNS
    assert files(store).get("lampwright/7.png") == there


def test_a_large_file_is_compared_at_its_ends_and_between(archive, store, monkeypatch):
    monkeypatch.setattr(placing, "BLOCK", 4)
    monkeypatch.setattr(placing, "MOST_COMPARED", 16)
    want(archive, 7, 8, 9)
    body = bytes(range(200))
    book(archive, store, arrive(store, 7, body))
    book(archive, store, arrive(store, 8, body))

    (store / "lampwright/7.png").write_bytes(body[:150] + b"spoilt" + body[156:])
    book(archive, store, arrive(store, 9, body))

    assert (store / "lampwright/7.png").samefile(store / "lampwright/8.png")
    assert (store / "lampwright/9.png").read_bytes() == body


def test_a_link_out_of_the_store_is_no_file_to_share(archive, store, tmp_path):
    want(archive, 7, 8)
    book(archive, store, arrive(store, 7))
    outside = tmp_path / "outside.png"
    (store / "lampwright/7.png").replace(outside)
    (store / "lampwright/7.png").symlink_to(outside)

    book(archive, store, arrive(store, 8))

    assert not (store / "lampwright/8.png").samefile(outside)
    assert (store / "lampwright/8.png").read_bytes() == LANTERNS


@pytest.mark.parametrize("reason", [errno.EPERM, errno.EMLINK, errno.EXDEV])
def test_where_there_are_no_links_each_has_a_file_of_its_own(archive, store, monkeypatch, reason):
    def refuse(*_: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", refuse)

    first, second = both(archive, store)

    assert not first.samefile(second)
    assert files(store) == {"lampwright/7.png": LANTERNS, "lampwright/8.png": LANTERNS}


def test_a_converted_file_is_no_original_to_share(archive, store):
    want(archive, 7, 8)
    book(archive, store, arrive(store, 7))
    alter(archive, 7, webp_path="lampwright/7.png")

    book(archive, store, arrive(store, 8))

    assert not (store / "lampwright/7.png").samefile(store / "lampwright/8.png")


@pytest.mark.parametrize("number", [1, 400])
def test_a_batch_asks_once_for_files_with_the_same_bytes(archive, store, number):
    asked: list[str] = []
    want(archive, *range(1, number + 1))
    fates = [arrive(store, one, b"%d" % one) for one in range(1, number + 1)]
    sa.event.listen(archive.engine, "before_cursor_execute", lambda _, __, sql, *___: asked.append(sql))

    book(archive, store, *fates)

    assert len([sql for sql in asked if "media.sha256 IN" in sql]) == 1


def test_a_second_download_with_other_bytes_leaves_the_other_name_alone(archive, store):
    first, second = both(archive, store)

    book(archive, store, arrive(store, 8, b"\x89PNG repaired"))

    assert (first.read_bytes(), second.read_bytes()) == (LANTERNS, b"\x89PNG repaired")


def test_second_downloads_repair_what_was_spoilt_under_both_names(archive, store):
    first, second = both(archive, store)
    first.write_bytes(LANTERNS[::-1])

    for number in (7, 8):
        book(archive, store, arrive(store, number))

    assert files(store) == {"lampwright/7.png": LANTERNS, "lampwright/8.png": LANTERNS}
    assert first.samefile(second)


@pytest.mark.parametrize(("content", "kept"), [(LANTERNS, True), (b"\x89PNG repaired", False)])
def test_what_a_file_looks_like_is_forgotten_when_other_bytes_come(archive, store, content, kept):
    want(archive, 7)
    book(archive, store, arrive(store, 7))
    alter(archive, 7, phash="00ff" * 4)

    book(archive, store, arrive(store, 7, content))

    assert (rows(archive, Media)[0].phash is not None) is kept


@pytest.mark.parametrize("lost", [7, 8])
def test_verify_gives_a_lost_name_back(archive, store, lost):
    both(archive, store)
    (store / f"lampwright/{lost}.png").unlink()

    findings = Shelf(archive, store).check(mend=True, kinds=())

    assert findings.groups[Kind.MISSING].mended == 1
    assert (store / "lampwright/7.png").samefile(store / "lampwright/8.png")


def test_verify_finds_nothing_wrong_with_links(archive, store):
    both(archive, store)

    assert Shelf(archive, store).check(kinds=()).groups == {}


def test_files_move_each_for_itself(archive, store):
    both(archive, store)
    archive.run_now(taken.take, [(number, f"lampwright/{number}.png", None) for number in (7, 8)])

    moved = move(archive, store, "all/{creator}-{id}{ext}")

    assert (moved.files, moved.left) == (2, [])
    assert files(store) == {f"all/lampwright-{number}.png": LANTERNS for number in (7, 8)}
    assert [one.path for one in rows(archive, Image)] == ["all/lampwright-7.png", "all/lampwright-8.png"]


def test_one_is_converted_without_its_original_and_the_other_stays(archive, store):
    content = saved(noise(160, 120), "PNG")
    first, second = both(archive, store, content)
    alter(archive, 8, webp_error="it is to stay")

    tally = convert(archive, store, wanted=Wanted(keep=False))

    assert tally.removed == 1
    assert not first.exists()
    assert second.read_bytes() == content


def test_both_are_converted_without_their_originals(archive, store):
    both(archive, store, saved(noise(160, 120), "PNG"))

    convert(archive, store, wanted=Wanted(keep=False))

    assert [name for name in sorted(files(store)) if not name.endswith(".json")] == [
        "lampwright/7.webp",
        "lampwright/8.webp",
    ]
