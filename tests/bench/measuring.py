"""Run a contender once: what it cost, what the sandbox saw of it, and whether every file arrived whole."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench import cost

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.contenders import Job
    from tests.bench.stage import Stage

PATIENCE = 400
"""Seconds until a contender is given up; gallery-dl needs a good hundred for a thousand files at 100 ms."""

LAST_WORDS = 2000
"""Characters of what a contender said that are shown when it fails."""


class ContenderError(Exception):
    """A contender could not run, or lost files: it gets no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one contender."""

    files: int
    """Files that arrived, each of them whole."""
    seconds: float
    """The whole process, from its start to its end."""
    transfer: float
    """Seconds from the first request for a file to the end of the last one, as the sandbox saw them."""
    cpu: float
    """Seconds of user and system time, children included."""
    memory: int
    """Bytes of the peak of the largest process."""
    requests: dict[str, int]
    """Requests by role."""
    sent: int = 0
    """Bytes of files that the sandbox sent."""
    ahead: float = 1.0
    """Share of the pictures that were there before the last film was."""


def run(job: Job, stage: Stage, log: Path) -> Run:
    """Run a contender once.

    Args:
        job: what is to be run.
        stage: the sandbox that it fetches from.
        log: file for what it says.

    Raises:
        ContenderError: it failed, took too long, or did not bring every file whole.
    """
    result = log.with_suffix(".cost")
    stage.seen()
    # Nobody shall wait for what the one before left to be written.
    os.sync()
    spent = spend(job, result, log)
    seen = stage.seen()
    if spent["code"] != 0:
        raise ContenderError(f"ended with exit code {spent['code']}: {last_words(log)}")
    flaw = _flaw_of_files(job.files, stage) or (
        job.output and _flaw_of_records(job.output, stage, sidecars=job.sidecars)
    )
    if flaw:
        raise ContenderError(f"{flaw}; it said: {last_words(log)}")
    return Run(
        files=stage.hashes.total(),
        seconds=spent["seconds"],
        transfer=seen.transfer,
        cpu=spent["cpu"],
        memory=spent["memory"],
        requests=seen.requests,
        sent=seen.sent,
        ahead=seen.ahead,
    )


def spend(job: Job, result: Path, log: Path) -> dict[str, Any]:
    """Run the command in a session of its own, so that it can be stopped with all that it started; see ``cost.py``.

    Raises:
        ContenderError: it could not be started, or took too long.
    """
    words = [sys.executable, "-I", "-S", cost.__file__, str(result), *job.command]
    with log.open("wb") as said:
        process = subprocess.Popen(
            words, cwd=job.folder, env=job.environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise ContenderError(f"did not end within {PATIENCE} s: {last_words(log)}") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode != 0:
        raise ContenderError(f"could not be started: {last_words(log)}")
    spent: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return spent


def last_words(log: Path) -> str:
    """Quote the end of what was said."""
    return log.read_text("utf-8", "replace")[-LAST_WORDS:].strip() or "nothing"


def _flaw_of_files(folder: Path, stage: Stage) -> str | None:
    """Compare the bytes of every file with the truth; sidecars are the one thing that may lie beside them."""
    found: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".json":
            with path.open("rb") as file:
                found[hashlib.file_digest(file, "sha256").hexdigest()] += 1
    if found == stage.hashes:
        return None
    lost, strange = (stage.hashes - found).total(), (found - stage.hashes).total()
    return f"of {stage.hashes.total()} files {lost} did not arrive whole, and {strange} others lie in {folder}"


def _flaw_of_records(output: Path, stage: Stage, *, sidecars: bool) -> str | None:
    """Make sure that a crawl of ours brought the records too, and called itself complete."""
    with closing(sqlite3.connect(output / "civitscrape.sqlite")) as database:
        images, prompts = database.execute(
            "SELECT count(*), count(prompt) FROM images WHERE path IS NOT NULL"
        ).fetchone()
        tags = database.execute("SELECT count(*) FROM image_tags").fetchone()[0]
        outcome = database.execute("SELECT outcome FROM runs ORDER BY started_at DESC").fetchone()[0]
    beside = len(list((output / "media").rglob("*.json")))
    found = (images, prompts, tags, beside, outcome)
    files = stage.hashes.total()
    expected = (files, stage.prompts, stage.tags, files if sidecars else 0, "complete")
    names = "images with a file, prompts, tags, sidecars, outcome"
    return None if found == expected else f"the archive holds {found} ({names}), not {expected}"
