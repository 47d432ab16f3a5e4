"""Inputs of tRPC procedures: how they are checked, what callers may see, and how a procedure refuses (§1.2, §2, §3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox import zod
from civitscrape.sandbox.ask import EVERYTHING
from civitscrape.sandbox.wire import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from civitscrape.sandbox.accounts import Account
    from civitscrape.sandbox.ask import Ask

Input = dict[str, Any]
MOST_PER_PAGE = 200
USERNAME = "[A-Za-z0-9_]*"
NOT_ALLOWED = "You are not authorized to perform this action"

_KINDS: dict[str, type | tuple[type, ...]] = {
    "number": (int, float),
    "string": str,
    "array": list,
    "boolean": bool,
    "object": dict,
}
_WORDS = {
    type(None): "null",
    str: "string",
    list: "array",
    dict: "object",
    bool: "boolean",
    int: "number",
    float: "number",
}


class ProcedureError(Exception):
    """A procedure refuses; raised by procedures, answered as an error envelope.

    Attributes:
        code: name of the error, such as ``NOT_FOUND``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rule(NamedTuple):
    """What one field of an input must be."""

    kind: str
    """``number``, ``string``, ``array``, ``boolean`` or ``object``."""
    required: bool = False
    least: int | None = None
    most: int | None = None
    """Bounds of a number, or of the length of an array."""
    pattern: str | None = None
    values: Sequence[str] = ()
    """What a text, or each text of an array, may be; anything when empty."""
    of: str = "string"
    """Kind of an array's members."""


NUMBER, TEXT, FLAG = Rule("number"), Rule("string"), Rule("boolean")
NUMBERS, TEXTS = Rule("array", of="number"), Rule("array")
ID = {"id": Rule("number", required=True)}
"""The input of whatever is asked for by its id."""
LIMIT = Rule("number", least=0, most=MOST_PER_PAGE)


def check(given: Input, rules: Mapping[str, Rule]) -> None:
    """Hold an input against its rules; unknown keys are ignored, a bare null is not (§1.2).

    Raises:
        ProcedureError: something is wrong; one message names every issue.
    """
    issues = [issue for name, rule in rules.items() for issue in _issues(name, rule, given.get(name, UNDEFINED))]
    if issues:
        raise ProcedureError("BAD_REQUEST", zod.message(issues))


def _issues(name: str, rule: Rule, value: Any) -> list[zod.Issue]:
    if value is UNDEFINED:
        return [zod.wrong_type(name, rule.kind, "undefined")] if rule.required else []
    if not _is(value, rule.kind):
        return [zod.wrong_type(name, rule.kind, _WORDS[type(value)])]
    issues: list[zod.Issue] = []
    if isinstance(value, list) and not all(_is(one, rule.of) for one in value):
        wrong = next(one for one in value if not _is(one, rule.of))
        issue = zod.wrong_type(name, rule.of, _WORDS[type(wrong)])
        return [issue | {"path": [name, value.index(wrong)]}]
    if rule.kind in ("number", "array"):
        issues += _bounds(name, rule, value)
    if rule.pattern is not None and not re.fullmatch(rule.pattern, value, re.ASCII):
        issues.append(zod.mismatch(name, rule.pattern))
    if rule.values and isinstance(value, list):
        wrong = [place for place, one in enumerate(value) if one not in rule.values]
        issues += [zod.option(rule.values, [name, place]) for place in wrong]
    elif rule.values and value not in rule.values:
        issues.append(zod.option(rule.values, [name]))
    return issues


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and not (kind == "number" and isinstance(value, bool))


def _bounds(name: str, rule: Rule, value: Any) -> list[zod.Issue]:
    size = len(value) if isinstance(value, list) else value
    issues = []
    if rule.most is not None and size > rule.most:
        issues.append(zod.too_big(name, rule.most, rule.kind))
    if rule.least is not None and size < rule.least:
        issues.append(zod.too_small(name, rule.least, rule.kind))
    return issues


def capped(ask: Ask, asked: int | None) -> Level:
    """Reduce a browsing level to what the caller may see; where nothing is left, the cap itself is used (§2.3)."""
    wanted = Level((EVERYTHING if asked is None else asked) & EVERYTHING)
    return Level(wanted & ask.cap) or ask.cap


def caller(ask: Ask) -> Account:
    """Return who is asking, for procedures that need a login.

    Raises:
        ProcedureError: nobody is logged in.
    """
    if ask.caller is None:
        raise ProcedureError("UNAUTHORIZED", "UNAUTHORIZED")
    return ask.caller


def after(cursor: Any) -> int | None:
    """Read a cursor that is a number.

    Raises:
        ProcedureError: it is something else.
    """
    if cursor is None:
        return None
    if isinstance(cursor, bool) or not str(cursor).isdecimal():
        raise ProcedureError("BAD_REQUEST", f"Invalid cursor: {cursor}")
    return int(cursor)


def slug(username: str) -> str:
    """Normalise a username as pages and some procedures do: first space to ``_``, other characters dropped, lower case.

    >>> slug("Lamp Wright!")
    'lamp_wright'
    """
    return re.sub(r"[^A-Za-z0-9_]", "", username.replace(" ", "_", 1)).lower()
