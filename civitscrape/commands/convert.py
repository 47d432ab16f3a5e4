"""`civitscrape convert`: make WebP of what is archived."""

from __future__ import annotations

import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from civitscrape.addons import resolve
from civitscrape.archive import conversions, converter, fields, paths, sidecars
from civitscrape.archive.conversions import Done, Site, Wanted
from civitscrape.archive.pictures.options import Options
from civitscrape.commands.archives import archive_of, store_of
from civitscrape.commands.crawling import EXIT_CODES, project_settings
from civitscrape.commands.get import pairs
from civitscrape.commands.stopping import stopping
from civitscrape.exceptions import ArgumentError
from civitscrape.extensions.books import probe
from civitscrape.ledger import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from civitscrape.archive.converter import Plan, Tally
    from civitscrape.archive.database import Archive

IN_LOG = 30.0
"""Seconds between two lines where there is no terminal."""


def convert(
    *,
    quality: Annotated[int | None, typer.Option(min=1, max=100, help="Without it, WEBP_QUALITY.")] = None,
    method: Annotated[
        int | None, typer.Option(min=0, max=6, help="0, quick, to 6, small. Without it, WEBP_METHOD.")
    ] = None,
    lossless: Annotated[bool, typer.Option(help="Keep PNG and GIF without loss; JPEG has had its loss.")] = False,
    only_tagged: Annotated[
        bool | None,
        typer.Option("--only-tagged/--all", help="Only pictures with community tags. Without it, WEBP_ONLY_TAGGED."),
    ] = None,
    keep_original: Annotated[
        bool | None,
        typer.Option("--keep-original/--no-keep-original", help="Without it, WEBP_KEEP_ORIGINAL."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write copies there, but for names that a WebP has already; the archive's own files stay.",
        ),
    ] = None,
    path: Annotated[
        str | None, typer.Option(metavar="TEMPLATE", help="Paths inside that folder. Without it, MEDIA_PATH.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="KIND:NAME", help="Only what a target led to, such as user:lampwright.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Pictures at most.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also pictures that are converted, or were left as they are.")
    ] = False,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Pictures booked at once.")] = converter.BATCH,
    threads: Annotated[int | None, typer.Option(min=1, max=256, help="Without it, one for each core.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Make WebP of archived pictures, with all that is embedded in them, their tags, creator, address and record.

    Each is proven to be the same picture before its original may go. What is better left as it is says why in the
    column `webp_error` of the table `media`. Ctrl-C finishes what is in work; the same command goes on.

    Exit codes: 0 done, 1 failed, 3 stopped.
    """
    given = {
        "WEBP_QUALITY": quality,
        "WEBP_METHOD": method,
        "WEBP_ONLY_TAGGED": only_tagged,
        "WEBP_KEEP_ORIGINAL": keep_original,
    }
    if to is None and path is not None:
        raise ArgumentError("--path: names files in another folder; give that with --to")
    if to is not None and keep_original is False:
        raise ArgumentError("--no-keep-original: --to makes copies beside the archive, whose originals stay")
    settings = project_settings(
        pairs(setting or [], "-s") | {name: value for name, value in given.items() if value is not None}
    )
    resolve(settings)
    template = path or settings["MEDIA_PATH"]
    if to is not None:
        paths.validate(template, fields.KNOWN)
        if to.resolve().is_relative_to(Path(settings["MEDIA_STORE"]).resolve()):
            raise ArgumentError(f"--to {str(to)!r}: lies in the archive's own MEDIA_STORE; give another folder")
        probe(to, "--to", kind="option")
    wanted = Wanted(
        only_tagged=settings.getbool("WEBP_ONLY_TAGGED"),
        target=None if target is None else _target(target),
        again=again,
        keep=to is not None or settings.getbool("WEBP_KEEP_ORIGINAL"),
        copies=to is not None,
    )
    plan = converter.Plan(
        store=Path(settings["MEDIA_STORE"]),
        wanted=wanted,
        options=Options(
            quality=settings.getint("WEBP_QUALITY"), method=settings.getint("WEBP_METHOD"), lossless=lossless
        ),
        site=Site(url=settings["CIVITAI_URL"], mature_url=settings["CIVITAI_MATURE_URL"]),
        copies=None if to is None else converter.Copies(folder=to.absolute(), template=template),
        beside=sidecars.kinds_of(settings["SIDECARS"], settings["MEDIA_PATH"]),
        limit=limit,
        batch=batch,
        **({} if threads is None else {"threads": threads}),
    )
    archive = archive_of(settings)
    try:
        probe(store_of(settings, archive), "MEDIA_STORE")
        stopped = _run(archive, plan)
    finally:
        archive.close()
    raise typer.Exit(EXIT_CODES[Outcome.STOPPED] if stopped else 0)


def _target(text: str) -> str:
    """Read a target as the table ``links`` writes it.

    >>> _target("user:Lampwright")
    'user:lampwright'
    """
    if not re.fullmatch(r"[a-z]+:.+", text):
        raise ArgumentError(f"--target {text!r}: write KIND:NAME, such as user:lampwright or model:123")
    return text.lower()


def _run(archive: Archive, plan: Plan) -> bool:
    """Convert, show how far it has come and what came of it; tell whether it was stopped."""
    target = plan.wanted.target
    if target is not None and not archive.run_now(conversions.leads, target):
        raise ArgumentError(f"--target {target!r}: has led to no image in {_name(archive)}")
    number = archive.run_now(conversions.count, plan.wanted)
    total = number if plan.limit is None else min(number, plan.limit)
    console = Console(stderr=True)
    if not total:
        console.print(f"nothing is left to be converted in {_name(archive)}", soft_wrap=True, highlight=False)
    begun = time.monotonic()
    with stopping() as stop, _showing(console, total) as tell:
        tally = converter.run(archive, plan, stop, tell)
    _print(console, tally, time.monotonic() - begun)
    if stop.is_set():
        console.print("stopped; the same command goes on")
    return stop.is_set()


def _name(archive: Archive) -> str:
    return archive.engine.url.render_as_string()


@contextmanager
def _showing(console: Console, total: int) -> Iterator[Callable[[Done], None]]:
    """Show a bar on a terminal, and elsewhere a line now and then."""
    tally, begun = converter.Tally(), time.monotonic()
    if not sys.stderr.isatty():
        last = [begun]

        def log(done: Done) -> None:
            tally.add(done)
            if time.monotonic() - last[0] >= IN_LOG:
                last[0] = time.monotonic()
                console.print(f"{_seen(tally)} of {total}, {_said(tally, last[0] - begun)}", soft_wrap=True)

        yield log
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total, said="")

        def show(done: Done) -> None:
            tally.add(done)
            bar.update(task, advance=1, said=_said(tally, time.monotonic() - begun))

        yield show


def _seen(tally: Tally) -> int:
    return tally.converted + tally.left.total() + tally.there


def _said(tally: Tally, seconds: float) -> str:
    rate = _seen(tally) / seconds if seconds else 0.0
    return f"{rate:.1f}/s · {decimal(tally.before - tally.after)} saved"


def _print(console: Console, tally: Tally, seconds: float) -> None:
    """Say what came of it."""
    first, *others = converter.said(tally)
    rate, speed = (number / seconds if seconds else 0.0 for number in (_seen(tally), tally.pixels / 1e6))
    for line in (f"{first}; {rate:.1f}/s, {speed:.1f} megapixels/s", *others):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
