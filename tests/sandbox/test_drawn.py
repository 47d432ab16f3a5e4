"""Drawn bytes are bytes: the same whole or in slices, from any place."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from civitscrape.sandbox.drawn import BLOCK, Drawn, pieces

WHOLE = Drawn(b"head of a file", 7, 2 * BLOCK + 999)
BYTES = b"".join(pieces(WHOLE))


def test_all_of_them_begin_with_the_head_and_have_their_hash():
    assert len(BYTES) == len(WHOLE) == 2 * BLOCK + 999
    assert BYTES.startswith(b"head of a file")
    assert WHOLE.sha256() == hashlib.sha256(BYTES).hexdigest()
    assert BYTES[BLOCK : 2 * BLOCK] != BYTES[:BLOCK]


@given(st.integers(0, 3 * BLOCK), st.integers(0, 3 * BLOCK), st.integers(0, BLOCK))
def test_slices_of_slices_are_the_same_bytes(start, stop, skip):
    cut = WHOLE[start:stop]

    assert b"".join(pieces(cut)) == BYTES[start:stop]
    assert b"".join(pieces(cut[skip:])) == BYTES[start:stop][skip:]
