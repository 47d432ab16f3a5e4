"""Where a media file lies: the fields of an item become a relative path, safe on every system (DESIGN section 8)."""

from __future__ import annotations

import os
import re
import string
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.archive import names
from civitscrape.exceptions import ArchiveError, ArgumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DEFAULT_TEMPLATE = "{creator}/{id}{ext}"
PART_BYTES = 255
"""Longest folder or file name in UTF-8: the limit of ext4, APFS and most others."""
PATH_LENGTH = 240
"""Longest relative path in UTF-16 units, as Windows counts, whose limit for the whole of a path is 260."""
PARTS_FOLDER = ".parts"
"""Folder of the files still coming in; no template can reach it, because no part of a path begins with a dot."""

_NEVER_CUT = frozenset({*names.IDENTIFIERS, "ext"})
_PLAIN = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""A relative path of parts that no system takes for anything else."""
_VALUE_SIZE = 16
"""Bytes that any other field is left with, so that something of it can still be read before its hash."""


class _Piece(NamedTuple):
    """A stretch of a template: literal text or the name of a field."""

    text: str
    is_field: bool


class _Bit(NamedTuple):
    """A stretch of a path: its text, and the value that it may be cut from; empty for what is never cut."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class _Template:
    """A template that was found good."""

    parts: tuple[tuple[_Piece, ...], ...]
    fields: frozenset[str]
    identifiers: frozenset[str]
    """Those of the fields that can be read back from a path, and so keep two items apart."""


def validate(template: str, known: Collection[str] | None = None) -> None:
    """Refuse a template that could leave the store, be illegal on some system, or give two items one path.

    Args:
        template: text with field names in braces, such as ``DEFAULT_TEMPLATE``.
        known: names that items will have; a template that uses another is refused. None leaves that to ``render``.

    Raises:
        ArgumentError: the template cannot be used.
    """
    fields = _compile(template).fields
    if known is not None:
        _check_known(template, fields, known)


def fields_of(template: str) -> frozenset[str]:
    """Tell which fields a template names; ``ext`` always is one.

    Raises:
        ArgumentError: the template cannot be used.
    """
    return _compile(template).fields


def render(template: str, fields: Mapping[str, object]) -> str:
    """Make the relative path of an item, with slashes.

    A field that is None or empty becomes ``-unknown`` (the creator ``-deleted``). A value that had to be changed or cut
    ends in a hash of what it was, so that two values do not become one name.

    >>> render("{creator}/{id}{ext}", {"creator": "harbour_lights", "id": 42, "ext": ".png"})
    'harbour_lights/42.png'
    >>> render("{creator}/{id}{ext}", {"creator": None, "id": 42, "ext": ".png"})
    '-deleted/42.png'
    >>> render("{creator}/{id}{ext}", {"creator": "a/b", "id": 42, "ext": ".png"})
    'a_b~82badf67/42.png'

    Raises:
        ArgumentError: the template cannot be used, or names a field that there is not.
        ArchiveError: the item has no value for the id or key that would tell it from others.
    """
    compiled = _compile(template)
    if not compiled.fields <= fields.keys():
        _check_known(template, compiled.fields, fields)
    raw = {name: "" if fields[name] is None else str(fields[name]) for name in compiled.fields}
    if not any(raw[name] for name in compiled.identifiers):
        wanted = " or ".join(sorted(compiled.identifiers))
        raise ArchiveError(f"media path template {template!r}: an item without {wanted} can have no path of its own")
    values = {name: _value(name, text) for name, text in raw.items()}
    path = template.format_map(values)
    # A sidecar or a converted copy has a longer extension than the original: room for it is kept.
    is_short = path.isascii() and len(path) <= PATH_LENGTH - names.EXTENSION_SIZE
    return path if is_short and not any(map(names.is_device, path.split("/"))) else _fit(compiled, raw, values)


def collision_key(path: str) -> str:
    """Give what two paths share that would be one file where case or the form of accents does not count.

    >>> collision_key("Lantern/1.png") == collision_key("lantern/1.PNG")
    True
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def inside(store: Path, relative: str) -> Path:
    """Join a relative path to the store and prove that the result lies under it, as ``address`` does."""
    return Path(address(store, relative))


def address(store: Path, relative: str) -> str:
    """Join a relative path to the store, as text, and prove that the result lies under it.

    Its folders are resolved, once each (a link made later is not seen); the last part is not, because a file is put in
    place by renaming, which replaces a link and never follows it.

    Raises:
        ArchiveError: the path is absolute, climbs with ``..``, or a link among its folders leads out of the store.
    """
    if not _PLAIN.fullmatch(relative):  # the usual case, without the cost: pathlib was an eighth of the archive's work
        path = PureWindowsPath(relative)  # knows both slashes and drive letters, on every system
        if path.anchor or not path.parts or ".." in path.parts or "\0" in relative:
            reason = f"must be relative to the media store {str(store)!r} and stay inside it"
            raise ArchiveError(f"path {relative!r}: {reason}")
    result = os.path.join(store, relative)  # noqa: PTH118 (done for every file)
    folder = os.path.dirname(result)  # noqa: PTH120 (as above)
    try:
        _prove_folder(str(store), folder)
    except FileNotFoundError:
        _require_inside(os.path.realpath(store), os.path.realpath(folder), folder)
    except (OSError, ValueError) as error:  # ValueError: a name that this system cannot encode
        raise ArchiveError(f"path {relative!r}: its folder cannot be used: {error}") from error
    return result


def part_path(store: Path, key: str) -> Path:
    """Name the file that a media key is downloaded to, always the same one, on the file system of the store."""
    return store / PARTS_FOLDER / f"{names.identifier('key', key)}.part"


@lru_cache(maxsize=4096)
def _prove_folder(store: str, folder: str) -> None:
    """Prove that a folder lies in the store; only a success is remembered, because ``lru_cache`` keeps no errors."""
    _require_inside(os.path.realpath(store, strict=True), os.path.realpath(folder, strict=True), folder)


def _require_inside(store: str, resolved: str, folder: str) -> None:
    if not Path(resolved).is_relative_to(store):
        raise ArchiveError(f"folder {folder!r}: a link leads to {resolved!r}, out of the media store {store!r}")


def _value(name: str, text: str) -> str:
    if name == "ext":
        return names.extension(text)
    if not text:
        return "-deleted" if name == "creator" else "-unknown"
    if name in names.IDENTIFIERS:
        return names.identifier(name, text)
    return names.safe(text, PART_BYTES, names.BYTES)


def _fit(template: _Template, raw: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Join the values, cutting those that may be cut until every part and the whole have a legal length."""
    spare = names.EXTENSION_SIZE - len(values["ext"])
    path: list[_Bit] = []
    for place, pieces in enumerate(template.parts):
        part = [
            _Bit(values[text], "" if text in _NEVER_CUT else raw[text]) if is_field else _Bit(text, "")
            for text, is_field in pieces
        ]
        if names.is_device("".join(bit.text for bit in part)):  # no value is one; its neighbours can make it one
            part.insert(0, _Bit("_", ""))
        is_last = place == len(template.parts) - 1
        path += _squeeze(part, PART_BYTES - spare if is_last else PART_BYTES, names.BYTES)
        path += [] if is_last else [_Bit("/", "")]
    path = _squeeze(path, PATH_LENGTH - spare, names.UNITS)
    return unicodedata.normalize("NFC", "".join(bit.text for bit in path))


def _squeeze(bits: list[_Bit], limit: int, measure: names.Measure) -> list[_Bit]:
    """Cut the longest values to one length, such that all bits together keep to the limit."""
    excess = sum(measure.size(bit.text) for bit in bits) - limit
    if excess <= 0:
        return bits
    sizes = sorted(measure.size(bit.text) for bit in bits if bit.value)
    room = sum(sizes) - excess
    share = 0
    for position, size in enumerate(sizes):
        share = room // (len(sizes) - position)
        if size > share:
            break
        room -= size
    return [
        _Bit(names.safe(bit.value, share, measure), bit.value) if bit.value and measure.size(bit.text) > share else bit
        for bit in bits
    ]


def _check_known(template: str, used: Collection[str], known: Collection[str]) -> None:
    for name in sorted(used):
        if name not in known:
            near = get_close_matches(name, known) or sorted(known)
            raise _refusal(template, f"there is no field {name!r}; did you mean {' or '.join(near)}?")


def _refusal(template: str, reason: str) -> ArgumentError:
    return ArgumentError(f"media path template {template!r}: {reason}")


@lru_cache(maxsize=64)
def _compile(template: str) -> _Template:
    parts = _split(template)
    for pieces in parts:
        _check_literals(template, pieces)
    fields = [piece.text for pieces in parts for piece in pieces if piece.is_field]
    if fields.count("ext") != 1 or parts[-1][-1] != ("ext", True):
        raise _refusal(template, "must end in {ext}, and have it only there")
    _check_room(template, parts)
    return _Template(parts, frozenset(fields), _check_identifiers(template, parts))


def _split(template: str) -> tuple[tuple[_Piece, ...], ...]:
    """Read a template into parts of pieces; only its own slashes divide."""
    if template.startswith(("/", "\\")) or re.match("[A-Za-z]:", template):
        raise _refusal(template, "must be relative to the media store: no leading slash, no drive letter")
    if "\\" in template:
        raise _refusal(template, "folders are divided by / on every system, not by a backslash")
    parts: list[list[_Piece]] = [[]]
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise _refusal(template, f"{error}; a field is a name in braces, as in {DEFAULT_TEMPLATE!r}") from error
    for literal, name, form, conversion in parsed:
        head, *others = literal.split("/")
        parts[-1].append(_Piece(head, is_field=False))
        parts += [[_Piece(other, is_field=False)] for other in others]
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise _refusal(template, f"in braces may stand only the name of a field, not {name!r} with more to it")
        parts[-1].append(_Piece(name, is_field=True))
    return tuple(tuple(piece for piece in pieces if piece.text) for pieces in parts)


def _check_literals(template: str, pieces: tuple[_Piece, ...]) -> None:
    """Refuse a part whose own text is not legal everywhere."""
    if not pieces:
        raise _refusal(template, "has an empty part")
    for piece in pieces:
        if not piece.is_field and names.legal(piece.text) != piece.text:
            raise _refusal(template, f"{piece.text!r} has characters that are not allowed in names on every system")
    (first, is_field), last = pieces[0], pieces[-1]
    if not is_field and first[0] in ". ":
        raise _refusal(template, f"no part may begin with a dot or a space ({first!r}), so neither .. nor hidden names")
    if not last.is_field and last.text[-1] in ". ":
        raise _refusal(template, f"no part may end in a dot or a space ({last.text!r}): Windows drops them")


def _check_identifiers(template: str, parts: tuple[tuple[_Piece, ...], ...]) -> frozenset[str]:
    """Find the ids and keys that can be read back from a path; without one, two items could share it."""
    found = [
        (piece.text, _can_be_read_back(pieces, place))
        for pieces in parts
        for place, piece in enumerate(pieces)
        if piece.is_field and piece.text in names.IDENTIFIERS
    ]
    if not found:
        raise _refusal(template, "must have {id} or {key}, because two items must never share a path")
    readable = frozenset(name for name, is_readable in found if is_readable)
    if not readable:
        raise _refusal(
            template,
            "two items could share a path, unless {id} or {key} is the first or the last field of its part and is "
            "divided from the next field by a sign such as - or _",
        )
    return readable


def _can_be_read_back(pieces: tuple[_Piece, ...], place: int) -> bool:
    before, after = pieces[:place], [piece for piece in pieces[place + 1 :] if piece != ("ext", True)]
    fields_before, fields_after = (any(piece.is_field for piece in side) for side in (before, after))
    if fields_before and fields_after:
        return False
    if fields_before:
        return not before[-1].is_field and _divides(before[-1].text[-1])
    if fields_after:
        return not after[0].is_field and _divides(after[0].text[0])
    return True


def _divides(sign: str) -> bool:
    """Say whether a sign can stand between an id and another value: never part of one, nor joined to one by NFC."""
    return sign.isascii() and not sign.isalnum() and sign != "~"


def _check_room(template: str, parts: tuple[tuple[_Piece, ...], ...]) -> None:
    """Refuse a template that could not keep its fields readable; counts bytes, so that each part has room too."""
    needed = sum(len("/_") + sum(map(_least_size, pieces)) for pieces in parts)
    if needed > PATH_LENGTH:
        raise _refusal(template, f"is too long: with short values it still needs {needed} of {PATH_LENGTH} bytes")


def _least_size(piece: _Piece) -> int:
    if not piece.is_field:
        return names.BYTES.size(piece.text)
    if piece.text in names.IDENTIFIERS:
        return names.IDENTIFIER_SIZE
    return names.EXTENSION_SIZE if piece.text == "ext" else _VALUE_SIZE
