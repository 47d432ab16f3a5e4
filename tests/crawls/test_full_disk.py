"""A disk that fills ends the run in one clear line, with nothing half-written; with room again the next one completes."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import SCRAPY, project, run
from tests.crawls.test_kill import damaged
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.crawl

WORDS = ("crawl", "user", "-a", f"username={NAME}")
KIB = 1024
DISK = 16 * 1024 * KIB


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """Mount a small disk of memory as the output folder."""
    folder = tmp_path / "output"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder))
    done = subprocess.run([mount or "mount", *options], capture_output=True, text=True, check=False) if mount else None
    if done is None or done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip() if done else 'there is no mount'}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, room: int) -> Path:
    """Leave so much room on a disk; return the file that takes the rest."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.truncate(0)
        free = shutil.disk_usage(disk).free
        file.write(bytes(free - room))
    return ballast


def lines_of(stderr: str) -> list[str]:
    """Pick what was said of what cannot be written, the report at the end apart."""
    log, _, _ = stderr.partition("\n Run ") if "\n Run " in stderr else stderr.partition("Run 2")
    return [line for line in log.splitlines() if "the crawl stops" in line]


@pytest.mark.parametrize("room", [450, 800, 1400, 2200])
def test_a_disk_that_fills_ends_the_run_in_one_line_and_room_lets_the_next_complete(tmp_path, disk, room):
    sight = world(90, file_size=20_000)
    truth, archive = sight.truth(NAME, 3), Archived(disk)

    with Sandbox(sight).in_thread() as sandbox:
        ballast = fill(disk, room * KIB)
        stopped = run(SCRAPY, *WORDS, folder=project(tmp_path), settings=sandbox.settings())
        left = damaged(archive, truth)
        ballast.unlink()
        whole = run(SCRAPY, *WORDS, folder=tmp_path, settings=sandbox.settings())

    print(stopped.stderr[-6000:])
    assert left == []
    assert "Traceback" not in stopped.stderr
    assert len(lines_of(stopped.stderr)) == 1
    assert "outcome: incomplete" in stopped.stderr
    assert whole.returncode == 0, whole.stderr
    assert archive.differences(truth) == []
    assert archive.latest_report()["outcome"] == "complete"
