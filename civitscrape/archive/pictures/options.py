"""How pictures are converted; apart from the conversion, so that whoever only checks settings loads no decoders."""

from __future__ import annotations

from dataclasses import dataclass

QUALITIES, METHODS = range(1, 101), range(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How pictures are converted."""

    quality: int = 85
    """1 to 100."""
    method: int = 4
    """0, quick, to 6, small."""
    lossless: bool = False
    """Whether what was lossless stays so, bit by bit."""
