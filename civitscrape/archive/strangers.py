"""Whose a file is that lies where a WebP is to go: what somebody else put there is never overwritten."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from civitscrape.archive import paths
from civitscrape.archive.pictures import riff, xmp
from civitscrape.exceptions import ArchiveError, PictureError

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_BYTES = 2**28
"""Bytes of a file that is read at all; no WebP of ours has as many."""

_HEAD = 12
"""Bytes that say that a file is a WebP, and how long."""


def find(store: Path, names: Collection[str], ids: Collection[int], hashes: Collection[str | None]) -> str | None:
    """Find a name inside the store that is taken by a file that is no WebP of some images; see ``lies_at``.

    Raises:
        ArchiveError: what has the name is no file, or its disk has a fault.
    """
    for name in sorted(names):
        target = Path(paths.address(store, name))
        try:
            if lies_at(target, ids, hashes):
                return name
        except OSError as error:
            raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return None


def lies_at(target: Path, ids: Collection[int], hashes: Collection[str | None] = ()) -> bool:
    """Tell whether a name is taken by a file that is no WebP of some images.

    One that has the right bytes, or whose record is that of such an image, is what a conversion left that was killed
    before it was booked.

    Args:
        target: the name.
        ids: the images.
        hashes: SHA-256 that a WebP of them may have.

    Raises:
        OSError: what lies there is no file, or its disk has a fault.
    """
    try:
        if target.stat().st_size > MOST_BYTES:
            return True
        content = target.read_bytes()
    except FileNotFoundError:
        return target.is_symlink()
    except PermissionError:
        return True
    return hashlib.sha256(content).hexdigest() not in hashes and _image_in(content) not in ids


def is_no_webp(target: Path) -> bool:
    """Tell whether a name is taken by what is no WebP, by its first bytes and its size.

    Raises:
        OSError: what lies there is no file, or its disk has a fault.
    """
    try:
        with target.open("rb") as file:
            head = file.read(_HEAD)
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        return target.is_symlink()
    except PermissionError:
        return True
    return head[:4] + head[8:] != b"RIFFWEBP" or int.from_bytes(head[4:8], "little") + 8 != size


def _image_in(content: bytes) -> int | None:
    """Read which image a WebP is of, by its record; None for one without."""
    try:
        packet = riff.read(content).embedded.xmp
        record = xmp.read(packet).record if packet else None
        number = record["image"]["id"] if record else None
    except (PictureError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None
