"""Reports that are damaged, or whose run has a name that leads elsewhere, are refused in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.archive.database import Archive
from civitscrape.commands.main import app
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import Run
from tests.archive.asking import put

if TYPE_CHECKING:
    from pathlib import Path

NAME = "20261120T183000-x7k2"


def archive_with(folder: Path, name: str, text: str | None, outcome: str | None = None) -> None:
    """Make an archive of one run, with something as its report."""
    archive = Archive(f"sqlite:///{folder}/civitscrape.sqlite")
    put(archive, Run(id=name, spider="user", arguments={}, started_at="2026-11-20T18:30:00.000Z", outcome=outcome))
    archive.close()
    (folder / "reports").mkdir()
    if text is not None:
        (folder / "reports" / f"{name}.json").write_text(text)


def report(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["report", *words, "-s", f"OUTPUT_DIR={folder}"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is damaged: "),
        ("[]", "is not one of a crawl"),
        (json.dumps({"run": NAME, "outcome": "odd"}), "is not one of a crawl"),
    ],
)
def test_a_report_that_cannot_be_read_is_named(tmp_path, text, sentence):
    archive_with(tmp_path, NAME, text)

    done = report(tmp_path, NAME)

    assert isinstance(done.exception, ArchiveError)
    assert f"the report {tmp_path / 'reports' / NAME}.json {sentence}" in str(done.exception)


def test_the_name_of_a_run_leads_to_no_other_file(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    archive_with(tmp_path, "../secret", None)

    done = report(tmp_path)

    assert isinstance(done.exception, ArchiveError)
    assert "must be relative" in str(done.exception)


@pytest.mark.parametrize(("outcome", "code"), [("complete", 0), ("failed", 1), ("stopped", 3), (None, 3)])
def test_a_report_that_is_not_there_any_more_still_has_its_outcome(tmp_path, outcome, code):
    archive_with(tmp_path, NAME, None, outcome)

    done = report(tmp_path)

    assert done.exit_code == code
    assert f"ended {outcome}" in done.output or outcome is None
    assert "its report is not there" in done.output
