"""Crawls that leave what the documentation speaks of, run once for all tests that hold it against them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from civitscrape.sandbox import model_files
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import default_world
from tests.docs.commands import own_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass
class Demonstrated:
    """A folder in which crawls ran, and what they wrote to the terminal."""

    folder: Path
    said: str
    files: list[str]
    """Paths of the files below the output folder, as the crawls left it: tests of other processes work in it."""

    @property
    def output(self) -> Path:
        return self.folder / "output"


def run(folder: Path, words: Sequence[str], **settings: str) -> str:
    """Run a command in a folder, and return what it wrote to the terminal."""
    command = shutil.which(words[0], path=sysconfig.get_path("scripts"))
    plain = {name: value for name, value in os.environ.items() if name not in own_settings()}

    assert command is not None
    done = subprocess.run(
        [command, *words[1:]],
        cwd=folder,
        env={**plain, **settings, "COLUMNS": "96"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demonstrated:
    return once(tmp_path_factory, "demo", lambda folder: run(folder, ["civitscrape", "demo"]))


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Demonstrated:
    """Return an archive that has models, posts, votes, a collection and somebody's own model files."""
    return once(tmp_path_factory, "varied", crawl_everything)


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], str]) -> Demonstrated:
    """Make an archive once for all processes that tests are spread over."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    told = folder.with_suffix(".json")
    with FileLock(folder.with_suffix(".lock")):
        if not told.exists():
            folder.mkdir(exist_ok=True)
            said, output = make(folder), folder / "output"
            files = sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
            told.write_text(json.dumps([said, files]), "utf-8")
    return Demonstrated(folder, *json.loads(told.read_text("utf-8")))


def crawl_everything(folder: Path) -> str:
    """Crawl all that queries of the documentation ask for; return what was said."""
    world = default_world()
    (folder / "models").mkdir()
    number = world.model_truth("lampwright").files[0]["id"]
    (folder / "models" / "mine.safetensors").write_bytes(model_files.content(world.files[number]))
    crawls = [
        "user -a username=lampwright -a content=images,videos,posts,models -a votes=yes -a level=all -a download=none",
        f"collection -a collection_id={next(iter(world.collections))} -a download=none",
        "hash -a path=models -a download=none",
    ]
    with Sandbox(world).in_thread() as sandbox:
        settings = {**sandbox.settings(), "CIVITAI_API_KEY": SANDBOX_ACCOUNT.key, "API_DELAY": "0.01"}
        said = [
            run(folder, ["scrapy", "crawl", *words.split()], SCRAPY_SETTINGS_MODULE="civitscrape.settings", **settings)
            for words in crawls
        ]
    return "".join(said)
