"""What came, entry by entry, as JSON that is compressed; once for each content that is new."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.archive.database import in_chunks, upsert
from civitscrape.json_text import to_canonical
from civitscrape.ledger import Payload, now

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from civitscrape.ledger import Entry

COUNTERS = "stats"
"""Key of an entry that changes without the entry changing; the payload's hash leaves it out."""


def written(content: Any) -> tuple[bytes, bytes]:
    """Write an entry as canonical JSON, whole and without its counters; what both have is written once.

    >>> written({"stats": {"likeCount": 1}, "id": 1, "url": ""})
    (b'{"id":1,"stats":{"likeCount":1},"url":""}', b'{"id":1,"url":""}')
    """
    if not isinstance(content, dict) or COUNTERS not in content:
        whole = to_canonical(content)
        return whole, whole
    before = to_canonical({key: value for key, value in content.items() if key < COUNTERS})[1:-1]
    counters = to_canonical({COUNTERS: content[COUNTERS]})[1:-1]
    after = to_canonical({key: value for key, value in content.items() if key > COUNTERS})[1:-1]
    return _object(before, counters, after), _object(before, after)


def _object(*members: bytes) -> bytes:
    return b"{" + b",".join([one for one in members if one]) + b"}"


def digest(lasting: bytes, refused: str | None = None) -> str:
    """Hash an entry, as it is written without its counters; with the reason, if it was refused.

    The reason tells a refused entry from the same one with good counters, or under a parser that can read it.
    """
    sha256 = hashlib.sha256(lasting)
    if refused is not None:
        sha256.update(to_canonical(refused))
    return sha256.hexdigest()


def restore(body: bytes) -> Any:
    """Read a payload's body back."""
    return json.loads(zstd.decompress(body).decode(errors="surrogatepass"))


def store(connection: Connection, entries: list[Entry]) -> None:
    """Keep the entries of an answer whose content is new."""
    table = schema.payloads
    fresh: dict[tuple[str, str, str], tuple[Entry, bytes]] = {}
    for entry in entries:
        whole, lasting = written(entry.content)
        fresh[entry.kind, entry.entry_id, digest(lasting, entry.refused)] = entry, whole
    kinds = {entry.kind for entry in entries}
    for ids in in_chunks({entry.entry_id for entry in entries}):
        named = table.c.kind.in_(kinds) & table.c.entry_id.in_(ids)
        for row in connection.execute(sa.select(table.c.kind, table.c.entry_id, table.c.sha256).where(named)):
            fresh.pop((row.kind, row.entry_id, row.sha256), None)
    moment, compressor = now(), zstd.ZstdCompressor()  # one of each: to make them takes longer than the rest
    rows = [
        Payload(
            kind=kind,
            entry_id=entry_id,
            sha256=sha256,
            fetched_at=moment,
            refused=entry.refused,
            body=compressor.compress(whole, zstd.ZstdCompressor.FLUSH_FRAME),
        )
        for (kind, entry_id, sha256), (entry, whole) in fresh.items()
    ]
    upsert(connection, rows)
