"""`civitscrape plan`: what a crawl would bring, or what a template would give; nothing of it is done unless asked."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer
from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from scrapy.crawler import AsyncCrawlerProcess

from civitscrape.addons import quiet, resolve
from civitscrape.archive import forecast, moving
from civitscrape.archive.database import Archive, open_engine
from civitscrape.archive.fields import LEVELS
from civitscrape.commands.archives import store_of
from civitscrape.commands.crawling import check, project_settings
from civitscrape.commands.get import chosen, pairs
from civitscrape.exceptions import ArgumentError
from civitscrape.extensions.books import Books
from civitscrape.extensions.report import Report
from civitscrape.ledger import WalkState
from civitscrape.pipelines.media import size_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from civitscrape.archive.forecast import Forecast, Kind

WHOLE = {WalkState.COMPLETE, WalkState.LIMITED, WalkState.SPLIT}
"""Walks that came as far as they were to."""

INCOMPLETE = 3
"""Exit code of a plan that could not see everything."""


def plan(  # noqa: PLR0917 (typer reads them by name)
    addresses: Annotated[
        list[str] | None, typer.Argument(help="Usernames or addresses, as for `civitscrape get`.")
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option("-a", metavar="NAME=VALUE", help="Argument of the spider, such as level=all.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as MEDIA_PATH=by-model.")
    ] = None,
    paths: Annotated[bool, typer.Option("--paths", help="Show what MEDIA_PATH would make of the files here.")] = False,
    move: Annotated[bool, typer.Option("--move", help="With --paths: move the files there.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="With --paths: names to show at most; 0 for all.")] = 20,
) -> None:
    """Tell what a crawl would bring, without fetching a file; with --paths, what a template would make of the names.

    The listings are asked for as a crawl would, and written nowhere. Exit codes: 0 done, 1 failed, 3 a listing could
    not be followed to its end, or a file could not be moved.
    """
    overrides = pairs(setting or [], "-s")
    if paths == bool(addresses):
        raise ArgumentError("civitscrape plan: give addresses, to see what a crawl would bring, or --paths alone")
    if move and not paths:
        raise ArgumentError("civitscrape plan --move: goes with --paths")
    settings = project_settings(overrides)
    resolve(settings)
    if paths:
        raise typer.Exit(_paths(settings, limit, move=move))
    spider, arguments = chosen(addresses or [], argument or [])
    raise typer.Exit(_crawl(spider, arguments, overrides, settings))


# Names


def _paths(settings: BaseSettings, limit: int, *, move: bool) -> int:
    """Show what a template gives, or do it."""
    if not _exists(settings["DATABASE_URL"]):
        raise ArgumentError(f"there is no archive in {settings['OUTPUT_DIR']!r}: -s OUTPUT_DIR=… names another folder")
    archive = Archive(settings["DATABASE_URL"])
    try:
        store_of(settings, archive)
        return _move(archive, settings) if move else _preview(archive, settings["MEDIA_PATH"], limit)
    finally:
        archive.close()


def _preview(archive: Archive, template: str, limit: int) -> int:
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    files = moves = marked = 0
    for batch in moving.preview(archive, template):
        for one in batch.moves[: max(limit - moves, 0) if limit else None]:
            console.print(escape(f"{one.before} → {one.after}"))
        files, moves, marked = files + batch.files, moves + len(batch.moves), marked + batch.marked
    if limit and moves > limit:
        console.print(f"… and {moves - limit} more; --limit 0 shows all")
    console.print(escape(f"MEDIA_PATH={template}: {files} files, {moves} would move, {files - moves} stay"))
    if marked:
        console.print(f"{marked} would share their name with another, and have their number in it")
    if moves:
        console.print("civitscrape plan --paths --move moves them; let no crawl run meanwhile")
    return 0


def _move(archive: Archive, settings: BaseSettings) -> int:
    moved = moving.move(archive, Path(settings["MEDIA_STORE"]), settings["MEDIA_PATH"], _tell)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    for sentence in moved.left:
        sys.stderr.write(f"civitscrape: {sentence}\n")
    Console(soft_wrap=True, highlight=False).print(
        escape(
            f"{moved.files} files moved, {len(moved.left)} left; set MEDIA_PATH={settings['MEDIA_PATH']} for crawls too"
        )
    )
    return INCOMPLETE if moved.left else 0


def _tell(moved: moving.Moved) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{moved.files} files moved")


def _exists(url: str) -> bool:
    """Tell whether there is a database to be asked; a server is asked anyway."""
    address = sa.make_url(url)
    return address.get_backend_name() != "sqlite" or bool(address.database and Path(address.database).exists())


# Crawls


def _crawl(spider: str, arguments: dict[str, str], overrides: Mapping[str, Any], own: BaseSettings) -> int:
    """Follow the listings into a database that is thrown away, and hold it against the person's own."""
    with tempfile.TemporaryDirectory(prefix="civitscrape-plan-") as folder:
        settings = project_settings({"LOG_LEVEL": "ERROR", **overrides, **_elsewhere(folder)})
        settings.set("EXTENSIONS", settings.getdict("EXTENSIONS") | {Report: None}, priority="cmdline")
        check(spider, arguments, settings)
        quiet(settings)
        process = AsyncCrawlerProcess(settings)
        crawler = process.create_crawler(spider)
        process.crawl(crawler, **arguments)
        process.start()
        if process.bootstrap_failed:
            return 1
        return _judge(crawler, own, arguments)


def _elsewhere(folder: str) -> dict[str, Any]:
    """Say where a plan's records go, and that no file is fetched: there are no pipelines."""
    database = f"sqlite:///{Path(folder).as_posix()}/plan.sqlite"
    return {
        "OUTPUT_DIR": folder,
        "MEDIA_STORE": f"{folder}/media",
        "DATABASE_URL": database,
        "KEEP_PAYLOADS": False,
        "ITEM_PIPELINES": {},
    }


def _judge(crawler: Crawler, own: BaseSettings, arguments: Mapping[str, str]) -> int:
    listed = open_engine(crawler.settings["DATABASE_URL"])
    archive = open_engine(own["DATABASE_URL"]) if _exists(own["DATABASE_URL"]) else None
    try:
        redownload, limit = arguments.get("redownload") == "yes", size_limit(crawler)
        told = forecast.forecast(listed, archive, redownload=redownload, limit=limit)
    finally:
        for engine in filter(None, (listed, archive)):
            engine.dispose()
    books, count = Books.of(crawler), crawler.stats.get_value
    missing = [one for one in books.announcements.values() if one.exists is False or one.refused]
    flaws = [f"{one.target}: {one.error or 'the site knows no such name'}" for one in missing]
    flaws += [f"{target}: {error or state}" for target, state, error in told.walks if state not in WHOLE]
    flaws += books.left_out
    _show(told, Console(soft_wrap=True, highlight=False, emoji=False))
    calls, pages = count("civitscrape/requests_api", 0), count("civitscrape/requests_page", 0)
    sys.stdout.write(f"{calls} API calls, {pages} pages; no file was fetched, and nothing was written\n")
    if arguments.get("mode") == "new":
        sys.stdout.write("mode=new would stop at what is known; a plan lists everything\n")
    for flaw in dict.fromkeys(flaws):
        sys.stdout.write(f"  - {flaw}\n")
    if not told.entries and flaws:
        return 1
    return INCOMPLETE if flaws else 0


def _show(told: Forecast, console: Console) -> None:
    known = [*LEVELS.values(), "unrated"]
    levels = sorted({level for _, level in told.entries}, key=known.index)
    kinds = list(dict.fromkeys(kind for kind, _ in told.entries))
    entries = Table(title="listed", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("entries", *levels, "in all"):
        entries.add_column(name, justify="left" if name == "entries" else "right")
    for kind in kinds:
        numbers = [told.entries[kind, level] for level in levels]
        entries.add_row(f"{kind}s", *map(str, numbers), str(sum(numbers)))
    console.print(entries)
    files = Table(title="files", title_justify="left", box=box.SIMPLE_HEAD)
    is_limited = any(of.over for of in told.files.values())
    over = ("over the limit",) if is_limited else ()
    for name in ("kind", "listed", "here", "gone or refused", *over, "to fetch", "bytes"):
        files.add_column(name, justify="left" if name == "kind" else "right")
    for kind, of in told.files.items():
        numbers = [of.wanted, of.here, of.done, *([of.over] if is_limited else ()), of.to_fetch]
        files.add_row(f"{kind}s", *map(str, numbers), _size(of))
    console.print(files)
    if any(of.estimated for of in told.files.values()):
        console.print("about: an estimate, by the average of what the archive has of that kind")


def _size(of: Kind) -> str:
    """Write a size, and how much it is to be trusted.

    >>> from civitscrape.archive.forecast import Kind
    >>> _size(Kind(to_fetch=2, size=None)), _size(Kind(to_fetch=2, size=3000, estimated=True))
    ('unknown', 'about 3.0 kB')
    """
    if of.size is None:
        return "unknown"
    if of.estimated:
        return f"about {decimal(of.size)}"
    return f"over {decimal(of.size)}" if of.unsized else decimal(of.size)
