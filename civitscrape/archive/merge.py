"""Which of two answers about a field is the better one, as the upserts that carry it out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from civitscrape.archive import schema
from civitscrape.items import Image, Mark, MetaState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.sql.elements import ColumnElement

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The two databases that know ``ON CONFLICT``."""

STATE_RANK = {state: rank for rank, state in enumerate(MetaState)}

GENERATION = [name for name, mark in schema.marks_of(Image).items() if mark is Mark.GENERATION]
"""Columns of the generation data."""


def _latest(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(new[name], old[name])


def _first(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(old[name], new[name])


def _count(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(sa.func.nullif(new[name], 0), old[name], new[name])


def _always(_: Any, new: Any, name: str) -> ColumnElement[Any]:
    return cast("ColumnElement[Any]", new[name])


def _state(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    def rank(column: ColumnElement[Any]) -> ColumnElement[int]:
        return sa.case(STATE_RANK, value=column, else_=len(STATE_RANK))

    return sa.case((rank(new[name]) <= rank(old[name]), new[name]), else_=old[name])


def _generation(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    """Take the data of one answer or of the other, never some of each."""
    tells = sa.cast(new["meta"], sa.Text) != "{}"  # null, too, is not unequal to it
    nothing_yet = sa.and_(*[old[one].is_(None) for one in GENERATION])
    return sa.case((sa.or_(tells, nothing_yet), new[name]), else_=old[name])


RULES: dict[Mark, Callable[[Any, Any, str], ColumnElement[Any]]] = {
    Mark.LATEST: _latest,
    Mark.FIRST: _first,
    Mark.COUNT: _count,
    Mark.ALWAYS: _always,
    Mark.STATE: _state,
    Mark.GENERATION: _generation,
}
"""Given the stored columns, the incoming ones and the name of one: the expression of the value to keep."""


@cache
def upsert(dataclass: type, dialect: str) -> Any:
    """Build the statement that inserts a row, or merges it into the one with the same key, field by field."""
    table = schema.BY_CLASS[dataclass]
    marks = schema.marks_of(dataclass)
    statement: Any = INSERT[dialect](table)
    keys = [column.name for column in table.primary_key]
    merged = {
        name: RULES[marks[name]](table.c, statement.excluded, name)
        for name in schema.COLUMNS[dataclass]
        if name not in keys
    }
    if not merged:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=merged)
