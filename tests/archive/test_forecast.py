"""What a crawl would bring, by what became of each file before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.archive.database import Archive, upsert
from civitscrape.archive.forecast import FILES, forecast
from civitscrape.items import Image, ModelFile
from civitscrape.ledger import Media, MediaState

if TYPE_CHECKING:
    from pathlib import Path

KEY = "11111111-2222-4333-8444-555555555555"


def holding(path: Path, state: MediaState) -> Archive:
    archive = Archive(f"sqlite:///{path}")
    archive.run_now(upsert, [Image(id=1, key=KEY, type="image")])
    archive.run_now(upsert, [Media(key=KEY, kind="image", entry_id=1, state=state)])
    archive.run_now(upsert, [ModelFile(id=7, version_id=5, name="lantern.safetensors", size_kb=10.0, state=state)])
    return archive


@pytest.mark.parametrize(
    ("state", "picture", "file"),
    [
        (MediaState.STORED, 0, 0),
        (MediaState.GONE, 0, 0),
        (MediaState.REFUSED, 0, 1),
        (MediaState.FAILED, 1, 1),
        (MediaState.WANTED, 1, 1),
    ],
)
def test_what_the_next_crawl_would_ask_for_again_is_to_be_fetched(tmp_path, state, picture, file):
    listed, archive = holding(tmp_path / "new.sqlite", MediaState.WANTED), holding(tmp_path / "old.sqlite", state)

    told = forecast(listed.engine, archive.engine)

    assert {kind: of.to_fetch for kind, of in told.files.items()} == {"image": picture, FILES: file}
    listed.close()
    archive.close()
