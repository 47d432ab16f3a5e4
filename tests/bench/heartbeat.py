"""``python -m tests.bench.heartbeat USERNAME FILE``: crawl with a pulse, and tell when and where the event loop hung.

A beat every few milliseconds, in the loop; a beat that comes late was kept waiting by whatever ran in between. While
one is overdue, a thread notes what every other thread is at; it cannot while one of them holds the interpreter's lock,
as garbage collection does, which is why that is timed apart. (``faulthandler`` could, but may crash what it looks at.)
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals

from civitscrape.commands.crawling import crawl
from civitscrape.settings import EXTENSIONS

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

FILE = "heartbeat.json"
"""Name of the file within a contender's folder."""
INTERVAL = 0.005
"""Seconds between two beats."""
OVERDUE = 0.02
"""Seconds that a beat is late when the threads are looked at."""
KEPT = 5
"""Longest pauses that are told of."""
CALLS = 5
"""Innermost calls that are told of each thread."""
IDLE = frozenset({"_worker", "wait"})
"""Functions in which threads wait for work."""


@dataclass(slots=True, kw_only=True)
class Pause:
    """One late beat."""

    milliseconds: float
    """How late it was."""
    loop: float
    """Milliseconds that the loop's thread computed meanwhile."""
    others: float
    """Milliseconds that the process's other threads computed meanwhile; the loop may have waited for the interpreter's
    lock. Where both come to little, the loop waited for a disk, or for a core that other processes had."""
    collecting: float
    """Milliseconds of garbage collection meanwhile, in any thread; everything else waits for it."""
    at: float
    """Seconds since the spider was opened."""
    calls: dict[str, str]
    """What each busy thread was at while the beat was overdue, innermost call first; empty when nobody could look."""


class Heartbeat:
    """Beats from the opening of the spider to the end of the engine, report included."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pauses: list[Pause] = []
        self._begun = self._last = time.perf_counter()
        self._calls: dict[str, str] = {}
        self._collecting = 0.0
        self._collection_begun: float | None = None
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look_on, name="watch", daemon=True)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the spider."""
        heart = cls(Path(crawler.settings["HEARTBEAT_FILE"]))
        crawler.signals.connect(heart.start, signal=signals.spider_opened)
        crawler.signals.connect(heart.stop, signal=signals.engine_stopped)
        return heart

    def start(self) -> None:
        """Begin to beat."""
        gc.callbacks.append(self._collected)
        self._begun = self._last = time.perf_counter()
        self._task = asyncio.get_running_loop().create_task(self._beat())
        self._watch.start()

    def stop(self) -> None:
        """Write down what was found."""
        if self._task is not None:
            self._task.cancel()
        self._done.set()
        self._watch.join()
        gc.callbacks.remove(self._collected)
        self._path.write_text(json.dumps([asdict(one) for one in self._pauses], indent=1), "utf-8")

    async def _beat(self) -> None:
        before = self._clocks()
        while True:
            await asyncio.sleep(INTERVAL)
            clocks = self._clocks()
            passed, process, loop, collecting = ((now - then) * 1000 for now, then in zip(clocks, before, strict=True))
            pause = Pause(
                milliseconds=passed - INTERVAL * 1000,
                loop=loop,
                others=process - loop,
                collecting=collecting,
                at=before[0] - self._begun,
                calls=self._calls,
            )
            self._pauses = sorted([*self._pauses, pause], key=lambda one: -one.milliseconds)[:KEPT]
            self._last, self._calls, before = clocks[0], {}, clocks

    def _clocks(self) -> tuple[float, float, float, float]:
        """Read the clocks of the wall, the process, the loop's thread and the garbage collection, in seconds."""
        now, begun = time.perf_counter(), self._collection_begun
        # The thread that collected may not have had the time yet to say that it is done.
        collecting = self._collecting + (now - begun if begun is not None else 0.0)
        return now, time.process_time(), time.thread_time(), collecting

    def _look_on(self) -> None:
        while not self._done.wait(INTERVAL):
            if not self._calls and time.perf_counter() - self._last > INTERVAL + OVERDUE:
                self._calls = busy()

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collection_begun = time.perf_counter()
        elif self._collection_begun is not None:
            self._collecting += time.perf_counter() - self._collection_begun
            self._collection_begun = None


def busy() -> dict[str, str]:
    """Tell what each thread is at, by name; those that wait for work are left out, and the caller's own."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found = {}
    for number, frame in sys._current_frames().items():
        calls = traceback.extract_stack(frame)[-CALLS:][::-1]
        if number != threading.get_ident() and calls[0].name not in IDLE:
            told = [f"{call.name} ({Path(call.filename).name}:{call.lineno})" for call in calls]
            found[names.get(number, str(number))] = " < ".join(told)
    return found


def read(path: Path) -> list[Pause]:
    """Read what a crawl wrote down: its longest pauses, longest first."""
    return [Pause(**one) for one in json.loads(path.read_text("utf-8"))]


def main(username: str, path: str) -> int:
    """Crawl a creator; return the exit code of the crawl."""
    overrides: dict[str, Any] = {"EXTENSIONS": EXTENSIONS | {Heartbeat: 1000}, "HEARTBEAT_FILE": path}
    return crawl("user", {"username": username}, overrides)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
