"""JSON is the same by either way that writes it, and nothing that it said is lost."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civitscrape import json_text
from civitscrape.items import Level, MediaType
from civitscrape.json_text import from_json, to_canonical, to_json

HALF = chr(0xD83C)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(codec=None))
"""The last are texts that may hold half a character."""

VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


def finite(value: Any) -> Any:
    """As ``to_json`` writes what JSON has no word for; two halves beside each other are one character when read."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        case dict():
            return {finite(name): finite(one) for name, one in value.items()}
        case list():
            return [finite(one) for one in value]
        case float() if not math.isfinite(value):
            return str(value)
    return value


@pytest.fixture
def slowly(monkeypatch):
    """Write as it is written where msgspec is not to be had."""

    def write(function, value):
        with monkeypatch.context() as without:
            without.setattr(json_text, "QUICK", False)
            return function(value)

    return write


@given(VALUES)
@example({"seed": 2**64, "denoise": 1e-5, "large": 1e16, "none": None, "minus": -0.0})
@example([math.nan, math.inf, None, HALF, {HALF: 1}])
@example('\x00\x1f\x7f\u2028/"\\\b\f\n\r\t')
def test_canonical_json_is_to_the_byte_what_the_standard_library_writes(value):
    expected = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    assert to_canonical(value) == expected.encode(errors="surrogatepass")


@given(VALUES)
@example({"a": [1, {"b": "x, y: z"}], "c": [], "d": {}})
@example([HALF + chr(0xDF00), {HALF + chr(0xDF00): 1}])
@example([math.nan, math.inf, None, HALF, {HALF: 1}, 2**70])
def test_json_of_a_column_reads_back_as_what_it_was(value):
    text = to_json(value)

    assert json.loads(text) == finite(value)
    assert text.encode()


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "港, lanterns", "tags": ["a", "b"], "cfg": 7.0, "nothing": None, "on": True},
        {"seed": math.inf, "half": HALF},
        {"seed": 2**80},
        [],
        {"1": {}},
    ],
)
@pytest.mark.parametrize("function", [to_json, to_canonical])
def test_both_ways_write_the_same(slowly, function, value):
    assert function(value) == slowly(function, value)


@pytest.mark.parametrize("value", [(1e300, math.nan), {"level": Level.PG, "kind": MediaType.IMAGE}, {1: 2, 0: True}])
def test_what_is_not_of_json_s_own_types_is_written_as_the_standard_library_writes_it(value):
    assert to_canonical([value]) == json.dumps([value], sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [b"ab", {1}, datetime(2026, 11, 22, tzinfo=UTC), {b"a": 1}])
@pytest.mark.parametrize("function", [to_json, to_canonical])
def test_what_the_standard_library_refuses_is_refused(function, value):
    with pytest.raises(TypeError):
        function({"value": value})


def test_what_is_nested_five_hundredfold_is_written_as_the_standard_library_would():
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]

    assert to_canonical(deep) == b"[" * 501 + b"]" * 501
    assert to_json([deep, None]) == json.dumps([deep, None])


def test_what_nobody_can_write_is_refused_in_the_standard_library_s_words():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(TypeError, match="object is not JSON serializable"):
        to_json({"what": object()})
    with pytest.raises(RecursionError):
        to_canonical(deep)


SAME = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")])


@given(VALUES, SAME, st.booleans())
@example({"seed": 2**64, "tiny": 1e-400, "half": HALF, "bell": "\x07"}, (", ", ": "), True)
def test_json_is_read_as_the_standard_library_reads_it(value, separators, ascii_only):
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode(errors="surrogatepass")

    try:
        expected = json.loads(text)
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            from_json(text)
    else:
        assert repr(from_json(text)) == repr(expected)


@pytest.mark.parametrize(
    "text",
    [
        b'"a\nb"', b'"\\ud83c"', b'"\\ud83c\\u0041"', b"[NaN, -Infinity, 1e400]", b"\xef\xbb\xbf[1]",
        "[1]".encode("utf-16"),
        b'{"a": 1, "a": 2}', b"-0", b"-0.0", b"1E+2", b'"\\/\x7f"', b"1" * 4000, b'{"": [{}]}',
    ],
)  # fmt: skip
def test_odd_json_is_read_as_the_standard_library_reads_it(text):
    assert repr(from_json(text)) == repr(json.loads(text, strict=False))


@pytest.mark.parametrize(
    "text", [b"", b"nul", b"[1,]", b"01", b"{'a': 1}", b'"\xf0\x9f"', b"[1] x", b"\x0b[1]", b"1" * 5000]
)
def test_what_is_no_json_is_refused_in_the_standard_library_s_words(text):
    with pytest.raises(ValueError, match=r".") as expected:
        json.loads(text, strict=False)

    with pytest.raises(ValueError, match=r".") as error:
        from_json(text)

    assert str(error.value) == str(expected.value)
