"""Converting, moving, checking, asking for votes and crawling again: each knows what the others have done."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, PATIENCE, run, start
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

pytestmark = pytest.mark.crawl

PADDED = 30_000


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(world(24, file_size=PADDED, formats=("png",))).in_thread() as sandbox:
        yield sandbox


@pytest.fixture
def civitscrape(sandbox: Sandbox, tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Run a command on one archive."""
    settings = {**sandbox.settings(), "WEBP_METHOD": "0", "CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
    return lambda *words: run(CIVITSCRAPE, *words, folder=tmp_path, settings=settings)


def converted(archive: Archived) -> dict[int, Path]:
    """Find the files of images whose original a WebP has replaced."""
    query = "SELECT i.id, i.path FROM images i JOIN media m ON m.key = i.key WHERE m.path = m.webp_path"
    return {row["id"]: archive.media / row["path"] for row in archive.rows(query)}


@pytest.mark.parametrize("keep", ["--keep-original", "--no-keep-original"])
def test_after_converting_and_moving_everything_is_where_the_database_says(civitscrape, sandbox, tmp_path, keep):
    archive = Archived(tmp_path / "output")
    crawled = civitscrape("get", NAME)
    made = civitscrape("convert", keep)
    first = civitscrape("verify")
    moved = civitscrape("plan", "--paths", "--move", "-s", "MEDIA_PATH=by-model")
    sandbox.log.reset()

    second = civitscrape("verify", "--mend")
    again = civitscrape("get", NAME, "-s", "MEDIA_PATH=by-model")

    for done in (crawled, made, first, moved, second, again):
        assert done.returncode == 0, (done.args, done.stdout, done.stderr)
    webp = [row["webp_path"] for row in archive.rows("SELECT webp_path FROM media WHERE webp_path IS NOT NULL")]
    assert len(webp) > 10
    assert all((archive.media / path).is_file() for path in webp)
    assert {path.parts[len(archive.media.parts)] for path in archive.files()} != {NAME}
    assert sandbox.log.of("media") == []


def test_votes_that_come_later_are_told_to_files_that_were_converted_before(civitscrape, tmp_path):
    archive = Archived(tmp_path / "output")
    civitscrape("get", NAME)
    civitscrape("convert", "--no-keep-original")
    before = {number: path.read_bytes() for number, path in converted(archive).items()}

    asked = civitscrape("votes")
    checked = civitscrape("verify")

    assert asked.returncode == 0, asked.stderr
    assert checked.returncode == 0, checked.stdout
    assert before
    for number, path in converted(archive).items():
        sidecar = json.loads(path.with_suffix(".json").read_text("utf-8"))
        with Image.open(path) as picture:
            told = picture.info["xmp"].decode()
        assert path.read_bytes() != before[number]
        assert any("up_votes" in tag for tag in sidecar["tags"])
        assert "up_votes" in told


def kill_once_told(files: list[Path], number: int, **how: Any) -> None:
    """Ask for votes, and kill that once so many files have been written anew."""
    before = {path: path.stat().st_ino for path in files}
    process = start(CIVITSCRAPE, "votes", **how)
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if sum(path.stat().st_ino != inode for path, inode in before.items()) >= number:
            break
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_a_file_is_whole_and_told_in_the_end_whenever_the_asking_is_killed(civitscrape, sandbox, tmp_path, number):
    archive = Archived(tmp_path / "output")
    civitscrape("get", NAME)
    civitscrape("convert", "--no-keep-original")
    files = list(converted(archive).values())
    settings = {**sandbox.settings(), "CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}

    kill_once_told(files, number, folder=tmp_path, settings=settings)
    mended = civitscrape("verify", "--mend")
    asked = civitscrape("votes")
    checked = civitscrape("verify")

    assert (mended.returncode, asked.returncode, checked.returncode) == (0, 0, 0), mended.stdout + checked.stdout
    assert set(converted(archive).values()) == set(files)
    assert not list(archive.media.rglob("*.damaged"))
    for path in files:
        with Image.open(path) as picture:
            assert "up_votes" in picture.info["xmp"].decode()
        assert "up_votes" in path.with_suffix(".json").read_text("utf-8")
