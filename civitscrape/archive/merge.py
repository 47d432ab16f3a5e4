"""Which of two answers about a field is the better one, as the upserts that carry it out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from civitscrape.archive import schema
from civitscrape.items import Mark, MetaState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.sql.elements import ColumnElement

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The two databases that know ``ON CONFLICT``."""

STATE_RANK = {state: rank for rank, state in enumerate(MetaState)}


def _latest(old: ColumnElement[Any], new: ColumnElement[Any], _: Any) -> ColumnElement[Any]:
    return sa.func.coalesce(new, old)


def _first(old: ColumnElement[Any], new: ColumnElement[Any], _: Any) -> ColumnElement[Any]:
    return sa.func.coalesce(old, new)


def _count(old: ColumnElement[Any], new: ColumnElement[Any], _: Any) -> ColumnElement[Any]:
    return sa.func.coalesce(sa.func.nullif(new, 0), old, new)


def _always(_: ColumnElement[Any], new: ColumnElement[Any], __: Any) -> ColumnElement[Any]:
    return new


def _state(old: ColumnElement[Any], new: ColumnElement[Any], _: Any) -> ColumnElement[Any]:
    def rank(column: ColumnElement[Any]) -> ColumnElement[int]:
        return sa.case(STATE_RANK, value=column, else_=len(STATE_RANK))

    return sa.case((rank(new) <= rank(old), new), else_=old)


def _generation(old: ColumnElement[Any], new: ColumnElement[Any], excluded: Any) -> ColumnElement[Any]:
    return sa.case((excluded.meta.is_not(None), new), else_=sa.func.coalesce(old, new))


RULES: dict[Mark, Callable[[ColumnElement[Any], ColumnElement[Any], Any], ColumnElement[Any]]] = {
    Mark.LATEST: _latest,
    Mark.FIRST: _first,
    Mark.COUNT: _count,
    Mark.ALWAYS: _always,
    Mark.STATE: _state,
    Mark.GENERATION: _generation,
}
"""Given the stored column, the incoming one and all incoming ones: the expression of the value to keep."""


@cache
def upsert(dataclass: type, dialect: str) -> Any:
    """Build the statement that inserts a row, or merges it into the one with the same key, field by field."""
    table = schema.BY_CLASS[dataclass]
    marks = schema.marks_of(dataclass)
    statement: Any = INSERT[dialect](table)
    keys = [column.name for column in table.primary_key]
    merged = {
        name: RULES[marks[name]](table.c[name], statement.excluded[name], statement.excluded)
        for name in schema.COLUMNS[dataclass]
        if name not in keys
    }
    if not merged:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=merged)
