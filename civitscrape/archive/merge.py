"""Which of two answers about a field is the better one, as the upserts that carry it out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from civitscrape.archive import schema
from civitscrape.items import Image, Mark, MetaState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.sql.elements import ColumnElement

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The two databases that know ``ON CONFLICT``."""

STATE_RANK = {state: rank for rank, state in enumerate(MetaState)}
TIE_RANK = {tie: rank for rank, tie in enumerate(("showcase", "gallery", "detected"))}

GENERATION = [name for name, mark in schema.marks_of(Image).items() if mark is Mark.GENERATION]
"""Columns of the generation data."""


def _latest(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(new[name], old[name])


def _first(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(old[name], new[name])


def _count(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(sa.func.nullif(new[name], 0), old[name], new[name])


def _earliest(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return sa.case((old[name] < new[name], old[name]), else_=sa.func.coalesce(new[name], old[name]))


def _longest(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    longer = sa.func.json_array_length(old[name]) > sa.func.json_array_length(new[name])
    return sa.case((longer, old[name]), else_=sa.func.coalesce(new[name], old[name]))


def _always(_: Any, new: Any, name: str) -> ColumnElement[Any]:
    return cast("ColumnElement[Any]", new[name])


def _state(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return _ranked(old[name], new[name], STATE_RANK)


def _closest(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    return _ranked(old[name], new[name], TIE_RANK)


def _ranked(old: ColumnElement[Any], new: ColumnElement[Any], ranks: Mapping[Any, int]) -> ColumnElement[Any]:
    def rank(column: ColumnElement[Any]) -> ColumnElement[int]:
        return sa.case(ranks, value=column, else_=len(ranks))

    return sa.case((rank(new) <= rank(old), new), else_=old)


def _generation(old: Any, new: Any, name: str) -> ColumnElement[Any]:
    """Take the data of one answer or of the other, never some of each."""
    tells = sa.cast(new["meta"], sa.Text) != "{}"  # null, too, is not unequal to it
    nothing_yet = sa.and_(*[old[one].is_(None) for one in GENERATION])
    newer = sa.case((sa.or_(tells, nothing_yet), new[name]), else_=old[name])
    return newer if name != "meta" else sa.case((_retold(old, new), old[name]), else_=newer)


def _retold(old: Any, new: Any) -> ColumnElement[bool]:
    """Tell whether an answer has only a shorter form of the same data: an image's own page cleans them (§4.1)."""
    same = [new[one].is_not_distinct_from(old[one]) for one in GENERATION if one != "meta"]
    length = sa.func.length
    return sa.and_(*same, length(sa.cast(new["meta"], sa.Text)) < length(sa.cast(old["meta"], sa.Text)))


RULES: dict[Mark, Callable[[Any, Any, str], ColumnElement[Any]]] = {
    Mark.LATEST: _latest,
    Mark.FIRST: _first,
    Mark.COUNT: _count,
    Mark.EARLIEST: _earliest,
    Mark.LONGEST: _longest,
    Mark.ALWAYS: _always,
    Mark.STATE: _state,
    Mark.CLOSEST: _closest,
    Mark.GENERATION: _generation,
}
"""Given the stored columns, the incoming ones and the name of one: the expression of the value to keep."""


@cache
def upsert(dataclass: type, dialect: str, *, partial: bool = False) -> Any:
    """Build the statement that inserts a row, or merges it into the one with the same key, field by field.

    Args:
        dataclass: an item or a row of the ledger.
        dialect: ``sqlite`` or ``postgresql``.
        partial: whether the answer tells a part only, so that a null in it means nothing.
    """
    table = schema.BY_CLASS[dataclass]
    marks = schema.marks_of(dataclass)
    statement: Any = INSERT[dialect](table)
    keys = [column.name for column in table.primary_key]
    merged = {
        name: (_latest if partial and marks[name] is Mark.ALWAYS else RULES[marks[name]])(
            table.c, statement.excluded, name
        )
        for name in schema.COLUMNS[dataclass]
        if name not in keys
    }
    if not merged:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=merged)
