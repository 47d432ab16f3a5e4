"""Every kind of damage to a small archive is found, changes nothing by itself, and is mended without losing a byte."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import companions, taken
from civitscrape.archive.verify import checking, mending
from civitscrape.archive.verify import rows as questions
from civitscrape.archive.verify.checking import Check, Scope
from civitscrape.archive.verify.mending import Workshop
from civitscrape.archive.verify.planning import Kind
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image, ImageTag, ModelFile, Tag
from civitscrape.ledger import Media, Run
from tests.archive.asking import key_of, link_to, media_of, picture, put, row, rows
from tests.archive.verify.conftest import bytes_of, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.archive.verify.conftest import Shelf

WEIGHTS = b"weights of a lantern " * 200
NOWHERE = "ab" * 32


def snapshot(shelf: Shelf) -> tuple[Any, ...]:
    return shelf.files(), rows(shelf.archive, Image), rows(shelf.archive, Media), rows(shelf.archive, ModelFile)


def three(shelf: Shelf) -> None:
    """Archive two pictures, the first under two ids, and a model file."""
    shelf.shelve(7)
    shelf.shelve(8)
    shelf.share(9, 7)
    shelf.shelve_file(31, WEIGHTS)


def spoil(path: str, content: bytes) -> Callable[[Shelf], None]:
    """Put other bytes under a name, and leave other names of the old ones alone."""

    def harm(shelf: Shelf) -> None:
        (shelf.store / path).unlink()
        (shelf.store / path).write_bytes(content)

    return harm


def drop(*paths: str) -> Callable[[Shelf], None]:
    def harm(shelf: Shelf) -> None:
        for path in paths:
            (shelf.store / path).unlink()

    return harm


def move(path: str, to: str) -> Callable[[Shelf], None]:
    def harm(shelf: Shelf) -> None:
        (shelf.store / path).rename(shelf.store / to)

    return harm


def unstore(shelf: Shelf) -> None:
    shelf.tell("media", {"state": "failed", "path": None, "error": "the CDN answered 500"})
    shelf.tell("model_files", {"state": "wanted"})


MENDED: dict[str, tuple[Callable[[Shelf], None], dict[str, int]]] = {
    "the home of a shared file is missing": (drop("lampwright/7.png"), {"missing": 1}),
    "another name of it is missing": (drop("lampwright/9.png"), {"missing": 1}),
    "a name is shorter": (spoil("lampwright/9.png", b"\x89PN"), {"damaged": 1}),
    "a name has as many other bytes": (spoil("lampwright/7.png", bytes(len(bytes_of(7)))), {"damaged": 1}),
    "sidecars are missing": (drop("lampwright/7.json", "lampwright/8.json"), {"no sidecar": 2}),
    "a file and its sidecar are missing": (drop("lampwright/9.png", "lampwright/9.json"), {"missing": 1}),
    "a picture lies under another name": (move("lampwright/8.png", "found.png"), {"missing": 1, "orphaned": 1}),
    "a model file lies in another folder": (
        move("models/29/31-lantern.safetensors", "lampwright/x.bin"),
        {"missing": 1, "orphaned": 1},
    ),
    "media have no path": (lambda shelf: shelf.tell("media", {"path": None}), {"disagreeing": 2}),
    "whole files are not called stored": (unstore, {"disagreeing": 3}),
}


@pytest.mark.parametrize(("harm", "found"), MENDED.values(), ids=MENDED)
def test_damage_that_the_archive_itself_can_make_good_is_made_good(shelf, harm, found):
    three(shelf)
    whole = shelf.files()
    harm(shelf)

    told = shelf.check()
    mended = shelf.check(mend=True)

    assert counted(told) == {kind: (number, 0) for kind, number in found.items()}
    assert counted(mended) == {kind: (number, number) for kind, number in found.items()}
    assert (told.outcome, mended.outcome) == ("incomplete", "complete")
    assert shelf.files() == whole
    assert counted(shelf.check()) == {}
    assert {one.state for one in rows(shelf.archive, Media)} == {"stored"}
    assert row(shelf.archive, ModelFile).state == "stored"


def test_images_without_a_path_are_linked_under_names_of_their_own(shelf):
    three(shelf)
    whole = shelf.files()
    shelf.tell("images", {"path": None})

    told, mended = shelf.check(), shelf.check(mend=True)

    assert counted(told) == {"disagreeing": (3, 0), "orphaned": (2, 0)}
    assert counted(mended) == {"disagreeing": (3, 3)}
    assert shelf.files() == whole
    assert shelf.paths() == {7: "lampwright/7.png", 8: "lampwright/8.png", 9: "lampwright/9.png"}


def test_a_file_that_lies_where_an_image_is_to_get_its_name_is_kept(shelf):
    shelf.shelve(7)
    shelf.share(9, 7)
    spoil("lampwright/9.png", b"somebody's")(shelf)
    shelf.archive.run_now(questions.name, {9: None})

    findings = shelf.check(mend=True)

    assert counted(findings)["disagreeing"] == (1, 1)
    assert shelf.files()["lampwright/9.png.damaged"] == b"somebody's"
    assert shelf.files()["lampwright/9.png"] == bytes_of(7)


HARMS = {name: harm for name, (harm, _) in MENDED.items()} | {
    "nothing is left of a picture": drop("lampwright/8.png"),
    "a picture is damaged": spoil("lampwright/8.png", b"half"),
    "a path leads out": lambda shelf: shelf.tell("images", {"path": "../../8.png"}),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_check_without_mend_changes_nothing(shelf, harm):
    three(shelf)
    harm(shelf)
    before = snapshot(shelf)

    shelf.check()

    assert snapshot(shelf) == before


@pytest.mark.parametrize("how", [{}, {"quick": True}])
def test_a_whole_archive_has_no_findings(shelf, how):
    three(shelf)

    findings = shelf.check(**how)

    assert counted(findings) == {}
    assert (findings.outcome, findings.files) == ("complete", 3)


def test_a_file_that_is_nowhere_is_wanted_again_and_its_hash_is_remembered(shelf):
    three(shelf)
    drop("lampwright/8.png", "models/29/31-lantern.safetensors")(shelf)

    findings = shelf.check(mend=True)

    media = next(one for one in rows(shelf.archive, Media) if one.key == key_of(8))
    file = row(shelf.archive, ModelFile)
    assert counted(findings) == {"missing": (2, 0)}
    assert findings.outcome == "incomplete"
    assert (media.state, media.path, media.sha256) == ("wanted", None, sha256(bytes_of(8)).hexdigest())
    assert shelf.paths() == {7: "lampwright/7.png", 8: None, 9: "lampwright/9.png"}
    assert (file.state, file.path) == ("wanted", None)


def test_what_is_wanted_again_is_named_until_it_is_there(shelf):
    shelf.shelve(8)
    drop("lampwright/8.png")(shelf)
    shelf.check(mend=True)
    shelf.write("back from the attic.png", bytes_of(8))

    before, mended = shelf.check(), shelf.check(mend=True)

    assert counted(before)["awaited"] == (1, 0)
    assert counted(mended)["orphaned"] == (1, 1)
    assert counted(shelf.check()) == {}
    assert shelf.files() == {"lampwright/8.png": bytes_of(8)}


@pytest.mark.parametrize("content", [b"", b"half", bytes(len(bytes_of(8)))])
def test_damaged_bytes_that_nothing_replaces_are_kept_aside(shelf, content):
    shelf.shelve(8)
    spoil("lampwright/8.png", content)(shelf)

    findings = shelf.check(mend=True)

    assert counted(findings) == {"damaged": (1, 0)}
    assert shelf.files() == {"lampwright/8.png.damaged": content}
    assert (row(shelf.archive, Media).state, row(shelf.archive, Image).path) == ("wanted", None)


def test_damaged_bytes_never_push_aside_others_that_were_kept(shelf):
    shelf.shelve(8)
    shelf.write("lampwright/8.png.damaged", b"an earlier accident")
    spoil("lampwright/8.png", b"half")(shelf)

    shelf.check(mend=True)

    assert shelf.files() == {
        "lampwright/8.png.damaged": b"an earlier accident",
        "lampwright/8.png.damaged-2": b"half",
    }
    assert shelf.check().aside == 2


def test_two_names_of_damaged_bytes_keep_them_once(shelf):
    shelf.shelve(7)
    shelf.share(9, 7)
    (shelf.store / "lampwright/7.png").write_bytes(b"half")

    findings = shelf.check(mend=True)

    assert counted(findings) == {"damaged": (2, 0)}
    assert shelf.files() == {"lampwright/7.png.damaged": b"half"}
    assert shelf.paths() == {7: None, 9: None}


def test_bytes_are_restored_from_another_row_that_has_the_same(shelf):
    shelf.shelve(7)
    shelf.shelve(8, bytes_of(7))
    spoil("lampwright/8.png", b"half")(shelf)

    findings = shelf.check(mend=True)

    assert counted(findings) == {"damaged": (1, 1)}
    assert shelf.files() == {"lampwright/7.png": bytes_of(7), "lampwright/8.png": bytes_of(7)}


def test_a_name_that_another_picture_has_is_given_to_nobody_else(shelf):
    shelf.shelve(7)
    shelf.shelve(8)
    shelf.share(9, 8)
    shelf.archive.run_now(taken.adopt)
    shelf.archive.run_now(lambda connection: questions.name(connection, {9: None}))

    findings = shelf.check(mend=True, template="{creator}/7{ext}")

    assert counted(findings)["disagreeing"] == (1, 1)
    assert shelf.paths()[9] == "lampwright/7_9.png"
    assert shelf.files()["lampwright/7.png"] == bytes_of(7)
    assert not list(shelf.store.rglob("*.damaged"))


def test_a_source_is_proven_before_it_is_copied(shelf):
    shelf.shelve(7)
    shelf.shelve(8, bytes_of(7))
    drop("lampwright/8.png")(shelf)
    spoil("lampwright/7.png", bytes(len(bytes_of(7))))(shelf)

    findings = shelf.check(mend=True, quick=True)

    assert counted(findings) == {"missing": (1, 0)}
    assert shelf.paths() == {7: "lampwright/7.png", 8: None}


def test_a_name_of_its_own_key_is_proven_before_it_is_copied(shelf):
    shelf.shelve(7)
    shelf.share(9, 7)
    spoil("lampwright/9.png", bytes(len(bytes_of(7))))(shelf)
    drop("lampwright/7.png")(shelf)

    findings = shelf.check(mend=True, quick=True)

    [finding] = findings.groups[Kind.MISSING].named
    assert counted(findings) == {"missing": (1, 0)}
    assert finding.remedy.startswith("not mended: lampwright/9.png: it was to be the source")
    assert not (shelf.store / "lampwright/7.png").exists()


def test_sizes_alone_do_not_find_what_reading_finds(shelf):
    shelf.shelve(8)
    spoil("lampwright/8.png", bytes(len(bytes_of(8))))(shelf)

    quick, whole = shelf.check(quick=True), shelf.check()

    assert counted(quick) == {}
    assert counted(whole) == {"damaged": (1, 0)}


def test_a_model_file_of_another_size_than_the_site_states_is_read_before_it_is_blamed(shelf):
    shelf.shelve_file(31, WEIGHTS, size_kb=1.0)
    shelf.shelve_file(32, WEIGHTS + b"more")
    spoil("models/29/32-lantern.safetensors", b"cut off")(shelf)

    findings = shelf.check(quick=True)

    assert counted(findings) == {"damaged": (1, 0)}


def test_files_that_no_row_names_are_reported_and_left_alone(shelf):
    shelf.shelve(7)
    for path in ("lampwright/1.png", "lampwright/1.json", "notes.md", "a folder/[b]x[/b].bin"):
        shelf.write(path, b"mine")
    shelf.write("copy.png", bytes_of(7))
    before = shelf.files()

    findings = shelf.check(mend=True)

    named = {one.path: one.why for one in findings.groups[Kind.ORPHANED].named}
    assert counted(findings) == {"orphaned": (5, 0)}
    assert named["lampwright/1.json"].endswith("the picture that it would belong to is not there")
    assert named["copy.png"] == "no row names it; lampwright/7.png has the same bytes"
    assert shelf.files() == before


@pytest.mark.parametrize(
    "name", ["7.json", "7.txt", "7.tags", "7.caption", "7.civitai.info", "7.preview.webp", ".DS_Store"]
)
def test_what_belongs_to_a_stored_file_is_no_orphan(shelf, name):
    shelf.shelve(7)
    shelf.write(f"lampwright/{name}", b"{}")

    assert counted(shelf.check()) == {}


def test_every_sidecar_that_the_archive_writes_is_no_orphan(shelf):
    shelf.shelve(7)
    for name in companions.texts("lampwright/7.png"):
        shelf.write(name, b"{}")

    findings = shelf.check()

    assert counted(findings) == {}


@pytest.mark.parametrize("name", ["8_meta.txt", "8_no_meta.txt", "8.png.txt", "7_metal.txt", "7.gif.txt"])
def test_a_sidecar_of_no_stored_file_is_an_orphan(shelf, name):
    shelf.shelve(7)
    shelf.write(f"lampwright/{name}", b"{}")

    findings = shelf.check()

    assert counted(findings) == {"orphaned": (1, 0)}


def test_converted_files_and_the_archive_s_own_folders_are_no_orphans(shelf):
    shelf.shelve(7)
    shelf.tell("media", {"webp_path": "lampwright/7.webp"})
    shelf.write("lampwright/7.webp", b"RIFF")
    shelf.write("reports/run.json", b"{}")

    assert counted(shelf.check(ignored=frozenset({str(shelf.store / "reports")}))) == {}


@pytest.mark.parametrize(
    "path", ["../out.png", "/out.png", "a/../../out.png", "link/out.png", "nul\0.png", "C:/out.png"]
)
def test_paths_that_lead_out_are_taken_back_and_nothing_outside_is_touched(shelf, tmp_path, path):
    shelf.shelve(7)
    outside = tmp_path / "out.png"
    outside.write_bytes(bytes_of(7))
    (shelf.store / "link").symlink_to(tmp_path)
    shelf.tell("images", {"path": path})
    shelf.tell("media", {"path": path})

    told, mended = shelf.check(), shelf.check(mend=True)

    assert counted(told)["disagreeing"] == (1, 0)
    assert counted(mended)["disagreeing"] == (1, 1)
    assert outside.read_bytes() == bytes_of(7)
    assert row(shelf.archive, Image).path == row(shelf.archive, Media).path == "lampwright/7.png"
    assert shelf.files()["lampwright/7.png"] == bytes_of(7)


def test_a_path_that_leads_out_is_taken_back_although_nothing_replaces_it(shelf, tmp_path):
    shelf.shelve(7)
    outside = tmp_path / "out.png"
    outside.write_bytes(b"somebody's")
    drop("lampwright/7.png")(shelf)
    shelf.tell("images", {"path": "../out.png"})
    shelf.tell("media", {"path": "../out.png"})

    shelf.check(mend=True)

    media = row(shelf.archive, Media)
    assert (media.state, media.path, row(shelf.archive, Image).path) == ("wanted", None, None)
    assert outside.read_bytes() == b"somebody's"


@pytest.mark.parametrize("state", ["wanted", "failed", "gone", "refused"])
def test_a_row_without_a_file_no_longer_names_one_and_keeps_its_state(shelf, state):
    shelf.shelve(7)
    drop("lampwright/7.png")(shelf)
    shelf.tell("media", {"state": state})

    findings = shelf.check(mend=True)

    media = row(shelf.archive, Media)
    assert counted(findings)["disagreeing"] == (1, 1)
    assert (media.state, media.path, row(shelf.archive, Image).path) == (state, None, None)


def test_an_image_whose_media_row_is_missing_gets_one(shelf):
    image = picture(7, path="lampwright/7.png", type="image")
    put(shelf.archive, image, link_to(image))
    shelf.write("lampwright/7.png", bytes_of(7), 7)

    findings = shelf.check(mend=True)

    media = row(shelf.archive, Media)
    assert counted(findings) == {"disagreeing": (1, 1)}
    assert (media.state, media.path, media.size) == ("stored", "lampwright/7.png", len(bytes_of(7)))
    assert (media.sha256, media.content_type) == (sha256(bytes_of(7)).hexdigest(), "image/png")


def test_an_image_without_a_media_row_and_without_its_file_lets_go_of_its_path(shelf):
    put(shelf.archive, picture(7, path="lampwright/7.png"), picture(8, key=None, path="lampwright/8.png"))
    shelf.write("lampwright/8.png", b"from another archive")

    findings = shelf.check(mend=True)

    assert counted(findings) == {"missing": (1, 0)}
    assert shelf.paths() == {7: None, 8: "lampwright/8.png"}
    assert findings.unproven == 1


def test_a_page_that_lies_under_the_name_of_a_picture_is_not_adopted(shelf):
    image = picture(7, path="lampwright/7.png")
    put(shelf.archive, image, media_of(image))
    shelf.write("lampwright/7.png", b"<!DOCTYPE html>")

    shelf.check(mend=True)

    assert (row(shelf.archive, Media).state, row(shelf.archive, Image).path) == ("wanted", None)
    assert shelf.files() == {"lampwright/7.png.damaged": b"<!DOCTYPE html>"}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="whoever may read everything finds nothing closed")
def test_a_file_that_cannot_be_read_is_reported_and_left_alone(shelf):
    target = shelf.shelve(7)
    target.chmod(0)

    findings = shelf.check(mend=True)

    target.chmod(0o600)
    assert counted(findings) == {"unreadable": (1, 0)}
    assert row(shelf.archive, Media).state == "stored"


def test_a_folder_under_the_name_of_a_file_is_reported_and_left_alone(shelf):
    target = shelf.shelve(7)
    target.unlink()
    target.mkdir()

    findings = shelf.check(mend=True)

    assert counted(findings) == {"unreadable": (1, 0)}
    assert target.is_dir()
    assert row(shelf.archive, Media).state == "stored"


@pytest.mark.parametrize("name", [".parts/zz.part", "lampwright/7.png.part", f".parts/{key_of(7)}.part"])
def test_parts_that_nobody_waits_for_are_removed(shelf, name):
    shelf.shelve(7)
    shelf.write(name, b"half")

    told = shelf.check()
    there = (shelf.store / name).exists()
    mended = shelf.check(mend=True)

    assert (counted(told), there) == ({"unfinished": (1, 0)}, True)
    assert counted(mended) == {"unfinished": (1, 1)}
    assert list(shelf.files()) == ["lampwright/7.png"]


@pytest.mark.parametrize("size", [len(WEIGHTS), len(WEIGHTS) + 1], ids=["whole", "damaged"])
def test_a_stored_file_that_is_called_a_part_is_none(shelf, size):
    path = "models/29/31-lantern.safetensors.part"
    told: dict[str, Any] = {"version_id": 29, "name": "lantern.safetensors.part", "sha256": sha256(WEIGHTS).hexdigest()}
    put(shelf.archive, ModelFile(id=31, state="stored", path=path, **told))
    shelf.write(path, WEIGHTS.ljust(size))

    findings = shelf.check(mend=True)

    assert "unfinished" not in counted(findings)
    assert [body for name, body in shelf.files().items() if name.startswith(path)] == [WEIGHTS.ljust(size)]


def test_a_part_whose_file_is_wanted_is_left_to_its_crawl(shelf):
    image = picture(7)
    put(shelf.archive, image, media_of(image), ModelFile(id=31, state="failed"))
    shelf.write(f".parts/{key_of(7)}.part", b"half")
    shelf.write(".parts/~file-31~0a1b2c3d.part", b"half")

    findings = shelf.check(mend=True)

    assert counted(findings) == {}
    assert (findings.waiting, len(shelf.files())) == (2, 2)


def test_a_fresh_part_is_left_alone_while_a_run_has_no_end(shelf):
    put(
        shelf.archive,
        Run(id="20261120T183000-x7k2", spider="user", arguments={}, started_at="2026-11-20T18:30:00.000Z"),
    )
    fresh, old = shelf.write(".parts/a.part", b"1"), shelf.write(".parts/b.part", b"2")
    os.utime(old, (1, 1))

    findings = shelf.check(mend=True)

    assert counted(findings) == {"unfinished": (1, 1)}
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_part_that_a_process_has_locked_is_left_alone(shelf):
    fcntl = pytest.importorskip("fcntl")
    part = shelf.write(".parts/a.part", b"1")

    with part.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        findings = shelf.check(mend=True)

    assert counted(findings) == {}
    assert part.exists()


def test_sidecars_are_not_missed_where_none_are_wanted(shelf):
    shelf.shelve(7)
    drop("lampwright/7.json")(shelf)

    assert counted(shelf.check(kinds=())) == {}


TEXTS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "generation data": (("txt",), {"7.txt"}),
    "tags, and the record": (("json", "tags"), {"7.json", "8.json", "7.png.txt"}),
    "captions and generation data": (("caption", "meta"), {"7.txt", "7_meta.txt", "8_no_meta.txt"}),
}


@pytest.mark.parametrize(("kinds", "names"), TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("quick", [False, True])
def test_the_sidecars_that_are_asked_for_are_missed_and_written_and_no_others(shelf, kinds, names, quick):
    shelf.shelve(7, prompt="a lantern", meta={"seed": 7}, meta_state="visible")
    put(shelf.archive, Tag(id=4, name="lantern"), ImageTag(image_id=7, tag_id=4))
    shelf.shelve(8)
    drop("lampwright/7.json", "lampwright/8.json")(shelf)

    told, mended = shelf.check(kinds=kinds, quick=quick), shelf.check(kinds=kinds, quick=quick, mend=True)

    images = len({name[0] for name in names})
    assert counted(told) == {"no sidecar": (images, 0)}
    assert counted(mended) == {"no sidecar": (images, images)}
    assert {one.name for one in (shelf.store / "lampwright").iterdir()} == {"7.png", "8.png", *names}
    assert counted(shelf.check(kinds=kinds, quick=quick)) == {}


def test_a_finding_names_the_sidecars_that_a_file_lacks(shelf):
    shelf.shelve(7, prompt="a lantern")
    drop("lampwright/7.json")(shelf)

    [finding] = shelf.check(kinds=("json", "caption")).groups[Kind.NO_SIDECAR].named

    assert (finding.path, finding.why) == ("lampwright/7.png", "there is no 7.json and no 7.txt beside it")


def test_one_target_is_checked_alone(shelf):
    three(shelf)
    other = picture(50, key=key_of(50), path="harbour/50.png")
    put(shelf.archive, other, media_of(other, state="stored", path="harbour/50.png"), link_to(other, "user:harbour"))
    shelf.write("stray.png", b"mine")

    findings = shelf.check(target="user:lampwright")
    theirs = shelf.check(target="user:harbour")

    assert (findings.files, counted(findings)) == (2, {})
    assert (theirs.files, counted(theirs)) == (1, {"missing": (1, 0)})


def test_a_store_that_is_not_there_is_no_archive_of_missing_files(shelf):
    shelf.shelve(7)
    shelf.store.rename(shelf.store.with_name("elsewhere"))

    with pytest.raises(ArchiveError, match=r"MEDIA_STORE: .* is not there, and 1 rows name files in it; is its disk"):
        shelf.check(mend=True)

    assert row(shelf.archive, Media).state == "stored"


def test_a_row_that_changes_while_it_is_looked_at_is_left_alone(shelf, monkeypatch):
    shelf.shelve(7)
    drop("lampwright/7.png")(shelf)
    real = mending.carry_out

    def meanwhile(connection: Any, shop: Any, holding: Any, looks: Any, plan: Any) -> Any:
        shelf.write("lampwright/7.png", bytes_of(7))  # a crawl has brought it
        return real(connection, shop, holding, looks, plan)

    monkeypatch.setattr(mending, "carry_out", meanwhile)
    findings = shelf.check(mend=True)

    [finding] = findings.groups[Kind.MISSING].named
    assert (finding.remedy, finding.mended) == (checking.CHANGED, False)
    assert row(shelf.archive, Media).state == "stored"
    assert shelf.files() == {"lampwright/7.png": bytes_of(7)}


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_chunks_of_any_size_find_the_same(shelf, monkeypatch, chunk):
    for number in range(1, 8):
        shelf.shelve(number)
        shelf.shelve_file(number, WEIGHTS)
        shelf.write(f"stray-{number}.bin", b"mine")
    drop("lampwright/3.png")(shelf)
    monkeypatch.setattr(questions, "CHUNK", chunk)

    findings = shelf.check()

    assert findings.files == 14
    assert counted(findings) == {"missing": (1, 0), "orphaned": (7, 0)}


def test_a_check_that_is_stopped_has_done_whole_steps_only(shelf):
    for number in range(1, 8):
        shelf.shelve(number)
    drop(*(f"lampwright/{number}.json" for number in range(1, 8)))(shelf)
    shop = Workshop(store=shelf.store, template="{creator}/{id}{ext}", kinds=("json",))
    check, seen = Check(shelf.archive, Scope(shop=shop, mend=True)), []

    def interrupt(files: int, _size: int) -> None:
        seen.append(files)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.run(interrupt)

    assert counted(check.findings) == {"no sidecar": (3, 3)}
    assert len(list(shelf.store.rglob("*.json"))) == 3
    assert counted(shelf.check(mend=True)) == {"no sidecar": (4, 4)}
