"""An archive over a real file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.archive.database import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'civitscrape.sqlite'}"


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    archive = Archive(url)
    yield archive
    archive.close()
