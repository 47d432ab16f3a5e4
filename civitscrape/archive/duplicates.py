"""Equal files and pictures that look nearly alike, and what is near a given one: found and described, never touched."""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from civitscrape.archive import fingerprints, looks, paths, schema
from civitscrape.archive.conversions import led_to
from civitscrape.archive.database import in_chunks
from civitscrape.archive.pictures import nearness
from civitscrape.exceptions import ArchiveError, ArgumentError, PictureError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive

DIGITS = 16
"""Hex digits of a perceptual hash."""

MOST_DIGITS = 18
"""Decimal digits of a number that any database takes."""


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

    def as_json(self) -> dict[str, Any]:
        """Turn it into JSON values."""
        return {name: value for name, value in asdict(self).items() if name not in {"node", "same"}}


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
        return asdict(self) | {"files": [one.as_json() for one in self.files]}


@dataclass(slots=True, kw_only=True)
class Found:
    """What was found."""

    equal: list[Group] = field(default_factory=list)
    near: list[Group] = field(default_factory=list)
    pictures: int = 0
    """Pictures that were compared with each other."""
    videos: int = 0
    """Films and sounds, which are compared by their bytes alone."""


@dataclass(slots=True, kw_only=True)
class Near:
    """What is near a picture."""

    looks: int
    """Perceptual hash of that picture."""
    files: list[File]
    """The nearest first; what was asked about is not among them."""
    pictures: int
    """Pictures that it was compared with."""


class _Content(NamedTuple):
    """What the database says of some bytes."""

    key: str
    path: str
    same: str


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
    found, hashes = archive.run_now(_hashes, keys)
    found.equal = list(_equal(archive, store, keys))
    # Outside of any transaction: this takes a minute for a million, and crawls are not to wait for it.
    groups = [one for one in nearness.groups(hashes, near) if len(one) > 1 or hashes[one[0]] > 1]
    found.near = list(_near(archive, store, groups, keys))
    return found


def looks_of(archive: Archive, store: Path, asked: str) -> int:
    """Give the perceptual hash of a picture: an image of the archive, by its number, or any file.

    Raises:
        ArgumentError: there is no such image or file, or it is no picture that can be looked at.
    """
    number = number_in(asked)
    try:
        if number is None:
            return _looks_of_file(Path(os.path.expanduser(asked)))  # noqa: PTH111 (pathlib raises where nobody is known)
        row = archive.run_now(_row_of, number)
        if row.phash is not None:
            return int(row.phash, 16)
        return _looks_of_file(Path(paths.address(store, row.path)))
    except (ArchiveError, PictureError) as error:
        raise ArgumentError(f"--like {asked!r}: {error}") from error


def number_in(asked: str) -> int | None:
    """Read the number of an image; None for the path of a file.

    >>> number_in("98000002"), number_in("./98000002")
    (98000002, None)
    """
    return int(asked) if asked.isdecimal() and len(asked) <= MOST_DIGITS else None


def _looks_of_file(path: Path) -> int:
    """Look at a file.

    Raises:
        ArchiveError: it cannot be read.
        PictureError: it is no picture, is too large, or is broken.
    """
    try:
        if fingerprints.measured(path).size > looks.MOST_BYTES:
            raise PictureError(f"it has more than {looks.MOST_BYTES >> 20} MiB")
        return looks.look_at(path.read_bytes()).hash
    except OSError as error:
        raise ArchiveError(f"it cannot be read: {error.strerror or error}") from error


def _row_of(connection: Connection, number: int) -> Any:
    """Find the row of an image's picture.

    Raises:
        ArchiveError: there is no such image, it is no picture, or its file is not here.
    """
    media, images = schema.media.c, schema.images
    path = sa.func.coalesce(images.c.path, media.path).label("path")
    columns = (media.phash, path, media.state, images.c.type, media.content_type)
    joined = images.outerjoin(schema.media, media.key == images.c.key)
    query = sa.select(*columns).select_from(joined).where(images.c.id == number)
    row = connection.execute(query).first()
    if row is None:
        raise ArchiveError(f"the archive has no image {number}; a file of this name is ./{number}")
    if not looks.is_picture(row.type, row.content_type):
        raise ArchiveError("it is no picture, and films and sounds are not looked at")
    if row.state != MediaState.STORED or row.path is None:
        raise ArchiveError(f"its file is not here: it is {row.state or 'not asked for'}")
    return row


def like(
    archive: Archive,
    store: Path,
    looking: int,
    *,
    near: int,
    keys: Collection[str] | None = None,
    besides: int | None = None,
) -> Near:
    """Find the pictures whose hashes differ from a given one in a few bits, the nearest first.

    Args:
        archive: the database.
        store: folder of the media.
        looking: the perceptual hash.
        near: bits in which others may differ from it.
        keys: compare only with these; None for all.
        besides: number of the image that it is the hash of, which is left out.

    Raises:
        ArchiveError: the database cannot be used.
    """
    hashes = archive.run_now(_every_hash) if keys is None else archive.run_now(_hashes_of, keys)
    # For one question an index would take longer to make than all of them to be read.
    found = archive.run_now(_named_so, {one for one in hashes if (one ^ looking).bit_count() <= near}, keys)
    files = [file for file in _files(archive, store, found) if besides is None or file.id != besides]
    for file in files:
        file.bits = (found[file.key] ^ looking).bit_count()
    return Near(looks=looking, files=_group(Group(files=sorted(files, key=_rank))).files, pictures=len(hashes))


def _every_hash(connection: Connection) -> Sequence[int]:
    """Read all hashes, in one text: a row for each would take ten times as long."""
    table = schema.media.c
    query = sa.select(sa.func.aggregate_strings(table.phash, "")).where(table.phash.is_not(None))
    content = bytes.fromhex(connection.execute(query).scalar() or "")
    return struct.unpack(f">{len(content) // 8}Q", content)


def _hashes_of(connection: Connection, keys: Collection[str]) -> Sequence[int]:
    table, found = schema.media.c, list[int]()
    for chunk in in_chunks(keys):
        query = sa.select(table.phash).where(table.key.in_(chunk))
        found += [int(one, 16) for one in connection.execute(query).scalars() if one is not None]
    return found


def _named_so(connection: Connection, hashes: Collection[int], keys: Collection[str] | None) -> dict[str, int]:
    """Find the keys of pictures with one of a few hashes."""
    table, found = schema.media.c, dict[str, int]()
    for chunk in in_chunks(f"{one:0{DIGITS}x}" for one in hashes):
        query = sa.select(table.key, table.phash).where(table.phash.in_(chunk))
        found |= {row.key: int(row.phash, 16) for row in connection.execute(query) if keys is None or row.key in keys}
    return found


def _hashes(connection: Connection, keys: Collection[str] | None) -> tuple[Found, dict[int, int]]:
    """Read what pictures look like, and how many look exactly so; the largest file first.

    What others were made of is not smaller than they are, so it is to be the first of its group.
    """
    found = Found()
    hashes: dict[int, int] = {}
    table = schema.media.c
    columns = (table.key, table.kind, table.content_type, table.phash, table.state)
    query = sa.select(*columns).where(table.path.is_not(None)).order_by(table.size.desc(), table.key)
    for row in connection.execute(query):
        if row.state != MediaState.STORED or (keys is not None and row.key not in keys):
            continue
        if not looks.is_picture(row.kind, row.content_type):
            found.videos += 1
        elif row.phash is not None:
            found.pictures += 1
            looking = int(row.phash, 16)
            hashes[looking] = hashes.get(looking, 0) + 1
    return found, hashes


def _equal(archive: Archive, store: Path, keys: Collection[str] | None) -> Iterator[Group]:
    """Find files with the same SHA-256: under several keys, or under several names of one."""
    wanted = archive.run_now(_repeated)
    by_content = defaultdict(list)
    for file in _files(archive, store, wanted if keys is None else wanted & set(keys)):
        by_content[file.same].append(file)
    for same, files in by_content.items():
        if len(files) > 1:
            yield _group(Group(files=files, sha256=same))


def _repeated(connection: Connection) -> set[str]:
    media, images = schema.media.c, schema.images.c
    many = sa.select(media.sha256).where(media.sha256.is_not(None)).group_by(media.sha256).having(sa.func.count() > 1)
    shared = sa.select(images.key).where(images.path.is_not(None)).group_by(images.key).having(sa.func.count() > 1)
    found = set(connection.execute(sa.select(media.key).where(media.sha256.in_(many))).scalars())
    return found.union(connection.execute(shared).scalars())


def _near(archive: Archive, store: Path, groups: list[list[int]], keys: Collection[str] | None) -> Iterator[Group]:
    """Describe groups of hashes; of equal files one is enough."""
    group_of = {one: number for number, group in enumerate(groups) for one in group}
    found = archive.run_now(_looking_so, group_of, keys)
    members: list[dict[str, File]] = [{} for _ in groups]
    for file in _files(archive, store, found):
        number = group_of[found[file.key]]
        file.bits = (found[file.key] ^ groups[number][0]).bit_count()
        members[number].setdefault(file.same, file)
    for group, files in zip(groups, members, strict=True):
        if len(files) > 1:
            yield _group(Group(files=sorted(files.values(), key=_rank), phash=f"{group[0]:0{DIGITS}x}"))


def _looking_so(connection: Connection, hashes: Container[int], keys: Collection[str] | None) -> dict[str, int]:
    """Find the keys of pictures that look like one of some hashes; the column is read from end to end, once."""
    table = schema.media.c
    query = sa.select(table.key, table.phash, table.state).where(table.phash.is_not(None), table.path.is_not(None))
    return {
        row.key: looking
        for row in connection.execute(query)
        if (looking := int(row.phash, 16)) in hashes
        and row.state == MediaState.STORED
        and (keys is None or row.key in keys)
    }


def _rank(file: File) -> tuple[int, int, str]:
    return file.bits, -(file.size or 0), file.path


def _group(group: Group) -> Group:
    """Tell which names are links of others, and what the first alone would leave free."""
    names: dict[tuple[int, int], str] = {}
    for file in group.files:
        if file.node is None:
            continue
        if file.node in names:
            file.link_of = names[file.node]
            continue
        if names:
            group.saves += file.size or 0
        names[file.node] = file.path
    return group


def _files(archive: Archive, store: Path, keys: Iterable[str]) -> Iterator[File]:
    """Describe all names of the bytes of some keys, in the order of the keys and of the images' numbers."""
    for chunk in in_chunks(sorted(keys)):
        for content, named in archive.run_now(_contents, chunk):
            for image in named:
                yield _file(store, content, image.path, image)
            if content.path not in {image.path for image in named}:
                yield _file(store, content, content.path, None)


def _contents(connection: Connection, keys: Collection[str]) -> list[tuple[_Content, list[Any]]]:
    """Read of some keys what lies where, and the images that have a name for it."""
    media, images = schema.media.c, schema.images.c
    columns = (media.key, media.path, media.sha256, media.webp_path, media.webp_sha256, media.state)
    found: dict[str, tuple[_Content, list[Any]]] = {}
    for row in connection.execute(sa.select(*columns).where(media.key.in_(keys)).order_by(media.key)):
        if row.state == MediaState.STORED and row.path is not None:
            # Where a WebP has replaced the original, its own bytes count.
            sha256 = row.webp_sha256 if row.path == row.webp_path else row.sha256
            found[row.key] = _Content(row.key, row.path, sha256 or row.key), []
    of_image = (images.id, images.key, images.path, images.creator, images.width, images.height)
    for image in connection.execute(sa.select(*of_image).where(images.key.in_(list(found))).order_by(images.id)):
        if image.path is not None:
            found[image.key][1].append(image)
    return list(found.values())


def _file(store: Path, content: _Content, path: str, image: Any) -> File:
    try:
        there = os.stat(paths.address(store, path))  # noqa: PTH116 (the address is a text)
    except (OSError, ArchiveError):
        there = None
    return File(
        path=path,
        key=content.key,
        id=image and image.id,
        creator=image and image.creator,
        width=image and image.width,
        height=image and image.height,
        size=there and there.st_size,
        node=there and (there.st_dev, there.st_ino),
        same=content.same,
    )
