"""No two images ever share a name, and none leaves the store, whatever they and the template say."""

from __future__ import annotations

import random
import shutil
import sqlite3
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from civitscrape.archive import naming, paths, schema, shelf, taken
from civitscrape.archive.database import Archive
from civitscrape.archive.naming import Unnamed
from civitscrape.archive.shelf import Fate
from civitscrape.items import Image, ModelFile
from civitscrape.ledger import MediaState, TakenName
from tests.archive.asking import key_of, media_of, picture, put, rows
from tests.archive.hostile import HOSTILE, breaks_windows_rule, hostile_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BY_WORDS = "{creator}/{prompt}{ext}"
TEMPLATES = [BY_WORDS, "{prompt}{ext}", "{creator?{creator}/}{prompt|untold}{ext}", "{prompt}{id}{ext}", "flat"]
ENDINGS = ["", " ", ".", "...", ".png", ".json", "_meta", ".txt", "\u202e", "\0", "_7"]


def name(archive: Archive, template: str, *numbers: int, extension: str = ".png") -> dict[int, str]:
    unnamed = [Unnamed(id=number, extension=extension) for number in numbers]
    return archive.run_now(naming.name, template, unnamed)


def hostile_names(count: int) -> Iterator[tuple[str, str]]:
    """Make creators and prompts, many of them equal to others but for what some system does not see."""
    dice = random.Random(7)
    forms: list[Any] = [str, str.upper, str.lower, str.title, lambda text: unicodedata.normalize("NFD", text)]
    for _ in range(count):
        words = [dice.choice(forms)(dice.choice([*HOSTILE, "Lantern", "é", "straße"])) for _ in "ab"]
        # No database holds half a character; that a path survives one is tested without.
        whole = [word.encode(errors="replace").decode() for word in words]
        yield whole[0], whole[1] + dice.choice(ENDINGS)


@pytest.mark.parametrize("template", [BY_WORDS, "{prompt}{ext}"])
def test_ten_thousand_hostile_names_are_ten_thousand_files_in_the_store(archive, tmp_path, template):
    store, count = tmp_path / "media", 10_000
    part = paths.part_path(store, key_of(1))
    part.parent.mkdir(parents=True)
    images = [
        picture(number, key=key_of(1), creator=creator, prompt=prompt, meta={"seed": number}, meta_state="visible")
        for number, (creator, prompt) in enumerate(hostile_names(count), 1)
    ]
    part.write_bytes(b"lantern")
    put(archive, *images, media_of(images[0]))
    fates = [
        Fate(
            image_id=image.id,
            key=key_of(1),
            state=MediaState.STORED,
            unnamed=Unnamed(id=image.id, extension=".png"),
            part=str(part) if image.id == 1 else None,
            size=7,
        )
        for image in images
    ]

    for start in range(0, count, 1000):
        archive.run_now(
            lambda connection, some: shelf.shelve(connection, store, some, template=template),
            fates[start : start + 1000],
        )

    told = [image.path for image in rows(archive, Image)]
    here = [str(one.relative_to(store)) for one in store.rglob("*") if one.is_file()]
    assert sorted(map(str, told)) == sorted(here)
    assert len({paths.collision_key(path) for path in here}) == count
    assert {tuple(map(breaks_windows_rule, path.split("/"))) for path in here} <= {(None,), (None, None)}
    assert all(unicodedata.is_normalized("NFC", path) and len(path.encode("utf-16-le")) <= 480 for path in here)
    assert {one.name for one in tmp_path.iterdir()} == {"media", "civitscrape.sqlite", *shadows(tmp_path)}
    assert {one.entry_id: one.path for one in rows(archive, TakenName)} == dict(enumerate(told, 1))


def shadows(folder: Path) -> set[str]:
    """Name what SQLite keeps beside its file."""
    return {one.name for one in folder.glob("civitscrape.sqlite-*")}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(TEMPLATES),
    st.lists(st.tuples(hostile_text, hostile_text, st.sampled_from([".png", ".mp4"])), min_size=2, max_size=12),
)
def test_two_images_never_share_a_path_nor_anything_beside_it(empty, tmp_path_factory, template, things):
    file = tmp_path_factory.mktemp("archive") / "civitscrape.sqlite"
    shutil.copyfile(empty, file)
    archive = Archive(f"sqlite:///{file}")
    unnamed = [
        Unnamed(id=number, extension=ext, known={"id": number, "creator": creator, "prompt": prompt, "ext": ext})
        for number, (creator, prompt, ext) in enumerate(things, 1)
    ]

    named = [archive.run_now(naming.name, template, [one])[one.id] for one in unnamed]
    archive.close()

    beside = [{paths.collision_key(one) for one in (path, *names_of(path))} for path in named]
    assert sum(map(len, beside)) == len(set().union(*beside))
    assert all(paths.inside(file.parent, path).is_relative_to(file.parent) for path in named)


def names_of(path: str) -> list[str]:
    stem = paths.stem(path)
    return [f"{stem}.json", f"{stem}.txt", f"{path}.txt", f"{stem}_meta.txt", f"{stem}_no_meta.txt"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("dusk", "dusk"), ("Dusk", "dUSK"), ("é", "e\u0301"), ("straße", "STRASSE"), ("dusk", "dusk\u200b"), (None, "")],
)
def test_of_two_that_would_share_a_name_the_later_has_its_number_in_it(archive, one, other):
    put(archive, picture(7, prompt=one), picture(8, prompt=other))

    first = name(archive, "{prompt|untold}{ext}", 7)[7]
    second = name(archive, "{prompt|untold}{ext}", 8)[8]

    assert "_7" not in first
    assert second.endswith("_8.png") or "~" in second
    assert taken.key_of(first) != taken.key_of(second)


def test_a_still_and_a_film_of_one_name_would_share_their_sidecars_and_so_do_not(archive):
    put(archive, picture(7, prompt="dusk"), picture(8, prompt="dusk"))

    still, film = name(archive, "{prompt}{ext}", 7)[7], name(archive, "{prompt}{ext}", 8, extension=".mp4")[8]

    assert (still, film) == ("dusk.png", "dusk_8.mp4")


@pytest.mark.parametrize("prompt", ["dusk.png", "dusk.JSON", "dusk_meta", "a.b.txt", "dusk_no_meta"])
def test_a_name_that_could_be_a_sidecar_of_another_has_its_number_in_it(archive, prompt):
    put(archive, picture(7, prompt=prompt))

    assert name(archive, "{prompt}{ext}", 7)[7] == f"{prompt}_7.png"


@pytest.mark.parametrize("ending", [".part", ".PART", ".part.json", ".damaged"])
def test_no_stored_model_file_is_called_as_if_it_were_still_coming_in(tmp_path, ending):
    longest = "l" * (paths.PART_BYTES - len(ending)) + ending
    files = [ModelFile(id=31, version_id=29, name=name) for name in (f"lantern.safetensors{ending}", longest, ending)]

    names = [naming.name_of_file(file) for file in files]

    assert not any(name.lower().endswith((".part", ".part.json", ".damaged")) for name in names)
    assert all(len(name.rpartition("/")[2]) <= paths.PART_BYTES for name in names)
    assert [paths.inside(tmp_path, name).name for name in names] == [name.rpartition("/")[2] for name in names]


def test_a_number_that_is_taken_too_is_counted_up(archive):
    put(archive, picture(7, prompt="dusk"), picture(8, prompt="dusk_9"), picture(9, prompt="dusk"))

    named = name(archive, "{prompt}{ext}", 7, 8, 9)

    assert named == {7: "dusk.png", 8: "dusk_9.png", 9: "dusk_9-2.png"}


def test_an_image_that_asks_again_has_its_own_name_and_no_other(archive):
    put(archive, picture(7, prompt="dusk"))

    named = [name(archive, "{prompt}{ext}", 7)[7] for _ in "ab"]

    assert named == ["dusk.png", "dusk.png"]
    assert len(rows(archive, TakenName)) == 1


def test_a_template_of_what_every_image_brings_asks_the_database_for_names_alone(archive):
    asked: list[str] = []
    known = {"id": 7, "key": key_of(7), "creator": "lampwright", "type": "image"}
    sa.event.listen(archive.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))

    named = archive.run_now(naming.name, "{creator}/{id}{ext}", [Unnamed(id=7, extension=".png", known=known)])

    assert named == {7: "lampwright/7.png"}
    assert [text for text in asked if "FROM" in text and "taken_names" not in text] == []


def test_an_archive_from_before_names_were_written_down_keeps_them(tmp_path, archive):
    put(archive, picture(7, prompt="dusk", path="dusk.png"), picture(8, prompt="Dusk"))
    archive.close()

    again = Archive(f"sqlite:///{tmp_path / 'civitscrape.sqlite'}")
    named = name(again, "{prompt}{ext}", 8)
    again.close()

    assert named == {8: "Dusk_8.png"}


def test_an_archive_of_an_older_version_gets_the_table_of_names(tmp_path, archive):
    put(archive, picture(7, path="lampwright/7.png"))
    archive.close()
    file = tmp_path / "civitscrape.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute(f"DROP TABLE {schema.taken_names.name}")
    connection.close()

    again = Archive(f"sqlite:///{file}")
    found = rows(again, TakenName)
    again.close()

    assert [(one.name, one.path, one.entry_id) for one in found] == [("lampwright/7", "lampwright/7.png", 7)]
