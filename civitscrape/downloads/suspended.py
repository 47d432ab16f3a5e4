"""Parts that broke off, in this run or an earlier one, and wait for somebody who asks for their file again."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from civitscrape.downloads import journal
from civitscrape.downloads.digests import KNOWN
from civitscrape.downloads.part import PartFile

if TYPE_CHECKING:
    from collections.abc import Iterable

REMEMBERED = 100
"""Parts whose checksums are kept in memory; those of others are computed again from the disk."""


class Suspended:
    """Knows of each folder which parts can be gone on with, so that nothing is looked up for an ordinary file."""

    def __init__(self) -> None:
        self._parts: OrderedDict[str, PartFile] = OrderedDict()
        self._names: dict[str, set[str]] = {}

    async def look(self, path: str) -> None:
        """List the folder of a part, once."""
        folder = os.path.dirname(path)  # noqa: PTH120 (done for every file)
        if folder not in self._names:
            self._names[folder] = set()
            self._names[folder] |= await asyncio.to_thread(_journaled, folder)

    def holds(self, path: str) -> bool:
        """Tell whether there is a part to go on with."""
        folder, name = os.path.split(path)
        return name in self._names.get(folder, ())

    def keep(self, part: PartFile) -> None:
        """Take a part that broke off."""
        folder, name = os.path.split(part.path)
        self._names.setdefault(folder, set()).add(name)
        self._parts[part.path] = part
        while len(self._parts) > REMEMBERED:
            self._parts.popitem(last=False)

    def forget(self, path: str) -> None:
        """Leave out a part that is of no use."""
        folder, name = os.path.split(path)
        self._names.get(folder, set()).discard(name)
        self._parts.pop(path, None)

    async def take(self, path: str, digests: Iterable[str]) -> PartFile | None:
        """Hand out a part, hashed as far as it goes; None when there is none after all.

        Raises:
            OSError: it cannot be read.
        """
        part = self._parts.pop(path, None)
        if part is None or not KNOWN.keys() & set(digests) <= part.digests.keys():
            part = await asyncio.to_thread(PartFile.found, path, tuple(digests))
        self.forget(path)
        return part


def _journaled(folder: str) -> set[str]:
    """Find the parts in a folder that have a journal."""
    try:
        names = set(os.listdir(folder))  # noqa: PTH208 (names alone)
    except OSError:
        return set()
    return {name for name in names if name + journal.SUFFIX in names}
