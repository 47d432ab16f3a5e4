"""An archive of a million images, made by the database itself: no crawl could fill one within a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from civitscrape.archive import schema
from civitscrape.archive.commit import commit
from civitscrape.archive.database import open_engine
from civitscrape.items import Image
from civitscrape.ledger import Link, Media, MediaState, Walk, WalkState, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection, Engine

IMAGES, CREATORS = 1_000_000, 200
"""Images in all, and who posted them."""
GREAT = "lampwright"
SHARE = 10
"""Every tenth image is of this one creator: 100,000."""
SPREAD = 80
"""Between the ids of two images: in all they stay below the ids of the sandbox's."""
RUNS = 20
"""Complete walks of each creator, as those leave who start it every day."""
LONG_AGO = "2026-01-01T00:00:00.000Z"

CREATOR = f"CASE WHEN i % {SHARE} = 0 THEN '{GREAT}' ELSE 'hoarded_' || (i % {CREATORS - 1}) END"
NUMBER = f"i * {SPREAD}"
# A prime, so that neighbours are far apart among the keys, as UUIDs are.
KEY = "printf('%08x-4f1e-4a7b-9c3d-%012x', (i * 2654435761) % 4294967296, i)"
PATH = f"{CREATOR} || '/' || {NUMBER} || '.jpeg'"
LACKING = f"(i % {SHARE} != 0 AND i % 251 = 0)"
"""Some thousands, none of them of the one creator: they would be asked for, and change the next round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """The rows of one table: a value of each column as SQL over ``i``, the image, and ``j``, the place in it."""

    table: str
    columns: dict[str, str]
    each: int = 1
    """Rows of one image."""
    rows: int | None = None
    """How often ``i`` counts where that is no image."""

    def statement(self, images: int) -> str:
        """Write the one statement that makes all rows; names that the schema does not know are refused by SQLite."""
        rows = images if self.rows is None else self.rows
        counted = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}"
        inner = f"SELECT 1 UNION ALL SELECT j + 1 FROM m WHERE j < {self.each}"
        names, values = ", ".join(self.columns), ", ".join(self.columns.values())
        return (
            f"INSERT INTO {self.table} ({names}) WITH RECURSIVE n(i) AS ({counted}), m(j) AS ({inner}) "
            f"SELECT {values} FROM n CROSS JOIN m"
        )


PROMPT = "'a harbour at dawn, number ' || i"
META = f"""'{{"steps":30,"sampler":"Euler a","seed":' || i || ',"prompt":"' || {PROMPT} || '"}}'"""
OUTCOME = f"CASE WHEN {LACKING} THEN iif(i % 2, 'wanted', 'failed') ELSE 'stored' END"

FILLINGS = (
    Filling(
        table="images",
        columns={
            "id": NUMBER,
            "key": KEY,
            "type": "iif(i % 20, 'image', 'video')",
            "creator": CREATOR,
            "post_id": "i / 4",
            "width": "832",
            "height": "1216",
            "level": "1",
            "created_at": f"'{LONG_AGO}'",
            "base_model": "'SDXL 1.0'",
            "prompt": PROMPT,
            "meta": META,
            "meta_state": "'visible'",
            "like_count": "i % 97",
            "path": f"CASE WHEN {LACKING} THEN NULL ELSE {PATH} END",
        },
    ),
    Filling(
        table="media",
        columns={
            "key": KEY,
            "kind": "'image'",
            "entry_id": NUMBER,
            "url": f"'https://image.civitai.com/' || {KEY}",
            "path": f"CASE WHEN {LACKING} THEN NULL ELSE {PATH} END",
            "sha256": f"CASE WHEN {LACKING} THEN NULL ELSE lower(hex(randomblob(32))) END",
            "size": "200000",
            "content_type": "'image/jpeg'",
            "state": OUTCOME,
            "attempts": "0",
            "fetched_at": f"CASE WHEN {LACKING} THEN NULL ELSE '{LONG_AGO}' END",
        },
    ),
    Filling(
        table="links",
        columns={
            "target_kind": "'user'",
            "target": CREATOR,
            "entry_kind": "'image'",
            "entry_id": NUMBER,
            "first_seen_at": f"'{LONG_AGO}'",
            "walk_id": f"1 + i % {CREATORS - 1}",
        },
    ),
    Filling(table="tags", columns={"id": "i", "name": "'word ' || i"}, rows=2000),
    Filling(
        table="image_tags",
        columns={"image_id": NUMBER, "tag_id": "1 + (i * 7) % 400 * 5 + j - 1", "score": "j", "automated": "1"},
        each=5,
    ),
    Filling(
        table="image_resources",
        columns={
            "image_id": NUMBER,
            "position": "j",
            "model_version_id": "(i * 31 + j) % 5000",
            "name": "iif(i % 50, 'Amber Lantern XL', NULL)",
            "type": "'lora'",
            "source": "'detected'",
        },
        each=2,
    ),
    Filling(
        table="payloads",
        columns={
            "kind": "'rest.image'",
            "entry_id": f"CAST({NUMBER} AS TEXT)",
            "sha256": "lower(hex(randomblob(32)))",
            "fetched_at": f"'{LONG_AGO}'",
            "body": "randomblob(150)",
        },
    ),
    Filling(
        table="walks",
        columns={
            "run_id": "'20260101T000000-' || (i % 97)",
            "source": "'rest.images'",
            "target": f"'user:hoarded_' || (i % {CREATORS - 1})",
            "level": "3",
            "params": f"""'{{"username": "hoarded_' || (i % {CREATORS - 1}) || '", "type": null, "sort": "Oldest"}}'""",
            "cursor": "'400|1767225600000'",
            "pages": "3",
            "entries": "500",
            "state": "iif(i % 40, 'complete', 'running')",
            "started_at": f"'{LONG_AGO}'",
            "updated_at": f"'{LONG_AGO}'",
        },
        rows=RUNS * CREATORS,
    ),
)


def fill(url: str, images: int = IMAGES) -> None:
    """Make an archive of so many images.

    Args:
        url: address of the database, which is made.
        images: how many.
    """
    engine = open_engine(url)
    indexes = [index for table in schema.metadata.sorted_tables for index in table.indexes]
    with engine.begin() as connection:
        for index in indexes:  # made at once over everything, which takes a fraction of the time
            index.drop(connection)
        for filling in FILLINGS:
            connection.exec_driver_sql(filling.statement(images))
        for index in indexes:
            index.create(connection)
    _at_rest(engine)


def _at_rest(engine: Engine) -> None:
    """Leave nothing in the write-ahead log: the first to open the database would be charged for it."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def add(url: str, records: Iterable[Any]) -> None:
    """Commit records as an answer brings them."""
    engine = open_engine(url)
    with engine.begin() as connection:
        _commit(connection, list(records))
    _at_rest(engine)


def _commit(connection: Connection, records: list[Any]) -> None:
    commit(connection, records)


def image_of(truth: dict[str, Any], state: MediaState, walk: Walk) -> list[Any]:
    """Make the rows of one image of the sandbox, as an earlier run left them that met it on a walk."""
    creator, number, key = truth["creator"], truth["id"], truth["key"]
    stored = state is MediaState.STORED
    path = f"{creator}/{number}.{truth['format']}" if stored else None
    return [
        Image(id=number, key=key, type=truth["type"], creator=creator, level=truth["level"], path=path),
        Link(
            target_kind="user",
            target=creator,
            entry_kind="image",
            entry_id=number,
            first_seen_at=LONG_AGO,
            walk_id=walk.id,
        ),
        Media(key=key, kind="image", entry_id=number, path=path, state=state, fetched_at=LONG_AGO if stored else None),
    ]


def walk_of(creator: str, state: WalkState, *, entries: int) -> Walk:
    """Make a walk over a creator's images as the spider ``user`` begins it; it has a number once it was added."""
    return Walk(
        run_id="20260101T000000-x7k2",
        source="rest.images",
        target=f"user:{creator}",
        level=3,
        params={"username": creator, "type": None, "sort": "Oldest"},
        pages=1,
        entries=entries,
        state=state,
        started_at=now(),
    )
