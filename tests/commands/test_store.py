"""A store whose disk is not mounted is no empty store: commands that change its files refuse, and book nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from civitscrape.archive.database import Archive
from civitscrape.archive.presence import FEW
from civitscrape.commands.main import app
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image
from civitscrape.ledger import Media
from tests.archive.asking import rows
from tests.archive.converting import shelve
from tests.archive.pictures.making import png_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(f"sqlite:///{tmp_path}/civitscrape.sqlite")
    shelve(opened, tmp_path / "media", 7, png_of({}))
    yield opened
    opened.close()


@pytest.mark.parametrize("command", ["convert", "plan --paths", "plan --paths --move", "verify"])
def test_a_store_that_is_not_there_is_refused_and_nothing_is_booked(tmp_path, archive, command):
    (tmp_path / "media").rename(tmp_path / "elsewhere")
    before = rows(archive, Media), rows(archive, Image)

    done = CliRunner().invoke(app, [*command.split(), "-s", f"OUTPUT_DIR={tmp_path}", "-s", "MEDIA_PATH=flat"])

    assert isinstance(done.exception, ArchiveError)
    assert "is not there, and 1 rows name files in it; is its disk mounted?" in str(done.exception)
    assert (rows(archive, Media), rows(archive, Image)) == before
    assert not (tmp_path / "media").exists()


@pytest.mark.parametrize("command", ["convert", "plan --paths", "plan --paths --move"])
def test_a_store_that_has_nothing_of_what_rows_name_is_refused_and_nothing_is_booked(tmp_path, archive, command):
    for number in range(10, 10 + FEW):
        shelve(archive, tmp_path / "media", number, png_of({}))
    (tmp_path / "media").rename(tmp_path / "elsewhere")
    (tmp_path / "media").mkdir()
    before = rows(archive, Media), rows(archive, Image)

    done = CliRunner().invoke(app, [*command.split(), "-s", f"OUTPUT_DIR={tmp_path}", "-s", "MEDIA_PATH=flat"])

    assert isinstance(done.exception, ArchiveError)
    assert f"has not one of {FEW + 1} files that the database has in it; is its disk mounted?" in str(done.exception)
    assert (rows(archive, Media), rows(archive, Image)) == before
    assert list((tmp_path / "media").iterdir()) == []


def test_a_template_of_crawls_is_no_matter_to_webps_beside_their_originals(tmp_path, archive):
    done = CliRunner().invoke(app, ["convert", "-s", f"OUTPUT_DIR={tmp_path}", "-s", "MEDIA_PATH=by-model"])

    assert done.exit_code == 0, done.exception
    assert rows(archive, Media)[0].webp_path == "lampwright/7.webp"
