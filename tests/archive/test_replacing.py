"""A file that came again in another format: the old one goes once the new one is booked, and not before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from civitscrape.archive import replacing, schema, taken
from civitscrape.archive.naming import Unnamed
from civitscrape.items import Image
from civitscrape.ledger import Media
from tests.archive.asking import key_of, row, rows
from tests.archive.test_shelf import arrive, book, files, store, want

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.database import Archive
    from civitscrape.archive.shelf import Fate

__all__ = ["store"]

OLD, NEW = "lampwright/7.png", "lampwright/7.webp"
FRESH = b"RIFF lanterns WEBP"


@pytest.fixture
def here(archive: Archive, store: Path) -> Archive:
    """An archive with one PNG, and a list of its tags."""
    want(archive, 7)
    book(archive, store, arrive(store, 7))
    (store / f"{OLD}.txt").write_bytes(b"harbour")
    return archive


def again(store: Path) -> Fate:
    """Let it come as a WebP."""
    fate = arrive(store, 7, FRESH)
    known = {"id": 7, "key": key_of(7), "creator": "lampwright", "type": "image", "ext": ".webp"}
    fate.path, fate.before, fate.content_type = None, OLD, "image/webp"
    fate.unnamed = Unnamed(id=7, extension=".webp", known=known)
    return fate


def sweep(archive: Archive, store: Path) -> Any:
    return archive.run_now(partial(replacing.sweep, store=store))


def test_the_old_file_goes_with_what_lay_beside_it_alone(here, store):
    (store / "lampwright/7.json").write_bytes(b"{}")

    book(here, store, again(store))
    both = set(files(store))
    removed = sweep(here, store)

    assert both == {OLD, NEW, f"{OLD}.txt", "lampwright/7.json"}
    assert removed == 2
    assert files(store) == {NEW: FRESH, "lampwright/7.json": b"{}"}
    assert (row(here, Media).path, row(here, Media).replaced, row(here, Image).path) == (NEW, None, NEW)


def test_nothing_goes_when_the_new_file_is_not_booked(here, store):
    def fail(connection: sa.Connection) -> None:
        replacing.note(connection, [(key_of(7), OLD)])
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        here.run_now(fail)

    assert sweep(here, store) == 0
    assert OLD in files(store)


def test_the_old_file_stays_while_the_new_one_is_not_there(here, store):
    book(here, store, again(store))
    (store / NEW).unlink()

    assert sweep(here, store) == 0
    assert OLD in files(store)
    assert row(here, Media).replaced == [OLD]


def test_the_name_of_another_image_is_not_taken(here, store):
    other = [(8, "lampwright/7.webp", None)]
    here.run_now(lambda connection: connection.execute(sa.delete(schema.taken_names)))
    here.run_now(taken.take, other)

    book(here, store, again(store))
    sweep(here, store)

    assert list(files(store)) == ["lampwright/7_7.webp"]
    assert rows(here, Image)[0].path == "lampwright/7_7.webp"


def test_an_original_in_the_place_of_its_webp_is_no_conversion(here, store):
    of_webp = {"webp_path": NEW, "webp_size": 3, "webp_sha256": "ab" * 32, "webp_quality": 90}
    here.run_now(lambda connection: connection.execute(sa.update(schema.media).values(of_webp)))

    book(here, store, again(store))
    sweep(here, store)

    found = row(here, Media)
    assert files(store) == {NEW: FRESH}
    assert (found.path, found.webp_path, found.webp_size, found.webp_sha256) == (NEW, None, None, None)
