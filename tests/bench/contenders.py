"""Who is measured: how each is started, and where its files go.

Every contender is its released program, unmodified, and fetches the same files from the same sandbox:

* this project: ``scrapy crawl user`` as a person types it, with everything that is on by default: records, tags,
  payloads, sidecars, feeds, report; and once more with ``SIDECARS=none``, so that it makes as many files as the others;
* aria2c with 16 files at once, and Scrapy's own files pipeline: both are given the list of addresses;
* gallery-dl: ``/user/…/images``, files alone, without the pauses that it makes between API calls. It knows the site by
  its own names only, so it comes through the sandbox's proxy; TLS costs it a few milliseconds a file.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import heartbeat, killed, stock
from tests.bench.stage import CREATOR

if TYPE_CHECKING:
    from tests.bench.stage import Stage

ROOT = Path(__file__).parents[2]
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
"""Variables that contenders inherit: no proxy, no setting of ours, and no PYTHONDONTWRITEBYTECODE, which would make
every start of Python compile its libraries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be run."""

    command: list[str]
    files: Path
    """Folder that the files go into, and nothing else but sidecars."""
    folder: Path
    """Where it is started."""
    settings: dict[str, str] = field(default_factory=dict)
    """Variables of its environment, beside those that are kept."""
    output: Path | None = None
    """What a crawl of ours leaves; None for the others."""
    sidecars: bool = True
    """Whether a crawl of ours writes a second file beside each."""

    @property
    def environment(self) -> dict[str, str]:
        """All of its environment."""
        return {name: os.environ[name] for name in KEPT if name in os.environ} | self.settings


Contender = Callable[["Stage", Path], Job]
"""Prepares a job in an empty folder."""


def civitscrape(stage: Stage, folder: Path, *, concurrency: int = 16) -> Job:
    """Crawl as a person does."""
    return crawl(["-a", f"username={CREATOR}"], stage.addresses, folder / "output", concurrency=concurrency)


def crawl(words: list[str], addresses: dict[str, Any], output: Path, *, concurrency: int = 16) -> Job:
    """Crawl a creator with these arguments into a folder, which may hold an archive."""
    command = [sys.executable, "-m", "scrapy", "crawl", "user", *words]
    return _ours(command, addresses, output, concurrency=concurrency)


def without_sidecars(stage: Stage, folder: Path) -> Job:
    """Crawl as a person does, but make one file an image, as the others do."""
    job = civitscrape(stage, folder)
    return replace(job, settings=job.settings | {"SIDECARS": "none"}, sidecars=False)


def watched(stage: Stage, folder: Path, *, concurrency: int = 16) -> Job:
    """Crawl with a heartbeat, which writes ``heartbeat.json`` into the folder."""
    words = [sys.executable, "-m", heartbeat.__name__, CREATOR, str(folder / heartbeat.FILE)]
    return _ours(words, stage.addresses, folder / "output", concurrency=concurrency)


def _ours(words: list[str], addresses: dict[str, Any], output: Path, *, concurrency: int) -> Job:
    settings: dict[str, Any] = addresses["settings"] | {
        "SCRAPY_SETTINGS_MODULE": "civitscrape.settings",
        "OUTPUT_DIR": output,
        "API_DELAY": 0,
        "MEDIA_CONCURRENCY": concurrency,
    }
    return Job(
        command=words,
        files=output / "media",
        folder=ROOT,
        settings={name: str(value) for name, value in settings.items()},
        output=output,
    )


def aria2c(stage: Stage, folder: Path) -> Job:
    """Fetch a list of addresses, 16 at once."""
    addresses, files = folder / "addresses.txt", folder / "files"
    addresses.write_text("".join(f"{url}\n  out={number}\n" for number, url in enumerate(stage.urls)), "utf-8")
    options = ["-j16", "-x1", "--file-allocation=none", "--quiet", "--no-conf", f"--dir={files}"]
    return Job(command=["aria2c", *options, f"--input-file={addresses}"], files=files, folder=folder)


def curl(stage: Stage, folder: Path) -> Job:
    """Fetch a list of addresses, 16 at once, straight to the disk."""
    addresses, files = folder / "addresses.txt", folder / "files"
    addresses.write_text(
        "".join(f'url = "{url}"\noutput = "{files}/{n}"\n' for n, url in enumerate(stage.urls)), "utf-8"
    )
    options = ["--parallel", "--parallel-max", "16", "--silent", "--show-error", "--fail", "--create-dirs"]
    return Job(command=["curl", "-q", *options, "--config", str(addresses)], files=files, folder=folder)


def thrice_killed(stage: Stage, folder: Path, *, size: int) -> Job:
    """Crawl as a person does whose machine stops three times on the way of one file of a size."""
    job = civitscrape(stage, folder)
    words = [sys.executable, "-m", killed.__name__, str(job.files), str(size), *job.command]
    return replace(job, command=words)


def scrapy_files(stage: Stage, folder: Path) -> Job:
    """Fetch a list of addresses with Scrapy as it comes, away from the project, whose settings it must not find."""
    addresses, files = folder / "addresses.txt", folder / "files"
    addresses.write_text("\n".join(stage.urls), "utf-8")
    words = [sys.executable, "-m", "scrapy", "runspider", stock.__file__]
    options = ["-a", f"addresses={addresses}", "-s", f"FILES_STORE={files}"]
    return Job(command=words + options, files=files, folder=folder)


def gallery_dl(stage: Stage, folder: Path) -> Job:
    """Fetch a creator's images as gallery-dl does."""
    settings, files = folder / "gallery-dl.json", folder / "files"
    extractor = {
        "base-directory": str(files),
        "proxy": stage.addresses["proxy"],
        "verify": stage.addresses["ca"],
        # From the newest end, its default, the site loses entries at page boundaries, and files would be missing.
        "civitai": {"api-key": stage.addresses["key"], "sleep-request": 0, "sort": "Oldest"},
    }
    settings.write_text(json.dumps({"extractor": extractor}), "utf-8")
    words = [sys.executable, "-m", "gallery_dl", "--config-ignore", "--config", str(settings), "--quiet"]
    return Job(command=[*words, f"https://civitai.red/user/{CREATOR}/images"], files=files, folder=folder)


def absent() -> dict[str, str]:
    """Name the contenders that this machine does not have, and how to get them."""
    ways = {"aria2c": "Debian: apt install aria2; macOS: brew install aria2", "curl": "Debian: apt install curl"}
    return {name: f"{name} is not installed ({way})" for name, way in ways.items() if not shutil.which(name)}
