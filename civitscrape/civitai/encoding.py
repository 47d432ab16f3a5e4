"""The two encodings of tRPC answers, superjson and devalue, opened into plain values (contract trpc-and-pages.md §1.3).

Both give the same plain values: dates and regular expressions as text, maps as lists of pairs, sets as lists, big
integers as integers, ``undefined`` and holes as None.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from reprlib import repr as shown
from typing import Any

from civitscrape.exceptions import EnvelopeError

DEPTH_MAX = 100
"""Levels of nesting; real answers have fewer than 20, and much deeper ones break whoever walks them."""

SIZE_MAX = 5_000_000
"""Values after shared ones are written out; a page of 200 images has some 100,000."""

_UNDEFINED = -1
_HOLE = -2
_SPECIALS = {_UNDEFINED: None, -3: math.nan, -4: math.inf, -5: -math.inf, -6: -0.0}
_DECIMAL = re.compile(r"-?[0-9]+")
_PATH_PART = re.compile(r"\\[\\.]|\.|[^\\.]+|\\")


def decode(data: object) -> Any:
    """Open the ``data`` of a result, an error or a ``trpcState``: devalue when it is text, else superjson.

    >>> decode('[{"id":1,"at":2},7,["Date","2026-06-11T18:58:01.003Z"]]')
    {'id': 7, 'at': '2026-06-11T18:58:01.003Z'}
    >>> decode({"json": {"id": 7}})
    {'id': 7}

    Raises:
        EnvelopeError: it is neither, or its shape is broken.
    """
    if isinstance(data, str):
        return _devalue(data)
    if isinstance(data, Mapping):
        return _superjson(data)
    raise EnvelopeError(f"tRPC data is {shown(data)}: a superjson object or a devalue text was expected")


def _superjson(data: Mapping[str, Any]) -> Any:
    """Return the ``json`` part, with the values that JSON had to write as text turned back."""
    if "json" not in data:
        raise EnvelopeError(f"superjson: there is no json part, only {shown(list(data))}")
    plain = data["json"]
    meta = data.get("meta")
    if meta is None:
        return plain
    if not isinstance(meta, Mapping):
        raise EnvelopeError(f"superjson: meta is {shown(meta)}: an object was expected")
    for path, mark in _marks(meta.get("values")):
        # The other marks only name the type of what already stands in the json part.
        if mark == "bigint":
            plain = _replaced(plain, path, _big_integer)
        elif mark == "number":
            plain = _replaced(plain, path, _special_number)
    return plain


def _marks(values: Any) -> Iterator[tuple[list[str], Any]]:
    """Yield the path and the mark of each annotation; paths stay as they were written, one text a level."""
    waiting: list[tuple[list[str], Any]] = [] if values is None else [([], values)]
    while waiting:
        path, tree = waiting.pop()
        if isinstance(tree, list) and tree:
            yield path, tree[0]
            children = tree[1] if len(tree) > 1 else {}
        else:
            children = tree
        if not isinstance(children, Mapping):
            raise EnvelopeError(f"superjson: the mark at {'.'.join(path)!r} is {shown(tree)}: a list was expected")
        waiting.extend(([*path, key], child) for key, child in children.items())


def _replaced(plain: Any, path: list[str], read: Any) -> Any:
    """Return a copy of ``plain`` with ``read`` applied to the value at ``path``; what lies beside it is shared."""
    root = [plain]
    place: Any = root
    key: Any = 0
    for step in (step for part in path for step in _steps(part)):
        branch = place[key]
        index: Any = step
        if isinstance(branch, list) and _DECIMAL.fullmatch(step) and int(step) < len(branch):
            index = int(step)
        elif not isinstance(branch, dict) or step not in branch:
            raise EnvelopeError(f"superjson: the mark at {'.'.join(path)!r} leads nowhere")
        place[key] = branch.copy()
        place, key = place[key], index
    place[key] = read(place[key])
    return root[0]


def _steps(path: str) -> list[str]:
    r"""Split a dot path; ``\.`` is a literal dot, ``\\`` a literal backslash.

    >>> _steps(r"items.0.a\.b")
    ['items', '0', 'a.b']
    """
    steps = [""]
    for part in _PATH_PART.findall(path):
        if part == ".":
            steps.append("")
        else:
            steps[-1] += part[1:] if part in {r"\.", r"\\"} else part
    return steps


def _big_integer(text: Any) -> int:
    if isinstance(text, str) and _DECIMAL.fullmatch(text):
        try:
            return int(text)
        except ValueError as error:  # more digits than Python reads
            raise EnvelopeError(f"big integer of {len(text)} digits: {error}") from error
    raise EnvelopeError(f"big integer {shown(text)}: decimal text was expected")


def _special_number(text: Any) -> float:
    if text in ("NaN", "Infinity", "-Infinity", "-0"):
        return float(text)
    raise EnvelopeError(f"superjson: number {shown(text)}: NaN, Infinity, -Infinity or -0 was expected")


def _devalue(text: str) -> Any:
    """Read a flattened array; its value 0 is the whole."""
    try:
        flat = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise EnvelopeError(f"devalue: not JSON: {error}") from error
    if type(flat) is int and flat in _SPECIALS:
        return _SPECIALS[flat]
    if not isinstance(flat, list) or not flat:
        raise EnvelopeError(f"devalue: {shown(flat)}: a list of values was expected")
    return _Flat(flat).value(0)


class _Flat:
    """A flattened array while it is read: each value is built once and shared by all who refer to it."""

    __slots__ = ("built", "flat", "measures", "open")

    def __init__(self, flat: list[Any]) -> None:
        self.flat = flat
        self.built: dict[int, Any] = {}
        self.measures: dict[int, tuple[int, int]] = {}
        self.open: set[int] = set()

    def value(self, reference: Any) -> Any:
        """Return the value that a reference stands for."""
        if type(reference) is not int:
            raise EnvelopeError(f"devalue: reference {shown(reference)}: an integer was expected")
        if reference in self.built:
            return self.built[reference]
        if reference in _SPECIALS:
            return _SPECIALS[reference]
        if not 0 <= reference < len(self.flat):
            raise EnvelopeError(f"devalue: reference {reference} leads out of the {len(self.flat)} values")
        raw = self.flat[reference]
        if isinstance(raw, dict):
            raw = dict(zip(raw, self.children(reference, raw.values()), strict=True))
        elif isinstance(raw, list):
            tagged = raw and isinstance(raw[0], str)
            raw = self.tagged(reference, raw) if tagged else self.children(reference, raw, holes=True)
        self.built[reference] = raw
        return raw

    def children(self, index: int, references: Collection[Any], *, holes: bool = False) -> list[Any]:
        """Return what a container refers to.

        Raises:
            EnvelopeError: it contains itself, is nested too deep, or would be huge once written out.
        """
        if index in self.open:
            raise EnvelopeError(f"devalue: value {index} contains itself")
        if len(self.open) >= DEPTH_MAX:
            raise EnvelopeError(f"devalue: nested deeper than {DEPTH_MAX} levels")
        self.open.add(index)
        values = [None if holes and one == _HOLE else self.value(one) for one in references]
        self.open.remove(index)
        measures = [self.measures.get(one, (0, 1)) for one in references]
        height = 1 + max((height for height, _ in measures), default=0)
        size = 1 + sum(size for _, size in measures)
        if height > DEPTH_MAX:
            raise EnvelopeError(f"devalue: nested deeper than {DEPTH_MAX} levels")
        if size > SIZE_MAX:
            raise EnvelopeError(f"devalue: shared values would write out to more than {SIZE_MAX} values")
        self.measures[index] = height, size
        return values

    def tagged(self, index: int, raw: list[Any]) -> Any:
        """Return the value of a list that begins with the name of a type."""
        tag, *rest = raw
        match tag, rest:
            case "Date", [str() as iso]:
                return iso or None  # JavaScript's invalid date
            case "BigInt", [digits]:
                return _big_integer(digits)
            case "RegExp", [str() as source, *flags]:
                return f"/{source}/{''.join(map(str, flags))}"
            case "URL", [str() as address]:
                return address
            case "Object", [None | str() | int() | float() as primitive]:
                return primitive
            case "Set", references:
                return self.children(index, references)
            case "Map", references if len(references) % 2 == 0:
                values = self.children(index, references)
                return [list(pair) for pair in zip(values[::2], values[1::2], strict=True)]
            case "null", pairs if len(pairs) % 2 == 0 and all(isinstance(key, str) for key in pairs[::2]):
                return dict(zip(pairs[::2], self.children(index, pairs[1::2]), strict=True))
        raise EnvelopeError(f"devalue: {shown(raw)} is no value of a known type")
