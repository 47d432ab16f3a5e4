"""The language of path templates: fields, their defaults, conditions and dates, checked before anything is named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from civitscrape.archive import names
from civitscrape.exceptions import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

DEFAULT = "{creator}/{id}{ext}"

PRESETS = {
    "flat": "{id}{ext}",
    "by-model": "{base_model|no-base-model}/{model_version|no-model}/{creator}/{id}{ext}",
    "rated": "{kind}/{rating}/{model_version|no-model}/{creator}/{id}{ext}",
    "grabber": ("{grabber_search}/{grabber_target}/{grabber_model?{grabber_model}/}{grabber_folder}/{id}{ext}"),
    "grabber-unsorted": "{grabber_search}/{grabber_target}/{grabber_model?{grabber_model}/}{id}{ext}",
}
"""Templates that go by a name."""

GRABBER = frozenset({"grabber", "grabber-unsorted"})
"""Presets that lay files out as CivitAI_Image_grabber does, its own files beside them."""

PATH_LENGTH = 240
"""Longest relative path in UTF-16 units, as Windows counts, whose limit for the whole of a path is 260."""

CONDITIONS = 6
"""Fields that one template may ask about at most: each doubles the forms that are checked at the start."""

_VALUE_SIZE = 16
"""Bytes that a value is left with, so that something of it can still be read before its hash."""
_NAME = re.compile(r"[^\W\d]\w*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DATE_FORM = re.compile(r"(?:[^%{}|]|%[YymdHMSjGVu])+")
"""Forms of a date: the directives of ``strftime`` that give digits, whatever the language of the machine."""


class Piece(NamedTuple):
    """A stretch of a template: literal text, or the name of a field."""

    text: str
    is_field: bool
    form: str = ""
    """How a date is written; empty for the value as it is."""


class _Asked(NamedTuple):
    """A stretch that depends on whether a field is there."""

    field: str
    there: tuple[_Node, ...]
    missing: tuple[_Node, ...]


_Node: TypeAlias = "Piece | _Asked"


@dataclass(frozen=True, slots=True)
class Form:
    """What a template comes to once it is known which of the fields that it asks about are there."""

    parts: tuple[tuple[Piece, ...], ...]
    """Folders and file name, each of pieces."""
    layout: str
    """The same as a text for ``str.format``."""
    pieces: tuple[Piece, ...]
    """The fields of the layout, in their order."""
    identifiers: frozenset[str]
    """Those of the fields that can be read back from a path, and so keep two items apart."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was found good."""

    text: str
    fields: frozenset[str]
    conditions: tuple[str, ...]
    """Fields that it asks about."""
    forms: dict[tuple[bool, ...], Form]
    """What it comes to, by whether each of these is there."""


def read(text: str) -> Template:
    """Read a template, or the name of a preset.

    >>> sorted(read("{creator?{creator}/}{created_at:%Y|undated}/{id}{ext}").fields)
    ['created_at', 'creator', 'ext', 'id']

    Raises:
        ArgumentError: it could leave the store, be illegal on some system, or is not understood.
    """
    return _read(text)


@lru_cache(maxsize=64)
def _read(text: str) -> Template:
    template = PRESETS.get(text, text)
    if "{" not in template and "/" not in template and template:
        near = get_close_matches(template, PRESETS)
        wanted = f"did you mean {near[0]}?" if near else f"there are {', '.join(PRESETS)}"
        raise refusal(text, f"no field stands in it, and no preset has this name; {wanted}")
    _check_start(text, template)
    nodes = _Parser(text, template).nodes()
    conditions = tuple(dict.fromkeys(_asked(nodes)))
    if len(conditions) > CONDITIONS:
        raise refusal(text, f"asks about {len(conditions)} fields; {CONDITIONS} are the most")
    forms = {}
    for there in product((True, False), repeat=len(conditions)):
        missing = [name for name, is_there in zip(conditions, there, strict=True) if not is_there]
        forms[there] = _form(text, _flat(nodes, missing), missing)
    fields = {piece.text for form in forms.values() for piece in form.pieces}
    return Template(text, frozenset(fields.union(conditions)), conditions, forms)


def check_known(text: str, used: Collection[str], known: Collection[str]) -> None:
    """Refuse fields that there are not, with the nearest that there are.

    Raises:
        ArgumentError: a field is unknown.
    """
    for name in sorted(used):
        if name not in known:
            near = get_close_matches(name, known) or sorted(known)
            raise refusal(text, f"there is no field {name!r}; did you mean {' or '.join(near)}?")


def refusal(text: str, reason: str) -> ArgumentError:
    """Say which template cannot be used, and why."""
    return ArgumentError(f"media path template {text!r}: {reason}")


class _Parser:
    """Reads a template from left to right."""

    def __init__(self, text: str, template: str) -> None:
        self._text = text
        self._template = template
        self._place = 0

    def nodes(self, *, inside: bool = False) -> tuple[_Node, ...]:
        """Read to the end, or inside of a condition to its closing brace, which is taken too."""
        found: list[_Node] = []
        while self._place < len(self._template):
            sign, pair = self._template[self._place], self._template[self._place : self._place + 2]
            if sign == "}" and inside:
                self._place += 1
                return tuple(found)
            if pair in {"{{", "}}"}:
                self._place += 2
                found.append(Piece(sign, is_field=False))
            elif sign == "}":
                raise refusal(self._text, f"Single '}}'; a field is a name in braces, as in {DEFAULT!r}")
            elif sign == "{":
                self._place += 1
                found.append(self._field())
            else:
                end = re.compile(r"[{}]|\Z").search(self._template, self._place)
                stop = end.start() if end else len(self._template)
                found.append(Piece(self._template[self._place : stop], is_field=False))
                self._place = stop
        if inside:
            raise self._open()
        return tuple(found)

    def _field(self) -> _Node:
        """Read what stands in braces: a field, with its defaults, or a condition."""
        named = _NAME.match(self._template, self._place)
        end = named.end() if named else self._place
        if named and self._template[end : end + 1] == "?":
            self._place = end + 1
            return _Asked(named[0], self.nodes(inside=True), ())
        close = self._template.find("}", self._place)
        if close < 0:
            raise self._open()
        content = self._template[self._place : close]
        self._place = close + 1
        *fields, last = content.split("|")
        if not fields:
            return self._value(last)
        node: tuple[_Node, ...] = (Piece(last, is_field=False),)
        for field in reversed(fields):
            value = self._value(field)
            node = (_Asked(value.text, (value,), node),)
        return node[0]

    def _value(self, content: str) -> Piece:
        name, colon, form = content.partition(":")
        is_date = name.endswith("_at") and _DATE_FORM.fullmatch(form)
        if not _NAME.fullmatch(name) or (colon and not is_date):
            reason = (
                f"in braces may stand only the name of a field, not {content!r}; more than that are a date's form "
                "({created_at:%Y-%m}), a default ({base_model|none}) and a condition ({creator?{creator}/})"
            )
            raise refusal(self._text, reason)
        return Piece(name, is_field=True, form=form)

    def _open(self) -> ArgumentError:
        return refusal(self._text, f"expected '}}' before its end; a field is a name in braces, as in {DEFAULT!r}")


def _asked(nodes: Iterable[_Node]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, _Asked):
            yield node.field
            yield from _asked(node.there)
            yield from _asked(node.missing)


def _flat(nodes: Iterable[_Node], missing: Collection[str]) -> list[Piece]:
    """Leave what stands there when some fields are missing; a date's form may divide folders as the template does."""
    found: list[Piece] = []
    for node in nodes:
        if isinstance(node, _Asked):
            found += _flat(node.missing if node.field in missing else node.there, missing)
        elif node.is_field and "/" in node.form:
            for place, form in enumerate(node.form.split("/")):
                found += [Piece("/", is_field=False)] if place else []
                found += [node._replace(form=form)] if form else []
        else:
            found.append(node)
    return found


def _form(text: str, pieces: list[Piece], missing: Collection[str]) -> Form:
    parts = _divided(pieces)
    try:
        for part in parts:
            _check_part(text, part)
        fields = [piece.text for part in parts for piece in part if piece.is_field]
        if fields.count("ext") != 1 or parts[-1][-1][:2] != ("ext", True):
            raise refusal(text, "must end in {ext}, and have it only there")
        _check_room(text, parts)
    except ArgumentError as error:
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise ArgumentError(f"{error}; that is when {' and '.join(missing)} {verb} not known") from error
        raise
    places = [piece for part in parts for piece in part if piece.is_field]
    layout = "/".join("".join("{}" if one.is_field else _escaped(one.text) for one in part) for part in parts)
    return Form(parts, layout, tuple(places), _identifiers(parts))


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _divided(pieces: Iterable[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """Divide into folders and a file name, at the template's own slashes; texts that touch become one."""
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.is_field:
            parts[-1].append(piece)
            continue
        for place, text in enumerate(piece.text.split("/")):
            if place:
                parts.append([])
            if text and parts[-1] and not parts[-1][-1].is_field:
                text = parts[-1].pop().text + text  # noqa: PLW2901 (the two are one)
            if text:
                parts[-1].append(Piece(text, is_field=False))
    return tuple(map(tuple, parts))


def _check_start(text: str, template: str) -> None:
    if template.startswith(("/", "\\")) or re.match("[A-Za-z]:", template):
        raise refusal(text, "must be relative to the media store: no leading slash, no drive letter")
    if "\\" in template:
        raise refusal(text, "folders are divided by / on every system, not by a backslash")
    if found := _CONTROL.search(template):
        raise refusal(text, f"{found[0]!r} is a control character, not allowed in names on every system")


def _check_part(text: str, pieces: tuple[Piece, ...]) -> None:
    """Refuse a part whose own text is not legal everywhere."""
    if not pieces:
        raise refusal(text, "has an empty part")
    for piece in pieces:
        if not piece.is_field and names.legal(piece.text) != piece.text:
            raise refusal(text, f"{piece.text!r} has characters that are not allowed in names on every system")
    first, last = pieces[0], pieces[-1]
    if first[:2] == ("ext", True):
        raise refusal(text, "no part may begin with {ext}, whose first sign is a dot, so neither .. nor hidden names")
    if not first.is_field and first.text[0] in ". ":
        raise refusal(text, f"no part may begin with a dot or a space ({first.text!r}), so neither .. nor hidden names")
    if not last.is_field and last.text[-1] in ". ":
        raise refusal(text, f"no part may end in a dot or a space ({last.text!r}): Windows drops them")


def _identifiers(parts: tuple[tuple[Piece, ...], ...]) -> frozenset[str]:
    """Find the ids and keys that can be read back from a path; without one, only the database keeps items apart."""
    return frozenset(
        piece.text
        for pieces in parts
        for place, piece in enumerate(pieces)
        if piece.is_field and piece.text in names.IDENTIFIERS and _can_be_read_back(pieces, place)
    )


def _can_be_read_back(pieces: tuple[Piece, ...], place: int) -> bool:
    before, after = pieces[:place], [piece for piece in pieces[place + 1 :] if piece[:2] != ("ext", True)]
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


def _check_room(text: str, parts: tuple[tuple[Piece, ...], ...]) -> None:
    """Refuse a template that could not keep its fields readable; counts bytes, so that each part has room too."""
    needed = sum(len("/_") + sum(map(_least_size, pieces)) for pieces in parts)
    if needed > PATH_LENGTH:
        raise refusal(text, f"is too long: with short values it still needs {needed} of {PATH_LENGTH} bytes")


def _least_size(piece: Piece) -> int:
    if not piece.is_field:
        return names.BYTES.size(piece.text)
    if piece.text in names.IDENTIFIERS:
        return names.IDENTIFIER_SIZE
    return names.EXTENSION_SIZE if piece.text == "ext" else _VALUE_SIZE
