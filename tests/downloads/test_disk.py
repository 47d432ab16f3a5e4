"""A small file is written by the event loop itself, while the disk is quick; all else is written by threads."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.downloads import disk as disk_module
from civitscrape.downloads.disk import Disk
from civitscrape.downloads.part import BIG, PartFile
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

BODY = bytes(range(256)) * 800


class Watched(PartFile):
    """A part that remembers who wrote it."""

    writer: int | None = None

    def finish(self, chunks: Iterable[bytes]) -> None:
        self.writer = threading.get_ident()
        super().finish(chunks)

    def store(self, body: bytes) -> None:
        self.writer = threading.get_ident()
        super().store(body)

    @property
    def by_the_loop(self) -> bool:
        return self.writer == threading.get_ident()


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    disk = Disk()
    yield disk
    await disk.close()


async def write(disk: Disk, path: Path, chunks: Iterable[bytes] = (BODY,)) -> Watched:
    part = Watched(str(path))
    await disk.finish(part, chunks, None)
    return part


async def test_a_small_file_is_written_by_the_loop_whole_and_hashed(disk, tmp_path):
    part = await write(disk, tmp_path / "a.part", [BODY[:1000], BODY[1000:]])

    assert part.by_the_loop
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert (part.sha256, part.size, part.head) == (sha256(BODY).hexdigest(), len(BODY), BODY[:512])


async def test_a_big_file_and_one_that_was_begun_are_written_by_a_thread(disk, tmp_path):
    big = await write(disk, tmp_path / "big.part", [bytes(BIG // 2)] * 2)
    begun = Watched(str(tmp_path / "begun.part"))
    await disk.run(begun, begun.write, [BODY])
    await disk.finish(begun, [BODY], None)

    assert not big.by_the_loop
    assert not begun.by_the_loop
    assert (tmp_path / "begun.part").read_bytes() == BODY * 2


async def test_what_comes_in_one_turn_of_the_loop_is_written_by_threads_when_it_is_too_much(
    disk, tmp_path, monkeypatch
):
    monkeypatch.setattr(disk_module, "TURN", 0.0)
    same = await asyncio.gather(*(write(disk, tmp_path / f"{number}.part") for number in range(3)))
    await asyncio.sleep(0)
    later = await write(disk, tmp_path / "later.part")

    assert [part.by_the_loop for part in (*same, later)] == [True, False, False, True]


async def test_a_disk_that_was_slow_gets_threads_for_a_while_and_then_another_chance(disk, tmp_path, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(disk_module, "monotonic", lambda: now)
    slow = Watched(str(tmp_path / "0.part"))

    def judge(*_: Any) -> None:
        nonlocal now
        now += 2 * disk_module.SLOW

    await disk.finish(slow, [BODY], judge)
    await asyncio.sleep(0)  # the next turn, which it is not the fault of
    resting = await write(disk, tmp_path / "1.part")
    now += disk_module.REST
    again = await write(disk, tmp_path / "2.part")

    assert (resting.by_the_loop, again.by_the_loop) == (False, True)


@pytest.mark.parametrize("size", [len(BODY), 2 * BIG], ids=["small", "big"])
async def test_a_judge_reads_what_came_and_its_word_is_handed_on(disk, tmp_path, size):
    told = []

    def judge(file: Any, head: bytes) -> str:
        told.append((file.seek(0, io.SEEK_END), head))
        return "its end is missing"

    part = PartFile(str(tmp_path / "a.part"))
    flaw = await disk.finish(part, [bytes(size)], judge)

    assert flaw == "its end is missing"
    assert told == [(size, bytes(512))]


@pytest.mark.parametrize("size", [len(BODY), 2 * BIG], ids=["small", "big"])
async def test_a_disk_that_refuses_is_named_with_the_file(disk, tmp_path, size):
    part = PartFile(str(tmp_path / "gone" / "parts" / "a.part"))

    with pytest.raises(ArchiveError, match=r"a\.part cannot be written: .*see that its disk has room"):
        await disk.finish(part, [bytes(size)], None)
