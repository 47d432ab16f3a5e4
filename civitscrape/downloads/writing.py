"""The writes of a big file: one after the other in a thread, while the next bytes come in."""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from civitscrape.downloads.part import PartFile

    Run = Callable[..., Awaitable[None]]

TURN = 0.2
"""Seconds after which a thread is given back, since there are fewer of them than there may be big files."""


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
        """What is to be written, what is being written first. Only the loop appends, and only the thread takes."""
        self._write: asyncio.Future[None] | None = None
        self._written = asyncio.Event()
        self._sync: asyncio.Future[None] | None = None

    async def hand_over(self, chunks: list[bytes]) -> None:
        """Have some bytes written, which leave the list; return when those before them are.

        That wait is the back-pressure: aiohttp stops reading at twice its own buffer.

        Raises:
            ArchiveError: what was begun before could not be written.
        """
        self._batches.append(chunks.copy())
        chunks.clear()
        if self._write is None or (self._write.done() and self._write.exception() is None):
            self._write = asyncio.ensure_future(self._work())
            self._write.add_done_callback(lambda _: self._written.set())
        if self._sync is not None and self._sync.done():
            self._sync.result()
            self._sync = None
        if self._sync is None and self._part.sync_due:
            self._sync = asyncio.ensure_future(self._run(self._part.sync))
        while len(self._batches) > 1 and not self._write.done():
            self._written.clear()
            await self._written.wait()
        if self._write.done():
            self._write.result()

    async def settle(self, chunks: list[bytes]) -> None:
        """Let what was begun end before anything else is done to the part; whether it failed is told by :meth:`check`.

        Nobody who is impatient may cut that short: a thread that still has bytes would write them into whatever becomes
        of the part.

        Args:
            chunks: what came since; it leaves the list when a write failed, as it must not be written in its place.
        """
        if self._write is None:
            return
        rest = chunks.copy()
        chunks.clear()
        begun = {one for one in (self._write, self._sync) if one is not None}
        impatient: asyncio.CancelledError | None = None
        while any(not one.done() for one in begun):
            try:
                await asyncio.wait(begun)
            except asyncio.CancelledError as error:
                impatient = error
        failed = {one for one in begun if one.cancelled() or one.exception() is not None}
        if self._write not in failed:
            chunks.extend(rest)
        if impatient is not None:
            raise impatient

    def check(self) -> None:
        """Make sure that what was begun has ended well.

        Raises:
            ArchiveError: it could not be written.
        """
        for begun in (self._write, self._sync):
            if begun is not None:
                begun.result()

    async def _work(self) -> None:
        """Have a thread write until nothing is left, a turn at a time."""
        while self._batches:
            await self._run(self._drain)

    def _drain(self) -> None:
        """Write in the thread, until nothing is left or its turn is over.

        Raises:
            OSError: the file cannot be written; nothing more is then.
        """
        end = monotonic() + TURN
        while self._batches and monotonic() < end:
            self._part.write(self._batches[0])
            self._batches.popleft()
            self._loop.call_soon_threadsafe(self._written.set)
