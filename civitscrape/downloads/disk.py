"""The way of bytes to the disk: in threads, or by the event loop itself where that is sooner done than said."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from civitscrape.downloads.part import BIG
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from civitscrape.downloads.part import PartFile

    Judge = Callable[[BinaryIO, bytes], str | None]
    """Says what is wrong with a file, from what it holds and its first bytes."""

WRITERS = 4
"""Threads: a disk that is slow for one file holds up no other, and more were not faster."""

TURN = 0.005
"""Seconds of writing in one turn of the event loop; what else came in that turn goes to threads."""

SLOW = 0.05
"""Seconds after which a single small file was held up by the disk, and not by another thread that has Python's lock."""

REST = 10.0
"""Seconds until the event loop tries a disk again that was slow."""

T = TypeVar("T")


class Disk:
    """Writes parts. A small file, whose write and hash take a third of a millisecond, is written by the event loop.

    To have it done by a thread takes as long once more: the thread gives Python's lock away and waits for it at each
    call of the system, and so does the loop behind it. A disk that is slow gets threads for everything.
    """

    def __init__(self) -> None:
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="civitscrape-writer")
        self._rests_until = 0.0
        self._spent = 0.0
        """Seconds of writing in this turn of the event loop."""

    async def close(self) -> None:
        """Wait for the last writes."""
        await asyncio.to_thread(self._writers.shutdown)

    async def run(self, part: PartFile, call: Callable[..., T], *args: object) -> T:
        """Call something that blocks, in a thread.

        Raises:
            ArchiveError: the disk does not take it.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writers, call, *args)
        except OSError as error:
            raise _refused(part, error) from error

    async def finish(self, part: PartFile, chunks: Iterable[bytes], judge: Judge | None) -> str | None:
        """Write the last bytes of a file and close it; say what is wrong with it, where somebody can tell.

        Raises:
            ArchiveError: the disk does not take it.
        """
        batch = tuple(chunks)
        begun = monotonic()
        if part.begun or sum(map(len, batch)) >= BIG or self._spent > TURN or begun < self._rests_until:
            return await self.run(part, _finish, part, batch, judge)
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._turn)
        try:
            return _finish_small(part, b"".join(batch), judge)
        except OSError as error:
            raise _refused(part, error) from error
        finally:
            ended = monotonic()
            self._spent += ended - begun
            if ended - begun > SLOW:
                self._rests_until = ended + REST

    def _turn(self) -> None:
        """Begin another turn of the event loop."""
        self._spent = 0.0


def _refused(part: PartFile, error: OSError) -> ArchiveError:
    return ArchiveError(f"{part.path} cannot be written: {error}; see that its disk has room")


def _finish(part: PartFile, chunks: Iterable[bytes], judge: Judge | None) -> str | None:
    part.finish(chunks)
    if judge is None:
        return None
    with Path(part.path).open("rb") as file:
        return judge(file, part.head)


def _finish_small(part: PartFile, body: bytes, judge: Judge | None) -> str | None:
    """Do so with a file that is here as a whole, and need not be read again to be judged."""
    part.store(body)
    return None if judge is None else judge(BytesIO(body), part.head)
