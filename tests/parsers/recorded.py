"""Where recorded answers of the site lie, when this machine has them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(os.environ.get("CIVITSCRAPE_SHARED") or Path(__file__).parents[3] / "shared")
REAL = SHARED / "real"
MISSING = f"no recorded answers in {REAL}; set CIVITSCRAPE_SHARED to the folder that holds real/"


def files(*patterns: str) -> list[Path]:
    """Return the recorded files under any of the patterns; empty when there are none at all."""
    return sorted({path for pattern in patterns for path in REAL.glob(pattern)})


def load(path: Path) -> Any:
    """Read a file as a client must: some hold raw control bytes inside texts."""
    return json.loads(path.read_text(), strict=False)


def objects(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object inside a value with its place."""
    waiting = [(place, value)]
    while waiting:
        at, one = waiting.pop()
        if isinstance(one, dict):
            yield at, one
            waiting.extend((f"{at}.{key}", child) for key, child in one.items())
        elif isinstance(one, list):
            waiting.extend((f"{at}[{index}]", child) for index, child in enumerate(one))


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf with its path; ``[]`` stands for any place in a list, an empty container is a leaf."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, f"{place}.{key}" if place else key)
    elif isinstance(value, list) and value:
        for child in value:
            yield from leaves(child, f"{place}[]")
    else:
        yield place, value
