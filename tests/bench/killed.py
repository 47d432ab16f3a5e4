"""``python -m tests.bench.killed FOLDER BYTES COMMAND …``: run a command, kill it three times, then let it end.

It is killed when the part below FOLDER has grown by another share of what is to come; no signal that it could catch.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

KILLS = 3
"""How often it is killed."""

LOOK = 0.01
"""Seconds between two looks at the part."""


def main(folder: Path, size: int, command: list[str]) -> int:
    """Run and kill; return the exit code of the last run."""
    for number in range(1, KILLS + 1):
        enough = size * number // (KILLS + 1)
        with subprocess.Popen(command) as process:
            while process.poll() is None and written(folder) < enough:
                time.sleep(LOOK)
            if process.poll() is not None:
                return process.returncode or 1  # it ended before it could be killed: this measures nothing
            process.kill()
    return subprocess.run(command, check=False).returncode


def written(folder: Path) -> int:
    """Return how many bytes the parts have."""
    return sum(part.stat().st_size for part in folder.glob(".parts/*.part"))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
