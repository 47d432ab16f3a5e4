"""`civitscrape convert` as people run it: what it prints, how it is stopped, and what a kill leaves."""

from __future__ import annotations

import shutil
import signal
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from civitscrape.archive import conversions
from civitscrape.archive.conversions import Wanted
from civitscrape.archive.database import Archive
from civitscrape.ledger import Media
from tests.archive.asking import key_of, rows
from tests.archive.converting import losses, media, shelve
from tests.archive.pictures.making import drawn, png_of, saved
from tests.crawls.processes import CIVITSCRAPE, PATIENCE, run, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.crawl

PICTURES = 120
SMALL = (96, 72)
LARGER = (320, 240)
"""What takes long enough that a kill finds the work unfinished, also where the machine has other things to do."""


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, bytes]]:
    """An output folder with pictures, a tenth of which are left as they are; and their bytes."""
    output = tmp_path_factory.mktemp("stocked") / "output"
    return output, stock(output, PICTURES)


def stock(output: Path, pictures: int, size: tuple[int, int] = SMALL) -> dict[int, bytes]:
    """Fill an output folder; return the bytes of its pictures."""
    originals = {
        number: saved(drawn(number, size), "WEBP") if number % 10 == 0 else png_of({}, drawn(number, size))
        for number in range(pictures)
    }
    output.mkdir()
    archive = Archive(f"sqlite:///{output}/civitscrape.sqlite")
    for number, content in originals.items():
        shelve(archive, output / "media", number, content)
    archive.close()
    return originals


@pytest.fixture
def output(stocked: tuple[Path, dict[int, bytes]], tmp_path: Path) -> Path:
    shutil.copytree(stocked[0], tmp_path / "output")
    return tmp_path / "output"


@pytest.fixture
def archive(output: Path) -> Iterator[Archive]:
    archive = Archive(f"sqlite:///{output}/civitscrape.sqlite")
    yield archive
    archive.close()


def begun(output: Path, *words: str) -> subprocess.Popen[str]:
    """Start a conversion."""
    command = ("convert", "--method", "0", "--no-keep-original", "--batch", "8", *words)
    return start(CIVITSCRAPE, *command, folder=output.parent, settings={"OUTPUT_DIR": str(output)})


def wait_for(archive: Archive, process: subprocess.Popen[str], open_: int) -> None:
    """Wait until only so many pictures are left to be converted."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if archive.run_now(conversions.count, Wanted()) <= open_:
            return


@pytest.mark.parametrize(("pictures", "kills"), [(60, 3), pytest.param(500, 10, marks=pytest.mark.soak)])
def test_killed_at_any_moment_every_picture_is_whole_and_the_database_agrees(tmp_path, pictures, kills):
    draw, output, at_work = Random(20261121), tmp_path / "output", []
    originals, store = stock(output, pictures, LARGER), output / "media"
    archive = Archive(f"sqlite:///{output}/civitscrape.sqlite")

    for _ in range(kills):
        process = begun(output)
        open_ = archive.run_now(conversions.count, Wanted())
        wait_for(archive, process, open_ - draw.randrange(1, pictures // kills - 8))
        time.sleep(draw.uniform(0, 0.02))
        at_work.append(process.poll() is None)
        process.kill()
        process.communicate()
        assert losses(archive, store, originals, look=False) == []
    process = begun(output)
    _, said = process.communicate(timeout=PATIENCE)
    found = rows(archive, Media)
    archive.close()

    assert any(at_work)  # a machine that stands still for a moment lets one kill or another come too late
    assert process.returncode == 0, said
    paths = [store / (row.path or "") for row in found]
    assert sorted(paths) == sorted(one for one in store.rglob("*") if one.is_file() and one.suffix != ".json")
    assert {row.webp_replaced for row in found} == {None}
    assert {row.key for row in found if row.webp_path is None} == {key_of(number) for number in range(0, pictures, 10)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_finishes_what_is_in_work_and_says_so(stocked, output, archive, number):
    process = begun(output)
    wait_for(archive, process, PICTURES - 8)

    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 3
    assert "stopped; the same command goes on" in said
    assert 0 < archive.run_now(conversions.count, Wanted()) < PICTURES
    assert losses(archive, output / "media", stocked[1]) == []
    assert [one.name for one in output.rglob("*.part")] == []


def test_it_says_what_came_of_it(output, archive):
    done = run(
        CIVITSCRAPE, "convert", "--limit", "40", "--quality", "60", folder=output.parent,
        settings={"OUTPUT_DIR": str(output)},
    )  # fmt: skip

    assert done.returncode == 0
    assert "36 converted: " in done.stderr
    assert "4 left as they are; the column webp_error of the table media says why:" in done.stderr
    assert "  4 of: it is a WebP already" in done.stderr
    assert (media(archive, 1).path, media(archive, 1).webp_quality) == ("lampwright/1.png", 60)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--to", "phone", "--no-keep-original"], "--no-keep-original: --to makes copies"),
        (["--to", "output/media/phone"], "--to 'output/media/phone': lies in the archive's own MEDIA_STORE"),
        (["--to", "phone/../output/media"], "--to 'phone/../output/media': lies in the archive's own MEDIA_STORE"),
        (["--to", "/dev/null/phone"], "option --to: '/dev/null/phone' cannot be written: Not a directory"),
        (["--path", "{id}{ext}"], "--path: names files in another folder; give that with --to"),
        (["--to", "phone", "--path", "{id}-{title}{ext}"], "there is no field 'title'"),
        (["--target", "lampwright"], "--target 'lampwright': write KIND:NAME"),
        (["--target", "user:nobody"], "there is no archive at "),
        (["-s", "WEBP_QUALITY=0"], "setting WEBP_QUALITY: '0': give a number, 1 to 100"),
        (["-s", "WEBP_METHOD=quick"], "setting WEBP_METHOD: 'quick': give a number, 0 to 6"),
        (["-s", "WEBP_ENABLED=perhaps"], "setting WEBP_ENABLED: 'perhaps': give True or False"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path, words, sentence):
    done = run(CIVITSCRAPE, "convert", *words, folder=tmp_path, settings={"OUTPUT_DIR": str(tmp_path / "output")})

    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_two_processes_at_once_convert_every_picture_once(stocked, output, archive):
    both = [begun(output), begun(output)]

    said = [process.communicate(timeout=PATIENCE)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert losses(archive, output / "media", stocked[1]) == []
    assert archive.run_now(conversions.count, Wanted()) == 0
