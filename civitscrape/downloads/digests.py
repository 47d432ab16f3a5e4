"""Checksums beside SHA-256 that a record may state of a file."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class Digest(Protocol):
    """What ``hashlib`` gives."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Tell the checksum of all bytes so far, in lower case."""


class Crc32:
    """CRC-32 in the manner of ``hashlib``."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes."""
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        """Tell the checksum, eight digits.

        >>> digest = Crc32()
        >>> digest.update(b"lanterns")
        >>> digest.hexdigest() == f"{zlib.crc32(b'lanterns'):08x}"
        True
        """
        return f"{self._value:08x}"


KNOWN: dict[str, Callable[[], Digest]] = {"crc32": Crc32}
"""What can be computed here, by the names of the columns of ``model_files``."""
with suppress(ImportError):  # the extra `blake3` brings it
    from blake3 import blake3

    KNOWN["blake3"] = cast("type[Digest]", blake3)
