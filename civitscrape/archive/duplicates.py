"""Equal files and pictures that look nearly alike: found and described, never touched."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import paths, schema
from civitscrape.archive.conversions import led_to
from civitscrape.archive.database import in_chunks
from civitscrape.archive.looks import is_picture
from civitscrape.archive.pictures import nearness
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive

DIGITS = 16
"""Hex digits of a perceptual hash."""


@dataclass(slots=True, kw_only=True)
class File:
    """One name of the bytes of one key."""

    path: str
    key: str
    id: int | None
    """Number of the image; null for a file that no image names."""
    creator: str | None
    width: int | None
    height: int | None
    size: int | None
    """Bytes on the disk; null where it is not there."""
    bits: int = 0
    """Bits in which it differs from the first of its group."""
    link_of: str | None = None
    """Name before it in the group that is the same file, by a hard link."""
    node: tuple[int, int] | None = None
    """Device and inode; None where it is not there."""
    same: str = ""
    """What equal bytes have in common."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Files that are equal, or nearly."""

    files: list[File]
    sha256: str | None = None
    """Of equal files; null for nearly equal ones."""
    phash: str | None = None
    """Of the first of nearly equal ones; null for equal files."""
    saves: int = 0
    """Bytes that would be free if the first alone were kept: hard links are none."""

    def as_json(self) -> dict[str, Any]:
        """Turn it into JSON values."""
        inner = {"node", "same"}
        told = asdict(self)
        told["files"] = [{name: value for name, value in one.items() if name not in inner} for one in told["files"]]
        return told


@dataclass(slots=True, kw_only=True)
class Found:
    """What was found."""

    equal: list[Group] = field(default_factory=list)
    near: list[Group] = field(default_factory=list)
    pictures: int = 0
    """Pictures that were compared with each other."""
    videos: int = 0
    """Films and sounds, which are compared by their bytes alone."""


@dataclass(slots=True)
class _Row:
    """What the database says of some bytes."""

    key: str
    path: str
    same: str
    sha256: str | None


def keys_of(connection: Connection, target: str) -> set[str]:
    """Find the keys of the images that a target, such as ``user:lampwright``, has led to."""
    query = sa.select(schema.images.c.key).where(led_to(target), schema.images.c.key.is_not(None))
    return set(connection.execute(query).scalars())


def find(archive: Archive, store: Path, *, near: int, keys: Collection[str] | None = None) -> Found:
    """Find equal files, and pictures whose hashes differ from the first of their group in a few bits.

    Args:
        archive: the database.
        store: folder of the media.
        near: bits in which pictures may differ from the first of their group, the largest file.
        keys: compare only these with each other; None for all.

    Raises:
        ArchiveError: the database cannot be used.
    """
    return archive.run_now(_find, store, near, keys)


def _find(connection: Connection, store: Path, near: int, keys: Collection[str] | None) -> Found:
    found = Found()
    hashes: dict[int, int] = {}
    table = schema.media.c
    columns = (table.key, table.kind, table.content_type, table.phash, table.state)
    # The largest first: what others were made of is not smaller than they are.
    query = sa.select(*columns).where(table.path.is_not(None)).order_by(table.size.desc(), table.key)
    for row in connection.execute(query):
        if row.state != MediaState.STORED or (keys is not None and row.key not in keys):
            continue
        if not is_picture(row.kind, row.content_type):
            found.videos += 1
        elif row.phash is not None:
            found.pictures += 1
            looks = int(row.phash, 16)
            hashes[looks] = hashes.get(looks, 0) + 1
    found.equal = list(_equal(connection, store, keys))
    groups = [one for one in nearness.groups(hashes, near) if len(one) > 1 or hashes[one[0]] > 1]
    found.near = list(_near(connection, store, groups, keys))
    return found


def _equal(connection: Connection, store: Path, keys: Collection[str] | None) -> Iterator[Group]:
    """Find files with the same SHA-256: under several keys, or under several names of one."""
    media, images = schema.media.c, schema.images.c
    many = sa.select(media.sha256).where(media.sha256.is_not(None)).group_by(media.sha256).having(sa.func.count() > 1)
    shared = sa.select(images.key).where(images.path.is_not(None)).group_by(images.key).having(sa.func.count() > 1)
    wanted = set(connection.execute(sa.select(media.key).where(media.sha256.in_(many))).scalars())
    wanted.update(connection.execute(shared).scalars())
    by_content = defaultdict(list)
    for file in _files(connection, store, wanted if keys is None else wanted & set(keys)):
        by_content[file.same].append(file)
    for same, files in by_content.items():
        if len(files) > 1:
            yield _group(files, sha256=same)


def _near(
    connection: Connection, store: Path, groups: list[list[int]], keys: Collection[str] | None
) -> Iterator[Group]:
    """Describe groups of hashes; of equal files one is enough."""
    group_of = {one: number for number, group in enumerate(groups) for one in group}
    looks: dict[str, int] = {}
    media = schema.media.c
    query = sa.select(media.key, media.phash, media.state).where(media.phash.is_not(None), media.path.is_not(None))
    for row in connection.execute(query):
        one = int(row.phash, 16)
        if one in group_of and row.state == MediaState.STORED and (keys is None or row.key in keys):
            looks[row.key] = one
    members: list[dict[str, File]] = [{} for _ in groups]
    for file in _files(connection, store, looks):
        number = group_of[looks[file.key]]
        file.bits = (looks[file.key] ^ groups[number][0]).bit_count()
        members[number].setdefault(file.same, file)
    for group, files in zip(groups, members, strict=True):
        if len(files) > 1:
            yield _group(sorted(files.values(), key=_rank), phash=f"{group[0]:0{DIGITS}x}")


def _rank(file: File) -> tuple[int, int, str]:
    return file.bits, -(file.size or 0), file.path


def _group(files: list[File], **told: str) -> Group:
    """Tell which names are links of others, and what the first alone would leave free."""
    names: dict[tuple[int, int], str] = {}
    group = Group(files=files, **told)
    for file in files:
        if file.node is None:
            continue
        if file.node in names:
            file.link_of = names[file.node]
            continue
        if names:
            group.saves += file.size or 0
        names[file.node] = file.path
    return group


def _files(connection: Connection, store: Path, keys: Iterable[str]) -> Iterator[File]:
    """Describe all names of the bytes of some keys, in the order of the keys and of the images' numbers."""
    media, images = schema.media.c, schema.images.c
    for chunk in in_chunks(sorted(keys)):
        columns = (media.key, media.path, media.sha256, media.webp_path, media.webp_sha256, media.state)
        rows = {}
        for row in connection.execute(sa.select(*columns).where(media.key.in_(chunk)).order_by(media.key)):
            if row.state == MediaState.STORED and row.path is not None:
                # Where a WebP has replaced the original, its own bytes count.
                sha256 = row.webp_sha256 if row.path == row.webp_path else row.sha256
                rows[row.key] = _Row(row.key, row.path, sha256 or row.key, sha256)
        named = defaultdict(list)
        of_image = (images.id, images.key, images.path, images.creator, images.width, images.height)
        for image in connection.execute(sa.select(*of_image).where(images.key.in_(list(rows))).order_by(images.id)):
            if image.path is not None:
                named[image.key].append(image)
        for key, row in rows.items():
            for image in named[key]:
                yield _file(store, row, image.path, image)
            if row.path not in {image.path for image in named[key]}:
                yield _file(store, row, row.path, None)


def _file(store: Path, row: _Row, path: str, image: Any) -> File:
    try:
        there = os.stat(paths.address(store, path))  # noqa: PTH116 (the address is a text)
    except (OSError, ArchiveError):
        there = None
    return File(
        path=path,
        key=row.key,
        id=image and image.id,
        creator=image and image.creator,
        width=image and image.width,
        height=image and image.height,
        size=there and there.st_size,
        node=there and (there.st_dev, there.st_ino),
        same=row.same,
    )
