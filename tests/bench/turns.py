"""Contenders take turns in a scene, each in a folder of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import heartbeat
from tests.bench.measuring import ContenderError, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.contenders import Contender
    from tests.bench.scenes import Runs, Scene
    from tests.bench.stage import Stage

    Say = Callable[[str], None]

WATCHED = "civitscrape with a heartbeat"


class Turns:
    """The runs of one scene; who fails once is left out from then on, and that is said."""

    def __init__(self, scene: Scene, stage: Stage, folder: Path, say: Say) -> None:
        self._scene = scene
        self._stage = stage
        self._folder = folder
        self._say = say
        self.runs: Runs = {}
        self.pauses: list[list[heartbeat.Pause]] = []
        """Longest pauses of the event loop, longest first, of each crawl with a heartbeat; these are not timed."""
        self.failed: set[str] = set()

    def take(self, rounds: int, absent: dict[str, str]) -> None:
        """Let everybody run who is there."""
        scene = self._scene
        for number in range(rounds):
            for name, contender in (scene.every_round | scene.once if number == 0 else scene.every_round).items():
                if name not in absent:
                    self._run(name, contender)
            self._run(WATCHED, scene.watched)

    def _run(self, name: str, contender: Contender) -> None:
        if name in self.failed:
            return
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            done = run(contender(self._stage, folder), self._stage, folder / "log.txt")
        except ContenderError as error:
            self._say(f"{name} gets no figure: {error}")
            self.failed.add(name)
            self.runs.pop(name, None)
            return
        self._say(f"{name}: {done.seconds:.2f} s")
        if name == WATCHED:
            self.pauses.append(heartbeat.read(folder / heartbeat.FILE))
        else:
            self.runs.setdefault(name, []).append(done)
        empty(folder)


def empty(folder: Path) -> None:
    """Cut all files of a folder to nothing, but keep them.

    Files are removed after the last run only: an ext4 without a journal looks, for each file that it makes, past every
    one that was removed within the last minutes, and whoever runs next would be charged for that.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)
