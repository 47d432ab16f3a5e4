"""Which pictures of the archive are to become WebP, and what became of them.

A WebP gets its final name inside the transaction that books it, so what the database calls converted is there. Where it
replaces the original, that transaction also writes down what is to be removed; only the next one removes it. Killed
anywhere in between, the archive has both files, and ``sweep`` finishes what was begun.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import companions, paths, placing, schema, sidecars, strangers
from civitscrape.archive.database import from_row, in_chunks
from civitscrape.archive.pictures.convert import Converted, Left, convert
from civitscrape.archive.pictures.metadata import About
from civitscrape.civitai import levels, urls
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection

    from civitscrape.archive.pictures.options import Options

MOST_BYTES = 2**28
"""Bytes of a file that is read into memory at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pictures are to be converted."""

    only_tagged: bool = False
    """Only those with community tags."""
    target: str | None = None
    """Only those that a target has led to, such as ``user:lampwright``."""
    again: bool = False
    """Also those that are converted, or were left as they are."""
    keep: bool = True
    """Whether originals stay; if not, those that were kept beside their WebP are converted once more, and go."""
    copies: bool = False
    """Whether WebPs go into another folder: then it is no matter which are in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the pages of pictures are."""

    url: str = "https://civitai.com"
    mature_url: str = "https://civitai.red"

    def page(self, image: Image) -> str:
        """Give the address of an image's page; R and above have theirs elsewhere."""
        mature = image.level is not None and not image.level & levels.SFW
        return urls.address("image", image.id, self.mature_url if mature else self.url)


@dataclass(slots=True, kw_only=True)
class Job:
    """One picture that is to be converted."""

    key: str
    path: str
    """Its file, relative to the store."""
    size: int | None = None
    sha256: str | None = None
    """What its bytes must be."""
    replaced: bool = False
    """Whether the file is a WebP already that has replaced the original."""
    images: list[Image] = field(default_factory=list)
    """The images that it is the file of, by their ids."""
    about: About = field(default_factory=About)
    """What is known of the first of them."""
    copies: list[str] = field(default_factory=list)
    """Its names in another folder, where it is copied there; one for each image."""


@dataclass(slots=True, kw_only=True)
class Done:
    """What became of a job."""

    job: Job
    fate: Converted | Left | None
    """None when there was nothing to do; booking may turn a conversion into a picture that is left."""
    size: int = 0
    """Bytes of the original."""
    sha256: str | None = None
    """Of the WebP."""


def count(connection: Connection, wanted: Wanted) -> int:
    """Count the pictures that are to be converted."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(schema.media).where(_is(wanted))).scalar_one())


def leads(connection: Connection, target: str) -> bool:
    """Tell whether a target has led to any image."""
    query = sa.select(schema.images.c.id).where(led_to(target)).limit(1)
    return connection.execute(query).first() is not None


def find(
    connection: Connection, wanted: Wanted, site: Site, *, after: str = "", size: int = 100, key: str | None = None
) -> list[Job]:
    """Find pictures that are to be converted, in the order of their keys.

    Args:
        connection: inside a transaction.
        wanted: which.
        site: where their pages are.
        after: key to begin behind.
        size: how many at most.
        key: only this one.
    """
    table = schema.media
    query = sa.select(table).where(_is(wanted), table.c.key > after).order_by(table.c.key).limit(size)
    if key is not None:
        query = query.where(table.c.key == key)
    jobs = {
        row.key: Job(key=row.key, path=row.path, size=row.size, sha256=row.sha256, replaced=row.path == row.webp_path)
        for row in connection.execute(query)
    }
    for image in images_of(connection, jobs):
        jobs[image.key or ""].images.append(image)
    firsts = {job.images[0].id: job for job in jobs.values() if job.images}
    for chunk in in_chunks(firsts):
        for _, record in sidecars.records(connection, chunk):
            job = firsts[record["image"]["id"]]
            job.about = about(job.images[0], record, site)
    return list(jobs.values())


def images_of(connection: Connection, keys: Collection[str]) -> Iterable[Image]:
    """Find the images that have a file with one of these keys, by their ids."""
    table = schema.images
    for chunk in in_chunks(keys):
        query = sa.select(table).where(table.c.key.in_(chunk), table.c.path.is_not(None)).order_by(table.c.id)
        yield from [from_row(Image, row) for row in connection.execute(query)]


def about(image: Image, record: dict[str, Any], site: Site) -> About:
    """Tell what goes into the file of an image: all that its sidecar says, but not where that lies.

    Of its tags only those are named that the site shows; the record has all.
    """
    told = record | {"image": {name: value for name, value in record["image"].items() if name != "path"}}
    tags = [tag["name"] for tag in record["tags"] if tag.get("name") and tag.get("shown") is not False]
    return About(tags=tags, creator=image.creator, source=site.page(image), record=told)


def _is(wanted: Wanted) -> sa.ColumnElement[bool]:
    """Say which rows of ``media`` are wanted."""
    media, images, tags = schema.media.c, schema.images, schema.image_tags
    # Not the state by itself: SQLite would read all that is stored by its index, and sort it, for each portion.
    stored = sa.func.coalesce(media.state, "") == MediaState.STORED
    said = [media.kind == "image", stored, media.path.is_not(None)]
    if not wanted.again:
        said.append(media.webp_error.is_(None))
    if not wanted.copies:
        open_ = media.webp_path.is_(None)
        kept = sa.func.coalesce(media.webp_path, "") != media.path
        said.append(kept if wanted.again or not wanted.keep else open_)
    mine = images.c.key == media.key
    if wanted.only_tagged:
        shown = sa.func.coalesce(tags.c.shown, sa.true())
        said.append(sa.exists().where(mine, tags.c.image_id == images.c.id, shown))
    if wanted.target is not None:
        said.append(sa.exists().where(mine, led_to(wanted.target)))
    return sa.and_(*said)


def led_to(target: str) -> sa.ColumnElement[bool]:
    """Say which joined rows of ``links`` and ``images`` belong to a target."""
    kind, _, name = target.partition(":")
    links = schema.links.c
    mine = (links.target_kind == kind) & (links.target == name) & (links.entry_kind == "image")
    return mine & (links.entry_id == schema.images.c.id)


def make(store: Path, job: Job, options: Options) -> Done:
    """Make the WebP of a picture; nothing is written. Never fails: what is wrong is the reason to leave it."""
    try:
        path = Path(paths.address(store, job.path))
        size = path.stat().st_size
        if size > MOST_BYTES:
            return Done(job=job, fate=Left(reason=f"it has {size} bytes, which are more than {MOST_BYTES}"), size=size)
        content = path.read_bytes()
    except FileNotFoundError:
        return Done(job=job, fate=Left(reason="its file is not there; -a redownload=yes fetches it again"))
    except (OSError, ArchiveError) as error:
        return Done(job=job, fate=Left(reason=f"it cannot be read: {error}"))
    if job.replaced:
        return Done(job=job, fate=Converted(content=content, phash="", pixels=0, quality=0), size=size)
    if job.sha256 is not None and hashlib.sha256(content).hexdigest() != job.sha256:
        reason = "its file is not what was downloaded; -a redownload=yes fetches it again"
        return Done(job=job, fate=Left(reason=reason), size=size)
    fate = convert(content, job.about, options)
    made = hashlib.sha256(fate.content).hexdigest() if isinstance(fate, Converted) else None
    return Done(job=job, fate=fate, size=size, sha256=made)


def book(connection: Connection, store: Path, done: Collection[Done], *, keep: bool, beside: Collection[str]) -> None:
    """Put WebPs in their places, and write into the database what became of each picture.

    Args:
        connection: inside a transaction; files are moved before it commits, so what the database calls converted is
            there.
        store: folder of the media.
        done: what became of some pictures.
        keep: whether originals stay; if not, ``sweep`` removes them in another transaction.
        beside: kinds of sidecars that are written.

    Raises:
        ArchiveError: a file cannot be written; nothing of these is booked then.
    """
    table = schema.media
    for one in done:
        mine = table.c.key == one.job.key
        columns = (table.c.path, table.c.sha256, table.c.webp_path, table.c.webp_sha256)
        row = connection.execute(sa.select(*columns).where(mine).with_for_update()).one_or_none()
        if one.fate is None or row is None or (row.path, row.sha256) != (one.job.path, one.job.sha256):
            continue  # fetched again, or converted by another process, since it was read; it will be found again
        files = _files(connection, one.job.key)
        if isinstance(one.fate, Converted) and (reason := _taken(store, one, files, row.webp_path, row.webp_sha256)):
            one.fate = Left(reason=reason, phash=one.fate.phash, pixels=one.fate.pixels)
        values = _noted(one)
        if isinstance(one.fate, Converted):
            values |= _placed(connection, store, one, one.fate, files, keep=keep)
        connection.execute(sa.update(table).where(mine).values(values))
    if beside and not keep:
        ids = [image.id for one in done if isinstance(one.fate, Converted) for image in one.job.images]
        sidecars.write(connection, store, ids, kinds=beside)


def note(connection: Connection, done: Collection[Done]) -> None:
    """Write into the database what pictures look like, and why some were left; for copies, which are not its own."""
    for one in done:
        if values := _noted(one):
            connection.execute(sa.update(schema.media).where(schema.media.c.key == one.job.key).values(values))


def _noted(one: Done) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if one.fate is not None and one.fate.phash:
        values["phash"] = one.fate.phash
    if isinstance(one.fate, Left):
        values["webp_error"] = one.fate.reason
    return values


def _files(connection: Connection, key: str) -> dict[int, str]:
    """Name the files of the images that have a key: a crawl may have met another one since the job was found."""
    return {image.id: image.path for image in images_of(connection, [key]) if image.path is not None}


def _taken(store: Path, one: Done, files: dict[int, str], before: str | None, sha256: str | None) -> str | None:
    """Say why a WebP cannot have its names; ``before`` is that which it has had so far, with the hash that follows."""
    home = companions.WEBP.of(one.job.path)
    if home == one.job.path:
        return "its file is called .webp, and is none: a WebP would take its place"
    names = {home, *map(companions.WEBP.of, files.values())} - {before}
    if (name := strangers.find(store, names, files.keys(), {one.sha256, sha256})) is None:
        return None
    return f"a file that the archive does not know lies at {name}; move it away and convert with --again"


def _placed(
    connection: Connection, store: Path, one: Done, fate: Converted, files: dict[int, str], *, keep: bool
) -> dict[str, Any]:
    """Write a WebP under the names of all images that it is the file of; tell the row of ``media``."""
    home = companions.WEBP.of(one.job.path)
    try:
        put(store, one.job.key, home, fate.content, lasting=not keep)
        for path in files.values():
            if companions.WEBP.of(path) != home:
                placing.link(Path(paths.address(store, home)), Path(paths.address(store, companions.WEBP.of(path))))
    except OSError as error:
        raise ArchiveError(f"{paths.address(store, home)} cannot be written: {error.strerror or error}") from error
    values = {
        "webp_path": home,
        "webp_size": len(fate.content),
        "webp_quality": fate.quality,
        "webp_sha256": one.sha256,
        "webp_error": None,
    }
    if keep:
        return values
    for number, path in files.items():
        _carry_tags(store, path)
        named = schema.images.c.id == number
        connection.execute(sa.update(schema.images).where(named).values(path=companions.WEBP.of(path)))
    return values | {"path": home, "webp_replaced": sorted({one.job.path, *files.values()})}


def _carry_tags(store: Path, path: str) -> None:
    """Give the tags of an original, whose file has its whole name, to the WebP too; ``sweep`` takes the old name away.

    Raises:
        ArchiveError: they cannot be written.
    """
    before, after = (Path(paths.address(store, companions.TAGS.of(one))) for one in (path, companions.WEBP.of(path)))
    try:
        if before.is_file() and not after.exists():
            placing.link(before, after)
    except OSError as error:
        raise ArchiveError(f"{after} cannot be written: {error.strerror or error}") from error


def put(store: Path, key: str, path: str, content: bytes, *, lasting: bool) -> None:
    """Write a file under a name in one step.

    Args:
        store: folder of the media.
        key: key that the file belongs to; only one process at a time has its row.
        path: where the file goes, relative to the store.
        content: the bytes.
        lasting: whether it must outlast a power cut, because something else is going to be removed.

    Raises:
        OSError: it cannot be written.
    """
    part = paths.part_path(store, key)
    part = part.with_name(f"{part.stem}.webp{part.suffix}")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        file.write(content)
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    target = Path(paths.address(store, path))
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)


def sweep(connection: Connection, store: Path) -> int:
    """Remove the originals that a WebP has replaced, as the database says; return how many.

    Raises:
        ArchiveError: one cannot be removed.
    """
    table, images = schema.media, schema.images
    columns = (table.c.key, table.c.path, table.c.webp_path, table.c.webp_sha256, table.c.webp_replaced)
    removed = 0
    for row in connection.execute(sa.select(*columns).where(table.c.webp_replaced.is_not(None))).all():
        named = set(connection.execute(sa.select(images.c.path).where(images.c.key == row.key)).scalars())
        try:
            content = Path(paths.address(store, row.webp_path)).read_bytes()
            if hashlib.sha256(content).hexdigest() != row.webp_sha256:
                continue  # another WebP than was proven, so the original stays
            for path in set(row.webp_replaced) - named - {row.path}:
                _drop_tags(store, path)
                Path(paths.address(store, path)).unlink(missing_ok=True)
                removed += 1
        except FileNotFoundError:
            continue  # no WebP, so the original is all there is
        except OSError as error:
            raise ArchiveError(f"{error.filename} cannot be removed: {error.strerror or error}") from error
        connection.execute(sa.update(table).where(table.c.key == row.key).values(webp_replaced=None))
    return removed


def _drop_tags(store: Path, path: str) -> None:
    """Take away the tags of an original that goes, which its WebP has by now."""
    if Path(paths.address(store, companions.TAGS.of(companions.WEBP.of(path)))).exists():
        Path(paths.address(store, companions.TAGS.of(path))).unlink(missing_ok=True)
