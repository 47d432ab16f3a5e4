"""The scene ``duplicates``: what looks like one picture, asked among the perceptual hashes of a million."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from civitscrape.archive.pictures.nearness import Index, groups
from tests.bench.table import Bound

if TYPE_CHECKING:
    from rich.console import Console

HASHES = 1_000_000
NEAR = 6
"""Bits, as `civitscrape duplicates` has them."""

QUESTIONS = 100


def measure(console: Console, rounds: int, hashes: int = HASHES) -> list[Bound]:
    """Ask for the neighbours of some, and group all; return what was asked."""
    drawn = random.Random(7)
    crowd = [drawn.getrandbits(64) for _ in range(hashes)]
    begun = time.perf_counter()
    index = Index(crowd)
    console.print(f"{hashes:,} hashes are in order after {time.perf_counter() - begun:.1f} s")
    longest = [max(_question(index, drawn, crowd) for _ in range(QUESTIONS)) for _ in range(rounds)]
    begun = time.perf_counter()
    number = sum(1 for _ in groups(crowd, NEAR))
    console.print(f"they make {number:,} groups, which takes {time.perf_counter() - begun:.1f} s")
    name = f"longest of {QUESTIONS} questions for what is near, among {hashes:,}"
    return [Bound(name=name, values=[1000 * one for one in longest], limit=1000, unit=" ms")]


def _question(index: Index, drawn: random.Random, crowd: list[int]) -> float:
    """Ask for what is near a hash that differs from one of them in as many bits as it may; return the seconds."""
    known = drawn.choice(crowd)
    asked = known ^ sum(1 << place for place in drawn.sample(range(64), NEAR))
    begun = time.perf_counter()
    found = index.near(asked, NEAR)
    spent = time.perf_counter() - begun
    if known not in found:
        raise RuntimeError(f"{known:016x} is near {asked:016x}, and was not found")
    return spent
