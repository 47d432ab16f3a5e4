"""Who is called what: paths from a template, one for each image, whatever their names have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import fields, paths, schema
from civitscrape.archive import template as templates
from civitscrape.archive.database import in_chunks
from civitscrape.archive.taken import IMAGE, key_of, take

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection

    from civitscrape.items import ModelFile

OF_MODEL_FILE = "models/{version_id}/{id}-{name}{ext}"
"""Path of a model file inside the store: its own name, behind the number that makes it one of a kind."""

_LIKE_A_SIDECAR = re.compile(r".*(\.[a-z][a-z0-9]{1,10}|_meta)", re.IGNORECASE | re.DOTALL)
"""End of a name that, with an extension after it, could be that of a file beside another."""

_NOT_STORED = (".part", ".part.json", ".damaged")
"""Ends of the names of files that are still coming in, or were set aside; nothing that is stored has such a name."""


@dataclass(slots=True, kw_only=True)
class Unnamed:
    """An image that needs a path."""

    id: int
    extension: str
    """Extension of its file, with the dot."""
    known: dict[str, Any] | None = None
    """Fields that it brings, ``fields.CARRIED`` at least; None when all are to be asked of the database."""


@dataclass(slots=True)
class Naming:
    """A path that was found for an image."""

    path: str
    marked: bool
    """Whether it has the image's number in it because another thing has the name without."""


def name(connection: Connection, template: str, images: Collection[Unnamed], kind: str = IMAGE) -> dict[int, str]:
    """Give images paths of their own, and write down that these are taken.

    Args:
        connection: inside a transaction.
        template: what the paths are made from.
        images: images without a path, or with one that they shall leave.
        kind: what the paths are for: the originals, or the rendition of this name.

    Raises:
        ArgumentError: the template cannot be used.
        ArchiveError: an image lacks what would tell it from others.
    """
    found = propose(connection, template, images, Taken(kind))
    take(connection, ((number, naming.path, None) for number, naming in found.items()), kind)
    return {number: naming.path for number, naming in found.items()}


def propose(
    connection: Connection, template: str, images: Collection[Unnamed], taken: Taken | None = None
) -> dict[int, Naming]:
    """Find a path for each image that nobody else has, in the order of the images; nothing is written."""
    taken = Taken() if taken is None else taken
    wanted = templates.read(template).fields
    asked = [one.id for one in images if one.known is None or not wanted <= fields.CARRIED]
    records = fields.fields_for(connection, asked, wanted) if asked else {}
    nothing = dict.fromkeys(fields.KNOWN)
    records |= {one.id: nothing | one.known for one in images if one.id not in records and one.known is not None}
    told = {one.id: records[one.id] | {"ext": one.extension} for one in images if one.id in records}
    rendered = {number: paths.render(template, record) for number, record in told.items()}
    taken.ask(connection, map(key_of, rendered.values()))
    found = {}
    for number, path in rendered.items():
        mark, tries = "", 0
        while (not mark and _LIKE_A_SIDECAR.fullmatch(paths.stem(path))) or not taken.free_for(number, path):
            tries += 1
            mark = f"_{number}" if tries == 1 else f"_{number}-{tries}"
            path = paths.render(template, told[number], mark)  # noqa: PLW2901 (the next try)
            taken.ask(connection, [key_of(path)])
        taken.add(number, path)
        found[number] = Naming(path, bool(mark))
    return found


class Taken:
    """Which names are taken: by the database, and by those who asked before in the same breath."""

    def __init__(self, kind: str = IMAGE, holders: dict[str, tuple[str, int] | None] | None = None) -> None:
        self.kind = kind
        """What names are wanted for: the originals, or the rendition of this name."""
        self._holders = {} if holders is None else holders

    def of(self, kind: str) -> Taken:
        """Look at the same names for the renditions of a name, or for the originals."""
        return Taken(kind, self._holders)

    def ask(self, connection: Connection, keys: Iterable[str]) -> None:
        """Ask the database about names."""
        table = schema.taken_names
        for chunk in in_chunks({key for key in keys if key not in self._holders}):
            query = sa.select(table.c.name, table.c.entry_kind, table.c.entry_id).where(table.c.name.in_(chunk))
            for row in connection.execute(query):
                self._holders[row.name] = (row.entry_kind, row.entry_id)

    def free_for(self, number: int, path: str) -> bool:
        """Tell whether an image may have a path."""
        return self._holders.get(key_of(path)) in (None, (self.kind, number))

    def add(self, number: int, path: str) -> None:
        """Take a path for an image."""
        self._holders[key_of(path)] = (self.kind, number)

    def leave(self, path: str) -> None:
        """Let go of a path."""
        self._holders[key_of(path)] = None


def name_of_file(file: ModelFile) -> str:
    """Make the path of a model file inside the store.

    >>> from civitscrape.items import ModelFile
    >>> name_of_file(ModelFile(id=31, version_id=29, name="lantern_v20.safetensors"))
    'models/29/31-lantern_v20.safetensors'
    >>> name_of_file(ModelFile(id=31, version_id=29, name="lantern_v20.safetensors.part"))
    'models/29/31-lantern_v20.safetensors.part_'
    """
    name = PurePosixPath((file.name or "").replace("\\", "/")).name
    stem, dot, suffix = name.rpartition(".")
    fields = {
        "id": file.id,
        "version_id": file.version_id,
        "name": stem if dot else name,
        "ext": f".{suffix}" if dot else "",
    }
    path = paths.render(OF_MODEL_FILE, fields, model_file=True)
    return f"{path}_" if path.lower().endswith(_NOT_STORED) else path
