"""The scene ``resume``: what it costs to start on an archive of a million images, in three situations.

Each is the released program, as a person starts it, against a sandbox that knows the creator. What is measured: how
long the sandbox waits for the first request, and for the first API call, after the process was started; and the peak
memory until its end. Every round has creators of its own for the situations that are over once they were met.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from civitscrape.items import Level
from civitscrape.ledger import MediaState, WalkState
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.process import spawn
from tests.bench import contenders, hoard, measuring
from tests.bench.measuring import ContenderError
from tests.bench.stage import ask
from tests.bench.table import MEGABYTE, Bound, plain, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from civitscrape.ledger import Walk

    Say = Callable[[str], None]

TITLE = f"start on an archive of {hoard.IMAGES:,} images"
FIRST_REQUEST, MEMORY = 3, 150
"""Seconds, and megabytes, that are allowed."""

PAGE = 200
"""Entries of a page."""
KNOWN, HALF, FRESH = 2 * PAGE, 4 * PAGE, 2 * PAGE
"""Images that the sandbox has of a creator in each situation."""
LISTED = 3 * PAGE
"""Of the second, what was listed before the kill; the walk goes on behind it."""
FETCHED = 100
"""Files of those that had come by then; the others are left over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One way to start."""

    name: str
    creator: Callable[[int], str]
    """Name of the creator in each round."""
    images: int
    mode: str
    brings: int
    """Files that must have come at the end."""


SITUATIONS = (
    Situation(
        name="mode=new, a creator with 100,000 images",
        creator=lambda _: hoard.GREAT,
        images=KNOWN,
        mode="new",
        brings=0,
    ),
    Situation(
        name=f"an unfinished walk, {LISTED - FETCHED} files left over",
        creator="interrupted_{}".format,
        images=HALF,
        mode="all",
        brings=HALF - FETCHED,
    ),
    Situation(
        name="a creator who is new to the archive",
        creator="newcomer_{}".format,
        images=FRESH,
        mode="all",
        brings=FRESH,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What one start came to."""

    request: float
    """Seconds from the start of the process to the arrival of its first request."""
    call: float
    """The same to its first API call, before which the archive was asked where to go on."""
    seconds: float
    """The whole process, with its report."""
    memory: int
    """Bytes at its peak."""
    calls: int
    """API calls."""
    files: int
    """Files that came."""


Starts = dict[str, list[Start]]


def measure(folder: Path, rounds: int, say: Say, *, images: int = hoard.IMAGES) -> Starts:
    """Make the archive, then start on it in every situation, round after round.

    Raises:
        ContenderError: a start failed, or did not bring what was there to be brought.
    """
    output = folder / "resume"
    output.mkdir()
    database = output / "civitscrape.sqlite"
    say(f"the archive of {images:,} images is made")
    hoard.fill(f"sqlite:///{database}", images)
    _put_some(database, output / "media")
    with _sandbox(rounds) as addresses:
        great = hoard.walk_of(hoard.GREAT, WalkState.COMPLETE, entries=KNOWN)
        creators = map(SITUATIONS[1].creator, range(rounds))
        interrupted = [hoard.walk_of(one, WalkState.RUNNING, entries=LISTED) for one in creators]
        hoard.add(f"sqlite:///{database}", [great, *interrupted])
        left = _left_behind(addresses["url"], great, interrupted)
        hoard.add(f"sqlite:///{database}", chain.from_iterable(left))
        starts: Starts = {}
        for number in range(rounds):
            for one in SITUATIONS:
                start = _start(one, one.creator(number), addresses, output)
                say(f"{one.name}: first request after {start.request:.2f} s")
                starts.setdefault(one.name, []).append(start)
    return starts


def _put_some(database: Path, store: Path) -> None:
    """Put some files where the archive has them: a crawl refuses a store that has none of those it looks for."""
    with closing(sqlite3.connect(database)) as connection:
        for (path,) in connection.execute("SELECT path FROM media WHERE state = 'stored' LIMIT 100"):
            (store / path).parent.mkdir(parents=True, exist_ok=True)
            (store / path).touch()


@contextmanager
def _sandbox(rounds: int) -> Iterator[dict[str, Any]]:
    names = dict.fromkeys((one.creator(number), one.images) for number in range(rounds) for one in SITUATIONS)
    specs = [CreatorSpec(username=name, images=images, levels=((Level.PG, 1.0),)) for name, images in names]
    with spawn("--warm", "--creators", json.dumps([asdict(spec) for spec in specs])) as addresses:
        yield addresses


def _left_behind(url: str, great: Walk, interrupted: list[Walk]) -> Iterator[list[Any]]:
    """Make what earlier runs left of the sandbox's creators: all of the first, a part of each second."""
    for one in ask(url, f"/_sandbox/truth/{great.params['username']}")["images"]:
        yield hoard.image_of(one, MediaState.STORED, great)
    for walk in interrupted:
        creator = walk.params["username"]
        truth = {one["id"]: one for one in ask(url, f"/_sandbox/truth/{creator}")["images"]}
        cursor = ""
        for place in range(0, LISTED, PAGE):
            page = ask(url, f"/api/v1/images?username={creator}&sort=Oldest&limit={PAGE}&cursor={cursor}")
            for offset, entry in enumerate(page["items"], place):
                state = MediaState.STORED if offset < FETCHED else MediaState.WANTED
                yield hoard.image_of(truth[entry["id"]], state, walk)
            cursor = page["metadata"]["nextCursor"]
        counted, _, moment = cursor.partition("|")
        walk.cursor = f"{int(counted) - 1}|{moment}"  # as the spider asks, so that pages overlap
        yield [walk]


def _start(situation: Situation, creator: str, addresses: dict[str, Any], output: Path) -> Start:
    folder = Path(tempfile.mkdtemp(dir=output.parent))
    words = ["-a", f"username={creator}", "-a", f"mode={situation.mode}"]
    job = contenders.crawl(words, addresses, output)
    ask(addresses["url"], "/_sandbox/requests", method="DELETE")
    before = _stored(output / "civitscrape.sqlite")
    begun = time.time()
    spent = measuring.spend(job, folder / "cost.json", folder / "log.txt")
    asked = ask(addresses["url"], "/_sandbox/requests")["requests"]
    files = _stored(output / "civitscrape.sqlite") - before
    if spent["code"] != 0 or files != situation.brings:
        raise ContenderError(
            f"{situation.name}: {files} files came instead of {situation.brings}, exit code {spent['code']}: "
            f"{measuring.last_words(folder / 'log.txt')}"
        )
    calls = [one["at"] for one in asked if one["role"] == "api"]
    return Start(
        request=min(one["at"] for one in asked) - begun,
        call=min(calls) - begun,
        seconds=spent["seconds"],
        memory=spent["memory"],
        calls=len(calls),
        files=files,
    )


def _stored(database: Path) -> int:
    """Count the files that the archive has."""
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM media WHERE state = 'stored'").fetchone()[0])


def figures(starts: Starts) -> Table:
    """Put the figures into a table: medians, lowest and highest in brackets; of peak memories the highest."""
    table = plain(TITLE)
    for name in ("", "runs", "first request, s", "first API call, s", "whole process, s", "peak, MB", "calls", "files"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for name, of in starts.items():
        columns = [
            *(spread([getattr(one, field) for one in of]) for field in ("request", "call", "seconds")),
            f"{max(one.memory for one in of) / MEGABYTE:.0f}",
            *(f"{median(getattr(one, field) for one in of):.0f}" for field in ("calls", "files")),
        ]
        table.add_row(name, str(len(of)), *columns)
    return table


def judge(starts: Starts) -> list[Bound]:
    """Hold every situation against what is asked."""
    bound = partial(Bound, at_least=False)
    return [
        one
        for name, of in starts.items()
        for one in (
            bound(name=f"first request: {name}", values=[one.request for one in of], limit=FIRST_REQUEST, unit=" s"),
            bound(name=f"peak memory: {name}", values=[one.memory / MEGABYTE for one in of], limit=MEMORY, unit=" MB"),
        )
    ]
