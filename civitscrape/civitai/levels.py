"""Rating levels: names, masks, the passes of a walk, and which host to ask (contract rest.md §4, DESIGN section 7)."""

from __future__ import annotations

from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level

SFW = Level.PG | Level.PG13
ALL = Level.PG | Level.PG13 | Level.R | Level.X | Level.XXX
MATURE = Level.R | Level.X | Level.XXX

NAMES = {"pg": Level.PG, "pg13": Level.PG13, "r": Level.R, "x": Level.X, "xxx": Level.XXX}
"""Names that a person may type; ``pg-13`` and any case are taken too."""

LEGACY = {"None": Level.PG, "Soft": Level.PG13, "Mature": Level.R, "X": Level.X, "Blocked": Level.BLOCKED}
"""The strings of ``nsfwLevel`` in ``/api/v1/images``; ``X`` stands for X and XXX alike."""


def parse(text: str) -> Level:
    """Read a level argument: ``sfw``, ``all``, or names with commas.

    >>> parse("sfw"), parse("pg-13,R")
    (<Level.PG|PG13: 3>, <Level.PG13|R: 6>)

    Raises:
        ArgumentError: a name is unknown.
    """
    words = [word.strip().lower().replace("-", "").replace("_", "") for word in text.split(",")]
    mask = Level(0)
    for word in words:
        if word == "sfw":
            mask |= SFW
        elif word == "all":
            mask |= ALL
        elif word in NAMES:
            mask |= NAMES[word]
        else:
            known = ", ".join(["sfw", "all", *NAMES])
            raise ArgumentError(f"spider argument level: {word!r} is not a level; known are {known}")
    return mask


def names(mask: int) -> list[str]:
    """Name the bits of a mask, lowest first.

    >>> names(28)
    ['r', 'x', 'xxx']
    """
    return [name for name, bit in NAMES.items() if mask & bit]


def passes(mask: int) -> list[Level]:
    """Split a mask into the passes of a walk: asking for R or more hides some PG content, so the two go apart.

    >>> [int(one) for one in passes(31)], [int(one) for one in passes(3)]
    ([3, 28], [3])
    """
    return [part for part in (Level(mask) & SFW, Level(mask) & MATURE) if part]
