"""`civitscrape duplicates`: what it lists, for people and for programs, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image as Picture
from typer.testing import CliRunner

from civitscrape.archive.database import Archive
from civitscrape.commands.main import app
from civitscrape.exceptions import ArchiveError, ArgumentError
from tests.archive.asking import link_to, media_of, picture, put
from tests.archive.converting import files, shelve
from tests.archive.pictures.making import drawn, saved

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An archive with two equal pictures, a small copy of them, and a text that is called a picture."""
    folder = tmp_path / "output"
    folder.mkdir()
    archive = Archive(f"sqlite:///{folder}/civitscrape.sqlite")
    large = drawn(7, size=(640, 480))
    for number in (1, 2):
        shelve(archive, folder / "media", number, saved(large, "PNG"), width=640, height=480)
    shelve(archive, folder / "media", 3, saved(large.resize((160, 120)), "PNG"))
    shelve(archive, folder / "media", 4, b"a text")
    archive.close()
    return folder


def duplicates(output: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["duplicates", *words, "-s", f"OUTPUT_DIR={output}"])


def test_groups_and_sums_are_listed(output):
    done = duplicates(output)

    assert done.exit_code == 0, done.output
    assert "  lampwright/1.png · image 1 · lampwright · 640 x 480 · " in done.output
    assert "1 group (2 files) of equal files" in done.output
    assert "1 group (2 files) of pictures that look nearly alike" in done.output
    assert "3 pictures compared, 3 of them looked at just now" in done.output
    assert "  1 of: it is no picture" in done.output


def test_a_program_gets_json(output):
    found = json.loads(duplicates(output, "--json").stdout)

    assert found["saves"]["equal"] == found["equal"][0]["saves"] == (output / "media/lampwright/1.png").stat().st_size
    assert [file["id"] for file in found["equal"][0]["files"]] == [1, 2]
    assert [file["path"] for file in found["near"][0]["files"]] == ["lampwright/1.png", "lampwright/3.png"]
    assert found["counts"] == {"pictures": 3, "looked_at": 3, "unreadable": {"it is no picture": 1}, "videos": 0}


def test_nothing_is_deleted(output):
    before = files(output / "media")

    duplicates(output)

    assert files(output / "media") == before


def test_a_target_that_nobody_knows_is_refused(output):
    done = duplicates(output, "--target", "user:lampwrigt")

    assert isinstance(done.exception, ArgumentError)
    assert "user:lampwright" in str(done.exception)


def test_a_target_is_compared_with_itself(output):
    assert "1 group (2 files) of equal files" in duplicates(output, "--target", "user:lampwright").output


def test_without_an_archive_there_is_nothing_to_compare(tmp_path):
    done = duplicates(tmp_path)

    assert isinstance(done.exception, ArchiveError)


def like(output: Path, asked: object, *words: str) -> list[tuple[str, int]]:
    found = json.loads(duplicates(output, "--like", str(asked), "--json", *words).stdout)
    return [(file["path"], file["bits"]) for file in found["near"]]


def test_what_is_near_a_file_is_listed_the_nearest_first(output, tmp_path):
    asked = tmp_path / "asked.jpeg"
    asked.write_bytes(saved(drawn(7, size=(640, 480)).resize((300, 225)), "JPEG", quality=50))

    found = like(output, asked)
    told = duplicates(output, "--like", str(asked)).output

    assert {path for path, _ in found} == {"lampwright/1.png", "lampwright/2.png", "lampwright/3.png"}
    assert [bits for _, bits in found] == sorted(bits for _, bits in found)
    assert f"3 files are near {asked}: they differ in at most 6 of 64 bits" in told
    assert f"  {found[0][0]} · image " in told
    assert f" · {found[0][1]} bit" in told


def test_what_is_near_an_image_is_listed_without_itself(output):
    found = like(output, 1)

    assert [path for path, _ in found] == ["lampwright/2.png", "lampwright/3.png"]
    assert found[0][1] == 0


def test_what_is_not_near_is_not_listed(output, tmp_path):
    asked = tmp_path / "asked.png"
    asked.write_bytes(saved(drawn(8, size=(640, 480)), "PNG"))

    assert like(output, asked) == []


def test_only_the_pictures_of_a_target_are_near(output):
    archive = Archive(f"sqlite:///{output}/civitscrape.sqlite")
    shelve(archive, output / "media", 5, saved(drawn(7, size=(640, 480)), "PNG"))
    put(archive, link_to(picture(5), "user:dunewalker"))
    archive.close()

    assert [path for path, _ in like(output, 1, "--target", "user:dunewalker")] == ["lampwright/5.png"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("nowhere.png", "cannot be read: No such file or directory"),
        (".", "it is no ordinary file"),
        ("text.png", "it is no picture"),
        ("bomb.png", "it has 30000 x 30000 pixels, which are more than"),
        ("cut.png", "it "),
        ("77", "the archive has no image 77; a file of this name is ./77"),
        ("9" * 5000, "it cannot be read: File name too long"),
        ("~nobody/7.png", "cannot be read: No such file or directory"),
        ("4", "it is no picture"),
        ("6", "its file is not here: it is gone"),
        ("8", "it is no picture, and films and sounds are not looked at"),
    ],
)
def test_what_cannot_be_asked_about_is_one_line(output, tmp_path, monkeypatch, asked, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_bytes(b"a text")
    (tmp_path / "bomb.png").write_bytes(saved(Picture.new("1", (30_000, 30_000)), "PNG"))
    (tmp_path / "cut.png").write_bytes(saved(drawn(7), "PNG")[:-4000])
    archive = Archive(f"sqlite:///{output}/civitscrape.sqlite")
    for image in (picture(6), picture(8, type="video")):
        put(archive, image, media_of(image, state="gone"))
    archive.close()

    done = duplicates(output, "--like", asked)

    assert isinstance(done.exception, ArgumentError)
    assert str(done.exception).startswith(f"--like {asked!r}: ")
    assert reason in str(done.exception)
    assert "\n" not in str(done.exception)
