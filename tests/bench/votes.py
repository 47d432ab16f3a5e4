"""What votes cost: calls with a key, by the listing and by id; pages a second and memory by browser, without one.

Memory is of the whole tree, browser and its driver included: the sum of what each process has for itself and of its
share of what several have (PSS), sampled. Pages a second are those of the sandbox's log, from the first to the last.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from scrapy.settings import Settings

from civitscrape.downloads import browser
from civitscrape.exceptions import ArgumentError
from tests.bench.contenders import KEPT, ROOT
from tests.bench.stage import CREATOR, ask, stage
from tests.bench.table import MEGABYTE, Bound

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.stage import Stage

IMAGES = 1000
SAMPLE = 0.5
"""Seconds between two looks at the memory: adding up the shares of a tree takes a good hundredth of that."""

RECORDS = ("user", f"username={CREATOR}", "download=none")
INLINE = (*RECORDS, "votes=yes")
BATCH = ("votes",)
BROWSER = ("votes", "votes=browser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """One crawl for votes."""

    requests: dict[str, int]
    """Requests by role, as the sandbox saw them."""
    voted: int
    """Images that have votes now."""
    memory: int
    """Bytes of the whole tree at its peak."""
    pages: float
    """Image pages a second, from the first to the last; 0 where there were none."""


def measure(folder: Path) -> list[Bound]:
    """Crawl for votes on a thousand images in every way that this machine can.

    Raises:
        RuntimeError: a crawl failed, or left images without votes.
    """
    with stage(folder, images=IMAGES) as on:
        key = {"CIVITAI_API_KEY": on.addresses["key"]}
        inline = crawl(on, folder / "inline", INLINE, key)
        crawl(on, folder / "batch", RECORDS, {}, voted=0)
        batch = crawl(on, folder / "batch", BATCH, key)
        bounds = [
            Bound(name="calls with a key, by the listing", values=[inline.requests["api"]], limit=IMAGES / 200 + 1),
            Bound(name="calls with a key, by id", values=[batch.requests["api"]], limit=IMAGES / 50 + 1),
        ]
        if (reason := absent()) is not None:
            sys.stderr.write(f"left out: {reason}\n")
            return bounds
        crawl(on, folder / "browser", RECORDS, {}, voted=0)
        seen = crawl(on, folder / "browser", BROWSER, {})
    return [
        *bounds,
        Bound(name="pages/s by browser", values=[seen.pages], limit=6, at_least=True),
        Bound(name="peak memory by browser, whole tree", values=[seen.memory / MEGABYTE], limit=700, unit=" MB"),
    ]


def absent() -> str | None:
    """Say why there is no browser; None where there is one."""
    settings = Settings()
    settings.setmodule("civitscrape.settings")
    try:
        browser.require(settings)
    except ArgumentError as error:
        return str(error)
    return None


def crawl(on: Stage, output: Path, words: tuple[str, ...], settings: dict[str, str], *, voted: int = IMAGES) -> Votes:
    """Crawl once, and watch the memory of the process and of all that it starts."""
    spider, *arguments = words
    command = [sys.executable, "-m", "scrapy", "crawl", spider, *(word for one in arguments for word in ("-a", one))]
    own: dict[str, Any] = {**on.addresses["settings"], "OUTPUT_DIR": output, "API_DELAY": 0, **settings}
    inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment = inherited | {name: str(value) for name, value in own.items()}
    environment["SCRAPY_SETTINGS_MODULE"] = "civitscrape.settings"
    ask(on.addresses["url"], "/_sandbox/requests", method="DELETE")
    with (output.with_suffix(".log")).open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        peak = watch(process)
    told = ask(on.addresses["url"], "/_sandbox/requests", method="DELETE")
    with closing(sqlite3.connect(output / "civitscrape.sqlite")) as database:
        found = database.execute("SELECT count(votes_at) FROM images").fetchone()[0]
    if process.returncode != 0 or found != voted:
        last = output.with_suffix(".log").read_text("utf-8", "replace")[-2000:]
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode} and votes of {found} images: {last}")
    times = [one["at"] for one in told["requests"] if one["url"].startswith("/images/")]
    pages = (len(times) - 1) / (max(times) - min(times)) if len(times) > 1 else 0.0
    return Votes(requests=told["counts"], voted=found, memory=peak, pages=pages)


def watch(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process; tell the highest memory of it and of its children."""
    peak = 0
    while process.poll() is None:
        with suppress(psutil.Error):
            root = psutil.Process(process.pid)
            peak = max(peak, sum(memory(one) for one in [root, *root.children(recursive=True)]))
        time.sleep(SAMPLE)
    return peak


def memory(process: psutil.Process) -> int:
    """Tell the bytes of a process: its share where the system tells that, else all that is resident."""
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.rss))
