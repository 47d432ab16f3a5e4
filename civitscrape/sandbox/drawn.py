"""Bytes of any length that are made while they are sent: big files are never held in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1024 * 1024
"""Bytes made at once."""
DRAWN_FROM = 8 * 1024 * 1024
"""Bytes from which a file is drawn."""
NUMBER = 8
"""Bytes at the start of each block that count it, so that no two are equal."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stretch of the bytes of a seed, behind a few given ones; has a length and slices, as bytes have."""

    head: bytes
    seed: int
    stop: int
    start: int = 0

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, place: slice) -> Drawn:
        start, stop, _ = place.indices(len(self))
        return Drawn(self.head, self.seed, self.start + max(start, stop), self.start + start)

    def blocks(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes, at most ``BLOCK`` at a time."""
        at = self.start
        while at < self.stop:
            number, skip = divmod(at, BLOCK)
            made = _block(self.seed, number)
            if number == 0:
                made[: len(self.head)] = self.head
            piece = memoryview(made)[skip : skip + self.stop - at]
            yield piece
            at += len(piece)

    def sha256(self) -> str:
        """Hash the bytes, lower case."""
        return _sha256(self)


@lru_cache(maxsize=16)
def _pattern(seed: int) -> bytes:
    return Random(seed).randbytes(BLOCK)


def _block(seed: int, number: int) -> bytearray:
    made = bytearray(_pattern(seed))
    made[:NUMBER] = number.to_bytes(NUMBER, "little")
    return made


@lru_cache(maxsize=256)
def _sha256(drawn: Drawn) -> str:
    digest = hashlib.sha256()
    for block in drawn.blocks():
        digest.update(block)
    return digest.hexdigest()


def pieces(body: bytes | Drawn) -> Iterator[bytes | memoryview]:
    """Yield a body of either kind."""
    if isinstance(body, Drawn):
        yield from body.blocks()
    elif body:
        yield body
