"""A crawl that is killed in the middle of a big file goes on with it: of images, videos and model files alike."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.items import Level
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.faults import Fault
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.archive import Archived
from tests.crawls.processes import PATIENCE, SCRAPY, project, run, start

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.crawl

SIZE = 12_000_000
NAME = "lampwright"
KINDS: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "image": ({"images": 1, "formats": ("png",), "file_size": SIZE}, "media", ("user", "-a", f"username={NAME}")),
    "video": ({"images": 1, "videos": 1, "video_bytes": SIZE}, "media", ("user", "-a", f"username={NAME}")),
    "model file": (
        {"images": 2, "models": 1, "versions_per_model": 1, "files_per_version": 1, "model_file_bytes": (SIZE, SIZE)},
        "storage",
        ("user", "-a", f"username={NAME}", "-a", "content=models,files"),
    ),
}


def written(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "output" / "media" / ".parts").glob("*.part"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_download_goes_on_where_it_stopped(tmp_path, kind):
    options, role, words = KINDS[kind]
    sight = World.build(creators=[CreatorSpec(username=NAME, levels=((Level.PG, 1.0),), **options)])
    folder = project(tmp_path)
    stalls = [
        {"role": role, "fault": Fault.STALL, "share": share, "seconds": 600, "times": 1, "path": path}
        for path in (("/storage/",) if role == "storage" else ("/xG1nkqKTMzGDvpLrqFT7WA/",))
        for share in (0.3, 0.6)
    ]

    with Sandbox(sight, faults=stalls).in_thread() as sandbox:
        settings = sandbox.settings() | {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
        for _ in stalls:
            before = written(folder)
            process = start((*SCRAPY, "crawl"), *words, folder=folder, settings=settings)
            deadline = time.monotonic() + PATIENCE
            while written(folder) < before + 2_000_000 and time.monotonic() < deadline:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            process.kill()
            process.communicate()
        done = run((*SCRAPY, "crawl"), *words, folder=folder, settings=settings)

    archive = Archived(folder / "output")
    big = next(path for path in archive.files() if path.stat().st_size == SIZE)
    told = {one["sha256"] for one in sight.truth(NAME, 31).images} | {
        one["sha256"].lower() for one in sight.model_truth(NAME).files
    }
    asked = [line for line in sandbox.log.of(role) if line.range or line.sent > SIZE // 5]
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(big.read_bytes()).hexdigest() in told
    assert [bool(line.range) for line in asked] == [False, True, True]
    assert int(asked[-1].range.removeprefix("bytes=").removesuffix("-")) > SIZE // 3
    assert list((archive.media / ".parts").glob("*")) == []
