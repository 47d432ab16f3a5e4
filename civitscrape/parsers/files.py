"""The files of a model version into items (contract rest.md §5.1, §6; trpc-and-pages.md §4.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from civitscrape.items import ModelFile
from civitscrape.parsers import fields, lenient, loose

_HEX = re.compile(r"[0-9a-fA-F]+")


def download_url(site: str, version_id: int, file_id: int | None = None) -> str:
    """Return the address of a version's primary file, or of exactly one file; ``site`` is CIVITAI_URL.

    >>> download_url("https://civitai.com", 2900002, 3100001)
    'https://civitai.com/api/download/models/2900002?fileId=3100001'
    """
    address = f"{site.rstrip('/')}/api/download/models/{version_id}"
    return address if file_id is None else f"{address}?fileId={file_id}"


def of_version(
    version: Mapping[str, Any], *, version_id: int, site: str, archived: bool, entry: Mapping[str, Any], place: str
) -> list[ModelFile]:
    """Return the files of a version, in the order of the answer.

    Args:
        version: the version, with its ``files``.
        version_id: its number.
        site: CIVITAI_URL.
        archived: whether the model is: then nothing can be downloaded.
        entry: the entry that the version is a part of, for errors.
        place: dotted path of ``files`` in the entry.

    Raises:
        EntryError: a file is no object, or has no number.
    """
    parts = lenient.values(version, "files")
    linked = _linked(version, parts)
    # Lists mark the primary file only; other routes mark every file, and tRPC none.
    marked = any(isinstance(part, Mapping) and isinstance(part.get("primary"), bool) for part in parts)
    found = []
    for position, part in enumerate(parts):
        number = fields.part_identity(entry, f"{place}.{position}", part)
        is_linked = linked is not None and part.get("type") == "VAE"
        belongs_to = lenient.integer(part, "modelVersionId") or (is_linked and linked) or version_id
        primary = lenient.boolean(part, "primary")
        metadata = lenient.mapping(part, "metadata")
        hashes = _hashes(part)
        found.append(
            ModelFile(
                id=number,
                version_id=belongs_to,
                name=lenient.text(part, "overrideName") or lenient.text(part, "name"),
                type=lenient.text(part, "type"),
                size_kb=loose.number(part.get("sizeKB")),
                is_primary=False if primary is None and marked and not is_linked else primary,
                download_url=None if archived else download_url(site, belongs_to, number),
                mirrors=_mirrors(part),
                pickle_scan=lenient.text(part, "pickleScanResult"),
                virus_scan=lenient.text(part, "virusScanResult"),
                scanned_at=lenient.time(part, "scannedAt"),
                format=lenient.text(metadata, "format"),
                fp=lenient.text(metadata, "fp"),
                pruning=lenient.text(metadata, "size"),
                quant_type=lenient.text(metadata, "quantType"),
                sha256=hashes.get("sha256"),
                autov1=hashes.get("autov1"),
                autov2=hashes.get("autov2"),
                autov3=hashes.get("autov3"),
                blake3=hashes.get("blake3"),
                crc32=hashes.get("crc32"),
            )
        )
    return found


def _linked(version: Mapping[str, Any], parts: list[Any]) -> int | None:
    """Return the version that a list's only VAE is of: lists append the file of a linked one (rest.md §5.1)."""
    own = sum(isinstance(part, Mapping) and part.get("type") == "VAE" for part in parts)
    return lenient.integer(version, "vaeId") if own == 1 else None


def _hashes(part: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes by their names in small letters; REST gives an object, tRPC a list of ``{type, hash}``."""
    told = part.get("hashes")
    pairs: list[tuple[Any, Any]] = []
    if isinstance(told, Mapping):
        pairs = list(told.items())
    elif isinstance(told, list):
        pairs = [(one.get("type"), one.get("hash")) for one in told if isinstance(one, Mapping)]
    return {
        str(name).lower(): value.lower() for name, value in pairs if isinstance(value, str) and _HEX.fullmatch(value)
    }


def _mirrors(part: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    told = part.get("mirrors")
    return [dict(one) for one in told if isinstance(one, Mapping)] if isinstance(told, list) else None
