"""A store whose disk is not mounted is no empty store: no crawl writes into the folder that is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.archive.presence import FEW
from civitscrape.sandbox import Sandbox
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, SCRAPY, project, run
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.crawl

CRAWL = ("crawl", "user", "-a", f"username={NAME}")
SIGHT = world(30)
TRUTH = SIGHT.truth(NAME, 3)


@pytest.fixture
def archive(tmp_path) -> Archived:
    return Archived(project(tmp_path) / "output")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SIGHT).in_thread() as found:
        yield found


@pytest.fixture
def again(sandbox, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Bring everything into the project that ``archive`` made; then give what runs another command on it."""

    def command(program: tuple[str, ...] = SCRAPY, *words: str) -> subprocess.CompletedProcess[str]:
        sandbox.log.reset()
        return run(program, *(words or CRAWL), folder=tmp_path, settings=sandbox.settings())

    assert command().returncode == 0
    return command


def unmount(archive: Archived, *, leave_folder: bool = True) -> Path:
    """Take the files away, with the folder or without."""
    away = archive.media.rename(archive.folder / "away")
    if leave_folder:
        archive.media.mkdir()
    return away


@pytest.mark.parametrize("leaves_folder", [True, False], ids=["empty", "absent"])
def test_a_crawl_is_refused_in_one_line_before_its_first_request(sandbox, archive, again, leaves_folder):
    away = unmount(archive, leave_folder=leaves_folder)
    refused = again()
    asked = list(sandbox.log.lines)
    left = list(archive.media.iterdir()) if leaves_folder else archive.media.exists()
    if leaves_folder:
        archive.media.rmdir()
    away.rename(archive.media)
    accepted = again()

    assert refused.returncode == 1
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("civitscrape: ")]
    assert str(archive.media) in line
    assert "is its disk mounted?" in line
    assert "`civitscrape verify --mend`" in line
    assert "Traceback" not in refused.stderr
    assert (asked, bool(left)) == ([], False)
    assert accepted.returncode == 0
    assert archive.differences(TRUTH) == []


def test_who_has_lost_the_files_gets_them_again_after_verify(archive, again):
    unmount(archive)

    mended = again(CIVITSCRAPE, "verify", "--mend")
    accepted = again()

    assert mended.returncode == 3, mended.stderr
    assert accepted.returncode == 0, accepted.stderr
    assert archive.differences(TRUTH) == []
    assert archive.latest_report()["outcome"] == "complete"


def test_a_store_with_some_of_its_files_is_no_matter(archive, again):
    *others, _ = sorted(path for path in archive.media.rglob("*") if path.suffix != ".json" and path.is_file())
    for path in others:
        path.unlink()

    accepted = again()

    assert accepted.returncode == 0, accepted.stderr


def test_an_archive_of_a_few_files_is_no_matter(archive, tmp_path):
    with Sandbox(world(FEW - 1)).in_thread() as sandbox:
        run(SCRAPY, *CRAWL, folder=tmp_path, settings=sandbox.settings())
        unmount(archive)
        accepted = run(SCRAPY, *CRAWL, folder=tmp_path, settings=sandbox.settings())

    assert accepted.returncode == 0, accepted.stderr
