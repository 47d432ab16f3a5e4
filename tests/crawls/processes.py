"""Crawls as people start them: a command in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SCRAPY = (sys.executable, "-m", "scrapy")
CIVITSCRAPE = (str(Path(sys.executable).with_name("civitscrape")),)
PATIENCE = 60
"""Seconds after which a command hangs."""

QUICK = {"API_DELAY": "0", "RETRY_BACKOFF": "0.01"}


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of this process with our settings in it, and without proxies of its own."""
    proxies = {f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")}
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
    return {**inherited, **QUICK, **settings}


def project(folder: Path) -> Path:
    """Make a folder from which ``scrapy`` finds the project."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "scrapy.cfg", folder)
    return folder


def start(command: tuple[str, ...], *words: str, folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    return subprocess.Popen(
        [*command, *words],
        cwd=folder,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    command: tuple[str, ...], *words: str, folder: Path, settings: Mapping[str, str], patience: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder to its end."""
    return subprocess.run(
        [*command, *words],
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
