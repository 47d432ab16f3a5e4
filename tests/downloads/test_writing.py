"""Bytes of a big file reach the disk in their order, whatever the disk and the event loop are at."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.downloads import writing as writing_module
from civitscrape.downloads.part import PartFile
from civitscrape.downloads.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BATCHES = [[bytes([number]) * 1000, bytes([number]) * 10] for number in range(50)]


class Slow(PartFile):
    """A part on a disk that takes its time now and then, and more than the loop does."""

    def write(self, chunks: Iterable[bytes]) -> None:
        if self.size % 3 == 0:
            sleep(0.005)
        super().write(chunks)


class Full(PartFile):
    """A part on a disk that is full after some writes."""

    def write(self, chunks: Iterable[bytes]) -> None:
        if self.size > 3000:
            raise OSError(28, "No space left on device")
        super().write(chunks)


async def in_thread(call: Any, *args: Any) -> None:
    await asyncio.get_running_loop().run_in_executor(None, call, *args)


async def all_of(writing: Writing) -> None:
    for batch in BATCHES:
        await writing.hand_over(batch.copy())


async def test_bytes_are_written_once_and_in_their_order(tmp_path: Path):
    part = Slow(str(tmp_path / "film.part"))
    writing = Writing(part, in_thread)

    for number, batch in enumerate(BATCHES):
        await writing.hand_over(batch.copy())
        if number % 7 == 0:
            await asyncio.sleep(0.01)  # until the thread has nothing left to do
    await writing.settle([])
    writing.check()
    await in_thread(part.finish, ())

    expected = b"".join(chunk for batch in BATCHES for chunk in batch)
    assert (tmp_path / "film.part").read_bytes() == expected
    assert (part.size, part.sha256) == (len(expected), sha256(expected).hexdigest())


async def test_no_more_than_two_portions_wait(tmp_path: Path):
    part = Slow(str(tmp_path / "film.part"))
    writing = Writing(part, in_thread)

    for number, batch in enumerate(BATCHES, 1):
        await writing.hand_over(batch.copy())
        assert part.size >= (number - 2) * 1010

    await writing.settle([])
    await in_thread(part.discard)


async def test_a_write_that_fails_is_told_and_what_came_after_it_is_not_written(tmp_path: Path):
    part = Full(str(tmp_path / "film.part"))
    writing = Writing(part, in_thread)

    with pytest.raises(OSError, match="No space left"):
        await all_of(writing)
    rest = [b"later"]
    await writing.settle(rest)

    assert rest == []
    assert part.size == 3 * 1010
    with pytest.raises(OSError, match="No space left"):
        writing.check()
    await in_thread(part.discard)


async def test_what_has_not_been_handed_over_is_left_to_whoever_ends_the_file(tmp_path: Path):
    part = PartFile(str(tmp_path / "film.part"))
    writing = Writing(part, in_thread)
    await writing.hand_over([b"first"])
    rest = [b"last"]

    await writing.settle(rest)

    assert (rest, part.size) == ([b"last"], 5)
    await in_thread(part.discard)


async def test_whoever_is_impatient_waits_for_the_thread_and_nothing_stale_is_written_later(tmp_path: Path):
    part = Slow(str(tmp_path / "film.part"))
    writing = Writing(part, in_thread)
    await writing.hand_over([b"A" * 999])
    await writing.hand_over([b"B" * 999])

    settling = asyncio.create_task(writing.settle(rest := [b"C"]))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    await in_thread(part.suspend, rest)
    await in_thread(part.resume)
    await in_thread(part.finish, [b"D"])

    assert (tmp_path / "film.part").read_bytes() == b"A" * 999 + b"B" * 999 + b"CD"


async def test_a_thread_is_given_back_before_a_slow_disk_has_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writing_module, "TURN", 0.01)
    part, turns = Slow(str(tmp_path / "film.part")), []

    async def counted(call: Any, *args: Any) -> None:
        turns.append(call)
        await in_thread(call, *args)

    writing = Writing(part, counted)
    for _ in range(20):
        await writing.hand_over([b"A" * 999])
    await writing.settle([])
    await in_thread(part.discard)

    assert len(turns) > 5
