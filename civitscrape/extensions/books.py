"""The archive is opened, the run is written into it, and both are closed; whoever needs the archive asks for this."""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

from scrapy import signals
from scrapy.exceptions import CloseSpider

from civitscrape.archive import claims, fingerprints, tally, unfetched, voting, walks
from civitscrape.archive.database import Archive, upsert
from civitscrape.archive.namelist import NameList
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import Announcement, MediaState, Outcome, Run, Walk, now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from scrapy.crawler import Crawler

    from civitscrape.archive.converter import Tally
    from civitscrape.items import Image, ModelFile
    from civitscrape.ledger import LocalFile, Wish

logger = logging.getLogger(__name__)

T = TypeVar("T")

CHUNK = 500
"""Images asked of the database at once."""


class Lack(NamedTuple):
    """What can go wrong with a file."""

    things: str
    what: str
    counter: str
    """Name of the statistic that counts it."""
    log_level: int = logging.ERROR
    """How loud the log says it of each."""

    def sentence(self, number: int, first: str) -> str:
        """Say how often it went wrong, and why the first time."""
        return f"{number} {self.things}{'' if number == 1 else 's'} {self.what}; the first: {first}"


UNREADABLE = Lack("local file", "could not be read", "civitscrape/unreadable_files")
UNWRITTEN = Lack("`.civitai.info` file", "could not be written", "civitscrape/unwritten_infos")
KEPT = Lack(
    "file", "could not be fetched again; what was here before is still here", "civitscrape/files_kept", logging.INFO
)


@runtime_checkable
class Describing(Protocol):
    """A spider that can tell what was asked of it; ours all can."""

    def describe(self) -> dict[str, Any]:
        """Tell the arguments, the job and the command, as columns of the table ``runs``."""


class Books:
    """Holds the archive and the run of one crawl.

    Attributes:
        archive: the database behind its thread.
        claims: the lock of this run, and questions about those of others.
        run: the row of this run.
        folder: the output folder.
        announcements: what the site says of each target, for the report.
        left_out: what was asked for and cannot be had, a sentence each; the run is not complete then.
        busy: why targets were left to other runs, a sentence each.
        lost: why the first file did not come that the site still has; None while there is none.
        webp: what became of the pictures that this run was to convert; None where it converts none.
        error: why the archive could not be written any more; None while it can.
    """

    def __init__(self, crawler: Crawler, archive: Archive, run: Run, folder: Path, lock: claims.Claims) -> None:
        self._crawler = crawler
        self.archive = archive
        self.claims = lock
        self.run = run
        self.folder = folder
        self.announcements: dict[str, Announcement] = {}
        self.error: str | None = None
        self.left_out: list[str] = []
        self.busy: dict[str, str] = {}
        self.lost: str | None = None
        self.webp: Tally | None = None
        self._lacks: dict[Lack, tuple[int, str]] = {}
        self._lists: dict[str, NameList] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Open the archive.

        Raises:
            ArchiveError: the output folder cannot be written, or the database cannot be opened.
        """
        settings = crawler.settings
        folder = Path(settings["OUTPUT_DIR"])
        probe(folder, "OUTPUT_DIR")
        spider = crawler.spider
        if spider is None:
            raise ArchiveError("the books are kept for a spider; there is none")
        about = spider.describe() if isinstance(spider, Describing) else {"arguments": {}}
        run = Run(id=run_id(), spider=spider.name, started_at=now(), **about)
        archive = Archive(settings["DATABASE_URL"])
        lock = claims.Claims(claims.folder_of(settings["DATABASE_URL"], folder), run.id)
        lock.open()
        books = cls(crawler, archive, run, folder, lock)
        crawler.signals.connect(books.open_run, signal=signals.spider_opened)
        crawler.signals.connect(books.close, signal=signals.engine_stopped)
        return books

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """Find the books of a crawl.

        Raises:
            RuntimeError: the extension is not enabled.
        """
        books = crawler.get_extension(cls)
        if books is None:
            raise RuntimeError("the extension Books is not enabled; EXTENSIONS in settings.py lists it first")
        return books

    async def open_run(self) -> None:
        """Write the run's row."""
        await self._ask(upsert, [self.run])

    async def finish(self, outcome: Outcome, counts: dict[str, object]) -> None:
        """Write how the run ended."""
        self.run.finished_at, self.run.outcome, self.run.counts = now(), outcome, counts
        await self.archive.run(upsert, [self.run])

    def close(self) -> None:
        """Let go of the database, then of what the run had claimed."""
        self.archive.close()
        self.claims.close()

    def announce(self, announcement: Announcement) -> None:
        """Keep what the site says of a target."""
        self.announcements[announcement.target] = announcement

    async def adopt(self, walk: Walk) -> Walk:
        """Take up an unfinished walk that asks the same, or begin the given one.

        Raises:
            BusyError: another run is at it.
        """
        return await self._ask(walks.adopt, walk, self.claims)

    async def adopt_votes(self, walk: Walk) -> tuple[Walk, tuple[str, ...]]:
        """Take up a walk of votes, and tell whose votes are left to other runs, which are asking for them.

        Raises:
            BusyError: another run is at all of it.
        """
        adopted, left = await self._ask(voting.adopt, walk, self.claims)
        if left:
            names, runs = ", ".join(sorted(left)), ", ".join(sorted(set(left.values())))
            self.leave(
                walk.target, f"{walk.target}: the votes of {names} are left to {runs}, asking for them right now"
            )
        return adopted, tuple(sorted(left))

    async def parts(self, walk: Walk) -> list[Walk]:
        """Take up what is unfinished of a walk that was split.

        Raises:
            BusyError: another run is at one of them.
        """
        return await self._ask(walks.parts, walk, self.claims)

    def leave(self, target: str, reason: str) -> None:
        """Leave a target, or a part of it, to the run that is at it; this one is not complete then."""
        if self.busy.setdefault(target, reason) == reason:
            logger.warning("%s", reason)

    async def last_whole(self, walk: Walk) -> Walk | None:
        """Find the last such walk if it came to its end, from whichever end it began."""
        return await self._ask(walks.last_whole, walk)

    async def replace_newest(self, walk: Walk) -> None:
        """Close the walks from the newest end that were left unfinished, and that this one goes as far as."""
        await self._ask(walks.replace_newest, walk)

    def stop(self, error: ArchiveError) -> None:
        """Say once what is wrong with the folder or the database, and end the crawl: nothing more would fare better."""
        if self.error is None:
            self.error = str(error)
            logger.error("%s; the crawl stops, and the same command goes on from here", error)
            self._stopping = asyncio.create_task(self._crawler.stop_async())

    def halt(self, error: ArchiveError) -> CloseSpider:
        """Stop, and give what is to be raised where Scrapy would log a traceback for anything else."""
        self.stop(error)
        return CloseSpider("archive")

    async def _ask(self, function: Callable[..., T], *args: Any) -> T:
        """Ask the archive; when it cannot be used, end the crawl in one line.

        Raises:
            CloseSpider: the archive cannot be used.
        """
        try:
            return await self.archive.run(function, *args)
        except ArchiveError as error:
            raise self.halt(error) from error

    async def last_moment(self) -> str | None:
        """Tell when another run last began or ended, as the archive writes times; None for the first run."""
        return await self._ask(tally.last_moment, self.run.id)

    async def leftovers(self, target: str, level: int, quality: str) -> AsyncIterator[list[Image]]:
        """Bring the images of a target whose file in a quality is not there and could be, a chunk at a time."""
        after = 0
        ask = partial(unfetched.leftovers, quality=quality)
        while chunk := await self._ask(ask, target, level, after, CHUNK):
            after = chunk[-1].id
            yield chunk

    async def unfinished(self) -> dict[str, list[Walk]]:
        """Take up every walk that was left, by the command of the run that left it."""
        found = await self._ask(walks.unfinished, self.claims)
        commands = await self._ask(walks.commands, list(found))
        by_command: dict[str, list[Walk]] = {}
        for run, left in found.items():
            by_command.setdefault(commands.get(run, ""), []).extend(left)
        return by_command

    async def unfetched(self) -> AsyncIterator[list[Image]]:
        """Bring the images whose file was wanted and did not come, whoever wanted it, some at a time.

        An image comes once for each of its files, and never twice in one portion.
        """
        after = ""
        while chunk := await self._ask(unfetched.media, after, CHUNK):
            after = chunk[-1][0]
            for rendition in sorted({image.rendition or "" for _, image in chunk}):
                yield [image for _, image in chunk if (image.rendition or "") == rendition]

    async def unfetched_posters(self) -> AsyncIterator[list[Image]]:
        """Bring the videos that are here and whose poster was wanted and did not come, some at a time."""
        after = ""
        while chunk := await self._ask(unfetched.of_posters, after, CHUNK):
            after = chunk[-1][0]
            yield [image for _, image in chunk if image is not None]

    async def unfetched_files(self) -> list[ModelFile]:
        """Bring the model files that were wanted and did not come."""
        return await self._ask(unfetched.of_models)

    async def unmet(self, walk: Walk, entry_kind: str) -> AsyncIterator[list[int]]:
        """Bring the entries of a whole walk's target and levels that this run has not met, a chunk at a time."""
        after = 0
        while ids := await self._ask(walks.unmet, walk, entry_kind, after, CHUNK):
            yield ids
            after = ids[-1]

    async def base_models(self, target: str) -> list[str]:
        """Name the base models that a target's images are known to be made with."""
        return await self._ask(walks.base_models, target)

    async def targets(self) -> list[str]:
        """Name the targets of this run's walks, each once."""
        found = await self._ask(tally.walks_of, self.run.id)
        return list(dict.fromkeys(walk.target for walk in found))

    async def unnamed(self, target: str) -> list[int]:
        """Find the model versions that a target's images were made with and nobody has named yet."""
        return await self._ask(walks.unnamed, target)

    async def due(self, wish: Wish, after: int, size: int) -> list[int]:
        """Find images whose votes are to be asked for, in the order of their ids, some at a time."""
        return await self._ask(voting.due, wish, after, size)

    async def unseen(self, wish: Wish) -> int:
        """Count images whose votes are wanted and which have no page that everybody sees."""
        return await self._ask(voting.left_out, wish)

    async def images(self, ids: Collection[int]) -> dict[int, Image]:
        """Read the records of some images, by id."""
        return await self._ask(voting.images, ids)

    async def tag_ids(self, ids: Collection[int]) -> dict[int, set[int]]:
        """Tell which tags some images have."""
        return await self._ask(voting.tag_ids, ids)

    async def tag_names(self, ids: Collection[int]) -> dict[int, dict[int, str]]:
        """Name the tags of some images, as far as the archive knows them: by image, then by tag."""
        return await self._ask(voting.names, ids)

    async def local_files(self, places: Sequence[str]) -> dict[Path, LocalFile]:
        """Find the person's own model files in these places; what cannot be looked at is named and left out."""
        found = await asyncio.to_thread(fingerprints.find, places)
        for reason in found.unreadable:
            self.lack(UNREADABLE, reason)
        return found.files

    async def remembered(self, files: Collection[LocalFile]) -> dict[str, str]:
        """Return the SHA-256 of those files that have not changed since they were read, by path."""
        return await self._ask(fingerprints.remembered, files)

    async def hash_file(self, path: Path) -> str | None:
        """Read a file, and remember its SHA-256; None for one that cannot be read, which is named and left out."""
        try:
            file = await asyncio.to_thread(fingerprints.read, path)
        except ArchiveError as error:
            self.lack(UNREADABLE, str(error))
            return None
        await self._ask(fingerprints.remember, file)
        return file.sha256

    def write_info(self, path: Path, version: dict[str, Any]) -> None:
        """Write what the site tells of a local file beside it; a folder that cannot be written is named."""
        try:
            logger.info("%s", fingerprints.write_info(path, version))
        except ArchiveError as error:
            self.lack(UNWRITTEN, str(error))

    def lose(self, state: str, reason: str, *, kept: bool) -> None:
        """Name a file that did not come; of one that is ``kept`` from an earlier run, its row says ``stored`` still."""
        if kept:
            self.lack(KEPT, reason)
            return
        logger.info("%s: %s", state, reason)
        if state != MediaState.GONE:
            self.lost = self.lost or reason

    def lack(self, what: Lack, reason: str) -> None:
        """Name one file that something went wrong with; all of a kind share a sentence in ``left_out``."""
        logger.log(what.log_level, "%s", reason)
        number, first = self._lacks.get(what, (0, reason))
        if number:
            self.left_out.remove(what.sentence(number, first))
        self._lacks[what] = number + 1, first
        self.left_out.append(what.sentence(number + 1, first))
        self._crawler.stats.inc_value(what.counter)

    async def list_names(self, name: str, names: Collection[str]) -> bool:
        """Add names to a list in the output folder; False when it cannot be written, which is named."""
        names_there = self._lists.setdefault(name, NameList(self.folder / name))
        try:
            await asyncio.to_thread(names_there.add, names)
        except ArchiveError as error:
            logger.error("%s; names are kept in the table alone", error)  # noqa: TRY400 (one line)
            self.left_out.append(f"no names were added to a list: {error}")
            return False
        return True

    async def met(self, walk: Walk, entry_kind: str, ids: Collection[int]) -> set[int]:
        """Tell which entries of a kind a walk itself has met."""
        return await self._ask(walks.met, walk, entry_kind, ids)

    async def known(self, target: str, entry_kind: str, ids: Collection[int], until: str | None = None) -> set[int]:
        """Tell which entries of a kind a target has already led to, or had until some time."""
        return await self._ask(walks.known, target, entry_kind, ids, until)


def run_id() -> str:
    """Name a run by its start, and four letters against two in one second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def probe(folder: Path, name: str, kind: str = "setting") -> None:
    """Make sure that a folder is there and can be written.

    Raises:
        ArchiveError: it is not, in the system's words.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        test = folder / f".probe-{secrets.token_hex(4)}"
        test.touch()
        test.unlink()
    except OSError as error:
        raise ArchiveError(f"{kind} {name}: {str(folder)!r} cannot be written: {error.strerror or error}") from error
