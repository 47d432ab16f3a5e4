"""Query parameters read as the site's zod schemas read them, with the issues they raise (contract rest.md §7.1)."""

from __future__ import annotations

import json
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

Issue = dict[str, Any]


class Reader:
    """Reads one query; collects every problem, as one 400 names them all."""

    def __init__(self, query: MultiMapping[str]) -> None:
        self._query = query
        self.issues: list[Issue] = []

    def message(self) -> str:
        """Write the issues as the ``message`` of a ZodError: pretty-printed JSON inside a string."""
        return json.dumps(self.issues, indent=2, ensure_ascii=False)

    def _scalar(self, name: str) -> str | None:
        values = self._query.getall(name, [])
        if len(values) > 1:
            text = "Invalid input: expected string, received array"
            self.issues.append({"expected": "string", "code": "invalid_type", "path": [name], "message": text})
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
            shown = f"/^{pattern}$/"
            self.issues.append(
                {
                    "origin": "string",
                    "code": "invalid_format",
                    "format": "regex",
                    "pattern": shown,
                    "path": [name],
                    "message": f"Invalid string: must match pattern {shown}",
                }
            )
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
            self.issues.append(_bound(name, "too_big", "maximum", most, "Too big: expected number to be <="))
        if least is not None and value < least:
            self.issues.append(_bound(name, "too_small", "minimum", least, "Too small: expected number to be >="))
        return value

    def _number(self, text: str, path: list[str | int]) -> int | None:
        stripped = text.strip()
        if not stripped:
            return 0
        if not _NUMBER.fullmatch(stripped):
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
            self.issues.append(_option(values, [name]))
            return None
        return value

    def choices(self, name: str, values: Sequence[str]) -> list[str] | None:
        """Read a list of such values."""
        parts = self._list(name)
        for place, part in enumerate(parts or ()):
            if part not in values:
                self.issues.append(_option(values, [name, place]))
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
        errors = [[_option(values, [])], [_stringbool([])]]
        self.issues.append({"code": "invalid_union", "errors": errors, "path": [name], "message": "Invalid input"})
        return None


def _bound(name: str, code: str, limit: str, value: int, words: str) -> Issue:
    return {
        "origin": "number",
        "code": code,
        limit: value,
        "inclusive": True,
        "path": [name],
        "message": f"{words}{value}",
    }


def _option(values: Sequence[str], path: list[str | int]) -> Issue:
    words = "|".join(f'"{value}"' for value in values)
    return {
        "code": "invalid_value",
        "values": list(values),
        "path": path,
        "message": f"Invalid option: expected one of {words}",
    }


def _stringbool(path: list[str | int]) -> Issue:
    issue = _option(list(STRINGBOOL), path)
    return {"code": "invalid_value", "expected": "stringbool", **issue}
