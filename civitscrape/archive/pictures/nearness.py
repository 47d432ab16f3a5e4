"""Hashes that differ in a few bits, found among millions without comparing each with all.

Of the 64 bits four bands of 16 are made. Two hashes that differ in at most N bits are nearly equal in one of them: if
N + 1 is dealt out to the bands, one of them differs in fewer bits than were dealt to it. So few buckets of each band
need to be looked into, 52 of 262,144 for six bits (Norouzi, Punjani and Fleet, "Fast search in Hamming space with
multi-index hashing"; Qin et al., "GPH: similarity search in Hamming space").
"""

from __future__ import annotations

from array import array
from functools import cache
from itertools import accumulate, combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BANDS, WIDTH = 4, 16
"""Parts of a hash, and bits of each: with 16, a million hashes make buckets of fifteen."""

_MASK = 2**WIDTH - 1


class Index:
    """Some hashes, each once, for questions about what is near; 50 bytes a hash."""

    def __init__(self, hashes: Iterable[int]) -> None:
        unique = sorted(set(hashes))
        self._bands = [_Band(unique, WIDTH * place) for place in range(BANDS)]

    def near(self, one: int, bits: int) -> set[int]:
        """Find the hashes that differ from one in at most so many bits; itself is among them if it is there."""
        return {
            other
            for band, radius in zip(self._bands, radii(bits), strict=True)
            for bucket in band.buckets(one, radius)
            for other in bucket
            if (other ^ one).bit_count() <= bits
        }

    def accompanied(self, bits: int) -> set[int]:
        """Find the hashes that are not the only one within so many bits: far fewer than there are, as a rule.

        Pairs of buckets are read in their order, which costs a fifth of what one question for each hash would.
        """
        found: set[int] = set()
        for band, radius in zip(self._bands, radii(bits), strict=True):
            for some, others in band.pairs(radius):
                for one in some:
                    for other in others:
                        if (one ^ other).bit_count() <= bits and one != other:
                            found.add(one)
                            found.add(other)
        return found


class _Band:
    """Hashes in the order of 16 of their bits, and where each value of those begins."""

    def __init__(self, hashes: list[int], shift: int) -> None:
        self._shift = shift
        self._hashes = array("Q", sorted(hashes, key=lambda one: one >> shift & _MASK))
        sizes = [0] * (_MASK + 2)
        for one in hashes:
            sizes[(one >> shift & _MASK) + 1] += 1
        self._starts = array("Q", accumulate(sizes))
        self._taken = [value for value in range(_MASK + 1) if sizes[value + 1]]

    def buckets(self, one: int, radius: int) -> Iterator[array[int]]:
        """Give the buckets whose hashes differ from one in at most so many bits of this band."""
        value = one >> self._shift & _MASK
        for flips in _flips(radius):
            yield self._bucket(value ^ flips)

    def pairs(self, radius: int) -> Iterator[tuple[list[int], list[int]]]:
        """Give the pairs of buckets that differ in at most so many bits, each once; and each bucket with itself."""
        for flips in _flips(radius):
            for value in self._taken:
                if value <= value ^ flips and (others := self._bucket(value ^ flips)):
                    yield self._bucket(value).tolist(), others.tolist()

    def _bucket(self, value: int) -> array[int]:
        return self._hashes[self._starts[value] : self._starts[value + 1]]


def radii(bits: int) -> list[int]:
    """Deal out so many bits and one to the bands: in how many bits each is looked at, -1 for not at all.

    >>> radii(6), radii(3), radii(0)
    ([1, 1, 1, 0], [0, 0, 0, 0], [0, -1, -1, -1])
    """
    each, rest = divmod(bits + 1, BANDS)
    return [each - 1 + (place < rest) for place in range(BANDS)]


@cache
def _flips(radius: int) -> list[int]:
    """List the values of a band with at most so many bits set; none for -1."""
    chosen = [places for number in range(radius + 1) for places in combinations(range(WIDTH), number)]
    return [sum(1 << place for place in places) for places in chosen]


def groups(hashes: Iterable[int], bits: int) -> Iterator[list[int]]:
    """Put hashes into groups around their firsts; each is in one group, and a group may be of one.

    The first hash that is in no group begins one, and takes in all others in no group that differ from it, and not only
    from each other, in at most so many bits. So a group is no chain whose ends have nothing in common: two of its
    hashes differ in twice as many bits at most.

    Args:
        hashes: those that are rather to be the first of a group come sooner.
        bits: in how many bits the others of a group may differ from its first.
    """
    left = dict.fromkeys(hashes)
    index = Index(left)
    accompanied = index.accompanied(bits)
    for one in list(left):
        if one not in accompanied:
            yield [one]
        elif one in left:
            others = index.near(one, bits) & left.keys()
            for other in others:
                del left[other]
            yield [one, *sorted(others - {one}, key=lambda other: ((other ^ one).bit_count(), other))]
