"""`civitscrape duplicates`: what it lists, for people and for programs, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.archive.database import Archive
from civitscrape.commands.main import app
from civitscrape.exceptions import ArchiveError, ArgumentError
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
