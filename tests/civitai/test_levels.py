"""Rating levels: what may be typed, and the passes of a walk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.civitai import levels
from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level


@given(st.integers(0, 63))
def test_passes_cover_a_mask_and_never_mix_mature_with_safe(mask):
    passes = levels.passes(mask)

    assert sum(passes) == mask & levels.ALL
    assert all(one and not (one & levels.SFW and one & levels.MATURE) for one in passes)
    assert passes == sorted(passes)


@given(st.integers(0, 31))
def test_names_read_back_as_the_mask_that_they_name(mask):
    named = levels.names(mask)

    assert sum(levels.parse(name) for name in named) == mask


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("sfw", 3),
        ("all", 31),
        ("PG", 1),
        ("pg-13", 2),
        ("PG_13", 2),
        (" r , x ", 12),
        ("sfw,xxx", 19),
        ("all,pg", 31),
    ],
)
def test_levels_may_be_typed_in_any_usual_form(text, mask):
    assert levels.parse(text) == Level(mask)


@pytest.mark.parametrize("text", ["", "pgg", "pg,", "31", "nsfw", "blocked", "pg;r"])
def test_anything_else_is_refused_with_the_names_that_are_known(text):
    with pytest.raises(ArgumentError, match=r"spider argument level: .* known are sfw, all, pg, pg13, r, x, xxx"):
        levels.parse(text)
