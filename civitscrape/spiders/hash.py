"""Versions by hashes, given or of local files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from civitscrape.civitai.rest import HASHES_PER_CALL, VERSIONS_PER_CALL
from civitscrape.exceptions import ArgumentError
from civitscrape.items import ModelFile, ModelVersion
from civitscrape.ledger import LocalFile  # noqa: TC001 (part of signatures)
from civitscrape.parsers import models
from civitscrape.spiders.arguments import VersionsArguments, Words, split
from civitscrape.spiders.listings.base import mapping
from civitscrape.spiders.versions import VersionsSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from civitscrape.ledger import Walk

SHA256 = 64
"""Digits of a SHA-256, and of a BLAKE3."""

HASH = re.compile(r"[0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{12}|[0-9a-f]{64}")
"""CRC32 and AutoV1, AutoV2, AutoV3, SHA-256 and BLAKE3."""

READERS = 2
"""Files that are read at once."""


def _hashes(text: object) -> object:
    words = split(text)
    if isinstance(words, list):
        words = [str(word).lower() for word in words]
        for word in words:
            if not HASH.fullmatch(word):
                raise ValueError(f"{word!r} is no hash: give 64, 12, 10 or 8 hexadecimal digits")
    return words


class HashArguments(VersionsArguments):
    """Arguments of ``scrapy crawl hash``."""

    spider: ClassVar[str] = "hash"

    sha256: Annotated[list[str] | None, BeforeValidator(_hashes)] = Field(
        default=None,
        description="Hashes, several with commas: SHA-256; AutoV1, AutoV2, AutoV3, BLAKE3, CRC32 one by one.",
    )
    path: Words | None = Field(
        default=None,
        description="Local model files, or folders of them, several with commas; read once, then remembered.",
    )

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check that there is something to look up."""
        read = super().read(typed)
        if not read.sha256 and not read.path:
            raise ArgumentError("spider hash: give hashes with -a sha256=… or files with -a path=…")
        missing = next((one for one in read.path or [] if not Path(one).expanduser().exists()), None)
        if missing is not None:
            raise ArgumentError(f"spider argument path: {missing!r}: there is no such file or folder")
        return read


class HashSpider(VersionsSpider):
    """Archive the versions that local files, or given hashes, belong to; beside a file goes its ``.civitai.info``."""

    name = "hash"
    arguments = HashArguments
    args: HashArguments
    main_item = ModelVersion
    calls = (
        "1 API call for up to 10,000 SHA-256, and 1 for each 100 that the site knows; 1 for every other kind of hash"
    )
    needs = "nothing; a key for `files`"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._local: dict[str, list[Path]] = {}

    async def start(self) -> AsyncIterator[Any]:
        """Ask which hashes the site knows, ten thousand at a time."""
        given = self.args.sha256 or []
        await self._read_files()
        full = list(dict.fromkeys([one for one in given if len(one) == SHA256] + list(self._local)))
        for chunk in chunks(full, HASHES_PER_CALL):
            asked = {"hashes": [one.upper() for one in chunk]}
            async for step in self.plan(f"hash:{chunk[0]}+{len(chunk) - 1}", "rest.by-hash-ids", asked):
                yield step
        for one in given:
            if len(one) != SHA256:
                async for step in self.plan(f"hash:{one}", "rest.by-one-hash", {"hash": one.upper()}):
                    yield step

    async def _read_files(self) -> None:
        """Hash the local files, a few at a time, each only when it is new or has changed."""
        files = await self.books.local_files(self.args.path or [])
        known = await self.books.remembered(files)
        gate = asyncio.Semaphore(READERS)
        digests = await asyncio.gather(*[self._digest(file, known, gate) for file in files])
        for file, digest in zip(files, digests, strict=True):
            self._local.setdefault(digest, []).append(Path(file.path))

    async def _digest(self, file: LocalFile, known: dict[str, str], gate: asyncio.Semaphore) -> str:
        if file.path not in known:
            async with gate:
                known[file.path] = await self.books.hash_file(file)
            self.crawler.stats.inc_value("civitscrape/hashed")
        return known[file.path]

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Ask for the versions of the hashes that the site knows, a hundred at a time."""
        if walk.source == "rest.by-hash-ids":
            known = dict.fromkeys(str(mapping(entry).get("hash")).upper() for entry in entries)
            self._say(walk, known)
            for chunk in chunks(list(known), VERSIONS_PER_CALL):
                async for step in self.plan(walk.target, "rest.by-hash", {"hashes": chunk}):
                    yield step
        async for step in super().follow(walk, entries):
            yield step

    def _say(self, walk: Walk, known: dict[str, Any]) -> None:
        """Name what the site does not know: files may be private, deleted, or from elsewhere."""
        for one in walk.params["hashes"]:
            if one not in known:
                self.crawler.stats.inc_value("civitscrape/unknown_hashes")
                names = ", ".join(str(path) for path in self._local.get(one.lower(), [])) or one
                self.logger.info("%s: the site knows no version with this file", names)

    def keep(self, entry: Any, walk: Walk) -> Iterator[Any]:
        """Keep a version, and write what the site tells of it beside the local files that are its own."""
        records = list(super().keep(entry, walk))
        for record in records:
            if isinstance(record, ModelFile) and record.sha256 in self._local:
                for path in self._local[record.sha256]:
                    self.books.write_info(path, models.as_info(entry, site=self.settings["CIVITAI_URL"]))
        yield from records


def chunks(many: list[str], size: int) -> Iterator[list[str]]:
    """Cut a list into parts of at most a size.

    >>> list(chunks(["a", "b", "c"], 2))
    [['a', 'b'], ['c']]
    """
    return (many[start : start + size] for start in range(0, len(many), size))
