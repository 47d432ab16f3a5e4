"""A WebP beside its original is read like any file; one that is lost can be made again, while the original is whole."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from civitscrape.archive.verify import rows as questions
from civitscrape.archive.verify.planning import Kind
from civitscrape.ledger import Media
from tests.archive.asking import rows
from tests.archive.verify.conftest import bytes_of, counted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archive.verify.conftest import Shelf

SMALL = b"RIFF a smaller picture of lanterns"
DAMAGED = b"RIFF a smaller picture of l\0nterns"


def converted(shelf: Shelf) -> Path:
    """Archive a picture of two images, with its WebP beside both names."""
    shelf.shelve(7)
    shelf.share(9, 7)
    told = {"webp_path": "lampwright/7.webp", "webp_size": len(SMALL), "webp_quality": 90}
    shelf.tell("media", {**told, "webp_sha256": sha256(SMALL).hexdigest()})
    webp = shelf.write("lampwright/7.webp", SMALL)
    (shelf.store / "lampwright/9.webp").hardlink_to(webp)
    return webp


def webp_of(shelf: Shelf) -> tuple[object, ...]:
    (row,) = rows(shelf.archive, Media)
    return row.state, row.webp_path, row.webp_size, row.webp_sha256, row.webp_quality, row.webp_error


def test_a_webp_beside_every_name_of_its_original_is_no_orphan(shelf):
    converted(shelf)

    findings = shelf.check()

    assert counted(findings) == {}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(
    ("content", "kind"), [(None, "missing"), (DAMAGED[:9], "damaged"), (DAMAGED, "damaged")], ids=str
)
def test_a_webp_that_is_lost_is_taken_out_of_its_row_and_can_be_made_again(shelf, content, kind, quick):
    webp = converted(shelf)
    for name in (webp, webp.with_name("9.webp")):
        name.unlink() if content is None else name.write_bytes(content)
    by_size = quick and content == DAMAGED
    before = webp_of(shelf)

    said, mended, after = shelf.check(quick=quick), shelf.check(quick=quick, mend=True), shelf.check()

    assert counted(said) == ({} if by_size else {kind: (2, 0)})
    assert counted(mended) == ({} if by_size else {kind: (2, 2)})
    assert counted(after) == ({kind: (2, 0)} if by_size else {})
    assert webp_of(shelf) == (before if by_size else ("stored", None, None, None, None, None))
    assert shelf.paths() == {7: "lampwright/7.png", 9: "lampwright/9.png"}


def test_the_bytes_of_a_damaged_webp_go_where_its_original_was_read(shelf):
    converted(shelf).write_bytes(DAMAGED)

    shelf.check(mend=True)

    assert shelf.files() == {"lampwright/7.png": bytes_of(7), "lampwright/9.png": bytes_of(7)}


def test_the_bytes_of_a_damaged_webp_are_kept_aside_where_its_original_was_only_measured(shelf):
    converted(shelf).write_bytes(DAMAGED[:9])

    shelf.check(mend=True, quick=True)

    assert DAMAGED[:9] in shelf.files().values()


def test_a_webp_that_lacks_one_of_its_names_gets_it_back(shelf):
    converted(shelf).unlink()

    findings = shelf.check(mend=True)

    assert counted(findings) == {"missing": (1, 1)}
    assert shelf.files()["lampwright/7.webp"] == SMALL
    assert webp_of(shelf)[1] == "lampwright/7.webp"


def test_nothing_of_a_damaged_webp_is_let_go_of_while_its_original_is_lost(shelf):
    converted(shelf).write_bytes(DAMAGED)
    for number in (7, 9):
        (shelf.store / f"lampwright/{number}.png").unlink()

    findings = shelf.check(mend=True)

    assert counted(findings)["damaged"] == (2, 0)
    assert {one.remedy for one in findings.groups[Kind.DAMAGED].named} == {None}
    assert shelf.files()["lampwright/7.webp"] == DAMAGED
    assert webp_of(shelf)[1] == "lampwright/7.webp"


def nameless(shelf: Shelf) -> None:
    """Let the second image lose its path, and its files."""
    converted(shelf)
    shelf.archive.run_now(questions.name, {9: None})
    for name in ("9.png", "9.webp", "9.json"):
        (shelf.store / "lampwright" / name).unlink()


def test_a_name_that_an_image_gets_anew_has_the_webp_beside_it_too(shelf):
    nameless(shelf)

    findings = shelf.check(mend=True)

    assert counted(findings) == {"disagreeing": (1, 1)}
    assert (shelf.store / "lampwright/9.webp").samefile(shelf.store / "lampwright/7.webp")
    assert counted(shelf.check()) == {}


def test_files_under_a_name_that_an_image_has_lost_are_its_own_again(shelf):
    converted(shelf)
    before = shelf.files()
    shelf.archive.run_now(questions.name, {9: None})

    findings = shelf.check(mend=True)

    assert counted(findings) == {"disagreeing": (1, 1)}
    assert shelf.files() == before
    assert shelf.paths()[9] == "lampwright/9.png"


def test_a_webp_that_no_row_speaks_of_is_not_linked(shelf):
    nameless(shelf)
    shelf.tell("media", {"webp_path": None})

    shelf.check(mend=True)

    assert (shelf.store / "lampwright/9.png").exists()
    assert not (shelf.store / "lampwright/9.webp").exists()


def test_a_damaged_webp_is_linked_to_no_other_name(shelf):
    nameless(shelf)
    (shelf.store / "lampwright/7.webp").write_bytes(DAMAGED)

    shelf.check(mend=True)
    shelf.check(mend=True)

    assert DAMAGED not in shelf.files().values()
    assert (shelf.store / "lampwright/9.png").exists()
    assert counted(shelf.check()) == {}


def test_an_original_that_is_still_there_is_not_said_to_be_what_its_webp_is(shelf):
    shelf.shelve(7)
    told = {"path": "lampwright/7.webp", "webp_path": "lampwright/7.webp", "webp_size": len(SMALL)}
    shelf.tell("media", {**told, "webp_sha256": sha256(SMALL).hexdigest()})
    shelf.tell("images", {"path": "lampwright/7.webp"})
    shelf.write("lampwright/7.webp", DAMAGED)

    findings = shelf.check()

    orphans = [one for one in findings.groups[Kind.ORPHANED].named if one.path == "lampwright/7.png"]
    assert [one.why for one in orphans] == ["no row names it"]
