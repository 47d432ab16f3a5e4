"""One answer, one transaction: its rows, links, wanted media and payloads, and the cursor of its walk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import payloads, prompts, schema
from civitscrape.archive.database import in_chunks, upsert
from civitscrape.items import (
    Collection,
    Creator,
    Image,
    ImageResource,
    Model,
    ModelFile,
    ModelVersion,
    Post,
    ResourceSource,
)
from civitscrape.ledger import Entry, Media, MediaState, Naming, Vanished, Walk, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from civitscrape.archive.claims import Claims
    from civitscrape.archive.prompts import Words

NUMBERED = frozenset({Model, ModelVersion, ModelFile, Post, Collection})
"""Things with a number that reach the feeds; images have more to be asked about them."""

UNFETCHED = frozenset({MediaState.WANTED, MediaState.FAILED})
"""States of files that a run may fetch. Asked for in SQL they would mislead SQLite into walking the index of states."""

GONE = {"image": schema.images, "model": schema.models, "version": schema.model_versions, "post": schema.posts}
"""Tables of what can vanish, by kind."""

SOURCE_RANK = {source: rank for rank, source in enumerate(ResourceSource)}


@dataclass(slots=True)
class Standing:
    """What the archive knew of an image when an answer came."""

    known: bool
    """Whether there was a record."""
    path: str | None
    """File of the image's original, once it is stored."""
    media_state: str | None
    """State of the file that is asked for, the original or a rendition; None when there is no such row."""
    creator: str | None = None
    """Who posted it, as far as the record knew."""
    media_path: str | None = None
    """Where the bytes of its key lie, be it under another image's name."""
    busy: bool = False
    """Whether another run is fetching its file right now."""
    prompt_tags: list[str] = field(default_factory=list)
    """Words of the prompt that the answer told, where prompts are cut."""


def commit(
    connection: Connection,
    records: Iterable[Any],
    claims: Claims | None = None,
    words: Words | None = None,
    *,
    retells: bool = False,
) -> dict[int, Standing]:
    """Write everything one answer gave; tell how its images stood before.

    A walk without an id gets one here, on the object itself: later answers of the same walk update the same row.

    Args:
        connection: inside a transaction.
        records: items, and rows of the ledger.
        claims: the lock of the run, in whose name wanted files are claimed; None where nothing is fetched.
        words: what cuts a prompt into words, for the table ``prompt_tags``; which is left as it is without it.
        retells: whether files that are here are to be told what came; they are marked until that is done.
    """
    by_class: dict[type, list[Any]] = {}
    for record in records:
        by_class.setdefault(type(record), []).append(record)
    standings = standing(connection, by_class.get(Image, []))
    told = prompts.of_images(connection, standings) if words is not None else {}
    for item in NUMBERED & by_class.keys():
        mark_known(connection, by_class[item])
    payloads.store(connection, by_class.pop(Entry, []))
    walks, vanished = by_class.pop(Walk, []), by_class.pop(Vanished, [])
    replace_resources(connection, by_class.pop(ImageResource, []))
    name_resources(connection, by_class.pop(Naming, []))
    free_user_ids(connection, by_class.get(Creator, []))
    for rows in by_class.values():
        upsert(connection, rows)
    mark_vanished(connection, vanished)
    if claims is not None and Media in by_class:
        busy = claim(connection, by_class[Media], claims)
        for image in by_class.get(Image, ()):
            standings[image.id].busy = image.media_key in busy
    if retells:
        mark_untold(connection, standings)
    if words is not None:
        written = prompts.refresh(connection, standings, told, words)
        prompted = {image.id for image in by_class.get(Image, ()) if image.prompt and not image.partial}
        kept = prompts.tags(connection, prompted - written.keys())
        texts = {number: [str(word["text"]) for word in said] for number, said in kept.items()} | written
        for number in prompted & texts.keys():
            standings[number].prompt_tags = texts[number]
    for walk in walks:  # last: a walk must not take a number from a transaction that fails
        save_walk(connection, walk)
    return standings


def mark_untold(connection: Connection, ids: Iterable[int]) -> None:
    """Write down that the stored files of images, and what lies beside them, are to be told something."""
    media, images = schema.media, schema.images
    for chunk in in_chunks(ids):
        keys = sa.select(images.c.key).where(images.c.id.in_(chunk))
        mine = media.c.key.in_(keys) & media.c.path.is_not(None) & media.c.untold.is_(None)
        connection.execute(sa.update(media).where(mine).values(untold={}))


def standing(connection: Connection, images: Iterable[Image]) -> dict[int, Standing]:
    """Ask how the images of an answer stand: known or not, stored or not."""
    found = {}
    by_id = {image.id: image for image in images}
    for ids in in_chunks(by_id):
        columns = (schema.images.c.id, schema.images.c.path, schema.images.c.creator)
        query = sa.select(*columns).where(schema.images.c.id.in_(ids))
        found.update({row.id: (row.path, row.creator) for row in connection.execute(query)})
    media = {}
    for keys in in_chunks({image.media_key for image in by_id.values() if image.media_key}):
        columns = (schema.media.c.key, schema.media.c.state, schema.media.c.path)
        query = sa.select(*columns).where(schema.media.c.key.in_(keys))
        media.update({row.key: (row.state, row.path) for row in connection.execute(query)})
    nothing = (None, None)
    standings = {}
    for number, image in by_id.items():
        (path, creator), (state, home) = found.get(number, nothing), media.get(image.media_key or "", nothing)
        standings[number] = Standing(number in found, path, state, creator, home)
    return standings


def claim(connection: Connection, wanted: list[Media], claims: Claims) -> set[str]:
    """Claim the files that are still to be fetched; returns the keys of those that another run is at.

    A claim lasts as long as the process of its run: what a killed run left is taken over at once.
    """
    table = schema.media
    busy: set[str] = set()
    for keys in in_chunks({one.key for one in wanted}):
        query = sa.select(table.c.key, table.c.state, table.c.run_id).where(table.c.key.in_(keys))
        found = [row for row in connection.execute(query) if row.state in UNFETCHED]
        others = set(claims.others({row.run_id for row in found}))
        busy |= {row.key for row in found if row.run_id in others}
        free = [row.key for row in found if row.run_id not in {*others, claims.run_id}]
        connection.execute(sa.update(table).where(table.c.key.in_(free)).values(run_id=claims.run_id))
    return busy


def mark_vanished(connection: Connection, vanished: list[Vanished]) -> None:
    """Mark things that the site was asked for by their ids and has no more; what was marked before keeps its time."""
    for one in vanished:
        table = GONE[one.kind]
        row = sa.update(table).where(table.c.id == one.entry_id, table.c.gone_at.is_(None))
        connection.execute(row.values(gone_at=now()))


def mark_known(connection: Connection, records: list[Any]) -> None:
    """Mark those of some numbered things, all of one class, that the archive had before."""
    table = schema.BY_CLASS[type(records[0])]
    by_id: dict[int, list[Any]] = {}
    for record in records:
        by_id.setdefault(record.id, []).append(record)
    for ids in in_chunks(by_id):
        for number in connection.execute(sa.select(table.c.id).where(table.c.id.in_(ids))).scalars():
            for record in by_id[number]:
                record.known = True
    if isinstance(records[0], ModelFile):
        recall_files(connection, by_id)


def recall_files(connection: Connection, by_id: dict[int, list[ModelFile]]) -> None:
    """Tell model files what became of their bytes before: what is stored or gone is not asked for again."""
    table = schema.model_files
    final = table.c.state.in_((MediaState.STORED, MediaState.GONE))
    for ids in in_chunks(by_id):
        query = sa.select(table.c.id, table.c.state, table.c.path).where(table.c.id.in_(ids), final)
        for row in connection.execute(query):
            for file in by_id[row.id]:
                file.state, file.path = row.state, row.path


def save_walk(connection: Connection, walk: Walk) -> None:
    """Write a walk's row; give it a number when it is new."""
    walk.updated_at = now()
    values = {name: getattr(walk, name) for name in schema.COLUMNS[Walk] if name != "id"}
    if walk.id is None:
        inserted = connection.execute(sa.insert(schema.walks).values(values)).inserted_primary_key
        walk.id = inserted[0] if inserted else None
    else:
        connection.execute(sa.update(schema.walks).where(schema.walks.c.id == walk.id).values(values))


def replace_resources(connection: Connection, resources: list[ImageResource]) -> None:
    """Replace the resources of images as sets; a set from a worse source never replaces one from a better.

    Of two sets of what was detected the one with more of the site's versions wins: some routes name only a part.
    """
    table = schema.image_resources
    sets: dict[tuple[int, str], dict[int, ImageResource]] = {}
    for one in resources:
        sets.setdefault((one.image_id, one.source), {})[one.position] = one
    ranks = {
        key: _rank(key[1], sum(one.model_version_id is not None for one in rows.values())) for key, rows in sets.items()
    }
    stored: dict[int, tuple[int, ...]] = {}
    columns = (table.c.image_id, table.c.source)
    for ids in in_chunks({image_id for image_id, _ in sets}):
        query = sa.select(*columns, sa.func.count(table.c.model_version_id)).where(table.c.image_id.in_(ids))
        for image_id, source, known in connection.execute(query.group_by(*columns)):
            stored[image_id] = min(stored.get(image_id, (len(SOURCE_RANK),)), _rank(source, known))
    best = dict(stored)
    for (image_id, _), rank in ranks.items():
        best[image_id] = min(best.get(image_id, rank), rank)
    better = [one for key, rows in sets.items() if ranks[key] == best[key[0]] for one in rows.values()]
    for ids in in_chunks({one.image_id for one in better} & stored.keys()):
        _keep_names(connection, better, ids)
        connection.execute(sa.delete(table).where(table.c.image_id.in_(ids)))
    upsert(connection, better)


def _keep_names(connection: Connection, resources: list[ImageResource], ids: Iterable[int]) -> None:
    """Give resources the names that an earlier crawl learned of their versions: a page tells numbers alone."""
    table = schema.image_resources.c
    nameless = {(one.image_id, one.model_version_id): one for one in resources if one.name is None}
    query = sa.select(table.image_id, table.model_version_id, table.name).where(table.image_id.in_(ids))
    for image_id, version_id, name in connection.execute(query.where(table.name.is_not(None))):
        if version_id is not None and (image_id, version_id) in nameless:
            nameless[image_id, version_id].name = name


def _rank(source: str, known: int) -> tuple[int, ...]:
    """Rank a set of resources, the best first: by its source; what was detected also by how many versions it knows."""
    place = SOURCE_RANK[ResourceSource(source)]
    return (place, -known) if source == ResourceSource.DETECTED else (place,)


def name_resources(connection: Connection, namings: Iterable[Naming]) -> None:
    """Give the resources of images that are known by number alone the names of their models."""
    table = schema.image_resources
    for naming in namings:
        nameless = (table.c.model_version_id == naming.version_id) & table.c.name.is_(None)
        connection.execute(sa.update(table).where(nameless).values(name=naming.name))


def free_user_ids(connection: Connection, creators: Iterable[Creator]) -> None:
    """Let a renamed creator's number go from the old name to the new one: it is unique."""
    table = schema.creators
    for creator in creators:
        if creator.user_id is not None:
            renamed = (table.c.user_id == creator.user_id) & (table.c.username != creator.username)
            connection.execute(sa.update(table).where(renamed).values(user_id=None))
