"""Values that tools wrote as they liked, read as text or numbers; None where they are neither, never an error."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from civitscrape.parsers.fields import storable

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:[.,][0-9]{0,40})?|[.,][0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}")
_INT64 = 2**63
_NAMES = ("name", "model", "title", "text", "string", "value", "prompt")
"""Keys that hold the text of an object which stands where a text should, the likeliest first."""


def first(values: dict[str, Any], names: Iterable[str]) -> Any:
    """Return the first value that is there and not null under any of the spellings."""
    for name in names:
        value = values.get(name)
        if value is not None:
            return value
    return None


def text(value: Any) -> str | None:
    """Read a text, a number, or an object that plainly wraps one; None for blank text.

    >>> text({"v1": "harbour mix"}), text(7), text(["a"])
    ('harbour mix', '7', None)
    """
    if isinstance(value, dict):
        named = [value[name] for name in _NAMES if name in value] or (value.values() if len(value) == 1 else ())
        value = next((one for one in named if isinstance(one, str)), None)
    if isinstance(value, str):
        return storable(value) if value.strip() else None
    if isinstance(value, float) or type(value) is int:
        number = integer(value)
        return str(value if number is None else number) if math.isfinite(_float(value)) else None
    return None


def integer(value: Any) -> int | None:
    """Read a whole number that fits into signed 64 bits; decimal text is taken too.

    >>> integer("30"), integer(30.0), integer(True), integer(2**64)
    (30, 30, None, None)
    """
    if isinstance(value, str):
        value = value.strip()
        value = int(value) if _DECIMAL.fullmatch(value) else number(value)
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if type(value) is int and -_INT64 <= value < _INT64 else None


def number(value: Any) -> float | None:
    """Read a finite number; text with a decimal point or comma is taken too.

    >>> number("7.0"), number("1,5"), number("seven"), number(float("nan"))
    (7.0, 1.5, None, None)
    """
    if isinstance(value, str):
        value = value.strip()
        value = float(value.replace(",", ".")) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, float) and type(value) is not int:
        return None
    value = _float(value)
    return value if math.isfinite(value) else None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf
