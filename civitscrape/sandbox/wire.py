"""The two encodings of tRPC and pages, superjson and devalue, both ways (contract trpc-and-pages §1.2, §1.3)."""

from __future__ import annotations

import json
from typing import Any

from civitscrape.sandbox.ask import compact


class Date(str):
    """A time that JavaScript holds as a Date; ISO text where only text is seen."""

    __slots__ = ()


class Undefined:
    """JavaScript's undefined, which is not null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED = Undefined()


def superjson(value: Any) -> dict[str, Any]:
    """Encode as ``{json, meta}``: undefined as null with a mark, dates as text with a mark.

    >>> superjson({"at": Date("2026-06-01"), "name": UNDEFINED})
    {'json': {'at': '2026-06-01', 'name': None}, 'meta': {'values': {'at': ['Date'], 'name': ['undefined']}, 'v': 1}}
    """
    marks: dict[str, list[str]] = {}
    places: dict[int, list[str]] = {}
    plain = _plain(value, (), marks, places)
    if not marks:
        return {"json": plain}
    same = {first: rest for first, *rest in places.values() if rest}
    equal = {"referentialEqualities": same} if same else {}
    return {"json": plain, "meta": {"values": marks.get("", marks), **equal, "v": 1}}


def _plain(value: Any, path: tuple[str, ...], marks: dict[str, list[str]], places: dict[int, list[str]]) -> Any:
    """Return plain JSON, and note what has a mark, and where one and the same date lies."""
    match value:
        case Undefined():
            marks[".".join(path)] = ["undefined"]
            return None
        case Date():
            marks[".".join(path)] = ["Date"]
            places.setdefault(id(value), []).append(".".join(path))
            return str(value)
        case dict():
            return {
                key: _plain(one, (*path, key.replace("\\", "\\\\").replace(".", "\\.")), marks, places)
                for key, one in value.items()
            }
        case list() | tuple():
            return [_plain(one, (*path, str(place)), marks, places) for place, one in enumerate(value)]
        case _:
            return value


def devalue(value: Any) -> str:
    """Encode as a devalue string: a flat array whose members refer to each other by place.

    >>> devalue({"id": 5, "name": None, "gone": UNDEFINED})
    '[{"id":1,"name":2,"gone":-1},5,null]'
    """
    if isinstance(value, Undefined):
        return "-1"
    flat: list[Any] = []
    places: dict[Any, int] = {}

    def place(one: Any) -> int:
        if isinstance(one, Undefined):
            return -1
        # Equal scalars are written once, but 1 and true are not equal there.
        known = (type(one), one) if not isinstance(one, dict | list | tuple) else id(one)
        if known in places:
            return places[known]
        at = places[known] = len(flat)
        flat.append(None)
        if isinstance(one, Date):
            flat[at] = ["Date", str(one)]
        elif isinstance(one, dict):
            flat[at] = {key: place(member) for key, member in one.items()}
        elif isinstance(one, list | tuple):
            flat[at] = [place(member) for member in one]
        else:
            flat[at] = one
        return at

    place(value)
    return compact(flat).decode()


def parse_input(envelope: Any) -> dict[str, Any]:
    """Open the superjson envelope of a procedure's input; keys marked undefined are left out.

    Raises:
        ValueError: it is not such an envelope (contract trpc-and-pages §1.2).
    """
    if envelope is None:
        return {}
    if isinstance(envelope, str):
        return _unpacked(envelope)
    if not isinstance(envelope, dict) or "json" not in envelope:
        raise ValueError("Invalid input")
    value = envelope["json"]
    if not isinstance(value, dict):
        raise ValueError("Invalid input")  # noqa: TRY004 - a wrong value from outside, not a wrong call
    marks = (envelope.get("meta") or {}).get("values") or {}
    gone = {name for name, mark in marks.items() if mark == ["undefined"]} if isinstance(marks, dict) else set()
    return {name: one for name, one in value.items() if name not in gone}


def _unpacked(text: str) -> dict[str, Any]:
    """Open an input that is a devalue string; dates stay text.

    >>> _unpacked('[{"id":1,"tags":2,"gone":-1},5,[3],7]')
    {'id': 5, 'tags': [7]}
    """
    flat = json.loads(text)

    def at(place: int) -> Any:
        value = flat[place]
        if isinstance(value, dict):
            return {key: at(one) for key, one in value.items() if one >= 0}
        if isinstance(value, list):
            return value[1] if value[:1] == ["Date"] else [at(one) for one in value]
        return value

    try:
        opened = at(0)
    except (IndexError, KeyError, TypeError, RecursionError):
        opened = None
    if not isinstance(opened, dict):
        raise ValueError("Invalid input")  # noqa: TRY004 - a wrong value from outside, not a wrong call
    return opened
