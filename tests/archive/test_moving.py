"""Another template moves what is there: all of it, once, over nothing, and whatever happens on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import moving, naming, sidecars, taken
from civitscrape.archive.moving import Move
from civitscrape.archive.naming import Unnamed
from civitscrape.archive.taken import IMAGE
from civitscrape.items import Image
from civitscrape.ledger import POSTER, RENDITION, Media, TakenName
from tests.archive.asking import key_of, media_of, picture, put, row, rows

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.database import Archive

BEFORE = "{creator}/{id}{ext}"
SMALL = "width=96"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "media"


def keep(archive: Archive, store: Path, *numbers: int, path: str = "lampwright/{id}.png", **told: Any) -> None:
    """Put images into the archive whose files, with bytes of their own, are stored under the usual names."""
    told = {"prompt": "dusk {id}", "meta": {"a": 1}, "meta_state": "visible", **told}
    images = []
    for number in numbers:
        fields = {name: value.format(id=number) if isinstance(value, str) else value for name, value in told.items()}
        images.append(picture(number, path=path.format(id=number), **fields))
    media = [media_of(image, state="stored", path=image.path, size=1) for image in images]
    put(archive, *images, *media)
    archive.run_now(taken.take, [(image.id, image.path, None) for image in images])
    for image in images:
        file = store / str(image.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"bytes of {image.id}")


def keep_smaller(archive: Archive, store: Path, *numbers: int) -> None:
    """Put a rendition of each image beside what is kept, with its sidecar, and a poster beside the original."""
    images = [one for one in rows(archive, Image) if one.id in numbers]
    for image in images:
        told: dict[str, Any] = {"entry_id": image.id, "state": "stored", "size": 1}
        small = Media(key=f"{image.key}@{SMALL}", kind=RENDITION, path=f"width-96/lampwright/{image.id}.jpeg", **told)
        poster = Media(key=f"{image.key}@poster", kind=POSTER, path=f"lampwright/{image.id}.poster.jpeg", **told)
        put(archive, small, poster)
        for media in (small, poster):
            file = store / str(media.path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{media.kind} of {image.id}")
        archive.run_now(taken.take, [(image.id, small.path, None)], SMALL)
    owners = {f"{image.key}@{SMALL}": image.id for image in images}
    archive.run_now(lambda connection: sidecars.write_of_renditions(connection, store, owners))


def files(store: Path) -> dict[str, str]:
    return {str(one.relative_to(store)): one.read_text("utf-8") for one in store.rglob("*") if one.is_file()}


def move(archive: Archive, store: Path, template: str) -> moving.Moved:
    return moving.move(archive, store, template)


def planned(archive: Archive, template: str) -> list[Move]:
    return [one for batch in moving.preview(archive, template) for one in batch.moves]


def holds_together(archive: Archive, store: Path) -> bool:
    """Tell whether database and disk say the same, and every image still has its own bytes."""
    told = {image.path: f"bytes of {image.id}" for image in rows(archive, Image)}
    held = [one for one in rows(archive, TakenName) if one.entry_kind == IMAGE]
    names = {one.entry_id: (one.path, one.moved_from) for one in held}
    here = {path: text for path, text in files(store).items() if path.endswith(".png")}
    homes = {media.entry_id: media.path for media in rows(archive, Media) if media.kind not in {RENDITION, POSTER}}
    same = all(names[image.id] == (image.path, None) for image in rows(archive, Image))
    return told == here and same and homes == {image.id: image.path for image in rows(archive, Image)}


def test_a_plan_says_what_would_move_and_changes_nothing(archive, store):
    keep(archive, store, 7, prompt="dusk")
    keep(archive, store, 8, prompt="Dusk")
    before = files(store)

    moves = planned(archive, "{prompt}{ext}")

    assert moves == [
        Move(7, "lampwright/7.png", "dusk.png"),
        Move(8, "lampwright/8.png", "Dusk_8.png", marked=True),
    ]
    assert files(store) == before
    assert planned(archive, BEFORE) == []


def test_a_move_does_what_the_plan_said(archive, store):
    keep(archive, store, *range(1, 401))
    keep(archive, store, *range(401, 451), prompt="DUSK 7")
    expected = {one.id: one.after for one in planned(archive, "{prompt}/{creator}{ext}")}

    moved = move(archive, store, "{prompt}/{creator}{ext}")

    assert {image.id: image.path for image in rows(archive, Image)} == expected
    assert (moved.files, moved.left) == (450, [])
    assert holds_together(archive, store)
    assert not (store / "lampwright").exists()
    assert planned(archive, "{prompt}/{creator}{ext}") == []


def test_there_and_back_again_is_where_it_began(archive, store):
    keep(archive, store, *range(1, 30), prompt="dusk")
    before = files(store)

    move(archive, store, "{prompt}{ext}")
    move(archive, store, BEFORE)

    assert files(store) == before
    assert holds_together(archive, store)


def test_names_that_two_images_exchange_are_both_kept(archive, store):
    keep(archive, store, 7, post_index=8)
    keep(archive, store, 8, post_index=7)

    move(archive, store, "{creator}/{post_index}{ext}")
    move(archive, store, "{creator}/{post_index}{ext}")

    assert holds_together(archive, store)
    assert {image.path for image in rows(archive, Image)} == {"lampwright/7.png", "lampwright/8.png"}


def test_sidecars_go_along_and_say_where_the_file_is(archive, store):
    keep(archive, store, 7)
    kinds = ("json", "txt", "tags", "meta")
    archive.run_now(lambda connection: sidecars.write(connection, store, [7], kinds=kinds))
    (store / "lampwright/7.png.txt").write_text("a tag of my own")

    move(archive, store, "dusk/{id}{ext}")

    assert sorted(files(store)) == ["dusk/7.json", "dusk/7.png", "dusk/7.png.txt", "dusk/7.txt", "dusk/7_meta.txt"]
    assert json.loads((store / "dusk/7.json").read_text("utf-8"))["image"]["path"] == "dusk/7.png"
    assert (store / "dusk/7.png.txt").read_text() == "a tag of my own"


def test_nothing_is_ever_overwritten(archive, store):
    keep(archive, store, 7)
    (store / "7.png").write_text("a file of my own")

    moved = move(archive, store, "flat")

    assert moved.left == ["lampwright/7.png stays: at 7.png lies a file that the archive does not know"]
    assert files(store) == {"7.png": "a file of my own", "lampwright/7.png": "bytes of 7"}
    assert row(archive, Image).path == "lampwright/7.png"
    assert [(one.path, one.moved_from) for one in rows(archive, TakenName)] == [("lampwright/7.png", None)]


def test_a_file_that_is_not_there_is_named_and_the_others_move(archive, store):
    keep(archive, store, 7, 8)
    (store / "lampwright/7.png").unlink()

    moved = move(archive, store, "flat")

    assert moved.left == ["lampwright/7.png is not there"]
    assert files(store) == {"8.png": "bytes of 8"}


def test_a_folder_with_something_of_ones_own_in_it_stays(archive, store):
    keep(archive, store, 7)
    (store / "lampwright/notes.md").write_text("mine")

    move(archive, store, "flat")

    assert files(store) == {"7.png": "bytes of 7", "lampwright/notes.md": "mine"}


def test_names_that_differ_in_case_alone_are_moved_too(archive, store):
    keep(archive, store, 7, creator="Lampwright", path="lampwright/7.png")

    move(archive, store, BEFORE)

    assert holds_together(archive, store)
    assert row(archive, Image).path == "Lampwright/7.png"


def test_pictures_with_equal_bytes_move_each_under_its_own_name(archive, store):
    keep(archive, store, 7)
    put(archive, picture(8, key=key_of(7)))
    archive.run_now(naming.name, BEFORE, [Unnamed(id=8, extension=".png")])
    put(archive, picture(8, key=key_of(7), path="lampwright/8.png"))
    os.link(store / "lampwright/7.png", store / "lampwright/8.png")

    move(archive, store, "flat")

    assert (store / "7.png").samefile(store / "8.png")
    assert [image.path for image in rows(archive, Image)] == ["7.png", "8.png"]
    assert row(archive, Media).path == "7.png"
    assert not (store / "lampwright").exists()


def test_files_move_where_there_are_no_links(archive, store, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    keep(archive, store, 7)

    move(archive, store, "flat")

    assert holds_together(archive, store)


def test_renditions_go_to_the_folder_of_their_own_and_posters_go_along(archive, store):
    keep(archive, store, 7, 8)
    keep_smaller(archive, store, 7, 8)

    expected = [(one.kind, one.before, one.after) for one in planned(archive, "dusk/{id}{ext}")]
    moved = move(archive, store, "dusk/{id}{ext}")

    small = [(SMALL, f"width-96/lampwright/{number}.jpeg", f"width-96/dusk/{number}.jpeg") for number in (7, 8)]
    assert expected == [(IMAGE, f"lampwright/{number}.png", f"dusk/{number}.png") for number in (7, 8)] + small
    assert (moved.files, moved.left) == (4, [])
    assert {media.path for media in rows(archive, Media)} == {path for path in files(store) if ".json" not in path}
    assert files(store)["dusk/7.poster.jpeg"] == "poster of 7"
    assert json.loads(files(store)["width-96/dusk/7.json"])["file"]["path"] == "width-96/dusk/7.jpeg"
    assert {(one.entry_kind, one.path, one.moved_from) for one in rows(archive, TakenName)} == {
        (kind, after, None) for kind, _, after in expected
    }
    assert planned(archive, "dusk/{id}{ext}") == []


def test_a_poster_that_cannot_go_along_is_named_and_known_where_it_is(archive, store):
    keep(archive, store, 7)
    keep_smaller(archive, store, 7)
    (store / "7.poster.jpeg").write_text("a file of my own")

    moved = move(archive, store, "flat")

    poster = "lampwright/7.poster.jpeg"
    assert moved.left == [f"{poster} stays: at 7.poster.jpeg lies a file that the archive does not know"]
    assert {media.path for media in rows(archive, Media)} == {"7.png", "width-96/7.jpeg", poster}
    assert files(store)["7.poster.jpeg"] == "a file of my own"


def test_a_rendition_keeps_the_name_of_the_image_that_gave_it_its_own(archive, store):
    keep(archive, store, 7, 9)
    keep_smaller(archive, store, 9)
    put(archive, picture(7, key=key_of(9), path="lampwright/7.png"))

    stays, moves = planned(archive, BEFORE), planned(archive, "flat")

    assert stays == []
    assert [one.after for one in moves if one.kind == SMALL] == ["width-96/9.jpeg"]


MOVER = """
import sys
from pathlib import Path
from civitscrape.archive import moving
from civitscrape.archive.database import Archive
archive = Archive(sys.argv[1])
moving.move(archive, Path(sys.argv[2]), sys.argv[3])
archive.close()
"""


@pytest.mark.crawl
def test_a_move_that_is_killed_again_and_again_ends_right(archive, store, url):
    numbers = range(1, 601)
    keep(archive, store, *numbers, prompt="dusk {id}")
    archive.run_now(lambda connection: sidecars.write(connection, store, numbers, kinds=("json", "txt")))
    dice, killed = random.Random(7), 0

    while killed < 3:
        goal = len(list(store.glob("*.png"))) + dice.randint(1, 100)
        command = [sys.executable, "-c", MOVER, url, str(store), "{prompt}{ext}"]
        mover = subprocess.Popen(command)
        while mover.poll() is None and len(list(store.glob("*.png"))) < goal:
            pass
        mover.kill()
        assert mover.wait() == -signal.SIGKILL, "it was to be killed on the way"
        killed += 1
    moved = move(archive, store, "{prompt}{ext}")

    assert moved.left == []
    assert holds_together(archive, store)
    assert len(files(store)) == 3 * len(numbers)
    assert {"/" in path for path in files(store)} == {False}
    assert planned(archive, "{prompt}{ext}") == []


@pytest.mark.crawl
@pytest.mark.parametrize("seed", [3, 4])
def test_renditions_and_posters_that_a_kill_caught_on_their_way_arrive_all_the_same(archive, store, url, seed):
    numbers = range(1, 301)
    keep(archive, store, *numbers)
    keep_smaller(archive, store, *numbers)
    contents = sorted(text for path, text in files(store).items() if ".json" not in path)
    dice, killed = random.Random(seed), 0

    while killed < 3:
        goal = len(list(store.glob("**/new/*.*"))) + dice.randint(1, 300)
        mover = subprocess.Popen([sys.executable, "-c", MOVER, url, str(store), "new/{id}{ext}"])
        while mover.poll() is None and len(list(store.glob("**/new/*.*"))) < goal:
            pass
        mover.kill()
        assert mover.wait() == -signal.SIGKILL, "it was to be killed on the way"
        killed += 1
    moved = move(archive, store, "new/{id}{ext}")

    here = {path: text for path, text in files(store).items() if ".json" not in path}
    assert moved.left == []
    assert sorted(here.values()) == contents
    assert {media.path for media in rows(archive, Media)} == {*here}
    assert {path.rpartition("/")[0] for path in files(store)} == {"new", "width-96/new"}
    assert {one.moved_from for one in rows(archive, TakenName)} == {None}
    assert holds_together(archive, store)
