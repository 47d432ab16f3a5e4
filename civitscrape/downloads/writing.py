"""The writes of a big file: one after the other in a thread, while the next bytes come in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from civitscrape.downloads.part import PartFile

    Run = Callable[..., Awaitable[None]]


class Writing:
    """What is being written of a part, and what the disk is being asked to have for certain.

    Args:
        part: the file.
        run: calls a method of the part with its arguments in a thread.
    """

    def __init__(self, part: PartFile, run: Run) -> None:
        self._part = part
        self._run = run
        self._write: asyncio.Future[None] | None = None
        self._sync: asyncio.Future[None] | None = None

    async def hand_over(self, chunks: list[bytes]) -> None:
        """Begin to write some bytes, which leave the list, once those before are written.

        That wait is the back-pressure: aiohttp stops reading at twice its own buffer.

        Raises:
            ArchiveError: what was begun before could not be written.
        """
        if self._write is not None:
            await self._write
        if self._sync is not None and self._sync.done():
            self._sync.result()
            self._sync = None
        batch = chunks.copy()
        chunks.clear()
        self._write = asyncio.ensure_future(self._run(self._part.write, batch))
        if self._sync is None and self._part.sync_due:
            self._sync = asyncio.ensure_future(self._run(self._part.sync))

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
