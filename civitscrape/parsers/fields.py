"""One field of an entry, read strictly: the value, None where there is none, or an error that names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from reprlib import repr as shown
from typing import Any, TypeGuard

from civitscrape.exceptions import EntryError

_CANONICAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_DECIMAL = re.compile(r"-?[0-9]{1,19}")
_INT64 = 2**63
"""Integers at or above it, or below its negative, fit no column."""


def wrong(entry: Mapping[str, Any], field: str, value: object, expected: str) -> EntryError:
    """Return the error for a field that does not hold what it should; ``field`` is a dotted path."""
    entry_id = entry.get("id")
    return EntryError(
        f"entry {shown(entry_id)}: {field} is {shown(value)}: {expected} was expected; the entry is kept as a payload",
        field=field,
        entry_id=entry_id,
    )


def identity(entry: Any) -> int:
    """Return the ``id`` that every entry must have.

    Raises:
        EntryError: the entry is no object, or its id is missing or no integer.
    """
    if not isinstance(entry, Mapping):
        raise EntryError(f"entry {shown(entry)}: an object was expected; it is kept as a payload", field="id")
    value = integer(entry, "id")
    if value is None:
        raise wrong(entry, "id", None, "an integer")
    return value


def part_identity(entry: Mapping[str, Any], place: str, part: Any) -> int:
    """Return the ``id`` of a thing inside an entry, which it must have; ``place`` is its dotted path.

    Raises:
        EntryError: the part is no object, or its id is missing or no integer.
    """
    if not isinstance(part, Mapping):
        raise wrong(entry, place, part, "an object")
    value = to_integer(entry, f"{place}.id", part.get("id"))
    if value is None:
        raise wrong(entry, f"{place}.id", None, "an integer")
    return value


def integer(entry: Mapping[str, Any], name: str) -> int | None:
    """Read an integer of at most 64 bits; decimal text is taken too."""
    return to_integer(entry, name, entry.get(name))


def to_integer(entry: Mapping[str, Any], field: str, value: Any) -> int | None:
    """Read a value as ``integer`` does; ``field`` is only what the error calls it."""
    if value is None:
        return None
    number = int(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
    if not is_integer(number):
        raise wrong(entry, field, value, "an integer")
    return number


def is_integer(value: Any) -> TypeGuard[int]:
    """Tell an integer of at most 64 bits, which every database takes, from all else."""
    return type(value) is int and -_INT64 <= value < _INT64


def count(entry: Mapping[str, Any], group: Mapping[str, Any], field: str) -> int | None:
    """Read a counter from a group of them; ``field`` is its dotted path, such as ``stats.likeCount``."""
    value = group.get(field.rpartition(".")[2])
    if value is not None and (type(value) is not int or not -_INT64 <= value < _INT64):
        raise wrong(entry, field, value, "an integer")
    return value


def boolean(entry: Mapping[str, Any], name: str) -> bool | None:
    """Read true or false."""
    value = entry.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(entry, name, value, "true or false")
    return value


def text(entry: Mapping[str, Any], name: str) -> str | None:
    """Read a text."""
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong(entry, name, value, "a text")
    return storable(value)


def username(entry: Mapping[str, Any], name: str = "username") -> str | None:
    """Read a username; all-digit ones may arrive as a bare number, and ``unknown`` stands for nobody."""
    value = entry.get(name)
    if type(value) is int:
        return str(value)
    known = text(entry, name)
    return None if known in {None, "", "unknown"} else known


def time(entry: Mapping[str, Any], name: str) -> str | None:
    """Read a time as UTC ISO 8601 with milliseconds and ``Z``; one without a zone is UTC.

    >>> time({"createdAt": "2026-07-02T12:15:00+02:00"}, "createdAt")
    '2026-07-02T10:15:00.000Z'
    """
    value = entry.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        if _CANONICAL_TIME.fullmatch(value):
            return value
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise wrong(entry, name, value, "an ISO 8601 time") from error
        return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    raise wrong(entry, name, value, "an ISO 8601 time")


def storable(value: str) -> str:
    r"""Return a text that every database takes.

    Half characters, left where a tool cut a text through an emoji, and NUL become U+FFFD.

    >>> storable("lantern \ud83c")
    'lantern �'
    """
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
