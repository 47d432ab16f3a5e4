"""Perceptual hashes: pictures that look alike have hashes that differ in a few bits.

The hash is that of Zauner's pHash as the library imagehash computes it for pictures without transparency, 64 bits: the
signs, against their median, of the lowest frequencies of a small grey copy.
"""

from __future__ import annotations

import math
from operator import mul
from statistics import median
from typing import NamedTuple

from PIL import Image

SIDE, LOW = 32, 8
"""Pixels of the small copy's side, and frequencies that are kept in each direction."""

GREY = (128, 128, 128, 255)
"""What is behind transparent pictures."""

HAIR = 64.0
"""How far from the median a frequency must be for its bit to say something; between flat grey and a portrait, these
are some hundreds. A flat picture has no frequencies, and its bits are noise."""

_COSINES = [
    [2 * math.cos(math.pi * frequency * (2 * place + 1) / (2 * SIDE)) for place in range(SIDE)]
    for frequency in range(LOW)
]


class Look(NamedTuple):
    """What a picture looks like."""

    hash: int
    """64 bits."""
    firm: int
    """The bits that say something."""

    def __str__(self) -> str:
        """Write the hash as 16 hex digits."""
        return f"{self.hash:016x}"


def look(picture: Image.Image) -> Look:
    """Look at a picture, in whatever mode it is."""
    grey = flat(picture).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = list(grey.tobytes())
    rows = [pixels[start : start + SIDE] for start in range(0, SIDE * SIDE, SIDE)]
    across = [[sum(map(mul, row, cosine)) for row in rows] for cosine in _COSINES]
    # Rows of the result are vertical frequencies, as the library has them.
    found = [sum(map(mul, across[x], cosine)) for cosine in _COSINES for x in range(LOW)]
    middle = median(found)
    bits = firm = 0
    for value in found:
        bits = bits << 1 | (value > middle)
        firm = firm << 1 | (abs(value - middle) > HAIR)
    return Look(bits, firm)


def flat(picture: Image.Image) -> Image.Image:
    """Put a transparent picture before grey: what cannot be seen does not count."""
    if not picture.has_transparency_data:
        return picture
    clear = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, GREY), clear)


def distance(one: Look, other: Look) -> int:
    """Count the bits in which two pictures differ, as far as the first is sure of them.

    >>> distance(Look(0b1011, 0b1110), Look(0b0000, 0b1111))
    2
    """
    return ((one.hash ^ other.hash) & one.firm).bit_count()
