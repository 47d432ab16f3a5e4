"""``python -m tests.bench [--rounds N] [--scene NAME]``: run every contender; print figures, ratios, what is asked.

The scene ``resume`` has no contenders: it starts on an archive of a million images, and says what that costs.
Contenders take turns, round after round, so that a busy machine is busy for all of them. The exit code is 0 whatever
the figures say, and 1 when a contender could not run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.bench import contenders, many, nearness, pictures, resume, scenes, table, votes
from tests.bench.measuring import ContenderError
from tests.bench.stage import stage
from tests.bench.turns import Turns

if TYPE_CHECKING:
    from tests.bench.scenes import Scene

RESUME = "resume"
"""Name of the scene that has no contenders: what it costs to start on a large archive."""

CONVERT = "convert"
"""The scene that fetches nothing."""
VOTES = "votes"
"""Scene that is measured by counting, and has no other contenders."""

DUPLICATES = "duplicates"
"""Scene that asks what is near among hashes."""

MANY = "many"
"""Scene that takes minutes, and so is measured only when it is asked for."""

WIDTH = 160
"""Columns where there is no terminal that says how many it has."""


def main() -> int:
    """Measure what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often the contenders take turns (default: 3)")
    everything = [*scenes.SCENES, RESUME, CONVERT, VOTES, DUPLICATES]
    parser.add_argument("--scene", choices=[*everything, MANY], help="measure only this one")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    absent = contenders.absent() if options.scene not in {CONVERT, DUPLICATES} else {}
    for reason in absent.values():
        console.print(f"left out: {reason}")
    compile_everything()
    chosen = [options.scene] if options.scene else everything
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="civitscrape-bench-") as folder:
        for name in chosen:
            if name == RESUME:
                failed += measure_resume(Path(folder), console, options.rounds)
            elif name == CONVERT:
                console.print(table.judgement(pictures.measure(Path(folder) / CONVERT, console, options.rounds)))
            elif name == VOTES:
                console.print(table.judgement(votes.measure(Path(folder)), title="Votes of 1,000 images"))
            elif name == MANY:
                console.print(table.judgement(many.measure(Path(folder), _progress().print)))
            elif name == DUPLICATES:
                console.print(table.judgement(nearness.measure(console, options.rounds)))
            else:
                failed += measure(scenes.SCENES[name], Path(folder), console, options.rounds, absent)
    console.print(table.LEGEND, markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0


def compile_everything() -> None:
    """Compile what the contenders import, so that the first one to start does not pay for it."""
    folders = [sysconfig.get_path("purelib"), *(str(contenders.ROOT / name) for name in ("civitscrape", "tests/bench"))]
    # Some libraries bring files that are no Python of this version; nobody imports those.
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "-j", "0", *folders], check=False)


def measure(scene: Scene, folder: Path, console: Console, rounds: int, absent: dict[str, str]) -> set[str]:
    """Measure a scene and print what came of it; return who could not run."""
    progress = _progress()
    progress.print(f"{scene.title}: the sandbox draws its pictures")
    with stage(
        folder,
        images=scene.images,
        file_size=scene.file_size,
        latency=scene.latency,
        videos=scene.videos,
        video_bytes=scene.video_bytes,
    ) as on:
        turns = Turns(scene, on, folder, progress.print)
        turns.take(rounds, absent)
    console.print(table.figures(scene.title, turns.runs))
    console.print(table.judgement(scenes.judge(scene, turns.runs, turns.pauses)))
    for line in table.worst(turns.pauses):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return turns.failed


def measure_resume(folder: Path, console: Console, rounds: int) -> set[str]:
    """Measure what it costs to start on a large archive, and print what came of it; return whether it could not run."""
    progress = _progress()
    try:
        starts = resume.measure(folder, rounds, progress.print)
    except ContenderError as error:
        progress.print(str(error))
        return {RESUME}
    console.print(resume.figures(starts))
    console.print(table.judgement(resume.judge(starts)))
    return set()


def _progress() -> Console:
    return Console(stderr=True, style="dim", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
