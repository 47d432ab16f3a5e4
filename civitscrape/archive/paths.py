"""Where a media file lies: the fields of an item become a relative path, safe on every system (DESIGN section 8)."""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.archive import names
from civitscrape.archive import template as templates
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from civitscrape.archive.template import Form, Piece

DEFAULT_TEMPLATE = templates.DEFAULT
PART_BYTES = 255
"""Longest folder or file name in UTF-8: the limit of ext4, APFS and most others."""
PATH_LENGTH = templates.PATH_LENGTH
PARTS_FOLDER = ".parts"
"""Folder of the files still coming in; no template can reach it, because no part of a path begins with a dot."""

_NEVER_CUT = frozenset({*names.IDENTIFIERS, "ext"})
_PLAIN = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""A relative path of parts that no system takes for anything else."""
_FILE = "file-"
"""What the keys begin with that model files have for their parts."""
_FILE_PART = re.compile(rf"~{_FILE}([0-9]{{1,18}})~[0-9a-f]{{8}}\.part")
_KEY_PART = re.compile(rf"({names.IDENTIFIERS['key'].pattern})\.part")
_MODEL_FILES = "models/"
"""Folder of the model files; what others would put two folders deep in it could meet them."""


class _Bit(NamedTuple):
    """A stretch of a path: its text, and the value that it may be cut from; empty for what is never cut."""

    text: str
    value: str


def validate(template: str, known: Collection[str] | None = None) -> None:
    """Refuse a template that could leave the store, be illegal on some system, or says what nobody knows.

    Args:
        template: text with field names in braces, such as ``DEFAULT_TEMPLATE``, or the name of a preset.
        known: names that items will have; a template that uses another is refused. None leaves that to ``render``.

    Raises:
        ArgumentError: the template cannot be used.
    """
    fields = templates.read(template).fields
    if known is not None:
        templates.check_known(template, fields, known)


def fields_of(template: str) -> frozenset[str]:
    """Tell which fields a template names; ``ext`` always is one.

    Raises:
        ArgumentError: the template cannot be used.
    """
    return templates.read(template).fields


def render(template: str, fields: Mapping[str, object], mark: str = "", *, model_file: bool = False) -> str:
    """Make the relative path of an item, with slashes.

    A field that is None or empty becomes its default, or ``-unknown`` (the creator ``-deleted``). A value that had to
    be changed or cut ends in a hash of what it was, so that two values do not become one name.

    Args:
        template: text with field names in braces, or the name of a preset.
        fields: what is known of the item.
        mark: put before the extension, and never cut: what tells the item from another whose path is the same.
        model_file: whether it belongs into the folder of the model files, which is kept free of all else.

    >>> render("{creator}/{id}{ext}", {"creator": "harbour_lights", "id": 42, "ext": ".png"})
    'harbour_lights/42.png'
    >>> render("{creator}/{id}{ext}", {"creator": None, "id": 42, "ext": ".png"})
    '-deleted/42.png'
    >>> render("{creator}/{id}{ext}", {"creator": "a/b", "id": 42, "ext": ".png"})
    'a_b~82badf67/42.png'
    >>> render("{created_at:%Y/%m|undated}/{id}{ext}", {"created_at": "2026-11-20T18:30:00Z", "id": 42, "ext": ".png"})
    '2026/11/42.png'

    Raises:
        ArgumentError: the template cannot be used, or names a field that there is not.
        ArchiveError: the item has no value for the id or key that would tell it from others.
    """
    read = templates.read(template)
    if not read.fields <= fields.keys():
        templates.check_known(template, read.fields, fields)
    form = read.forms[tuple(_is_there(fields[name]) for name in read.conditions)]
    if form.identifiers and not any(_text(fields[name]) for name in form.identifiers):
        wanted = " or ".join(sorted(form.identifiers))
        raise ArchiveError(f"media path template {template!r}: an item without {wanted} can have no path of its own")
    raw = {piece: _text(fields[piece.text], piece.form) for piece in form.pieces}
    values = {piece: _value(piece.text, text) for piece, text in raw.items()}
    path = form.layout.format(*[values[piece] for piece in form.pieces])
    # A sidecar or a converted copy has a longer extension than the original: room for it is kept.
    is_short = path.isascii() and len(path) <= PATH_LENGTH - names.EXTENSION_SIZE
    is_ours = not model_file and _among_model_files(path)
    if mark or is_ours or not is_short or any(map(names.is_device, path.split("/"))):
        return _fit(form, raw, values, mark, "_" if is_ours else "")
    return path


def _is_there(value: object) -> bool:
    """Tell whether a condition on a value holds; zero is a value like any other."""
    return value is not None and value is not False and value not in ("", [], {})


def _text(value: object, form: str = "") -> str:
    """Write a value; a date in its form, a list with commas."""
    if value is None:
        return ""
    if form:
        try:
            return datetime.fromisoformat(str(value)).strftime(form)
        except ValueError:  # no date
            return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _among_model_files(path: str) -> bool:
    return path[: len(_MODEL_FILES)].lower() == _MODEL_FILES and path.count("/") > 1


def stem(path: str) -> str:
    """Leave out the extension: what a media file shares with the sidecars beside it.

    >>> stem("lampwright/7.png")
    'lampwright/7'
    """
    return path.rpartition(".")[0]


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
    return store / PARTS_FOLDER / part_name(key)


def part_name(key: str) -> str:
    """Name that file without its folder."""
    return f"{names.identifier('key', key)}.part"


def file_part_path(store: Path, number: int) -> Path:
    """Name the file that a model file is downloaded to."""
    return part_path(store, f"{_FILE}{number}")


def part_owner(name: str) -> str | int | None:
    """Tell from the name of a part, or of its journal, what it is of: a media key, or the number of a model file.

    >>> part_owner(part_path(Path("media"), "0f3a2b1c-4f1e-4a7b-9c3d-0123456789ab@width=450").name)
    '0f3a2b1c-4f1e-4a7b-9c3d-0123456789ab@width=450'
    >>> part_owner(file_part_path(Path("media"), 31).name), part_owner("31.part")
    (31, None)
    """
    if found := _FILE_PART.match(name):
        return int(found[1])
    found = _KEY_PART.match(name)
    return found[1] if found else None


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


def _fit(form: Form, raw: Mapping[Piece, str], values: Mapping[Piece, str], mark: str, before: str) -> str:
    """Join the values, cutting those that may be cut until every part and the whole have a legal length."""
    spare = names.EXTENSION_SIZE - len(values[form.pieces[-1]])
    path: list[_Bit] = [_Bit(before, "")]
    for place, pieces in enumerate(form.parts):
        part = [
            _Bit(values[piece], "" if piece.text in _NEVER_CUT else raw[piece])
            if piece.is_field
            else _Bit(piece.text, "")
            for piece in pieces
        ]
        is_last = place == len(form.parts) - 1
        if is_last:
            part.insert(-1, _Bit(mark, ""))
        if names.is_device("".join(bit.text for bit in part)):  # no value is one; its neighbours can make it one
            part.insert(0, _Bit("_", ""))
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
