"""Questions about runs: which there were, which one is meant, and what is known of one that wrote no report."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import report, schema, tally
from civitscrape.archive.database import from_row
from civitscrape.civitai import levels
from civitscrape.exceptions import ArgumentError
from civitscrape.ledger import Run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

UNFINISHED = "unfinished"
"""What stands for the outcome of a run that has none: it goes on, or it was killed."""

SOME = 5
"""Runs that a sentence names."""


def listed(connection: Connection) -> list[Run]:
    """List all runs, the latest first."""
    table = schema.runs
    query = sa.select(table).order_by(table.c.started_at.desc(), table.c.id.desc())
    return [from_row(Run, row) for row in connection.execute(query)]


def find(connection: Connection, word: str | None) -> Run:
    """Find a run by its name or the beginning of it; without one the latest.

    Raises:
        ArgumentError: there is no such run, or more than one.
    """
    table = schema.runs
    latest = sa.select(table).order_by(table.c.started_at.desc(), table.c.id.desc())
    if word is None:
        row = connection.execute(latest.limit(1)).first()
        if row is None:
            raise ArgumentError("the archive has no run yet; `civitscrape get` makes one")
        return from_row(Run, row)
    rows = connection.execute(latest.where(table.c.id.startswith(word, autoescape=True)).limit(SOME + 1)).all()
    exact = [row for row in rows if row.id == word]
    if len(exact or rows) == 1:
        return from_row(Run, (exact or rows)[0])
    if rows:
        more = " and more" if len(rows) > SOME else ""
        raise ArgumentError(f"run {word!r}: several begin so, give more of its name: {_names(rows)}{more}")
    near = get_close_matches(word, connection.execute(sa.select(table.c.id)).scalars().all(), n=3, cutoff=0.8)
    if near:
        raise ArgumentError(f"run {word!r}: there is none; did you mean {' or '.join(near)}?")
    known = connection.execute(latest.limit(SOME)).all()
    if not known:
        raise ArgumentError(f"run {word!r}: the archive has no run yet; `civitscrape get` makes one")
    raise ArgumentError(f"run {word!r}: there is none; the latest are {_names(known)}, and --list names all")


def _names(rows: Any) -> str:
    return ", ".join(row.id for row in rows[:SOME])


def told(connection: Connection, run: Run) -> dict[str, Any]:
    """Tell of a run what its rows tell, in the words of a report."""
    walks = [
        {
            "id": walk.id,
            "target": walk.target,
            "source": walk.source,
            "asks": report.asks_of(walk),
            "levels": levels.names(walk.level),
            "state": walk.state,
            "cursor": walk.cursor,
            "error": walk.error,
            "pages": walk.pages,
            "listed": walk.entries,
        }
        for walk in tally.walks_of(connection, run.id)
    ]
    return {
        "run": run.id,
        "spider": run.spider,
        "arguments": run.arguments,
        "command": run.command,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": run.outcome or UNFINISHED,
        "counts": run.counts,
        "walks": walks,
    }
