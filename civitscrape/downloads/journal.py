"""What a part on disk is a part of: a few lines of JSON beside it, by which a later run goes on with it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

from civitscrape.downloads.ranges import Source

SUFFIX = ".json"
"""What the name of a part's journal ends in, behind the part's own name."""

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Where Linux tells one start of the machine from another."""


class Entry(NamedTuple):
    """What a journal says."""

    source: Source
    safe: int
    """Bytes of the part that can be believed, however long it is."""


def path_of(part: str) -> Path:
    """Name the journal of a part."""
    return Path(part + SUFFIX)


def write(part: str, source: Source, synced: int) -> None:
    """Write the journal of a part.

    Args:
        part: path of the part.
        source: what the server said of the file.
        synced: bytes that the disk has for certain, and would still have after a power failure.

    Raises:
        OSError: it cannot be written.
    """
    path_of(part).write_text(json.dumps({**asdict(source), "synced": synced, "boot": boot()}), "utf-8")


def read(part: str) -> Entry | None:
    """Read the journal of a part; None where there is none, or one that breaks off.

    What was written since the machine started is there whatever became of the process; of what was written before
    that, only what the disk had for certain.
    """
    try:
        told = json.loads(path_of(part).read_text("utf-8"))
        source = Source(**{name: told[name] for name in Source.__dataclass_fields__})
        here = Path(part).stat().st_size
        return Entry(source, here if boot() and told["boot"] == boot() else min(here, int(told["synced"])))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forget(part: str) -> None:
    """Remove the journal of a part; it is no harm when it stays."""
    with suppress(OSError):
        path_of(part).unlink(missing_ok=True)


@cache
def boot() -> str:
    """Name this start of the machine; empty where the system does not tell."""
    try:
        return BOOT.read_text("ascii").strip()
    except OSError:
        return ""
