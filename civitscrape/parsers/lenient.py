"""One field of an entry, read leniently: the value, or None where there is none or an odd one; never an error.

For entries that hold many things, where one odd field must not cost the rest: the payload keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from civitscrape.exceptions import EntryError
from civitscrape.parsers import fields

T = TypeVar("T")


def _or_none(read: Callable[[Mapping[str, Any], str], T | None], entry: Mapping[str, Any], name: str) -> T | None:
    try:
        return read(entry, name)
    except EntryError:
        return None


def text(entry: Mapping[str, Any], name: str) -> str | None:
    """Read a text."""
    return _or_none(fields.text, entry, name)


def boolean(entry: Mapping[str, Any], name: str) -> bool | None:
    """Read true or false."""
    return _or_none(fields.boolean, entry, name)


def time(entry: Mapping[str, Any], name: str) -> str | None:
    """Read a time as UTC ISO 8601 with milliseconds and ``Z``; one without a zone is UTC."""
    return _or_none(fields.time, entry, name)


def username(entry: Mapping[str, Any]) -> str | None:
    """Read a username; all-digit ones may arrive as a bare number, and ``unknown`` stands for nobody."""
    return _or_none(fields.username, entry, "username")


def integer(entry: Mapping[str, Any], *names: str) -> int | None:
    """Read an integer of at most 64 bits, the first that is there under any of the names."""
    for name in names:
        value = _or_none(fields.integer, entry, name)
        if value is not None:
            return value
    return None


def mapping(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Read an object; empty where there is none."""
    value = entry.get(name)
    return value if isinstance(value, Mapping) else {}


def values(entry: Mapping[str, Any], name: str) -> list[Any]:
    """Read a list; empty where there is none."""
    value = entry.get(name)
    return value if isinstance(value, list) else []


def texts(entry: Mapping[str, Any], name: str) -> list[str] | None:
    """Read a list of texts; None where there is none, or where nothing in it is a text.

    >>> texts({"tags": ["harbour", None]}, "tags"), texts({"tags": []}, "tags"), texts({"tags": [4, 81]}, "tags")
    (['harbour'], [], None)
    """
    value = entry.get(name)
    if not isinstance(value, list):
        return None
    found = [fields.storable(one) for one in value if isinstance(one, str)]
    return found if found or not value else None
