"""Many pictures at once: threads convert, whoever called books what they made, a batch a transaction.

Threads are enough, since Pillow lets go of the interpreter's lock while it decodes and encodes.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.filesize import decimal

from civitscrape.archive import conversions, fields, paths, placing, strangers
from civitscrape.archive import template as templates
from civitscrape.archive.conversions import Done, Job, Site, Wanted
from civitscrape.archive.pictures import memory
from civitscrape.archive.pictures.convert import Converted, Left
from civitscrape.archive.pictures.options import Options
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive

BATCH = 16
"""Pictures booked in one transaction: two seconds of work for two cores."""

MOST_HELD = 2**26
"""Bytes of WebPs that wait to be booked; beyond, a batch is booked early."""

AHEAD = 2
"""Pictures in work or waiting, for each thread: while a batch is booked, no thread runs dry."""


_NUMBER = re.compile(r"\b\d+(?=[ ,:.]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Another folder for the WebPs, which leaves the archive's files as they are."""

    folder: Path
    template: str
    """Path template, as that of MEDIA_PATH."""

    def name(self, connection: Connection, jobs: list[Job]) -> None:
        """Name the WebPs of some pictures inside the folder, one for each image, by all that the archive knows.

        Raises:
            ArchiveError: an image lacks what would tell it from others.
        """
        read = templates.read(self.template)
        apart = all(form.identifiers for form in read.forms.values())
        known = fields.fields_for(connection, [image.id for job in jobs for image in job.images], read.fields)
        for job in jobs:
            for image in job.images:
                # What a name without its number would be depends on those who came before, in another run perhaps.
                mark = "" if apart else f"_{image.id}"
                job.copies.append(paths.render(self.template, known[image.id] | {"ext": ".webp"}, mark))

    def targets(self, job: Job) -> list[Path]:
        """Give the files of a picture, one for each image.

        Raises:
            ArchiveError: a link leads out of the folder.
        """
        return [Path(paths.address(self.folder, name)) for name in job.copies]

    def taken(self, job: Job, *, again: bool) -> str | None:
        """Say why a picture cannot be copied: what lies at its name is no copy.

        What is not to be written again is a copy if it is a WebP at all: thousands of records would take long to read.
        """
        ids = [image.id for image in job.images]
        for target in self.targets(job):
            try:
                if strangers.lies_at(target, ids) if again else strangers.is_no_webp(target):
                    return f"a file that is no copy of it lies at {target}; move it away"
            except OSError as error:
                raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
        return None

    def there(self, job: Job) -> bool:
        """Tell whether a picture has been copied."""
        return all(target.exists() for target in self.targets(job))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be converted, how, and where it goes."""

    store: Path
    wanted: Wanted = field(default_factory=Wanted)
    options: Options = field(default_factory=Options)
    site: Site = field(default_factory=Site)
    copies: Copies | None = None
    beside: tuple[str, ...] = ("json",)
    """Kinds of sidecars that are written."""
    limit: int | None = None
    """Pictures at most."""
    batch: int = BATCH
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of it."""

    converted: int = 0
    before: int = 0
    """Bytes of the originals that were converted."""
    after: int = 0
    """Bytes of their WebPs."""
    pixels: int = 0
    there: int = 0
    """Copies that were there already."""
    left: Counter[str] = field(default_factory=Counter)
    """Pictures left as they are, by the reason; those that differ in numbers only are one."""
    removed: int = 0
    """Originals that were removed."""

    def add(self, done: Done) -> None:
        """Count one."""
        fate = done.fate
        if isinstance(fate, Converted):
            self.converted += 1
            self.before += done.size
            self.after += len(fate.content)
            self.pixels += fate.pixels
        elif isinstance(fate, Left):
            self.left[_NUMBER.sub("…", fate.reason)] += 1
        else:
            self.there += 1


def said(tally: Tally) -> list[str]:
    """Say what came of it, a line each, as the command and the report of a run do.

    >>> said(Tally(converted=2, before=3000, after=1000, left=Counter({"it is animated": 1}), removed=2))[:2]
    ['2 converted: 3.0 kB became 1.0 kB (33 %), 2.0 kB saved', '2 originals removed']
    """
    share = f" ({100 * tally.after / tally.before:.0f} %)" if tally.before else ""
    became = (
        f": {decimal(tally.before)} became {decimal(tally.after)}{share}, {decimal(tally.before - tally.after)} saved"
    )
    lines = [f"{tally.converted} converted{became if tally.converted else ''}"]
    if tally.there:
        lines.append(f"{tally.there} were there already")
    if tally.removed:
        lines.append(f"{tally.removed} originals removed")
    if tally.left:
        lines.append(f"{tally.left.total()} left as they are; the column webp_error of the table media says why:")
        lines += [f"  {number} of: {reason}" for reason, number in tally.left.most_common()]
    return lines


def run(archive: Archive, plan: Plan, stop: Event, tell: Callable[[Done], None]) -> Tally:
    """Convert what a plan wants; once ``stop`` is set, finish what is in work, book it and return.

    Args:
        archive: the database.
        plan: what, how and where.
        stop: whether to stop.
        tell: called for each picture, in this thread, before it is booked.

    Raises:
        ArchiveError: a file or the database cannot be written; what was booked before stays.
    """
    tally, ready = Tally(), list[Done]()
    tally.removed = _swept(archive, plan)

    def meet(done: Done) -> None:
        tally.add(done)
        tell(done)

    with ThreadPoolExecutor(plan.threads, thread_name_prefix="convert", initializer=memory.keep) as pool:
        work: set[Future[Done]] = set()
        jobs = islice(_jobs(archive, plan, meet), plan.limit)
        try:
            while True:
                room = 0 if stop.is_set() else AHEAD * plan.threads - len(work)
                work.update(pool.submit(_do, plan, job) for job in islice(jobs, room))
                if stop.is_set():
                    work = {future for future in work if not future.cancel()}
                if not work:
                    break
                finished, work = wait(work, return_when=FIRST_COMPLETED)
                for future in finished:
                    ready.append(future.result())
                    tell(ready[-1])
                if len(ready) >= plan.batch or sum(map(_held, ready)) > MOST_HELD:
                    _book(archive, plan, ready, tally)
                    ready = []
        finally:
            pool.shutdown(cancel_futures=True)
        _book(archive, plan, ready, tally)
    with suppress(OSError):  # a crawl may have files in it
        (plan.store / paths.PARTS_FOLDER).rmdir()
    return tally


def _jobs(archive: Archive, plan: Plan, meet: Callable[[Done], None]) -> Iterator[Job]:
    """Find jobs, some at a time; each once, whatever becomes of it. Copies that are there are no jobs."""
    after = ""
    while chunk := archive.run_now(partial(conversions.find, after=after), plan.wanted, plan.site):
        if plan.copies is not None:
            archive.run_now(plan.copies.name, chunk)
        for job in chunk:
            if plan.copies is None:
                yield job
            elif reason := plan.copies.taken(job, again=plan.wanted.again):
                meet(Done(job=job, fate=Left(reason=reason)))
            elif plan.wanted.again or not plan.copies.there(job):
                yield job
            else:
                meet(Done(job=job, fate=None))
        after = chunk[-1].key


def _do(plan: Plan, job: Job) -> Done:
    done = conversions.make(plan.store, job, plan.options)
    if plan.copies is not None and isinstance(done.fate, Converted):
        _copy(done.fate.content, plan.copies.targets(job))
    return done


def _copy(content: bytes, targets: list[Path]) -> None:
    """Write a WebP under several names, each in one step."""
    first, *others = targets
    try:
        first.parent.mkdir(parents=True, exist_ok=True)
        part = first.with_name(f"{first.name}.part")
        part.write_bytes(content)
        part.replace(first)
        for target in others:
            placing.link(first, target)
    except OSError as error:
        raise ArchiveError(f"{first} cannot be written: {error.strerror or error}") from error


def _book(archive: Archive, plan: Plan, ready: list[Done], tally: Tally) -> None:
    """Book pictures, and count what became of them: some are left only now, because their names are taken."""
    if plan.copies is not None:
        archive.run_now(conversions.note, ready)
    else:
        book = partial(conversions.book, keep=plan.wanted.keep, beside=plan.beside)
        archive.run_now(book, plan.store, ready)
        tally.removed += 0 if plan.wanted.keep else _swept(archive, plan)
    for done in ready:
        tally.add(done)


def _swept(archive: Archive, plan: Plan) -> int:
    return archive.run_now(conversions.sweep, plan.store)


def _held(done: Done) -> int:
    return len(done.fate.content) if isinstance(done.fate, Converted) else 0
