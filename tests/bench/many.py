"""What a crawl of very many small files keeps in memory: as much at its end as after the first tenth."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import psutil

from tests.bench import contenders
from tests.bench.measuring import ContenderError, last_words
from tests.bench.stage import stage
from tests.bench.table import MEGABYTE, Bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = 100_000
EARLY = FILES // 10
"""Files after which the memory of the end is foretold."""
WINDOW = FILES // 50
"""Files on either side of that, and before the end, whose looks count: a collector's turn shall not decide."""
SAMPLE = 0.5
"""Seconds between two looks."""


def measure(folder: Path, say: Callable[[str], None]) -> list[Bound]:
    """Crawl them all, once: it takes minutes.

    Raises:
        ContenderError: the crawl failed, or left something out.
    """
    say(f"{FILES:,} small files: the sandbox makes them up")
    with stage(folder, images=FILES, formats=("jpeg",)) as on:
        job = contenders.civitscrape(on, folder / "many")
        log = folder / "many.log"
        with log.open("wb") as said:
            process = subprocess.Popen(job.command, cwd=job.folder, env=job.environment, stdout=said, stderr=said)
            looks = list(_looks(process, folder / "many" / "output" / "civitscrape.sqlite", say))
    if process.returncode != 0 or not looks or looks[-1][0] != FILES:
        raise ContenderError(f"ended with {process.returncode} and {looks[-1:]}: {last_words(log)}")
    early = max(memory for stored, memory in looks if abs(stored - EARLY) <= WINDOW)
    end = max(memory for stored, memory in looks if stored >= FILES - WINDOW)
    return [
        Bound(name=f"memory at {EARLY:,} files", values=[early / MEGABYTE], limit=200, unit=" MB"),
        Bound(name=f"memory at {FILES:,} files, times that", values=[end / early], limit=1.2),
    ]


def _looks(process: subprocess.Popen[bytes], database: Path, say: Callable[[str], None]) -> Iterator[tuple[int, int]]:
    """Look now and then how many files are stored, and how many bytes the process has, until it ends."""
    told = 0
    while process.poll() is None:
        with suppress(psutil.Error, sqlite3.Error):
            look = _stored(database), int(psutil.Process(process.pid).memory_info().rss)
            if look[0] // EARLY > told:
                told = look[0] // EARLY
                say(f"{look[0]:,} files: {look[1] / MEGABYTE:.0f} MB")
            yield look
        time.sleep(SAMPLE)


def _stored(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM media WHERE state = 'stored'").fetchone()[0])
