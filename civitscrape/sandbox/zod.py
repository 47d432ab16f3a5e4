"""Query parameters read as the site's zod schemas read them, with the issues they raise (contract rest.md §7.1)."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multidict import MultiMapping

STRINGBOOL = {
    **dict.fromkeys(("true", "1", "yes", "on", "y", "enabled"), True),
    **dict.fromkeys(("false", "0", "no", "off", "n", "disabled"), False),
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

_MEASURES = {"number": "be {}", "array": "have {} items", "string": "have {} characters"}

Issue = dict[str, Any]


class Reader:
    """Reads one query; collects every problem, as one 400 names them all."""

    def __init__(self, query: MultiMapping[str]) -> None:
        self._query = query
        self.issues: list[Issue] = []

    def message(self) -> str:
        """Write the issues as the ``message`` of a ZodError: pretty-printed JSON inside a string."""
        return message(self.issues)

    def _scalar(self, name: str) -> str | None:
        values = self._query.getall(name, [])
        if len(values) > 1:
            self.issues.append(wrong_type(name, "string", "array"))
            return None
        return values[0] if values else None

    def _list(self, name: str) -> list[str] | None:
        """Read a comma list, a repeated parameter, or both."""
        values = self._query.getall(name, [])
        return [part for value in values for part in value.split(",")] if values else None

    def text(self, name: str, pattern: str | None = None) -> str | None:
        """Read a text, matching a pattern from end to end."""
        value = self._scalar(name)
        if value is not None and pattern is not None and not re.fullmatch(pattern, value, re.ASCII):
            self.issues.append(mismatch(name, pattern))
        return value

    def number(self, name: str, *, least: int | None = None, most: int | None = None) -> int | None:
        """Read a number; an empty text is 0, as in JavaScript."""
        values = self._query.getall(name, [])
        if not values:
            return None
        value = self._number(",".join(values), [name])
        if value is None:
            return None
        if most is not None and value > most:
            self.issues.append(too_big(name, most))
        if least is not None and value < least:
            self.issues.append(too_small(name, least))
        return value

    def _number(self, text: str, path: list[str | int]) -> int | None:
        stripped = text.strip()
        if not stripped:
            return 0
        if not _NUMBER.fullmatch(stripped) or not math.isfinite(float(stripped)):
            message = f"'{text}' cannot be converted to a number"
            self.issues.append({"code": "custom", "path": path, "message": message})
            return None
        return int(float(stripped))

    def numbers(self, name: str) -> list[int] | None:
        """Read a list of numbers."""
        parts = self._list(name)
        if parts is None:
            return None
        read = [self._number(part, [name, place]) for place, part in enumerate(parts)]
        return [one for one in read if one is not None]

    def choice(self, name: str, values: Sequence[str]) -> str | None:
        """Read one of several values, in their exact case."""
        value = self._scalar(name)
        if value is not None and value not in values:
            self.issues.append(option(values, [name]))
            return None
        return value

    def choices(self, name: str, values: Sequence[str]) -> list[str] | None:
        """Read a list of such values."""
        parts = self._list(name)
        for place, part in enumerate(parts or ()):
            if part not in values:
                self.issues.append(option(values, [name, place]))
        return parts

    def boolean(self, name: str) -> bool | None:
        """Read a strict boolean: twelve words, any case, nothing else."""
        value = self._scalar(name)
        if value is None:
            return None
        if value.lower() not in STRINGBOOL:
            self.issues.append(_stringbool([name]))
            return None
        return STRINGBOOL[value.lower()]

    def choice_or_boolean(self, name: str, values: Sequence[str]) -> str | bool | None:
        """Read one of several values or a strict boolean."""
        value = self._scalar(name)
        if value is None or value in values:
            return value
        if value.lower() in STRINGBOOL:
            return STRINGBOOL[value.lower()]
        errors = [[option(values, [])], [_stringbool([])]]
        self.issues.append({"code": "invalid_union", "errors": errors, "path": [name], "message": "Invalid input"})
        return None


def message(issues: list[Issue]) -> str:
    """Write issues as the ``message`` of a ZodError: pretty-printed JSON inside a string."""
    return json.dumps(issues, indent=2, ensure_ascii=False)


def wrong_type(name: str, expected: str, received: str) -> Issue:
    """Say that a value is of the wrong type."""
    text = f"Invalid input: expected {expected}, received {received}"
    return {"expected": expected, "code": "invalid_type", "path": [name], "message": text}


def mismatch(name: str, pattern: str) -> Issue:
    """Say that a text does not match its pattern."""
    shown = f"/^{pattern}$/"
    text = f"Invalid string: must match pattern {shown}"
    head = {"origin": "string", "code": "invalid_format", "format": "regex", "pattern": shown}
    return head | {"path": [name], "message": text}


def too_big(name: str, most: int, kind: str = "number") -> Issue:
    """Say that a number, or the length of an array, is above its bound."""
    text = f"Too big: expected {kind} to {_MEASURES[kind].format(f'<={most}')}"
    return {"origin": kind, "code": "too_big", "maximum": most, "inclusive": True, "path": [name], "message": text}


def too_small(name: str, least: int, kind: str = "number") -> Issue:
    """Say that a number, or the length of an array, is below its bound."""
    text = f"Too small: expected {kind} to {_MEASURES[kind].format(f'>={least}')}"
    return {
        "origin": kind,
        "code": "too_small",
        "minimum": least,
        "inclusive": True,
        "path": [name],
        "message": text,
    }


def option(values: Sequence[str], path: list[str | int]) -> Issue:
    """Say that a value is none of those that there are."""
    words = "|".join(f'"{value}"' for value in values)
    text = f"Invalid option: expected one of {words}"
    return {"code": "invalid_value", "values": list(values), "path": path, "message": text}


def _stringbool(path: list[str | int]) -> Issue:
    return {"code": "invalid_value", "expected": "stringbool"} | option(list(STRINGBOOL), path)
