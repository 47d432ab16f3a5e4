"""``python -m tests.bench [--rounds N] [--scene NAME]``: run every contender; print figures, ratios, what is asked.

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

from tests.bench import contenders, scenes, table, votes
from tests.bench.stage import stage
from tests.bench.turns import Turns

if TYPE_CHECKING:
    from tests.bench.scenes import Scene

VOTES = "votes"
"""Scene that is measured by counting, and has no other contenders."""

WIDTH = 160
"""Columns where there is no terminal that says how many it has."""


def main() -> int:
    """Measure what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often the contenders take turns (default: 3)")
    parser.add_argument("--scene", choices=[*scenes.SCENES, VOTES], help="measure only this one")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    absent = contenders.absent()
    for reason in absent.values():
        console.print(f"left out: {reason}")
    compile_everything()
    chosen = [scene for name, scene in scenes.SCENES.items() if options.scene in {None, name}]
    with tempfile.TemporaryDirectory(prefix="civitscrape-bench-") as folder:
        failed = [name for scene in chosen for name in measure(scene, Path(folder), console, options.rounds, absent)]
        if options.scene in {None, VOTES}:
            console.print(table.judgement(votes.measure(Path(folder)), title="Votes of 1,000 images"))
    console.print(table.LEGEND, markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0


def compile_everything() -> None:
    """Compile what the contenders import, so that the first one to start does not pay for it."""
    folders = [sysconfig.get_path("purelib"), *(str(contenders.ROOT / name) for name in ("civitscrape", "tests/bench"))]
    # Some libraries bring files that are no Python of this version; nobody imports those.
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "-j", "0", *folders], check=False)


def measure(scene: Scene, folder: Path, console: Console, rounds: int, absent: dict[str, str]) -> set[str]:
    """Measure a scene and print what came of it; return who could not run."""
    progress = Console(stderr=True, style="dim", highlight=False, markup=False, soft_wrap=True)
    progress.print(f"{scene.title}: the sandbox draws its pictures")
    with stage(folder, images=scene.images, file_size=scene.file_size, latency=scene.latency) as on:
        turns = Turns(scene, on, folder, progress.print)
        turns.take(rounds, absent)
    console.print(table.figures(scene.title, turns.runs))
    console.print(table.judgement(scenes.judge(scene, turns.runs, turns.pauses)))
    for line in table.worst(turns.pauses):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return turns.failed


if __name__ == "__main__":
    sys.exit(main())
