"""Tables, made from the dataclasses of the items and of the ledger."""

from __future__ import annotations

from dataclasses import fields
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa

from civitscrape import items, ledger
from civitscrape.items import Key, Mark, NoColumn

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits everywhere; SQLite counts up only a column that is called INTEGER."""

JSON = sa.JSON(none_as_null=True)
"""Missing is NULL, never the text ``null``."""

NAME = sa.Text().with_variant(sa.Text(collation="NOCASE"), "sqlite")
"""Usernames are one whatever their case (DESIGN section 5)."""

TYPES: dict[type, sa.types.TypeEngine[Any]] = {
    int: INTEGER,
    str: sa.Text(),
    float: sa.Float(),
    bool: sa.Boolean(),
    bytes: sa.LargeBinary(),
    dict: JSON,
    list: JSON,
}

DATACLASSES: dict[type, str] = {**items.TABLES, **ledger.TABLES}
"""Every dataclass that is a table, with the table's name."""

INDEXES: dict[str, list[str]] = {
    "images": ["creator", "post_id", "key"],
    "image_tags": ["tag_id"],
    "image_resources": ["model_version_id"],
    "version_images": ["image_id"],
    "models": ["creator"],
    "model_versions": ["model_id"],
    "model_files": ["version_id", "sha256", "autov2", "state"],
    "posts": ["creator"],
    "collection_entries": ["entry_id"],
    "links": ["entry_id"],
    "media": ["state", "sha256"],
    "walks": ["target", "run_id", "parent_id", "state"],
}
"""Columns that our questions search by."""

metadata = sa.MetaData()


def marks_of(dataclass: type) -> dict[str, Mark]:
    """Read the mark of each field; a field without one is ``LATEST``."""
    hints = get_type_hints(dataclass, include_extras=True)
    found = {}
    for one in fields(dataclass):
        marks = [mark for mark in getattr(hints[one.name], "__metadata__", ()) if isinstance(mark, Mark)]
        found[one.name] = marks[0] if marks else Mark.LATEST
    return found


def _column(name: str, hint: Any, mark: Mark) -> sa.Column[Any]:
    """Turn one annotated field into a column."""
    options = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    kinds = [option for option in options if option is not type(None)]
    kind = get_origin(kinds[0]) or kinds[0]
    column_type = NAME if name in {"username", "creator"} else TYPES[kind]
    return sa.Column(name, column_type, primary_key=mark is Key, nullable=mark is not Key)


def _table(dataclass: type, name: str) -> sa.Table:
    """Make the table of a dataclass: one column a field, in the order of the fields."""
    marks = marks_of(dataclass)
    hints = get_type_hints(dataclass)
    columns = [_column(key, hints[key], mark) for key, mark in marks.items() if mark is not NoColumn]
    table = sa.Table(name, metadata, *columns)
    for column in INDEXES.get(name, []):
        sa.Index(f"{name}_{column}", table.c[column])
    return table


def grow(connection: sa.Connection) -> list[str]:
    """Add the columns and indexes that tables of an older archive lack; returns their names.

    All that versions of civitscrape have done to the tables is to add columns that may be empty, which both databases
    do in place, and indexes; whatever takes more than that needs a migration of its own.
    """
    added = []
    found = sa.inspect(connection)
    for table in metadata.sorted_tables:
        here = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in here:
                kind = column.type.compile(connection.dialect)
                name = connection.dialect.identifier_preparer.quote(column.name)
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}"))
                added.append(f"{table.name}.{column.name}")
        indexed = {index["name"] for index in found.get_indexes(table.name)}
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if index.name not in indexed:
                index.create(connection)
                added.append(str(index.name))
    return added


BY_CLASS: dict[type, sa.Table] = {dataclass: _table(dataclass, name) for dataclass, name in DATACLASSES.items()}
"""Table of each dataclass."""

COLUMNS: dict[type, tuple[str, ...]] = {dataclass: tuple(table.c.keys()) for dataclass, table in BY_CLASS.items()}
"""Names of the columns of each dataclass, in order."""

COLUMNS_OF: dict[str, tuple[str, ...]] = {DATACLASSES[dataclass]: names for dataclass, names in COLUMNS.items()}
"""Names of the columns of each table, in order."""

sa.Index("creators_user_id", BY_CLASS[items.Creator].c.user_id, unique=True)

_resources = BY_CLASS[items.ImageResource].c
sa.Index(
    "image_resources_nameless",
    _resources.model_version_id,
    sqlite_where=_resources.name.is_(None),
    postgresql_where=_resources.name.is_(None),
)
"""Those that wait for the name of their version: few, where a version itself may have a hundred thousand images."""

_media = BY_CLASS[ledger.Media].c
for _column_name in ("webp_replaced", "replaced", "untold"):
    _is_due = _media[_column_name].is_not(None)
    sa.Index(f"media_{_column_name}", _media.key, sqlite_where=_is_due, postgresql_where=_is_due)
"""Those with work that is left: hardly ever any, and asked for after each picture."""

sa.Index(
    "media_phash", _media.phash, sqlite_where=_media.phash.is_not(None), postgresql_where=_media.phash.is_not(None)
)
"""What pictures look like, without the rest of their rows: all of it is read to find what is near one."""

creators = BY_CLASS[items.Creator]
images = BY_CLASS[items.Image]
tags = BY_CLASS[items.Tag]
tag_names = BY_CLASS[items.TagName]
image_tags = BY_CLASS[items.ImageTag]
prompt_tags = BY_CLASS[items.PromptTag]
image_resources = BY_CLASS[items.ImageResource]
version_images = BY_CLASS[items.VersionImage]
models = BY_CLASS[items.Model]
model_versions = BY_CLASS[items.ModelVersion]
model_files = BY_CLASS[items.ModelFile]
posts = BY_CLASS[items.Post]
collections = BY_CLASS[items.Collection]
collection_entries = BY_CLASS[items.CollectionEntry]
links = BY_CLASS[ledger.Link]
media = BY_CLASS[ledger.Media]
walks = BY_CLASS[ledger.Walk]
runs = BY_CLASS[ledger.Run]
payloads = BY_CLASS[ledger.Payload]
local_files = BY_CLASS[ledger.LocalFile]
taken_names = BY_CLASS[ledger.TakenName]
