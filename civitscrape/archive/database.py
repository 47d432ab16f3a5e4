"""The database: open it, write to it in order, ask it questions."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable  # noqa: TC003 (a named tuple reads it)
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from civitscrape.archive import merge, schema, taken
from civitscrape.exceptions import ArchiveError
from civitscrape.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection, Engine

T = TypeVar("T")

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction, where the address has no ``timeout``; ours take less than one."""

WAL_TRIES, WAL_PAUSE = 100, 0.05
"""How often, and after how many seconds, the switch to write-ahead logging is tried again: five seconds in all."""

VARIABLES = 500
"""Values in one ``IN (…)``: far below what either database allows, so plans stay cached."""

PARAMETERS = 999
"""Values in one statement at most: what SQLite took before 2020, and enough to make the rest cheap."""

FORMS = "use an sqlite:/// or postgresql:// address"


def open_engine(url: str) -> Engine:
    """Open a database, make its tables where they are missing.

    Raises:
        ArchiveError: the address is not understood, or the database cannot be opened.
    """
    address = _parse(url)
    try:
        if address.database and address.get_backend_name() == "sqlite":
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(address, json_serializer=to_json, connect_args=_patience(address))
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _tune_sqlite)
            sa.event.listen(engine, "begin", _begin_immediate)
        schema.metadata.create_all(engine)
        with engine.begin() as connection:
            schema.grow(connection)
            taken.adopt(connection)
    except (SQLAlchemyError, OSError, ImportError) as error:  # ImportError: its driver is not installed
        reason = error.__cause__ or error
        raise ArchiveError(f"DATABASE_URL {address.render_as_string()!r} cannot be opened: {reason}") from error
    return engine


def _patience(address: sa.URL) -> dict[str, Any]:
    """Tell how long SQLite waits for a lock, unless the address says it: ``sqlite:///x.sqlite?timeout=5``."""
    return (
        {"timeout": BUSY_TIMEOUT} if address.get_backend_name() == "sqlite" and "timeout" not in address.query else {}
    )


def _parse(url: str) -> sa.URL:
    """Read the address of a database that we speak to; the errors show it without its password."""
    try:
        address = sa.make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        shown = url.rpartition("@")[2]
        raise ArchiveError(f"DATABASE_URL {shown!r} is no address; {FORMS}") from error
    if address.get_backend_name() not in merge.INSERT:
        raise ArchiveError(f"DATABASE_URL {address.render_as_string()!r}: {FORMS}")
    return address


def _tune_sqlite(connection: Any, _: object) -> None:
    """Let readers and a second process work beside the writer; transactions are begun by us, not by the driver."""
    connection.isolation_level = None
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=NORMAL")


def _write_ahead(connection: Any) -> None:
    """Switch to write-ahead logging; a process that does so in the same moment is not waited for by SQLite itself."""
    for _ in range(WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(WAL_PAUSE)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that only later wants to write may be refused without a wait."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


_VALUES = {dataclass: attrgetter(*names) for dataclass, names in schema.COLUMNS.items()}
"""What reads all columns of a dataclass at once; every table has more than one."""


def to_row(record: Any) -> dict[str, Any]:
    """Turn a dataclass into the values of its row."""
    kind: type = type(record)
    return dict(zip(schema.COLUMNS[kind], _VALUES[kind](record), strict=True))


def from_row(dataclass: type[T], row: Any) -> T:
    """Turn a row of a dataclass's table into the dataclass."""
    return dataclass(**{name: getattr(row, name) for name in schema.COLUMNS[dataclass]})


def upsert(connection: Connection, records: Iterable[Any]) -> None:
    """Insert or merge records of one dataclass; of equal ones, such as a tag on many images, one is enough."""
    unique = _unique(records)
    if not unique:
        return
    dataclass: type = type(unique[0])
    if hasattr(dataclass, "partial"):
        for partial in (True, False):
            _upsert(connection, dataclass, [one for one in unique if one.partial is partial], partial=partial)
    else:
        _upsert(connection, dataclass, unique)


def _upsert(connection: Connection, dataclass: type, unique: list[Any], *, partial: bool = False) -> None:
    if not unique:
        return
    if not connection.dialect.positional:
        statement = merge.upsert(dataclass, connection.dialect.name, partial=partial)
        connection.execute(statement, [to_row(record) for record in unique])
        return
    ready = _ready(dataclass, connection.dialect, partial=partial)
    for chunk in in_chunks(unique, ready.rows):
        connection.exec_driver_sql(ready.sql(len(chunk)), ready.values(chunk))


def update_each(connection: Connection, statement: sa.Update, rows: list[dict[str, Any]]) -> None:
    """Run an update once for each row of parameters; it has more than one, and none of them is JSON.

    Raises:
        KeyError: a row lacks a parameter; on PostgreSQL a ``StatementError``.
    """
    if not connection.dialect.positional:
        connection.execute(statement, rows)
        return
    sql, in_order, constants = _driven(statement, connection.dialect)
    connection.exec_driver_sql(sql, [in_order(constants | row) for row in rows])


@cache
def _driven(statement: sa.Update, dialect: sa.Dialect) -> tuple[str, itemgetter[Any], dict[str, Any]]:
    """Compile an update once: its text, what puts parameters into their order, and its own constants."""
    compiled = statement.compile(dialect=dialect)
    constants = {name: one.value for name, one in compiled.binds.items() if not one.required}
    return str(compiled), itemgetter(*(compiled.positiontup or ())), constants


class _Ready(NamedTuple):
    """An upsert as its driver takes it: SQLAlchemy's way with parameters takes as long as the rest of a commit.

    It takes many rows at once: between two statements the driver lets go of Python's lock, and waits to get it back; so
    a commit takes a quarter less of the clock, and a fifth less work.
    """

    head: str
    """The statement up to its values."""
    row: str
    """The values of one row."""
    tail: str
    """What follows the values."""
    rows: int
    """Rows in one statement at most."""
    read: Callable[[Any], tuple[Any, ...]]
    json: list[int]
    """Places of the columns that hold JSON."""
    constants: tuple[Any, ...]
    """What the rules of merging compare with."""

    def sql(self, rows: int) -> str:
        """Write the statement for so many rows."""
        return self.head + ", ".join([self.row] * rows) + self.tail

    def values(self, records: list[Any]) -> tuple[Any, ...]:
        """Turn records into the parameters, in their order."""
        values: list[Any] = []
        for record in records:
            begun = len(values)
            values += self.read(record)
            for place in self.json:
                if values[begun + place] is not None:
                    values[begun + place] = to_json(values[begun + place])
        return (*values, *self.constants)


@cache
def _ready(dataclass: type, dialect: sa.Dialect, *, partial: bool) -> _Ready:
    """Compile an upsert once; its parameters are the columns in their order, then the constants."""
    table, names = schema.BY_CLASS[dataclass], schema.COLUMNS[dataclass]
    compiled = merge.upsert(dataclass, dialect.name, partial=partial).compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup or []
    if tuple(order[: len(names)]) != names:
        raise RuntimeError(f"the parameters of table {table.name} come as {order}; its columns were to be first")
    json_columns = [place for place, column in enumerate(table.c) if isinstance(column.type, sa.JSON)]
    constants = tuple(compiled.params[name] for name in order[len(names) :])
    row = f"({', '.join('?' * len(names))})"
    head, values, tail = str(compiled).partition(row)
    if not values:
        raise RuntimeError(f"the upsert of table {table.name} has no {row}: {compiled}")
    rows = (PARAMETERS - len(constants)) // len(names)
    return _Ready(head, row, tail, rows, _VALUES[dataclass], json_columns, constants)


def _unique(records: Iterable[Any]) -> list[Any]:
    """Leave out records that say exactly what one before them says; those that say something else are all merged."""
    everything = list(records)
    if not everything or not hasattr(everything[0], "id"):
        return everything
    unique: list[Any] = []
    seen: dict[Any, Any] = {}
    for record in everything:
        if record.id is None or seen.get(record.id) != record:
            seen[record.id] = record
            unique.append(record)
    return unique


def in_chunks(values: Iterable[T], size: int = VARIABLES) -> Iterable[list[T]]:
    """Cut values into lists of at most ``size``.

    >>> list(in_chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    everything = list(values)
    return (everything[start : start + size] for start in range(0, len(everything), size))


class Archive:
    """The database behind one thread: what is asked of it happens in the order of the asking, off the event loop."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive")

    def _transact(self, function: Callable[..., T], *args: Any) -> T:
        try:
            with self.engine.begin() as connection:
                return function(connection, *args)
        except OperationalError as error:  # the disk is full, the server is gone, another process never lets go
            raise ArchiveError(f"database {self.engine.url.render_as_string()}: {error.orig}") from error

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(connection, *args)`` inside one transaction, in the archive's thread.

        Raises:
            ArchiveError: the database cannot be used; nothing of the transaction is in it.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._transact, function, *args)

    def run_now(self, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(connection, *args)`` inside one transaction, and wait for it.

        Raises:
            ArchiveError: as ``run`` does.
        """
        return self._executor.submit(self._transact, function, *args).result()

    def close(self) -> None:
        """Finish what was asked, then let go of the database."""
        self._executor.shutdown()
        self.engine.dispose()
