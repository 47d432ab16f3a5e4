"""`civitscrape verify`: what it says, what it writes, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.archive.database import Archive
from civitscrape.commands.main import app
from civitscrape.exceptions import ArchiveError, ArgumentError
from tests.archive.verify.conftest import Shelf
from tests.crawls.processes import CIVITSCRAPE, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.fixture
def shelf(output: Path) -> Iterator[Shelf]:
    output.mkdir()
    archive = Archive(f"sqlite:///{output}/civitscrape.sqlite")
    yield Shelf(archive, output / "media")
    archive.close()


def verify(output: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["verify", *words, "-s", f"OUTPUT_DIR={output}"])


def reports(output: Path) -> list[dict[str, Any]]:
    found = sorted((output / "reports").glob("verify-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_text("utf-8")) for path in found]


def test_a_whole_archive_ends_with_0_and_a_report(shelf, output):
    shelf.shelve(7)

    done = verify(output)

    [report] = reports(output)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "outcome: complete"
    assert (report["outcome"], report["counts"]["files"], report["findings"]) == ("complete", 1, {})


def test_what_is_found_is_counted_and_named_and_mend_sets_it_right(shelf, output):
    shelf.shelve(7)
    shelf.share(9, 7)
    (shelf.store / "lampwright/7.png").unlink()
    for number in range(8):
        shelf.write(f"lampwright/[b]{number}[/b].bin", b"mine")

    told = verify(output)
    report = reports(output)[-1]

    assert told.exit_code == 3
    assert "missing: lampwright/7.png: is not there (with --mend: restored from lampwright/9.png)" in told.output
    assert "orphaned: lampwright/[b]4[/b].bin: no row names it" in told.output
    assert "… and 3 more" in told.output
    assert "outcome: incomplete; 9 left; --mend sets right what can be" in told.output
    assert report["findings"]["missing"]["named"][0]["path"] == "lampwright/7.png"
    assert len(report["findings"]["orphaned"]["named"]) == 8


def test_what_was_mended_ends_with_0(shelf, output):
    shelf.shelve(7)
    (shelf.store / "lampwright/7.json").unlink()

    done = verify(output, "--mend")

    [report] = reports(output)
    assert done.exit_code == 0, done.output
    assert (report["mend"], report["left"], report["findings"]["no sidecar"]["mended"]) == (True, 0, 1)


def test_the_setting_says_which_sidecars_are_looked_for_and_written(shelf, output):
    shelf.shelve(7, prompt="a lantern")
    (shelf.store / "lampwright/7.json").unlink()

    told = verify(output, "-s", "SIDECARS=caption")
    mended = verify(output, "--mend", "-s", "SIDECARS=caption")

    assert told.exit_code == 3
    assert "no sidecar: lampwright/7.png: there is no 7.txt beside it (with --mend: written again" in told.output
    assert mended.exit_code == 0, mended.output
    assert sorted(one.name for one in (shelf.store / "lampwright").iterdir()) == ["7.png", "7.txt"]


def test_what_is_to_be_fetched_again_is_not_called_well(shelf, output):
    shelf.shelve(7)
    (shelf.store / "lampwright/7.png").unlink()

    done = verify(output, "--mend", "--target", "user:Lampwright")

    assert done.exit_code == 3
    assert "(wanted again: the same crawl command, or `civitscrape retry`, fetches it)" in done.output
    assert "outcome: incomplete; 1 left\n" in done.output


def test_a_store_in_the_output_folder_itself_takes_nothing_of_the_archive_for_an_orphan(shelf, output):
    shelf.store = output
    shelf.shelve(7)
    verify(output, "-s", "MEDIA_STORE={OUTPUT_DIR}")

    done = verify(output, "-s", "MEDIA_STORE={OUTPUT_DIR}")

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (("--target", "user:lampwrigt"), ArgumentError, "knows none of this name; it knows user:lampwright"),
        (("--target", "nonsense"), ArgumentError, "knows none of this name; it knows user:lampwright"),
        (("-s", "MEDIA_STORE={OUTPUT_DIR}/unmounted"), ArchiveError, "is its disk mounted?"),
    ],
)
def test_what_cannot_be_checked_is_said_in_a_line(shelf, output, words, error, sentence):
    shelf.shelve(7)

    done = verify(output, *words)

    assert isinstance(done.exception, error)
    assert sentence in str(done.exception)
    assert not (output / "reports").exists()


def test_where_there_is_no_archive_none_is_made(tmp_path):
    done = run((*CIVITSCRAPE, "verify"), "--mend", folder=tmp_path, settings={})

    assert done.returncode == 1
    assert done.stderr.startswith(f"civitscrape: there is no archive at {tmp_path}/output/civitscrape.sqlite; ")
    assert list(tmp_path.iterdir()) == []
