from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.civitai.encoding import DEPTH_MAX, decode
from civitscrape.exceptions import EnvelopeError


@dataclass(frozen=True)
class Special:
    """A value that JavaScript has and JSON has not: what it is, what it holds, and what ``decode`` makes of it."""

    kind: str
    holds: Any
    plain: Any


def date(text: str) -> Special:
    return Special("Date", text, text)


def big(number: int) -> Special:
    return Special("bigint", str(number), number)


def unique(values: list[Any]) -> Special:
    return Special("set", values, [plain(value) for value in values])


def pairs(values: list[tuple[Any, Any]]) -> Special:
    return Special("map", values, [[plain(key), plain(value)] for key, value in values])


UNDEFINED = Special("undefined", None, None)


def plain(value: Any) -> Any:
    """Return what a value should be once decoded."""
    if isinstance(value, Special):
        return value.plain
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def flattened(value: Any) -> str:
    """Encode as devalue does: each value stands once, containers hold places."""
    flat: list[Any] = []
    whole = _place(flat, value)
    return json.dumps(whole if whole < 0 else flat)


def _place(flat: list[Any], value: Any) -> int:
    special = {"nan": -3, "inf": -4, "-inf": -5, "-0.0": -6}.get(str(value)) if isinstance(value, float) else None
    if value is UNDEFINED or special is not None:
        return special or -1
    at = len(flat)
    flat.append(None)
    match value:
        case Special("Date" | "bigint" as kind, holds):
            flat[at] = ["Date" if kind == "Date" else "BigInt", holds]
        case Special("set", holds):
            flat[at] = ["Set", *(_place(flat, one) for one in holds)]
        case Special("map", holds):
            flat[at] = ["Map", *(_place(flat, part) for pair in holds for part in pair)]
        case dict():
            flat[at] = {key: _place(flat, one) for key, one in value.items()}
        case list():
            flat[at] = [_place(flat, one) for one in value]
        case _:
            flat[at] = value
    return at


def marked(value: Any) -> dict[str, Any]:
    """Encode as superjson does: JSON beside the marks of what JSON cannot say."""
    written, marks = _marked(value)
    return {"json": json.loads(json.dumps(written)), "meta": {"values": marks, "v": 1}} if marks else {"json": written}


def _marked(value: Any) -> tuple[Any, Any]:
    if isinstance(value, Special):
        if value.kind not in {"set", "map"}:
            return value.holds, [value.kind]
        listed, inner = _marked([list(one) if isinstance(one, tuple) else one for one in value.holds])
        return listed, [value.kind, inner] if inner else [value.kind]
    if isinstance(value, float) and str(value) in {"nan", "inf", "-inf", "-0.0"}:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "-0"}[str(value)], ["number"]
    if not isinstance(value, dict | list):
        return value, None
    parts = value if isinstance(value, dict) else {str(index): one for index, one in enumerate(value)}
    written: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    for key, one in parts.items():
        written[key], inner = _marked(one)
        path = key.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(inner, list):
            marks[path] = inner
        elif inner:
            marks |= {f"{path}.{rest}": mark for rest, mark in inner.items()}
    return written if isinstance(value, dict) else list(written.values()), marks or None


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats()
    | st.text(max_size=8)
    | st.just(UNDEFINED)
    | st.datetimes().map(lambda moment: date(moment.isoformat() + "Z"))
    | st.integers().map(big)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet='ab.\\"0', max_size=4), inner, max_size=4)
        | st.lists(inner, max_size=3).map(unique)
        | st.lists(st.tuples(inner, inner), max_size=3).map(pairs)
    ),
    max_leaves=12,
)


@given(values)
def test_what_devalue_wrote_is_read_back(value):
    text = flattened(value)

    assert repr(decode(text)) == repr(plain(value))  # by repr, because NaN is not equal to itself


@given(values)
def test_what_superjson_wrote_is_read_back(value):
    envelope = marked(value)

    assert repr(decode(envelope)) == repr(plain(value))


@given(values)
def test_both_encodings_of_a_value_give_the_same(value):
    assert repr(decode(flattened(value))) == repr(decode(marked(value)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-8, 8) | st.floats() | st.sampled_from(["Map", "Set", "null", "json", "x"]),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["json", "meta", "values", "a"]), inner)
    ),
    max_leaves=20,
)


@given(json_values)
def test_nonsense_is_opened_or_refused_but_never_crashes(value):
    for data in (value, json.dumps(value), {"json": value, "meta": {"values": value}}):
        with suppress(EnvelopeError):
            decode(data)


def test_the_devalue_answer_of_the_contract_is_opened():
    text = (
        '[{"id":1,"postId":2,"createdAt":3,"name":4,"thumb":-1},91230001,20450077,'
        '["Date","2026-06-11T18:58:01.003Z"],null]'
    )

    answer = decode(text)

    assert answer == {
        "id": 91230001,
        "postId": 20450077,
        "createdAt": "2026-06-11T18:58:01.003Z",
        "name": None,
        "thumb": None,
    }


@pytest.mark.parametrize("data", ["-1", {"json": None, "meta": {"values": ["undefined"], "v": 1}}])
def test_a_procedure_that_returns_nothing_gives_none(data):
    assert decode(data) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[1,-2,2],3,4]", [3, None, 4]),
        ('[["null","a",1],5]', {"a": 5}),
        ('[["RegExp","lan.ern","gi"]]', "/lan.ern/gi"),
        ('[["Object","boxed"]]', "boxed"),
        ('[["URL","https://civitai.com/"]]', "https://civitai.com/"),
        ('[["Date",""]]', None),
        ('["a\tb"]', "a\tb"),
    ],
)
def test_rare_forms_of_devalue_are_opened(text, expected):
    assert decode(text) == expected


def test_a_shared_value_is_built_once():
    answer = decode('[{"cover":1,"first":1},{"id":2},7]')

    assert answer == {"cover": {"id": 7}, "first": {"id": 7}}
    assert answer["cover"] is answer["first"]


@pytest.mark.parametrize("text", ['[{"self":0}]', "[[1],[0]]", '[["Set",0]]', '[["Map",1,0],5]'])
def test_a_value_that_contains_itself_is_refused(text):
    with pytest.raises(EnvelopeError, match="contains itself"):
        decode(text)


def test_a_deep_value_is_refused_in_whatever_order_it_stands():
    downwards = [[index + 1] for index in range(DEPTH_MAX + 50)] + [0]
    # Each value is reached first by a short way, so only its height tells how deep the whole is.
    upwards = [list(range(1, DEPTH_MAX + 50)), 0, *([index] for index in range(1, DEPTH_MAX + 50))]

    for flat in (downwards, upwards):
        with pytest.raises(EnvelopeError, match="nested deeper"):
            decode(json.dumps(flat))


def test_json_that_is_too_deep_to_read_is_refused():
    with pytest.raises(EnvelopeError, match="devalue"):
        decode("[" * 100_000)


def test_shared_values_that_would_write_out_to_billions_are_refused():
    doubling = [[index + 1, index + 1] for index in range(60)] + ["lantern"]

    with pytest.raises(EnvelopeError, match="write out"):
        decode(json.dumps(doubling))


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        [],
        {},
        {"result": 1},
        {"json": 1, "meta": 5},
        {"json": 1, "meta": {"values": 5}},
        {"json": {"a": "x"}, "meta": {"values": {"a": ["bigint"]}}},
        {"json": {"a": "1"}, "meta": {"values": {"b.c": ["bigint"]}}},
        {"json": {"a": "one"}, "meta": {"values": {"a": ["number"]}}},
        "",
        "{}",
        "[]",
        "5",
        "-2",
        "[[1]]",
        "[[-9]]",
        "[[true]]",
        '[{"a":"b"}]',
        '[["Lantern",1]]',
        '[["Map",1]]',
        '[["BigInt","1.5"]]',
        '[["BigInt","' + "9" * 5000 + '"]]',
    ],
    ids=shown,
)
def test_a_broken_shape_is_refused_with_a_sentence(data):
    with pytest.raises(EnvelopeError, match=r".{15}"):
        decode(data)


def test_reading_marks_leaves_the_answer_itself_as_it_was():
    envelope = {"json": {"items": [{"cursor": "12"}]}, "meta": {"values": {"items.0.cursor": ["bigint"]}}}
    before = json.dumps(envelope)

    answer = decode(envelope)

    assert answer == {"items": [{"cursor": 12}]}
    assert json.dumps(envelope) == before
