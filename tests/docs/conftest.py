"""What `make demo` leaves and says, run once for all tests that hold the documentation against it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.commands import own_settings


@dataclass
class Demonstrated:
    """A folder in which the demo ran, and what it wrote to the terminal."""

    folder: Path
    said: str

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def files(self) -> list[str]:
        """Paths of the files below the output folder."""
        return sorted(path.relative_to(self.output).as_posix() for path in self.output.rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demonstrated:
    folder = tmp_path_factory.mktemp("demo")
    command = shutil.which("civitscrape", path=sysconfig.get_path("scripts"))
    plain = {name: value for name, value in os.environ.items() if name not in own_settings()}

    assert command is not None
    done = subprocess.run(
        [command, "demo"],
        cwd=folder,
        env={**plain, "COLUMNS": "96"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return Demonstrated(folder, done.stdout)
