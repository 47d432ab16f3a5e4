"""An archive over a real file."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from civitscrape.archive.claims import Claims
from civitscrape.archive.database import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "civitscrape.sqlite"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive with nothing in it once, because making its tables takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / NAME
    Archive(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / NAME}"


@pytest.fixture
def archive(empty: Path, tmp_path: Path, url: str) -> Iterator[Archive]:
    shutil.copyfile(empty, tmp_path / NAME)
    archive = Archive(url)
    yield archive
    archive.close()


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Claims]:
    """Hold the lock of a run."""
    claims = Claims(tmp_path / "locks", "20261121T090000-q2m5")
    claims.open()
    yield claims
    claims.close()
