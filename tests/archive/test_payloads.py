"""An entry is written once, and both of its forms are what JSON makes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.archive.payloads import digest, written
from civitscrape.json_text import to_canonical

KEYS = st.text(max_size=6) | st.sampled_from(["stats", "stat", "statsy", "id", "url"])
VALUES = st.none() | st.integers() | st.text(max_size=6) | st.dictionaries(KEYS, st.integers(), max_size=3)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_the_whole_and_what_lasts_are_written_as_json_would_write_each(content):
    whole, lasting = written(content)

    assert whole == to_canonical(content)
    assert lasting == to_canonical({key: value for key, value in content.items() if key != "stats"})


@pytest.mark.parametrize("content", [[], "stats", None, 7, {"stats": {}}, {"a": {"stats": 1}}])
def test_what_is_no_entry_is_written_as_it_is(content):
    whole, _ = written(content)

    assert json.loads(whole) == content


def test_the_order_of_keys_and_the_counters_make_no_difference():
    one = {"id": 1, "stats": {"likeCount": 1}, "url": ""}
    other = {"url": "", "stats": {"likeCount": 2}, "id": 1}

    assert digest(written(one)[1]) == digest(written(other)[1])
    assert digest(written(one)[1]) != digest(written({**one, "id": 2})[1])
