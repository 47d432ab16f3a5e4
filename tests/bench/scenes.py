"""The scenes that are measured, and what is asked of this project in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.bench import contenders
from tests.bench.contenders import Contender
from tests.bench.table import MEGABYTE, Bound, ratios, transfer_speed, whole_speed

if TYPE_CHECKING:
    from tests.bench.heartbeat import Pause
    from tests.bench.measuring import Run

    Runs = dict[str, list[Run]]

BARE = "civitscrape, SIDECARS=none"
OURS, ARIA2C, STOCK, GALLERY_DL = "civitscrape", "aria2c -j16", "Scrapy FilesPipeline", "gallery-dl, files alone"

CURL, KILLED = "curl", "civitscrape, killed three times"

HUGE = 2_000_000_000
"""Bytes of a huge file."""

BLOCKED = 50
"""Milliseconds that the event loop may be blocked at most."""

CONCURRENCY = 20
"""Files at once where there is latency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Some files, who fetches them, and what is asked."""

    title: str
    images: int
    file_size: int | None
    """Bytes of each file; a few thousand when null."""
    latency: float
    """Milliseconds that every answer waits."""
    every_round: dict[str, Contender]
    once: dict[str, Contender]
    """Contenders that take too long for every round."""
    watched: Contender
    """This project with a heartbeat."""
    judge: Callable[[Runs], list[Bound]]
    videos: int = 0
    """How many of the files are videos."""
    video_bytes: int | None = None
    """Bytes of each video."""


def judge(scene: Scene, runs: Runs, pauses: list[list[Pause]]) -> list[Bound]:
    """Say what is asked, and what was measured of it."""
    bounds = scene.judge(runs) if OURS in runs else []
    if pauses:
        longest = max(one.milliseconds for of in pauses for one in of)
        name = f"longest pause of the event loop, worst of {len(pauses)}"
        bounds.append(Bound(name=name, values=[longest], limit=BLOCKED, unit=" ms"))
    return bounds


def judge_throughput(runs: Runs) -> list[Bound]:
    """Compare speeds by both measures: the whole process, and the transfer alone, as the sandbox saw it."""
    bounds = [
        Bound(
            name=f"{what}: {us}, times {other}", values=ratios(runs[us], runs[other], speed), limit=limit, at_least=True
        )
        for other, limit in ((ARIA2C, 0.85), (STOCK, 1.4))
        for us in (BARE, OURS)
        if other in runs and us in runs
        for what, speed in (("files/s of the transfer", transfer_speed), ("files/s of the whole process", whole_speed))
    ]
    memory = [run.memory / MEGABYTE for run in runs[OURS]]
    return [*bounds, Bound(name="peak memory", values=memory, limit=160, unit=" MB")]


def judge_latency(runs: Runs) -> list[Bound]:
    """Hold the whole process against the clock, and against gallery-dl's."""
    bounds = [
        Bound(name="seconds of the whole process", values=[run.seconds for run in runs[OURS]], limit=8, unit=" s")
    ]
    if GALLERY_DL in runs:
        times = ratios(runs[OURS], runs[GALLERY_DL], whole_speed)
        bounds.append(
            Bound(name=f"whole process, times faster than {GALLERY_DL}", values=times, limit=10, at_least=True)
        )
    return bounds


def judge_big(runs: Runs) -> list[Bound]:
    """Hold one huge file against curl, and against the bytes that it has."""
    bounds = [Bound(name="peak memory", values=[run.memory / MEGABYTE for run in runs[OURS]], limit=150, unit=" MB")]
    if CURL in runs:
        times = ratios(runs[OURS], runs[CURL], transfer_speed)
        bounds.append(Bound(name=f"speed of the transfer, times {CURL}", values=times, limit=0.85, at_least=True))
    if KILLED in runs:
        sent = [run.sent / HUGE for run in runs[KILLED]]
        bounds.append(Bound(name="bytes sent when killed three times, times the file's", values=sent, limit=1.1))
    return bounds


def judge_mixed(runs: Runs) -> list[Bound]:
    """See that big files take neither the memory nor the turn of small ones."""
    return [
        Bound(name="peak memory", values=[run.memory / MEGABYTE for run in runs[OURS]], limit=200, unit=" MB"),
        Bound(
            name="share of the small files that came before the last big one",
            values=[run.ahead for run in runs[OURS]],
            limit=0.9,
            at_least=True,
        ),
    ]


THROUGHPUT = Scene(
    title="2,000 files of 200 KB, no latency",
    images=2000,
    file_size=200_000,
    latency=0,
    every_round={
        ARIA2C: contenders.aria2c,
        OURS: contenders.civitscrape,
        BARE: contenders.without_sidecars,
        STOCK: contenders.scrapy_files,
    },
    once={GALLERY_DL: contenders.gallery_dl},
    watched=contenders.watched,
    judge=judge_throughput,
)

LATENCY = Scene(
    title=f"1,000 small images at 100 ms latency, MEDIA_CONCURRENCY={CONCURRENCY}",
    images=1000,
    file_size=None,
    latency=100,
    every_round={OURS: partial(contenders.civitscrape, concurrency=CONCURRENCY)},
    once={GALLERY_DL: contenders.gallery_dl},
    watched=partial(contenders.watched, concurrency=CONCURRENCY),
    judge=judge_latency,
)

BIG = Scene(
    title="one file of 2 GB, no latency",
    images=1,
    file_size=None,
    latency=0,
    videos=1,
    video_bytes=HUGE,
    every_round={
        CURL: contenders.curl,
        OURS: contenders.civitscrape,
        KILLED: partial(contenders.thrice_killed, size=HUGE),
    },
    once={},
    watched=contenders.watched,
    judge=judge_big,
)

MIXED = Scene(
    title="8 videos of 200 MB beside 2,000 images of 50 KB, no latency",
    images=2008,
    file_size=50_000,
    latency=0,
    videos=8,
    video_bytes=200_000_000,
    every_round={CURL: contenders.curl, OURS: contenders.civitscrape},
    once={},
    watched=contenders.watched,
    judge=judge_mixed,
)

SCENES = {"throughput": THROUGHPUT, "latency": LATENCY, "big": BIG, "mixed": MIXED}
