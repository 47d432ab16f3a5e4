"""What a run found and what the archive holds, counted by questions to the database; the report is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import renditions, schema
from civitscrape.archive.database import from_row, in_chunks
from civitscrape.archive.losses import Loss
from civitscrape.archive.naming import name_of_file
from civitscrape.civitai.media import ORIGINAL
from civitscrape.items import ModelFile
from civitscrape.ledger import MediaState, Walk

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


NAMING = frozenset({"rest.models", "trpc.model.getAll"})
"""Sources whose ``ids`` are the entries themselves."""


LACKING = (MediaState.FAILED, MediaState.REFUSED)
"""States of files that did not come and may be there."""


PROFILE = "page.user"
"""Source that lists nothing: the page that announces how much there is."""


def walks_of(connection: Connection, run_id: str) -> list[Walk]:
    """Find the walks that a run worked on, in the order of their beginning."""
    query = sa.select(schema.walks).where(schema.walks.c.run_id == run_id).order_by(schema.walks.c.id)
    return [walk for row in connection.execute(query) if (walk := from_row(Walk, row)).source != PROFILE]


def last_moment(connection: Connection, run_id: str) -> str | None:
    """Tell when another run than this last began or ended, as the archive writes times."""
    runs = schema.runs
    last = sa.func.max(sa.func.coalesce(runs.c.finished_at, runs.c.started_at))
    found: str | None = connection.execute(sa.select(last).where(runs.c.id != run_id)).scalar()
    return found


def _of_target(target: str, mask: int) -> sa.ColumnElement[bool]:
    """Say which joined rows of ``links`` and ``images`` belong to a target and have a level of the mask."""
    kind, _, name = target.partition(":")
    images, links = schema.images, schema.links
    rated = sa.func.coalesce(images.c.level, mask).op("&")(mask) != 0
    mine = (links.c.target_kind == kind) & (links.c.target == name) & (links.c.entry_kind == "image")
    return mine & (links.c.entry_id == images.c.id) & rated


def _media(quality: str) -> sa.ColumnElement[bool]:
    """Say which row of ``media`` an image stands for; one with a foreign address has a row under its own number."""
    own = sa.literal("image:") + sa.cast(schema.images.c.id, sa.Text)
    return schema.media.c.key.in_([renditions.media_key(quality), own])


def held(connection: Connection, target: str, mask: int) -> dict[str, int]:
    """Count by type what a target has led to in the levels of a mask, and the site still has."""
    images = schema.images
    query = (
        sa.select(images.c.type, sa.func.count())
        .select_from(schema.links.join(images, sa.true()))
        .where(_of_target(target, mask), images.c.gone_at.is_(None))
        .group_by(images.c.type)
    )
    found = {row[0]: row[1] for row in connection.execute(query)}
    for kind, table in (("model", schema.models), ("post", schema.posts)):
        if number := _held_things(connection, target, mask, kind, table):
            found[kind] = number
    return found


def _held_things(connection: Connection, target: str, mask: int, kind: str, table: sa.Table) -> int:
    """Count the models, or the posts, that a target has led to."""
    target_kind, _, name = target.partition(":")
    links = schema.links
    mine = (links.c.target_kind == target_kind) & (links.c.target == name) & (links.c.entry_kind == kind)
    rated = sa.func.coalesce(table.c.level, mask).op("&")(mask) != 0
    query = (
        sa.select(sa.func.count())
        .select_from(links.join(table, links.c.entry_id == table.c.id))
        .where(mine, rated, table.c.gone_at.is_(None))
    )
    return int(connection.execute(query).scalar_one())


def gone(connection: Connection, target: str) -> dict[str, int]:
    """Count by kind what a target has led to and the site has no more."""
    target_kind, _, name = target.partition(":")
    links = schema.links
    found = {}
    for kind, table in (("image", schema.images), ("model", schema.models), ("post", schema.posts)):
        mine = (links.c.target_kind == target_kind) & (links.c.target == name) & (links.c.entry_kind == kind)
        query = (
            sa.select(sa.func.count())
            .select_from(links.join(table, links.c.entry_id == table.c.id))
            .where(mine, table.c.gone_at.is_not(None))
        )
        if number := connection.execute(query).scalar_one():
            found[kind] = int(number)
    return found


def media_of(
    connection: Connection,
    target: str,
    mask: int,
    since: str,
    walk: int | None = None,
    *,
    run: str | None = None,
    quality: str = ORIGINAL,
) -> dict[str, int]:
    """Count the files that a target led to by what became of them; ``had`` are those that were stored before.

    With the number of a walk only what that walk met last is counted: where several walks of a target bring the same
    files, each is counted once.

    Args:
        connection: inside a transaction.
        target: such as ``user:lampwright``.
        mask: rating bits.
        since: when the run began.
        walk: number of a walk.
        run: the run; what it fetched is new even if the clock was set back meanwhile.
        quality: which of an image's files are meant: the originals, or the renditions of this name.
    """
    media = schema.media
    earlier = media.c.fetched_at < since
    if run is not None:
        earlier &= media.c.run_id.is_distinct_from(run)
    fate = sa.case(((media.c.state == MediaState.STORED) & earlier, "had"), else_=media.c.state)
    query = (
        sa.select(fate, sa.func.count(sa.distinct(media.c.key)))
        .select_from(schema.links.join(schema.images, sa.true()).join(media, sa.true()))
        .where(_of_target(target, mask), _media(quality))
        .group_by(fate)
    )
    if walk is not None:
        query = query.where(schema.links.c.walk_id == walk)
    return {row[0]: row[1] for row in connection.execute(query)}


def failures(
    connection: Connection, target: str, mask: int, most: int, quality: str = ORIGINAL
) -> list[dict[str, Any]]:
    """Name files of a target that could not be had in a quality, with the reason."""
    images, media = schema.images, schema.media
    query = (
        sa.select(images.c.id, media.c.state, media.c.error)
        .select_from(schema.links.join(images, sa.true()).join(media, sa.true()))
        .where(_of_target(target, mask), _media(quality), media.c.state.in_(LACKING))
        .order_by(images.c.id)
        .limit(most)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def losses(connection: Connection, target: str, mask: int, quality: str = ORIGINAL) -> list[Loss]:
    """Count the files of a target that could not be had in a quality, by their reasons."""
    images, media = schema.images, schema.media
    first = sa.func.min(images.c.id)
    query = (
        sa.select(media.c.state, media.c.error, sa.func.count(sa.distinct(media.c.key)), first)
        .select_from(schema.links.join(images, sa.true()).join(media, sa.true()))
        .where(_of_target(target, mask), _media(quality), media.c.state.in_(LACKING))
        .group_by(media.c.state, media.c.error)
        .order_by(first)
    )
    of_images = [Loss(state, error, number, f"image {one}") for state, error, number, one in connection.execute(query)]
    return _model_file_losses(connection, target) + of_images


def unlisted(connection: Connection, target: str, walks: list[Walk]) -> list[int]:
    """Find the entries of a collection, and the ids asked for by name, that no listing of the target brought."""
    kind, _, name = target.partition(":")
    links, entries = schema.links, schema.collection_entries
    mine = (links.c.target_kind == kind) & (links.c.target == name)
    missing: set[int] = set()
    if kind == "collection" and name.isdecimal():
        linked = sa.exists().where(
            mine, links.c.entry_kind == entries.c.entry_kind, links.c.entry_id == entries.c.entry_id
        )
        query = sa.select(entries.c.entry_id).where(entries.c.collection_id == int(name), ~linked)
        missing.update(connection.execute(query).scalars())
    asked = {one for walk in walks if walk.source in NAMING for one in walk.params.get("ids") or ()}
    if asked:
        found: set[int] = set()
        for chunk in in_chunks(asked):
            named = links.c.entry_kind.in_(("model", "image")) & links.c.entry_id.in_(chunk)
            found.update(connection.execute(sa.select(links.c.entry_id).where(mine, named)).scalars())
        missing.update(asked - found)
    return sorted(missing)


def _model_files(target: str) -> sa.Select[Any]:
    """Ask for the model files of a target that somebody wanted."""
    kind, _, name = target.partition(":")
    links, versions, files = schema.links, schema.model_versions, schema.model_files
    of_version = (links.c.entry_kind == "version") & (links.c.entry_id == versions.c.id)
    of_model = (links.c.entry_kind == "model") & (links.c.entry_id == versions.c.model_id)
    return (
        sa.select(files.c.id, files.c.version_id, files.c.name, files.c.state, files.c.error)
        .select_from(links.join(versions, of_version | of_model).join(files, files.c.version_id == versions.c.id))
        .where(links.c.target_kind == kind, links.c.target == name, files.c.state.is_not(None))
        .distinct()
    )


def model_files(connection: Connection, target: str) -> dict[str, int]:
    """Count the model files that a target led to by what became of them."""
    counted: dict[str, int] = {}
    for row in connection.execute(_model_files(target)):
        counted[row.state] = counted.get(row.state, 0) + 1
    return counted


def model_file_failures(connection: Connection, target: str, most: int) -> list[dict[str, Any]]:
    """Name model files of a target that could not be had, with the reason; those that are gone come last."""
    files = schema.model_files
    lacking = files.c.state.in_((*LACKING, MediaState.GONE))
    wanting = _model_files(target).where(lacking).order_by(files.c.state == MediaState.GONE, files.c.id).limit(most)
    return [dict(row) for row in connection.execute(wanting).mappings()]


def _model_file_losses(connection: Connection, target: str) -> list[Loss]:
    """Name every model file of a target that could not be had, also those that are gone: no table shows them."""
    files = schema.model_files
    lacking = _model_files(target).where(files.c.state.in_((*LACKING, MediaState.GONE))).order_by(files.c.id)
    return [
        Loss(row.state, row.error, 1, name_of_file(ModelFile(id=row.id, version_id=row.version_id, name=row.name)))
        for row in connection.execute(lacking)
    ]
