"""Old parts go, those in use stay."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from civitscrape.downloads import cleaning
from civitscrape.downloads.part import PartFile

if TYPE_CHECKING:
    from pathlib import Path


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_a_part_that_a_process_writes_stays_however_old_it_is(tmp_path):
    path = tmp_path / "a.part"
    part = PartFile(str(path))
    part.write([b"lantern"])
    age(path, 2 * cleaning.OLD)

    kept = cleaning.clean(tmp_path, set())
    part.finish([b"s"])
    age(path, 2 * cleaning.OLD)
    freed = cleaning.clean(tmp_path, set())

    assert (kept, freed) == (0, 8)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_has_nothing_to_clean(tmp_path):
    assert cleaning.resting(tmp_path / "none") == set()
    assert cleaning.clean(tmp_path / "none", set()) == 0
