"""What the database says of files, some rows at a time, and what it is told when something was set right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import companions, renditions, schema
from civitscrape.archive.database import from_row
from civitscrape.archive.verify.planning import WEBP, Holding
from civitscrape.ledger import MediaState, now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.engine import Connection

    from civitscrape.archive.verify.planning import Look

OF_WEBP = ("webp_path", "webp_size", "webp_sha256", "webp_quality", "webp_error")
"""Columns that say what came of a conversion."""

CHUNK = 500
"""Rows asked for at once."""

media, images, files, links = schema.media, schema.images, schema.model_files, schema.links


def _images_of(target: str | None) -> sa.ColumnElement[bool]:
    """Say which images a target, such as ``user:lampwright``, has led to; all of them without one."""
    if target is None:
        return sa.true()
    kind, _, name = target.partition(":")
    mine = (links.c.target_kind == kind) & (links.c.target == name) & (links.c.entry_kind == "image")
    return sa.exists().where(mine, links.c.entry_id == images.c.id)


def _media_of(target: str | None) -> sa.ColumnElement[bool]:
    """Say which media are looked at: those that anything claims to have the file of."""
    named = sa.exists().where(images.c.key == media.c.key, images.c.path.is_not(None))
    claimed = sa.or_(media.c.state == MediaState.STORED, media.c.path.is_not(None), named)
    if target is None:
        return claimed
    return claimed & sa.exists().where(renditions.of_image(), _images_of(target))


def _files_of(target: str | None) -> sa.ColumnElement[bool]:
    claimed = sa.or_(files.c.state == MediaState.STORED, files.c.path.is_not(None))
    if target is None:
        return claimed
    kind, _, name = target.partition(":")
    versions = schema.model_versions
    of_version = (links.c.entry_kind == "version") & (links.c.entry_id == versions.c.id)
    of_model = (links.c.entry_kind == "model") & (links.c.entry_id == versions.c.model_id)
    mine = (links.c.target_kind == kind) & (links.c.target == name)
    return claimed & sa.exists().where(mine, versions.c.id == files.c.version_id, of_version | of_model)


def _lone_of(target: str | None) -> sa.ColumnElement[bool]:
    """Say which images have a path and no row in ``media``."""
    booked = sa.exists().where(media.c.key == images.c.key)
    return images.c.path.is_not(None) & ~booked & _images_of(target)


def count(connection: Connection, target: str | None) -> int:
    """Count what there is to be looked at."""
    tables = ((media, _media_of), (files, _files_of), (images, _lone_of))
    return sum(
        connection.execute(sa.select(sa.func.count()).select_from(table).where(which(target))).scalar_one()
        for table, which in tables
    )


def media_after(connection: Connection, target: str | None, after: str | None) -> list[Holding]:
    """Find media and the images that share them, behind a key, in the order of the keys."""
    query = sa.select(media).where(_media_of(target)).order_by(media.c.key).limit(CHUNK)
    if after is not None:
        query = query.where(media.c.key > after)
    return _with_names(connection, connection.execute(query).all())


def _with_names(connection: Connection, rows: Iterable[Any]) -> list[Holding]:
    found = {
        row.key: Holding(
            table="media",
            id=row.key,
            key=row.key,
            state=row.state,
            path=row.path or None,
            sha256=row.webp_sha256 if _is_converted(row) else row.sha256,
            size=row.webp_size if _is_converted(row) else row.size,
            converted=_is_converted(row),
            webp=_beside(row),
        )
        for row in rows
    }
    query = sa.select(images.c.id, images.c.key, images.c.path).where(images.c.key.in_(list(found)))
    for row in connection.execute(query.order_by(images.c.id)):
        holding = found[row.key]
        holding.names[row.id] = row.path or None
        if holding.webp is not None and row.path:
            holding.webp.names[row.id] = companions.WEBP.of(row.path)
    return list(found.values())


def _beside(row: Any) -> Holding | None:
    """Tell of the WebP that lies beside its original."""
    if row.webp_path is None or _is_converted(row) or row.state != MediaState.STORED:
        return None
    return Holding(
        table=WEBP, id=row.key, state=row.state, path=row.webp_path, sha256=row.webp_sha256, size=row.webp_size
    )


def _is_converted(row: Any) -> bool:
    """Tell whether a WebP has taken the place of the original."""
    return row.webp_path is not None and row.webp_path == row.path


def files_after(connection: Connection, target: str | None, after: int | None) -> list[Holding]:
    """Find model files behind a number, in the order of the numbers."""
    query = sa.select(files).where(_files_of(target)).order_by(files.c.id).limit(CHUNK)
    if after is not None:
        query = query.where(files.c.id > after)
    return [_file(row) for row in connection.execute(query)]


def _file(row: Any) -> Holding:
    path = row.path or None
    return Holding(table="model_files", id=row.id, state=row.state, path=path, sha256=row.sha256, size_kb=row.size_kb)


def lone_after(connection: Connection, target: str | None, after: int | None) -> list[Holding]:
    """Find images with a path and without a row in ``media``, behind a number, in the order of the numbers."""
    query = sa.select(images).where(_lone_of(target)).order_by(images.c.id).limit(CHUNK)
    if after is not None:
        query = query.where(images.c.id > after)
    return [_lone(row) for row in connection.execute(query)]


def _lone(row: Any) -> Holding:
    return Holding(table="images", id=row.id, key=row.key, state=None, names={row.id: row.path or None})


def again(connection: Connection, table: str, key: str | int) -> Holding | None:
    """Read a holding once more; None when its row is gone."""
    if table in {"media", WEBP}:
        found = _with_names(connection, connection.execute(sa.select(media).where(media.c.key == key)).all())
        if table == WEBP:
            return found[0].webp if found else None
    elif table == "model_files":
        found = [_file(row) for row in connection.execute(sa.select(files).where(files.c.id == key))]
    else:
        found = [_lone(row) for row in connection.execute(sa.select(images).where(images.c.id == key))]
    return found[0] if found else None


def other_paths(connection: Connection, sha256: str, besides: Holding) -> list[str]:
    """List where other rows say that they have the same bytes; a WebP in an original's place has others."""
    like = (media.c.sha256 == sha256) & (media.c.path.is_not(None)) & (media.c.state == MediaState.STORED)
    like &= sa.func.coalesce(media.c.webp_path, "") != media.c.path
    found = connection.execute(sa.select(media.c.key, media.c.path).where(like)).all()
    same = (files.c.sha256 == sha256) & (files.c.path.is_not(None)) & (files.c.state == MediaState.STORED)
    also = connection.execute(sa.select(files.c.id, files.c.path).where(same)).all()
    return [path for key, path in (*found, *also) if key != besides.id]


def lacking(connection: Connection, sha256: str) -> list[Holding]:
    """Find rows that want exactly these bytes, or once had them, and are not called stored."""
    lost = (media.c.sha256 == sha256) & (media.c.state != MediaState.STORED) & media.c.path.is_(None)
    found = _with_names(connection, connection.execute(sa.select(media).where(lost)).all())
    state = sa.func.coalesce(files.c.state, "")
    wanted = (files.c.sha256 == sha256) & (state != MediaState.STORED) & files.c.path.is_(None)
    return found + [_file(row) for row in connection.execute(sa.select(files).where(wanted))]


def sizes_lacking(connection: Connection, size: int) -> bool:
    """Tell whether any row that is not called stored is about bytes of this size; model files are not asked."""
    query = sa.select(media.c.key).where(media.c.size == size, media.c.state != MediaState.STORED).limit(1)
    return connection.execute(query).first() is not None


def is_waiting(connection: Connection, owner: str | int | None) -> bool:
    """Tell whether the file of a media key, or of the model file of a number, is still to come."""
    waits = (MediaState.WANTED, MediaState.FAILED)
    query: sa.Select[Any]
    if isinstance(owner, int):
        query = sa.select(files.c.id).where(files.c.id == owner, files.c.state.in_(waits))
    else:
        query = sa.select(media.c.key).where(media.c.key == owner, media.c.state.in_(waits))
    return connection.execute(query).first() is not None


def is_at_work(connection: Connection) -> bool:
    """Tell whether a run may be at work: one that has no end, since it goes on or was killed."""
    return (
        connection.execute(sa.select(schema.runs.c.id).where(schema.runs.c.finished_at.is_(None)).limit(1)).first()
        is not None
    )


def webp_paths_after(connection: Connection, after: str | None) -> list[tuple[str, str]]:
    """List converted files, each behind its key."""
    query = sa.select(media.c.key, media.c.webp_path).where(media.c.webp_path.is_not(None))
    if after is not None:
        query = query.where(media.c.key > after)
    return [(row.key, row.webp_path) for row in connection.execute(query.order_by(media.c.key).limit(CHUNK))]


def awaited_after(connection: Connection, target: str | None, after: str | None) -> list[tuple[str, str]]:
    """List the media whose file was here once and is to be fetched again, each with its state, behind a key."""
    named = sa.exists().where(images.c.key == media.c.key, images.c.path.is_not(None))
    lost = media.c.sha256.is_not(None) & media.c.state.in_((MediaState.WANTED, MediaState.FAILED))
    lost &= media.c.path.is_(None) & ~named
    if target is not None:
        lost &= sa.exists().where(renditions.of_image(), _images_of(target))
    query = sa.select(media.c.key, media.c.state).where(lost).order_by(media.c.key).limit(CHUNK)
    if after is not None:
        query = query.where(media.c.key > after)
    return [(row.key, row.state) for row in connection.execute(query)]


def targets(connection: Connection) -> list[str]:
    """List everything that was ever asked for and led to something."""
    query = sa.select(links.c.target_kind, links.c.target).distinct().order_by(links.c.target_kind, links.c.target)
    return [f"{row.target_kind}:{row.target}" for row in connection.execute(query)]


def forget(connection: Connection, holding: Holding) -> None:
    """Want the bytes of a holding again; what they were, its SHA-256 and size, is kept.

    By the SHA-256 a file that turns up later is known again.
    """
    if holding.table == WEBP:
        values: dict[str, Any] = dict.fromkeys(OF_WEBP)
        connection.execute(sa.update(media).where(media.c.key == holding.id).values(values))
        return
    if holding.table == "media":
        values = {"state": MediaState.WANTED, "path": None, "error": None}
        if holding.converted:  # the original comes again, and may be converted again
            values |= dict.fromkeys(OF_WEBP)
        connection.execute(sa.update(media).where(media.c.key == holding.id).values(values))
    elif holding.table == "model_files":
        values = {"state": MediaState.WANTED, "path": None, "error": None}
        connection.execute(sa.update(files).where(files.c.id == holding.id).values(values))
    name(connection, dict.fromkeys(holding.names))


def clear(connection: Connection, holding: Holding) -> None:
    """Take back the paths of a holding; its state stays."""
    if holding.table == "media":
        connection.execute(sa.update(media).where(media.c.key == holding.id).values(path=None))
    elif holding.table == "model_files":
        connection.execute(sa.update(files).where(files.c.id == holding.id).values(path=None))
    name(connection, dict.fromkeys(holding.names))


def adopt(connection: Connection, holding: Holding, path: str, seen: Look, content_type: str | None) -> None:
    """Call the bytes of a holding stored under a path."""
    if holding.table == "model_files":
        values: dict[str, Any] = {"state": MediaState.STORED, "path": path, "error": None}
        connection.execute(sa.update(files).where(files.c.id == holding.id).values(values))
        return
    told: dict[str, Any] = {"state": MediaState.STORED, "path": path, "error": None}
    if holding.converted:
        told |= {"webp_path": path, "webp_sha256": seen.sha256, "webp_size": seen.size}
    else:
        told |= {"sha256": seen.sha256, "size": seen.size}
    known = {"content_type": sa.func.coalesce(media.c.content_type, content_type)}
    known["fetched_at"] = sa.func.coalesce(media.c.fetched_at, now())
    if holding.table == "media":
        connection.execute(sa.update(media).where(media.c.key == holding.id).values({**told, **known}))
        return
    kind = connection.execute(sa.select(images.c.type).where(images.c.id == holding.id)).scalar_one()
    row = {**told, "key": holding.key, "kind": kind, "entry_id": holding.id, "content_type": content_type}
    connection.execute(sa.insert(media).values(**row, fetched_at=now(), attempts=0))


def name(connection: Connection, paths: Mapping[int, str | None]) -> None:
    """Give images the paths of their files, or take them back."""
    for number, path in paths.items():
        connection.execute(sa.update(images).where(images.c.id == number).values(path=path))


def records(connection: Connection, dataclass: type, ids: Collection[int]) -> list[Any]:
    """Read whole rows, for what makes a path of them."""
    table = schema.BY_CLASS[dataclass]
    return [from_row(dataclass, row) for row in connection.execute(sa.select(table).where(table.c.id.in_(ids)))]
