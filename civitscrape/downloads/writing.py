"""The writes of a big file: one after the other in a thread, while the next bytes come in."""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from civitscrape.downloads.part import PartFile

    Run = Callable[..., Awaitable[None]]


class Writing:
    """What is being written of a part, and what the disk is being asked to have for certain.

    The thread finds the next bytes ready when it has written some: to ask the event loop for them takes as long as to
    write a tenth of them.

    Args:
        part: the file.
        run: calls a function in a thread.
    """

    def __init__(self, part: PartFile, run: Run) -> None:
        self._part = part
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._batches: deque[list[bytes]] = deque()
        self._lock = Lock()
        self._writes = False
        """Whether the thread looks for more, or has failed; by the lock."""
        self._write: asyncio.Future[None] | None = None
        self._written = asyncio.Event()
        self._sync: asyncio.Future[None] | None = None

    async def hand_over(self, chunks: list[bytes]) -> None:
        """Have some bytes written, which leave the list; return when those before them are.

        That wait is the back-pressure: aiohttp stops reading at twice its own buffer.

        Raises:
            ArchiveError: what was begun before could not be written.
        """
        self._begin(chunks)
        if self._sync is not None and self._sync.done():
            self._sync.result()
            self._sync = None
        if self._sync is None and self._part.sync_due:
            self._sync = asyncio.ensure_future(self._run(self._part.sync))
        while len(self._batches) > 1 and self._write is not None and not self._write.done():
            self._written.clear()
            await self._written.wait()
        if self._write is not None and self._write.done():
            self._write.result()

    async def settle(self, chunks: list[bytes]) -> None:
        """Let what was begun end before anything else is done to the part; whether it failed is told by :meth:`check`.

        Args:
            chunks: what came since; it leaves the list when a write failed, as it must not be written in its place.
        """
        if self._write is None:
            return
        rest = chunks.copy()
        chunks.clear()
        await asyncio.wait([begun for begun in (self._write, self._sync) if begun is not None])
        if self._sync is not None:
            self._sync.exception()
        if self._write.exception() is None:
            chunks.extend(rest)

    def check(self) -> None:
        """Make sure that what was begun has ended well.

        Raises:
            ArchiveError: it could not be written.
        """
        for begun in (self._write, self._sync):
            if begun is not None:
                begun.result()

    def _begin(self, chunks: list[bytes]) -> None:
        """Put bytes where the thread finds them, or start it anew."""
        batch = chunks.copy()
        chunks.clear()
        with self._lock:
            self._batches.append(batch)
            if self._writes:
                return
            self._writes = True
        self._write = asyncio.ensure_future(self._run(self._drain))
        self._write.add_done_callback(lambda _: self._written.set())

    def _drain(self) -> None:
        """Write in the thread, until nothing is left.

        Raises:
            OSError: the file cannot be written; the thread takes no more then.
        """
        while True:
            with self._lock:
                if not self._batches:
                    self._writes = False
                    return
                batch = self._batches[0]
            self._part.write(batch)
            self._batches.popleft()
            self._loop.call_soon_threadsafe(self._written.set)
