"""Tables follow the dataclasses, also those of archives that were made before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.commit import commit
from civitscrape.archive.database import Archive, upsert
from civitscrape.items import Image, Model

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

LACKING = ("tools", "techniques")


def age(connection: Connection) -> None:
    """Take away what a newer version has added."""
    for column in LACKING:
        connection.execute(sa.text(f"ALTER TABLE images DROP COLUMN {column}"))
    connection.execute(sa.text("DROP TABLE models"))


def test_an_older_archive_gets_the_columns_and_tables_that_it_lacks(archive, url):
    archive.run_now(upsert, [Image(id=7, prompt="a harbour")])
    archive.run_now(age)
    archive.close()

    again = Archive(url)
    again.run_now(commit, [Image(id=8, tools=["Ink"]), Model(id=1, name="Lantern")])

    rows = again.run_now(lambda connection: connection.execute(sa.select(schema.images).order_by("id")).all())
    again.close()
    assert [(row.id, row.prompt, row.tools) for row in rows] == [(7, "a harbour", None), (8, None, ["Ink"])]


def test_an_archive_that_is_up_to_date_is_left_alone(archive):
    added = archive.run_now(schema.grow)

    assert added == []


def without_indexes(connection: Connection) -> None:
    """Take away all indexes, as if none had been thought of yet."""
    for table in schema.metadata.sorted_tables:
        for index in table.indexes:
            index.drop(connection)


def test_an_older_archive_gets_the_indexes_that_it_lacks(archive, url):
    archive.run_now(without_indexes)
    archive.close()

    again = Archive(url)
    found = again.run_now(
        lambda connection: {
            one["name"] for table in schema.metadata.tables for one in sa.inspect(connection).get_indexes(table)
        }
    )
    again.close()

    assert found == {index.name for table in schema.metadata.tables.values() for index in table.indexes}
