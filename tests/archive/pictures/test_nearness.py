"""What is near is found as comparing each with all would find it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitscrape.archive.pictures.nearness import Index, groups

HASHES = st.integers(0, 2**64 - 1)
BITS = st.integers(0, 12)

unhurried = settings(deadline=None, max_examples=50)


@st.composite
def crowds(draw: st.DrawFn) -> list[int]:
    """Draw some hashes, many of which are near others."""
    far = draw(st.lists(HASHES, min_size=1, max_size=6))
    flips = st.lists(st.integers(0, 63), max_size=14)
    near = [
        draw(st.sampled_from(far)) ^ sum({1 << place for place in draw(flips)}) for _ in range(draw(st.integers(0, 20)))
    ]
    return far + near


def apart(one: int, other: int) -> int:
    return (one ^ other).bit_count()


@unhurried
@given(crowds(), HASHES, BITS)
def test_all_near_hashes_are_found_and_no_others(hashes, stranger, bits):
    index = Index(hashes)

    for one in [*hashes, stranger]:
        assert index.near(one, bits) == {other for other in hashes if apart(one, other) <= bits}


@unhurried
@given(crowds(), BITS)
def test_those_that_are_not_alone_are_found_and_no_others(hashes, bits):
    found = Index(hashes).accompanied(bits)

    assert found == {one for one in hashes if any(one != other and apart(one, other) <= bits for other in hashes)}


@pytest.mark.parametrize("bits", range(13))
def test_a_hash_is_found_over_any_bits(bits):
    drawn = random.Random(bits)
    one = drawn.getrandbits(64)
    others = {one ^ sum(1 << place for place in drawn.sample(range(64), bits)) for _ in range(50)}

    index = Index(others)

    assert index.near(one, bits) == others
    assert bits == 0 or index.near(one, bits - 1) == set()


@unhurried
@given(crowds(), BITS)
def test_each_hash_is_in_one_group_and_near_its_first(hashes, bits):
    found = list(groups(hashes, bits))

    assert sorted(one for group in found for one in group) == sorted(set(hashes))
    assert all(apart(group[0], one) <= bits for group in found for one in group)


@unhurried
@given(crowds(), BITS)
def test_the_firsts_of_groups_are_not_near_each_other(hashes, bits):
    firsts = [group[0] for group in groups(hashes, bits)]

    assert all(apart(one, other) > bits for place, one in enumerate(firsts) for other in firsts[:place])


def test_a_group_is_no_chain():
    steps = [2 ** (4 * number) - 1 for number in range(5)]

    found = list(groups(steps, 4))

    assert found == [[steps[0], steps[1]], [steps[2], steps[3]], [steps[4]]]


def test_who_comes_sooner_is_the_first_of_a_group():
    assert list(groups([0b111, 0b1, 0b11], 2)) == [[0b111, 0b11, 0b1]]
