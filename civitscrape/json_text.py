"""JSON, read and written by msgspec where that does the same as the standard library in a fraction of the time."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any

try:
    import msgspec
except ImportError:  # PyPy has none
    QUICK = False
else:
    QUICK = True
    _encode = msgspec.json.Encoder().encode
    _encode_sorted = msgspec.json.Encoder(order="sorted").encode

_LETTERS = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
"""Made once: ``json.dumps`` with options makes one for every call."""

SMALL, LARGE = 1e-4, 1e16
"""Between these Python writes numbers without an exponent."""

ALIKE = frozenset({str, int, bool, type(None)})
"""Types that both ways write alike."""

REFUSALS = (TypeError, ValueError, RecursionError)
"""What msgspec raises for what it neither reads nor writes: half a character, raw control bytes, numbers as keys."""


def from_json(text: bytes) -> Any:
    """Read JSON; raw control bytes inside texts are taken as they are.

    >>> from_json(b'{"seed": 36893488147419103232}')
    {'seed': 36893488147419103232}

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    if QUICK:
        try:
            return msgspec.json.decode(text)
        except REFUSALS:
            pass
    return json.loads(text, strict=False)


def to_json(value: Any) -> str:
    r"""Write JSON with letters; with escapes only where half a character would be no UTF-8.

    >>> print(to_json({"prompt": "港"}), to_json(chr(0xD83C)))
    {"prompt": "港"} "\ud83c"
    """
    if QUICK:
        try:
            if _is_plain(value):
                return msgspec.json.format(_encode(value), indent=0).decode()
        except REFUSALS:
            pass
    return _to_json(value)


def to_canonical(value: Any) -> bytes:
    """Write JSON with sorted keys, without spaces, as UTF-8; half a character goes through.

    By either way to the byte the same: hashes of it are kept.

    >>> to_canonical({"b": None, "a": [0.5, 1e-5, "港"]}).decode()
    '{"a":[0.5,1e-05,"港"],"b":null}'
    """
    if QUICK:
        try:
            if _is_plain(value):
                return _encode_sorted(value)
        except REFUSALS:
            pass
    return _CANONICAL.encode(value).encode(errors="surrogatepass")


def _is_plain(value: Any) -> bool:
    """Tell whether msgspec writes a value as the standard library does, which has other words for some numbers.

    What is not of JSON's own types is not plain either: msgspec writes much that the standard library refuses.

    >>> _is_plain({"cfg": [7.5, 0.0]}), _is_plain([{"seed": math.inf}]), _is_plain(1e16), _is_plain((1,))
    (True, False, False, False)
    """
    kind = type(value)
    if kind is dict:
        for name, one in value.items():
            if type(name) is not str or (type(one) not in ALIKE and not _is_plain(one)):
                return False
        return True
    if kind is list:
        for one in value:  # noqa: SIM110 (a generator takes twice as long)
            if type(one) not in ALIKE and not _is_plain(one):
                return False
        return True
    if kind is float:
        return bool(value == 0 or SMALL <= abs(value) < LARGE)
    return kind in ALIKE or issubclass(kind, StrEnum)


def _to_json(value: Any) -> str:
    try:
        text = _LETTERS.encode(value)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    except ValueError:  # a seed of 1e400 is infinite once read, and JSON has no word for that
        return _to_json(_finite(value))
    return text


def _finite(value: Any) -> Any:
    """Write numbers that JSON cannot hold as texts.

    >>> _finite({"seed": float("inf"), "steps": [30, float("nan")]})
    {'seed': 'inf', 'steps': [30, 'nan']}
    """
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
