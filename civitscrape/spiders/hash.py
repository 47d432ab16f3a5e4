"""Versions by hashes, given or of local files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from civitscrape.civitai.rest import HASHES_PER_CALL, VERSIONS_PER_CALL
from civitscrape.exceptions import ArgumentError
from civitscrape.items import ModelFile, ModelVersion
from civitscrape.parsers import models
from civitscrape.spiders.arguments import VersionsArguments, Words, split
from civitscrape.spiders.listings.base import mapping
from civitscrape.spiders.versions import VersionsSpider, version_ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from civitscrape.ledger import Walk

SHA256 = 64
"""Digits of a SHA-256, and of a BLAKE3."""

HASH = re.compile(r"[0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{12}|[0-9a-f]{64}")
"""CRC32 and AutoV1, AutoV2, AutoV3, SHA-256 and BLAKE3."""

ANSWERS = frozenset({"rest.by-hash", "rest.by-one-hash"})
"""Sources whose entries are the versions of hashes."""

READERS = 2
"""Files that are read at once."""

PULSE = 30
"""Seconds between two lines in the log about files that are read."""


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
    content: Annotated[list[Literal["showcase", "gallery", "files"]], BeforeValidator(split)] = Field(
        default=[],
        description="What to bring beside the records; nothing unless asked for: `showcase` (the creator's own "
        "pictures), `gallery` (everybody's), `files` (the model files themselves).",
    )

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check that there is something to look up."""
        read = super().read(typed)
        if not read.sha256 and not read.path:
            raise ArgumentError("spider hash: give hashes with -a sha256=… or files with -a path=…")
        for place in read.path or []:
            try:
                Path(place).expanduser().stat()
            except FileNotFoundError as error:
                raise ArgumentError(f"spider argument path: {place!r}: there is no such file or folder") from error
            except (OSError, RuntimeError, ValueError) as error:  # a home of nobody's, half a name
                reason = getattr(error, "strerror", None) or error
                raise ArgumentError(f"spider argument path: {place!r}: {reason}") from error
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
        self._local: dict[str, dict[Path, str]] = {}
        self._met: set[int] = set()
        self._described: set[str] = set()
        self._read = 0

    @property
    def downloads(self) -> bool:
        """Whether pictures are wanted: an answer about hashes brings some, but does not say whose they are."""
        return super().downloads and not {"showcase", "gallery"}.isdisjoint(self.args.content)

    def describe(self) -> dict[str, Any]:
        """Tell what was asked; bytes of paths that are no UTF-8 are told as escapes."""
        about = super().describe()
        places = self.args.path
        arguments = about["arguments"] | {"path": [readable(one) for one in places] if places else places}
        return about | {"arguments": arguments, "command": readable(about["command"])}

    async def start(self) -> AsyncIterator[Any]:
        """Ask which hashes the site knows, ten thousand at a time."""
        given = self.args.sha256 or []
        await self._read_files()
        full = list(dict.fromkeys([one for one in given if len(one) == SHA256] + list(self._local)))
        for chunk in chunks(full, HASHES_PER_CALL):
            asked = {"hashes": [one.upper() for one in chunk]}
            async for step in self.plan(f"hash:{chunk[0][:12]}…+{len(chunk) - 1}", "rest.by-hash-ids", asked):
                yield step
        for one in given:
            if len(one) != SHA256:
                async for step in self.plan(f"hash:{one}", "rest.by-one-hash", {"hash": one.upper()}):
                    yield step

    async def _read_files(self) -> None:
        """Hash the local files, a few at a time, each only when it is new or has changed."""
        files = await self.books.local_files(self.args.path or [])
        known = await self.books.remembered(files.values())
        new = [path for path, file in files.items() if file.path not in known]
        gate, pulse = asyncio.Semaphore(READERS), asyncio.create_task(self._pulse(len(new)))
        try:
            read = dict(zip(new, await asyncio.gather(*[self._hash(path, gate) for path in new]), strict=True))
        finally:
            pulse.cancel()
        for path, file in files.items():
            digest = read[path] if path in read else known[file.path]
            if digest is not None:
                self._local.setdefault(digest, {})[path] = file.path

    async def _hash(self, path: Path, gate: asyncio.Semaphore) -> str | None:
        async with gate:
            digest = await self.books.hash_file(path)
        self._read += 1
        if digest is not None:
            self.crawler.stats.inc_value("civitscrape/hashed")
        return digest

    async def _pulse(self, number: int) -> None:
        """Tell now and then how far the reading has come."""
        while True:
            await asyncio.sleep(PULSE)
            self.logger.info("%d of %d local files are read", self._read, number)

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Ask for the versions of the hashes that the site knows, a hundred at a time."""
        if walk.source == "rest.by-hash-ids":
            known = dict.fromkeys(str(mapping(entry).get("hash")).upper() for entry in entries)
            self._say(walk, known)
            for chunk in chunks(list(known), VERSIONS_PER_CALL):
                async for step in self.plan(walk.target, "rest.by-hash", {"hashes": chunk}):
                    yield step
        async for step in super().follow(walk, self._first(walk, entries)):
            yield step

    def _first(self, walk: Walk, entries: list[Any]) -> list[Any]:
        """Leave out versions that were met before: several hashes may be of one, and its pictures are listed once."""
        if walk.source not in ANSWERS:
            return entries
        fresh = {number: entry for entry in entries for number in version_ids(mapping(entry))}
        met, self._met = self._met, self._met | fresh.keys()
        return [entry for number, entry in fresh.items() if number not in met]

    def _say(self, walk: Walk, known: dict[str, Any]) -> None:
        """Name what the site does not know: files may be private, deleted, or from elsewhere."""
        for one in walk.params["hashes"]:
            if one not in known:
                self.crawler.stats.inc_value("civitscrape/unknown_hashes")
                names = ", ".join(self._local.get(one.lower(), {}).values()) or one
                self.logger.info("%s: the site knows no version with this file", names)

    def keep(self, entry: Any, walk: Walk, *, listed: bool = True) -> Iterator[Any]:
        """Keep a version, and write what the site tells of it beside the local files that are its own."""
        records = list(super().keep(entry, walk, listed=listed))
        digests = {record.sha256 for record in records if isinstance(record, ModelFile) and record.sha256}
        for digest in digests & self._local.keys() - self._described:
            self._described.add(digest)  # a version comes once for each of its hashes
            for path in self._local[digest]:
                self.books.write_info(path, models.as_info(entry, site=self.settings["CIVITAI_URL"]))
        yield from records


def readable(text: str) -> str:
    r"""Write a text that a person typed so that a database takes it.

    >>> print(readable("n" + chr(0xDCFF)))
    n\xff
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def chunks(many: list[str], size: int) -> Iterator[list[str]]:
    """Cut a list into parts of at most a size.

    >>> list(chunks(["a", "b", "c"], 2))
    [['a', 'b'], ['c']]
    """
    return (many[start : start + size] for start in range(0, len(many), size))
