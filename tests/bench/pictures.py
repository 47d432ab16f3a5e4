"""The scene ``convert``: pictures become WebP, beside ``cwebp -q 85 -m 4`` on the same files in the same run.

Speeds are megapixels a second of one core: pixels over the CPU time that the system counted, which depends least on
what else the machine does. Only how two threads compare with one is told by the clock, since that is what it is about.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from io import BytesIO
from threading import Event
from typing import TYPE_CHECKING, Any

from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo
from rich import box
from rich.table import Table

from civitscrape.archive import converter
from civitscrape.archive.conversions import Wanted
from civitscrape.archive.converter import Plan
from civitscrape.archive.database import Archive, upsert
from civitscrape.archive.pictures import memory
from civitscrape.items import Image
from civitscrape.ledger import Media, MediaState
from civitscrape.sandbox.pictures import paint
from tests.bench.table import Bound, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

TITLE = "pictures become WebP, quality 85, method 4"
PICTURES, SIZE = 64, (1024, 1536)
"""As large as those of today's models, and so many that the first and the last weigh little."""
QUALITY, METHOD = 85, 4
PAIR = "cwebp, two processes at once"
"""What two cores of this machine are worth: often less than twice one."""
CWEBP, PLAIN, OURS, TWO = "cwebp -q 85 -m 4", "decode and encode alone", "civitscrape", "civitscrape, 2 threads"
ABSENT = "cwebp is not installed (Debian: apt install webp; macOS: brew install webp)"
DATABASE = "civitscrape.sqlite"
MANY_CORES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run over all pictures."""

    megapixels: float
    seconds: float
    cpu: float

    @property
    def per_core(self) -> float:
        """Megapixels a second of one core."""
        return self.megapixels / self.cpu


def measure(folder: Path, console: Console, rounds: int, pictures: int = PICTURES) -> list[Bound]:
    """Let everybody run in turns, and print what came of it; return what was asked."""
    store = folder / "media"
    files = draw(store / "lampwright", pictures)
    megapixels = pictures * SIZE[0] * SIZE[1] / 1e6
    contenders: dict[str, Callable[[], None]] = {
        CWEBP: partial(cwebp, files, folder),
        PAIR: partial(pair, files, folder),
        PLAIN: partial(plain, files),
        OURS: partial(ours, files, folder, threads=1),
        TWO: partial(ours, files, folder, threads=2),
    }
    if shutil.which("cwebp") is None:
        console.print(f"left out: {ABSENT}")
        del contenders[CWEBP], contenders[PAIR]
    if (os.cpu_count() or 1) < MANY_CORES:
        console.print("left out: this machine has one core, and two threads are no quicker than one")
        del contenders[TWO]
        contenders.pop(PAIR, None)
    turns: dict[str, list[Turn]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            book(files, folder)
            turns[name].append(timed(run, megapixels))
    console.print(figures(turns))
    return judge(turns)


def draw(folder: Path, number: int) -> list[Path]:
    """Draw pictures with the grain of a photograph, and with a prompt and a workflow of the usual size in them."""
    folder.mkdir(parents=True)
    grain = Picture.merge("RGB", [Picture.effect_noise(SIZE, 40) for _ in range(3)])
    workflow = json.dumps({"nodes": [{"id": one, "text": f"lantern {one}, " * 10} for one in range(150)]})
    files = []
    for one in range(number):
        info = PngInfo()
        info.add_text("parameters", "amber lantern, harbour at night\nNegative prompt: blurry\nSteps: 30, Seed: 4242")
        info.add_text("workflow", workflow)
        files.append(folder / f"{one + 1}.png")
        Picture.blend(paint(one, *SIZE), grain, 0.12).save(files[-1], pnginfo=info, compress_level=4)
    return files


def cwebp(files: Sequence[Path], folder: Path) -> None:
    """Convert one file after the other, metadata left out."""
    for file in files:
        made = folder.with_suffix(".cwebp.webp")
        words = ["cwebp", "-quiet", "-q", str(QUALITY), "-m", str(METHOD), str(file), "-o", str(made)]
        subprocess.run(words, check=True)


def pair(files: Sequence[Path], folder: Path) -> None:
    """Convert two files at a time, metadata left out."""
    with ThreadPoolExecutor(MANY_CORES) as pool:
        for _ in pool.map(lambda file: cwebp([file], folder / file.stem), files):
            pass


def plain(files: Sequence[Path]) -> None:
    """Decode and encode, and nothing else, with memory as conversions have it."""
    memory.keep()
    for file in files:
        with Picture.open(BytesIO(file.read_bytes())) as picture:
            picture.save(BytesIO(), "WEBP", quality=QUALITY, method=METHOD)


def book(files: Sequence[Path], folder: Path) -> None:
    """Make an archive of these files, in which none is converted."""
    (folder / DATABASE).unlink(missing_ok=True)
    archive = Archive(f"sqlite:///{folder / DATABASE}")
    fields: list[dict[str, Any]] = [{"key": file.stem, "path": f"lampwright/{file.name}"} for file in files]
    archive.run_now(upsert, [Image(id=int(one["key"]), **one) for one in fields])
    hashes = [sha256(file.read_bytes()).hexdigest() for file in files]
    stored: dict[str, Any] = {"kind": "image", "state": MediaState.STORED}
    archive.run_now(upsert, [Media(**one, **stored, sha256=known) for one, known in zip(fields, hashes, strict=True)])
    archive.close()


def ours(files: Sequence[Path], folder: Path, *, threads: int) -> None:
    """Convert the archive: metadata, proof, files in place, database."""
    archive = Archive(f"sqlite:///{folder / DATABASE}")
    plan = Plan(store=folder / "media", wanted=Wanted(), threads=threads)
    tally = converter.run(archive, plan, Event(), lambda _: None)
    archive.close()
    if tally.converted != len(files):
        raise RuntimeError(f"of {len(files)} pictures {tally.converted} were converted: {tally.left}")


def timed(run: Callable[[], None], megapixels: float) -> Turn:
    """Run once; CPU time is of this process, its threads and its children."""
    begun, spent = time.perf_counter(), _cpu()
    run()
    return Turn(megapixels=megapixels, seconds=time.perf_counter() - begun, cpu=_cpu() - spent)


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usages)


def figures(turns: dict[str, list[Turn]]) -> Table:
    """Put the speeds into a table."""
    table = Table(title=TITLE, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "runs", "megapixels/s of one core", "megapixels/s", "seconds", "CPU, s"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for name, of in turns.items():
        columns = [
            [one.per_core for one in of],
            [one.megapixels / one.seconds for one in of],
            [one.seconds for one in of],
            [one.cpu for one in of],
        ]
        table.add_row(name, str(len(of)), *map(spread, columns))
    return table


def judge(turns: dict[str, list[Turn]]) -> list[Bound]:
    """Say what is asked, and what was measured of it, each round with its own."""
    bounds = []
    if CWEBP in turns:
        speed = [one.per_core / other.per_core for one, other in zip(turns[PLAIN], turns[CWEBP], strict=True)]
        whole = [one.per_core / other.per_core for one, other in zip(turns[OURS], turns[CWEBP], strict=True)]
        bounds.append(Bound(name=f"speed of a core: {PLAIN}, times {CWEBP}", values=speed, limit=0.95, at_least=True))
        bounds.append(
            Bound(name=f"speed of a core: all of it, times {CWEBP}", values=whole, limit=0.95 / 1.25, at_least=True)
        )
    more = [100 * (one.cpu / other.cpu - 1) for one, other in zip(turns[OURS], turns[PLAIN], strict=True)]
    bounds.append(Bound(name="metadata, proof, files and database, more CPU", values=more, limit=25, unit=" %"))
    if TWO in turns:
        times = [one.seconds / other.seconds for one, other in zip(turns[OURS], turns[TWO], strict=True)]
        bounds.append(Bound(name="two threads, times one", values=times, limit=1.9, at_least=True))
    return bounds
