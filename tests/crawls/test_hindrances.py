"""What gets in the way of a crawl at work: a locked database, a folder that goes, a clock that goes back."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import PATIENCE, SCRAPY, project, run, start
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.crawl

WORDS = ("crawl", "user", "-a", f"username={NAME}")
SIGHT = world(60)
TRUTH = SIGHT.truth(NAME, 3)
DAY = 86_400


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve files slowly enough that a crawl is met at work."""
    with Sandbox(SIGHT, latency={"media": 150}).in_thread() as found:
        yield found


@pytest.fixture
def archive(tmp_path) -> Archived:
    return Archived(project(tmp_path) / "output")


def at_work(sandbox: Sandbox, files: int, folder: Path, settings: dict[str, str]) -> subprocess.Popen[str]:
    """Start a crawl, and wait until it has asked for so many files."""
    before = len(sandbox.log.of("media"))
    process = start(SCRAPY, *WORDS, folder=folder, settings={**settings, "MEDIA_CONCURRENCY": "2"})
    deadline = time.monotonic() + PATIENCE
    while len(sandbox.log.of("media")) < before + files:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "nothing was asked"
        time.sleep(0.005)
    return process


def end(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a crawl; return what it said, which is never a traceback."""
    _, stderr = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in stderr, stderr
    return stderr


def stops(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if "the crawl stops" in line]


def completes(archive: Archived, folder: Path, settings: dict[str, str]) -> str:
    """Run the same command again, and hold what it leaves against the truth; return what it said."""
    done = run(SCRAPY, *WORDS, folder=folder, settings=settings)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert archive.differences(TRUTH) == []
    assert archive.latest_report()["outcome"] == "complete"
    return done.stderr


def hold_the_lock(archive: Archived) -> sqlite3.Connection:
    """Begin to write, as another program might, and leave it at that."""
    connection = sqlite3.connect(archive.folder / "civitscrape.sqlite", isolation_level=None, timeout=PATIENCE)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def wait_out(sandbox: Sandbox, archive: Archived, folder: Path, seconds: float) -> None:
    """Lock the database under a crawl for a while."""
    process = at_work(sandbox, 4, folder, sandbox.settings())
    with closing(hold_the_lock(archive)) as connection:
        time.sleep(seconds)  # what is shown is that nothing happens
        still_there = process.poll() is None
        connection.execute("ROLLBACK")
    stderr = end(process)

    assert still_there
    assert stops(stderr) == []
    assert process.returncode == 0
    assert archive.differences(TRUTH) == []
    assert archive.latest_report()["outcome"] == "complete"


def test_a_database_that_somebody_locks_for_a_moment_is_waited_for(sandbox, archive, tmp_path):
    wait_out(sandbox, archive, tmp_path, 1)


@pytest.mark.soak
def test_a_database_that_somebody_locks_for_ten_seconds_is_waited_for(sandbox, archive, tmp_path):
    wait_out(sandbox, archive, tmp_path, 10)


@pytest.mark.soak
def test_a_database_that_somebody_never_lets_go_of_stops_the_run_after_the_usual_wait(sandbox, archive, tmp_path):
    stop_for_a_lock(sandbox, archive, tmp_path, sandbox.settings(), patience=200)


def test_a_database_that_somebody_never_lets_go_of_stops_the_run_in_one_line(sandbox, archive, tmp_path):
    address = f"sqlite:///{archive.folder}/civitscrape.sqlite?timeout=0.3"
    stop_for_a_lock(sandbox, archive, tmp_path, {**sandbox.settings(), "DATABASE_URL": address}, patience=PATIENCE)


def stop_for_a_lock(
    sandbox: Sandbox, archive: Archived, folder: Path, settings: dict[str, str], *, patience: float
) -> None:
    """Lock the database under a crawl until it has ended."""
    process = at_work(sandbox, 4, folder, settings)
    with closing(hold_the_lock(archive)):
        _, stderr = process.communicate(timeout=patience)

    [line] = stops(stderr)
    assert "Traceback" not in stderr
    assert "database is locked" in line
    assert "outcome: incomplete" in stderr
    completes(archive, folder, settings)


@pytest.mark.parametrize(
    ("which", "instead"),
    [
        ("media", "a file"),
        (".", "nothing"),
        pytest.param("media", "nothing", marks=pytest.mark.soak),
        pytest.param(".", "a file", marks=pytest.mark.soak),
    ],
)
def test_a_folder_that_goes_stops_the_run_in_one_line_and_its_return_completes_it(
    sandbox, archive, tmp_path, which, instead
):
    process = at_work(sandbox, 4, tmp_path, sandbox.settings())
    folder = (archive.folder / which).resolve()
    away = folder.rename(folder.with_name("away"))
    if instead == "a file":
        folder.touch()
    stderr = end(process)
    in_its_place = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    if folder.is_dir():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
    folder.unlink(missing_ok=True)
    away.rename(folder)

    assert len(stops(stderr)) == 1, stderr
    assert [path for path in in_its_place if path.suffix not in {".json", ".log"}] == []
    assert "outcome: incomplete" in stderr
    if which == "media":  # else the database went with it
        [stored] = archive.rows("SELECT count(*) AS files FROM media WHERE state = 'stored'")
        assert f", {stored['files']} new files" in stderr
    completes(archive, tmp_path, sandbox.settings())


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind the superuser")
def test_a_folder_that_loses_its_rights_stops_the_run_in_one_line(sandbox, archive, tmp_path):
    process = at_work(sandbox, 4, tmp_path, sandbox.settings())
    closed = [archive.media, *(path for path in archive.media.rglob("*") if path.is_dir())]
    for path in closed:
        path.chmod(0o500)
    stderr = end(process)
    for path in closed:
        path.chmod(0o700)

    [line] = stops(stderr)
    assert "Permission denied" in line
    completes(archive, tmp_path, sandbox.settings())


SET_BACK = """
import datetime, os, time
seconds, passing = float(os.environ["SET_BACK"]), time.time
time.time = lambda: passing() - back()
time.time_ns = lambda: int(time.time() * 1e9)
def back():
    return seconds if os.path.exists(os.environ["SET_BACK_ONCE"]) else 0.0
class Moment(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
datetime.datetime = Moment
"""
"""What a process runs before all else: its clock, and not this machine's, goes back once a file is there."""


def clockwork(folder: Path, mark: Path) -> dict[str, str]:
    """Give the settings of a process whose clock goes back a day when a file appears."""
    place = folder / "clock"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(SET_BACK)
    return {"PYTHONPATH": str(place), "SET_BACK": str(DAY), "SET_BACK_ONCE": str(mark)}


def warnings(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if "the clock of this machine was set back" in line]


def test_a_clock_set_back_between_two_runs_is_said_once_and_costs_nothing(sandbox, archive, tmp_path):
    mark = tmp_path / "mark"
    process = at_work(sandbox, 20, tmp_path, sandbox.settings())
    process.kill()
    process.communicate()
    mark.touch()

    stderr = completes(archive, tmp_path, {**sandbox.settings(), **clockwork(tmp_path, mark)})

    [line] = warnings(stderr)
    assert "since the last run" in line
    started = [row["started_at"] for row in archive.rows("SELECT started_at FROM runs ORDER BY rowid")]
    assert started[1] < started[0]


def test_a_clock_set_back_during_a_run_is_said_once_and_costs_nothing(sandbox, archive, tmp_path):
    mark = tmp_path / "mark"
    settings = {**sandbox.settings(), **clockwork(tmp_path, mark)}

    process = at_work(sandbox, 8, tmp_path, settings)
    mark.touch()
    stderr = end(process)

    [line] = warnings(stderr)
    assert "while the crawl ran" in line
    assert process.returncode == 0
    assert archive.differences(TRUTH) == []
    assert archive.latest_report()["outcome"] == "complete"
    mark.unlink()
    assert warnings(completes(archive, tmp_path, sandbox.settings())) == []
