"""What stored pictures look like: threads read those that have no perceptual hash yet, whoever called books them."""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from PIL import Image as Picture

from civitscrape.archive import formats, paths, schema
from civitscrape.archive.pictures import hashing, metadata
from civitscrape.archive.pictures.convert import MOST_PIXELS
from civitscrape.exceptions import ArchiveError, PictureError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from threading import Event

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive

CHUNK = 500
"""Rows asked for at once."""

BATCH = 64
"""Pictures looked at between two bookings: what a kill costs at most."""

MOST_BYTES = 2**28
"""Bytes of a file that is read into memory at all."""

_NUMBER = re.compile(r"\b\d+(?=[ ,:.]|$)")


class Unseen(NamedTuple):
    """One stored picture without a hash."""

    key: str
    path: str
    sha256: str | None


@dataclass(slots=True)
class Looked:
    """What came of looking."""

    seen: int = 0
    left: Counter[str] = field(default_factory=Counter)
    """Pictures that cannot be looked at, by the reason; those that differ in numbers only are one."""


def unseen(connection: Connection, after: str, keys: Collection[str] | None = None) -> tuple[list[Unseen], str | None]:
    """Find pictures among the next rows without a hash; and the key that the rows after those are behind.

    The state is looked at here: SQLite, asked for it, would read all that is stored each time.

    Args:
        connection: inside a transaction.
        after: key to begin behind.
        keys: only these; None for all.
    """
    table = schema.media.c
    columns = (table.key, table.path, table.sha256, table.state, table.kind, table.content_type)
    next_ones = sa.select(*columns).where(table.key > after, table.phash.is_(None)).order_by(table.key).limit(CHUNK)
    rows = connection.execute(next_ones).all()
    found = [
        Unseen(row.key, row.path, row.sha256)
        for row in rows
        if row.state == MediaState.STORED
        and row.path
        and is_picture(row.kind, row.content_type)
        and (keys is None or row.key in keys)
    ]
    return found, rows[-1].key if rows else None


def any_unseen(connection: Connection) -> bool:
    """Tell whether there may be a picture without a hash: in one go, which among a million takes a moment."""
    table = schema.media.c
    stored = sa.func.coalesce(table.state, "") == MediaState.STORED
    lacking = table.phash.is_(None) & stored & sa.func.coalesce(table.content_type, table.kind).startswith("image")
    return connection.execute(sa.select(table.key).where(lacking).limit(1)).first() is not None


def is_picture(kind: str | None, content_type: str | None) -> bool:
    """Tell pictures from films and sounds.

    >>> is_picture("image", None), is_picture("image", "video/mp4"), is_picture("poster", "image/jpeg")
    (True, False, True)
    """
    return (content_type or kind or "").startswith("image")


def count(archive: Archive, keys: Collection[str] | None = None) -> int:
    """Count the pictures without a hash."""
    return sum(1 for _ in _all_unseen(archive, keys))


def _all_unseen(archive: Archive, keys: Collection[str] | None) -> Iterator[Unseen]:
    after: str | None = ""
    while after is not None:
        found, after = archive.run_now(unseen, after, keys)
        yield from found


def look(
    archive: Archive,
    store: Path,
    stop: Event,
    tell: Callable[[], None],
    *,
    keys: Collection[str] | None = None,
    threads: int | None = None,
) -> Looked:
    """Give the pictures that have none a hash; once ``stop`` is set, book what is in work and return.

    Args:
        archive: the database.
        store: folder of the media.
        stop: whether to stop.
        tell: called for each picture.
        keys: only these; None for all.
        threads: pictures at once; one for each core where it is None.

    Raises:
        ArchiveError: the database cannot be used; what was booked before stays.
    """
    looked = Looked()
    pictures = _all_unseen(archive, keys)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="look") as pool:
        while not stop.is_set() and (batch := list(islice(pictures, BATCH))):
            booked = []
            for one, seen in zip(batch, pool.map(lambda one: _look(store, one, stop), batch), strict=True):
                if isinstance(seen, hashing.Look):
                    booked.append({"_key": one.key, "_sha256": one.sha256, "_phash": str(seen)})
                    looked.seen += 1
                elif seen is not None:
                    looked.left[_NUMBER.sub("…", seen)] += 1
                if seen is not None:
                    tell()
            archive.run_now(_book, booked)
    return looked


def _book(connection: Connection, hashes: Iterable[dict[str, str | None]]) -> None:
    """Write hashes down, unless the file is another one by now."""
    rows, table = list(hashes), schema.media
    same = sa.func.coalesce(table.c.sha256, "") == sa.func.coalesce(sa.bindparam("_sha256", type_=sa.Text()), "")
    if rows:
        mine = (table.c.key == sa.bindparam("_key")) & same
        connection.execute(sa.update(table).where(mine).values(phash=sa.bindparam("_phash")), rows)


def _look(store: Path, one: Unseen, stop: Event) -> hashing.Look | str | None:
    """Look at a picture; what is wrong with it is the reason not to. None once it is to stop."""
    if stop.is_set():
        return None
    try:
        path = Path(paths.address(store, one.path))
        if path.stat().st_size > MOST_BYTES:
            return f"it has more than {MOST_BYTES >> 20} MiB"
        return look_at(path.read_bytes())
    except FileNotFoundError:
        return "its file is not there; `civitscrape verify` tells more"
    except (OSError, ArchiveError) as error:
        return f"it cannot be read: {getattr(error, 'strerror', None) or error}"
    except PictureError as error:
        return str(error)


def look_at(content: bytes) -> hashing.Look:
    """Look at the bytes of a picture.

    Raises:
        PictureError: it is no picture, of a kind that is not looked at, too large, or broken.
    """
    found = formats.sniff(content[: formats.HEAD_SIZE])
    reader = metadata.READERS.get(found.content_type) if found else None
    if found is None:
        raise PictureError("it is no picture")
    if reader is None:
        raise PictureError(f"it is {found.content_type}, and PNG, JPEG, GIF and WebP are looked at")
    try:
        source = reader(content)
    except (struct.error, zlib.error, IndexError, ValueError) as error:
        raise PictureError(f"it is broken: {error}") from error
    # Before anything is decoded: a small file may say that it is a hundred thousand pixels wide.
    if source.width * source.height > MOST_PIXELS:
        raise PictureError(f"it has {source.width} x {source.height} pixels, which are more than {MOST_PIXELS}")
    try:
        with Picture.open(BytesIO(source.bare), formats=[source.format]) as picture:
            seen = hashing.look(picture) if picture.size == (source.width, source.height) else None
    except MemoryError as error:
        raise PictureError("there is not enough memory to decode it") from error
    except Exception as error:  # decoders fail in every way there is, once bytes are wrong
        raise PictureError(f"it cannot be decoded: {error or type(error).__name__}") from error
    if seen is None:
        raise PictureError("it says two different things of its size")
    return seen
