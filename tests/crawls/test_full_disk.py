"""A disk that fills ends the run in one clear line, with nothing half-written; with room the next run completes."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from civitscrape.archive import paths
from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import SCRAPY, project, run
from tests.crawls.test_kill import damaged
from tests.crawls.worlds import ASK, NAME, world

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def said(stderr: str) -> list[str]:
    """Pick the lines that say why the crawl stops."""
    assert "Traceback" not in stderr, stderr
    return [line for line in stderr.splitlines() if "the crawl stops" in line]


def half_rows(folder: Path) -> list[str]:
    """Name the feeds that hold something other than whole rows."""
    flawed = []
    for path in folder.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        flawed += [path.name for row in rows if len(row) != len(rows[0])]
    for path in folder.rglob("*.jsonl"):
        lines = path.read_text("utf-8").split("\n")
        flawed += [path.name for line in lines[:-1] if not json.loads(line)]
        flawed += [path.name] * bool(lines[-1])
    return flawed


def fill_once(tmp_path: Path, disk: Path, room: int) -> None:
    """Crawl with so much room in KiB, which is too little, and once more with enough."""
    sight = world(90, file_size=20_000)
    truth, archive = sight.truth(NAME, 3), Archived(disk)

    with Sandbox(sight).in_thread() as sandbox:
        ballast = fill(disk, room * KIB)
        stopped = run(SCRAPY, *WORDS, folder=project(tmp_path), settings=sandbox.settings())
        left, halves = damaged(archive, truth), half_rows(disk / "feeds")
        reports = [json.loads(path.read_text("utf-8")) for path in (disk / "reports").glob("*")]
        ballast.unlink()
        whole = run(SCRAPY, *WORDS, folder=tmp_path, settings=sandbox.settings())

    assert len(said(stopped.stderr)) == 1
    assert "outcome: incomplete" in stopped.stderr
    assert left == halves == []
    assert [one["outcome"] for one in reports] in ([], ["incomplete"])
    assert whole.returncode == 0, whole.stderr
    assert archive.differences(truth) == []
    assert archive.latest_report()["outcome"] == "complete"


def test_a_disk_that_fills_ends_the_run_in_one_line_and_the_next_completes(tmp_path, disk):
    fill_once(tmp_path, disk, 1400)


@pytest.mark.soak
@pytest.mark.parametrize("room", range(300, 2700, 90))
def test_a_disk_may_fill_at_any_place(tmp_path, disk, room):
    fill_once(tmp_path, disk, room)


def test_a_disk_without_room_for_the_database_is_refused_before_anything_is_asked(tmp_path, disk):
    with Sandbox(world(9)).in_thread() as sandbox:
        fill(disk, 100 * KIB)
        stopped = run(SCRAPY, *WORDS, folder=project(tmp_path), settings=sandbox.settings())

    assert stopped.returncode == 1
    assert stopped.stderr.startswith("civitscrape: DATABASE_URL ")
    assert "disk is full" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert list(sandbox.log.lines) == []


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
runpy.run_module("scrapy", run_name="__main__")
"""


def test_a_file_that_the_system_takes_no_more_of_ends_the_run_in_one_line(tmp_path):
    sight = world(6, file_size=3_000_000)
    archive = Archived(project(tmp_path) / "output")

    with Sandbox(sight).in_thread() as sandbox:
        stopped = run((sys.executable, "-c", LIMITED), *WORDS, folder=tmp_path, settings=sandbox.settings())
        left = archive.rows("SELECT DISTINCT state FROM media")
        parts, files = archive.media / ".parts", archive.files()
        whole = run(SCRAPY, *WORDS, folder=tmp_path, settings=sandbox.settings())

    [line] = said(stopped.stderr)
    assert ".part cannot be written: [Errno 27] File too large; see that its disk has room" in line
    assert [row["state"] for row in left] == ["wanted"]
    assert [path for path in files if path.parent != parts or path.suffix != ".part"] == []
    assert whole.returncode == 0, whole.stderr
    assert archive.differences(sight.truth(NAME, 3)) == []


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.is_char_device(), reason="this system has no /dev/full")


def lead_to_full(path: str | Path) -> Path:
    """Put a link to the device without room where a file is to be written."""
    link = Path(path)
    link.parent.mkdir(parents=True)
    link.symlink_to(FULL)
    return link


@needs_full
async def test_a_download_without_room_leaves_its_file_wanted_and_the_next_run_fetches_it(crawl, tmp_path, caplog):
    sight = world(30)
    one = sight.truth(NAME, 3).images[7]
    part = lead_to_full(paths.part_path(tmp_path / "output" / "media", one["key"]))

    with Sandbox(sight).in_thread() as sandbox:
        stopped = await crawl(sandbox, "user", ASK)
        left = stopped.archive.rows("SELECT state, path FROM media WHERE key = ?", one["key"])
        whole = await crawl(sandbox, "user", ASK)

    reason = f"{part} cannot be written: [Errno 28] No space left on device; see that its disk has room"
    assert stopped.outcome == "incomplete"
    assert reason in stopped.report["reasons"]
    assert stopped.report["counts"]["failed"] == 0
    assert left == [{"state": "wanted", "path": None}]
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


@needs_full
async def test_a_feed_without_room_stops_the_run_once_and_is_never_called_complete(crawl, caplog):
    sight = world(30)
    feed = {FULL.as_uri(): {"format": "csv", "item_classes": ["civitscrape.items.Image"]}}

    with Sandbox(sight).in_thread() as sandbox:
        stopped = await crawl(sandbox, "user", ASK, FEEDS=feed)
        whole = await crawl(sandbox, "user", ASK)

    lines = [record for record in caplog.records if "the crawl stops" in record.getMessage()]
    assert stopped.outcome == "incomplete"
    assert len([reason for reason in stopped.report["reasons"] if "cannot be written: No space left" in reason]) == 1
    assert len(lines) == 1
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]
