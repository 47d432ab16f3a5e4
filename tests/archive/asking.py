"""What the tests of the archive put in and ask out: a picture and all that comes with it, and the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.commit import Standing, commit
from civitscrape.archive.database import from_row
from civitscrape.items import Image
from civitscrape.ledger import Link, Media, Walk, WalkState

if TYPE_CHECKING:
    from civitscrape.archive.database import Archive

T = TypeVar("T")

TARGET = "user:lampwright"
LONG_AGO = "2026-01-01T00:00:00.000Z"


def put(archive: Archive, *records: object) -> dict[int, Standing]:
    """Commit some records as one answer."""
    return archive.run_now(commit, records)


def rows(archive: Archive, dataclass: type[T]) -> list[T]:
    """Ask for everything in a table, in the order of its key."""
    table = schema.BY_CLASS[dataclass]
    query = sa.select(table).order_by(*table.primary_key)
    return archive.run_now(lambda connection: [from_row(dataclass, row) for row in connection.execute(query)])


def row(archive: Archive, dataclass: type[T]) -> T:
    """Ask for the only row of a table."""
    (found,) = rows(archive, dataclass)
    return found


def key_of(number: int) -> str:
    return f"{number:08x}-4f1e-4a7b-9c3d-0123456789ab"


def picture(number: int, **fields: Any) -> Image:
    defaults: dict[str, Any] = {"id": number, "key": key_of(number), "creator": "lampwright", "level": 1}
    return Image(**defaults | fields)


def media_of(image: Image, **fields: Any) -> Media:
    defaults: dict[str, Any] = {"key": image.key, "kind": image.type, "entry_id": image.id}
    return Media(**defaults | fields)


def link_to(image: Image, target: str = TARGET) -> Link:
    kind, _, name = target.partition(":")
    return Link(target_kind=kind, target=name, entry_kind="image", entry_id=image.id, first_seen_at=LONG_AGO)


def walk_of(target: str = TARGET, **fields: Any) -> Walk:
    defaults: dict[str, Any] = {
        "run_id": "20261120T183000-x7k2",
        "source": "rest.images",
        "target": target,
        "level": 3,
        "params": {"username": "lampwright", "type": None, "sort": "Oldest"},
        "state": WalkState.RUNNING,
    }
    return Walk(**defaults | fields)
