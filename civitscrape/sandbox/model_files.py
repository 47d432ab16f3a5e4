"""Bytes of model files, made from their seed when somebody asks, and the hashes that the site tells of them."""

from __future__ import annotations

import hashlib
import json
import zlib
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from civitscrape.sandbox.drawn import DRAWN_FROM, Drawn

if TYPE_CHECKING:
    from civitscrape.sandbox.models import FileRecord

KEPT_FILES = 256
KEPT_HASHES = 20_000
AUTOV1_FROM, AUTOV1_LENGTH = 0x100000, 0x10000
"""AutoV1 is the hash of a piece one mebibyte into the file: files that end before it all have the same one."""


@lru_cache(maxsize=KEPT_FILES)
def content(file: FileRecord) -> bytes:
    """Return the bytes of a file, ``file.length`` of them; ``.safetensors`` begin with a true header."""
    if file.extension != "safetensors":
        return Random(file.seed).randbytes(file.length)
    head = header(file)
    return head + Random(file.seed).randbytes(file.length - len(head))


def body(file: FileRecord) -> bytes | Drawn:
    """Return the bytes of a file; those of a big one are drawn while they are sent."""
    if file.length < DRAWN_FROM:
        return content(file)
    return Drawn(header(file) if file.extension == "safetensors" else b"", file.seed, file.length)


def header(file: FileRecord) -> bytes:
    """Write the head of a safetensors file: eight bytes of length, then JSON, padded to a multiple of eight."""
    room = 256
    count = (file.length - 8 - room) // 2
    tail = file.length - 8 - room - 2 * count
    told = {
        "__metadata__": {"ss_output_name": "lantern", "format": "pt"},
        "lantern.weight": {"dtype": "F16", "shape": [count], "data_offsets": [0, 2 * count]},
        "lantern.tail": {"dtype": "U8", "shape": [tail], "data_offsets": [2 * count, 2 * count + tail]},
    }
    return room.to_bytes(8, "little") + json.dumps(told).encode().ljust(room)


@lru_cache(maxsize=KEPT_HASHES)
def sha256(file: FileRecord) -> str:
    """Return the SHA-256 of a file, upper case."""
    whole = body(file)
    return (whole.sha256() if isinstance(whole, Drawn) else hashlib.sha256(whole).hexdigest()).upper()


@lru_cache(maxsize=KEPT_HASHES)
def _hashes(file: FileRecord) -> tuple[tuple[str, str], ...]:
    whole = sha256(file)
    if file.length >= DRAWN_FROM:
        return (("AutoV2", whole[:10]), ("SHA256", whole))
    body = content(file)
    piece = body[AUTOV1_FROM : AUTOV1_FROM + AUTOV1_LENGTH]
    told = {
        "AutoV1": hashlib.sha256(piece).hexdigest()[:8].upper(),
        "AutoV2": whole[:10],
        "SHA256": whole,
        "CRC32": f"{zlib.crc32(body):08X}",
    }
    if file.seed % 4:
        # Only looks like one: the standard library has no BLAKE3.
        told["BLAKE3"] = hashlib.blake2s(body).hexdigest().upper()
    if file.extension == "safetensors":
        told["AutoV3"] = hashlib.sha256(body[8 + int.from_bytes(body[:8], "little") :]).hexdigest()[:12].upper()
    return tuple(told.items())


def hashes(file: FileRecord) -> dict[str, str]:
    """Return the hashes of a file by their names at the site, upper case; none where the site tells none.

    Of big files only two are told. All are true but ``BLAKE3``, which only has its form; a quarter of the files have
    none, and only safetensors have ``AutoV3``, the start of the SHA-256 of what follows the header.
    """
    return dict(_hashes(file)) if file.hashed else {}
