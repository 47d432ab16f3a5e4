"""The bench itself: what it measures is true, and every contender still runs; no figure is judged here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.bench import contenders, heartbeat, measuring, nearness, pictures, resume, scenes, table
from tests.bench.contenders import Job
from tests.bench.measuring import ContenderError, Run
from tests.bench.stage import stage
from tests.bench.table import Bound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.stage import Stage

FILES = 12


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A sandbox with a dozen pictures."""
    with stage(tmp_path_factory.mktemp("stage"), images=FILES) as on:
        yield on


def python(program: str, folder: Path) -> Job:
    """A contender that is a line of Python."""
    return Job(command=[sys.executable, "-c", program], files=folder / "files", folder=folder)


def a_run(*, seconds: float = 2.0, transfer: float = 1.0) -> Run:
    return Run(files=100, seconds=seconds, transfer=transfer, cpu=1.0, memory=50_000_000, requests={"media": 100})


@pytest.mark.crawl
@pytest.mark.parametrize("name", sorted(scenes.THROUGHPUT.every_round | scenes.THROUGHPUT.once))
def test_every_contender_brings_every_file(small, tmp_path, name) -> None:
    if name in contenders.absent():
        pytest.skip(contenders.absent()[name])
    contender = (scenes.THROUGHPUT.every_round | scenes.THROUGHPUT.once)[name]

    done = measuring.run(contender(small, tmp_path), small, tmp_path / "log.txt")

    assert done.files == done.requests["media"] == FILES
    assert 0 < done.transfer < done.seconds


@pytest.mark.crawl
def test_a_crawl_with_a_heartbeat_tells_its_longest_pauses(small, tmp_path) -> None:
    measuring.run(contenders.watched(small, tmp_path), small, tmp_path / "log.txt")

    pauses = heartbeat.read(tmp_path / heartbeat.FILE)

    assert len(pauses) == heartbeat.KEPT
    assert pauses[0].milliseconds >= pauses[-1].milliseconds > 0


@pytest.mark.crawl
def test_a_start_on_an_archive_is_measured_in_every_situation(tmp_path) -> None:
    starts = resume.measure(tmp_path, 1, print, images=2000)

    assert {name: [one.files for one in of] for name, of in starts.items()} == {
        one.name: [one.brings] for one in resume.SITUATIONS
    }
    assert all(0 < one.request <= one.call < one.seconds and one.calls for of in starts.values() for one in of)
    [resumed] = starts[resume.SITUATIONS[1].name]
    assert resumed.calls < resume.HALF // resume.PAGE  # it went on, or it would have asked for every page


def test_the_cost_of_a_command_is_its_own(tmp_path) -> None:
    hungry = "import time; held = bytearray(80_000_000); time.sleep(0.3)"

    spent = measuring.spend(python(hungry, tmp_path), tmp_path / "cost.json", tmp_path / "log.txt")

    assert spent["code"] == 0
    assert spent["seconds"] >= 0.3
    assert 80_000_000 < spent["memory"] < 120_000_000


def test_who_loses_a_file_gets_no_figure(small, tmp_path) -> None:
    with pytest.raises(ContenderError, match=f"of {FILES} files {FILES} did not arrive whole"):
        measuring.run(python("print('done')", tmp_path), small, tmp_path / "log.txt")


def test_who_fails_is_quoted(small, tmp_path) -> None:
    with pytest.raises(ContenderError, match="exit code 3: the harbour is closed"):
        measuring.run(
            python("print('the harbour is closed', flush=True); raise SystemExit(3)", tmp_path),
            small,
            tmp_path / "log.txt",
        )


def test_rounds_are_compared_one_by_one_and_by_the_same_measure() -> None:
    ours, theirs = [a_run(transfer=1.0), a_run(transfer=4.0)], [a_run(transfer=2.0), a_run(transfer=2.0)]

    times = table.ratios(ours, theirs, table.transfer_speed)

    assert times == [2.0, 0.5]
    assert table.ratios(ours, theirs, table.whole_speed) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "at_least", "met"), [([1, 5, 3], True, True), ([1, 5, 2], True, False), ([3], False, False)]
)
def test_the_median_is_held_against_the_bound(values, at_least, met) -> None:
    bound = Bound(name="speed", values=values, limit=3, at_least=at_least)

    assert bound.met is met


@pytest.mark.crawl
def test_pictures_are_converted_beside_cwebp(tmp_path) -> None:
    said = Console(file=StringIO(), width=160)

    bounds = pictures.measure(tmp_path, said, rounds=1, pictures=1)

    names = " ".join(bound.name for bound in bounds)
    assert "metadata, proof" in names
    assert ("cwebp" in names) is (shutil.which("cwebp") is not None)
    assert all(bound.values[0] != 0 for bound in bounds)


def test_what_is_near_is_found_among_many() -> None:
    said = Console(file=StringIO(), width=160)

    [bound] = nearness.measure(said, rounds=2, hashes=3000)

    assert all(value > 0 for value in bound.values)
    assert len(bound.values) == 2


def test_the_command_line_is_explained() -> None:
    words = [sys.executable, "-m", "tests.bench", "--help"]

    told = subprocess.run(words, cwd=contenders.ROOT, capture_output=True, text=True, check=True).stdout

    assert "--rounds" in told
    assert "--scene" in told
