"""`civitscrape report`: the report of a run once more, and the list of runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from civitscrape.archive import paths, runs
from civitscrape.civitai import cursors
from civitscrape.commands.archives import archive_of, settings_of
from civitscrape.commands.crawling import EXIT_CODES
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.report import LISTINGS, show
from civitscrape.ledger import Outcome

if TYPE_CHECKING:
    from civitscrape.archive.database import Archive
    from civitscrape.ledger import Run

UNFINISHED_CODE = 3
"""What the command ends with for a run that has no outcome: as for one that is to be gone on with."""

NEEDED = frozenset({"run", "outcome", "reasons", "counts", "requests", "targets", "paths"})
"""What must stand in a report so that it can be shown."""


def report(
    run: Annotated[str | None, typer.Argument(help="Name of a run or the beginning of it; the latest without.")] = None,
    *,
    listing: Annotated[bool, typer.Option("--list", help="List all runs instead, the latest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Print the report of a run again, as the crawl printed it at its end.

    Of a run that was killed before its report, it tells how far each walk came and how to go on.

    Exit codes: 0 the run was complete, 1 it failed or there is none, 3 it was incomplete, stopped or never finished.
    """
    settings = settings_of(setting)
    archive = archive_of(settings)
    try:
        if listing:
            _print_list(archive.run_now(runs.listed), as_json=as_json)
            return
        found = archive.run_now(runs.find, run)
        raise typer.Exit(_report(archive, found, Path(settings["OUTPUT_DIR"]), as_json=as_json))
    finally:
        archive.close()


def _report(archive: Archive, run: Run, folder: Path, *, as_json: bool) -> int:
    """Print the report of a run, or what its rows tell; return the exit code."""
    console = Console()
    file = Path(paths.address(folder / "reports", f"{run.id}.json"))
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = None
    except (OSError, ValueError) as error:
        raise ArchiveError(f"the report {file} cannot be read: {error}") from error
    if text is None:
        told = archive.run_now(runs.told, run)
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            _print_told(told, run, console)
        return EXIT_CODES[Outcome(run.outcome)] if run.outcome in set(Outcome) else UNFINISHED_CODE
    content = _read(text, file)
    if as_json:
        typer.echo(text)
    else:
        show(content, console)
    return EXIT_CODES[Outcome(content["outcome"])]


def _read(text: str, file: Path) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ArchiveError(f"the report {file} is damaged: {error}; the database has what the run archived") from error
    if not isinstance(content, dict) or NEEDED - content.keys() or content["outcome"] not in set(Outcome):
        raise ArchiveError(f"the report {file} is not one of a crawl; the database has what the run archived")
    return content


def _print_list(found: list[Run], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "run": one.id,
                "started_at": one.started_at,
                "finished_at": one.finished_at,
                "spider": one.spider,
                "outcome": one.outcome or runs.UNFINISHED,
                "command": one.command,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    lines = [("run", "started", "spider", "outcome", "command")]
    lines += [
        (one.id, one.started_at[:19].replace("T", " "), one.spider, one.outcome or runs.UNFINISHED, one.command or "")
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:  # no table, which would break the commands that are there to be copied
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _print_told(told: dict[str, Any], run: Run, console: Console) -> None:
    """Print what the rows tell of a run that left no report."""
    state = "has no end: it is still at work, or was killed" if run.outcome is None else f"ended {run.outcome}"
    table = Table(title=f"Run {run.id}", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("walk", overflow="fold")
    for name in ("pages", "listed"):
        table.add_column(name, justify="right")
    table.add_column("state")
    table.add_column("cursor", overflow="fold")
    for walk in told["walks"]:
        target = walk["target"].partition(":")[2]
        listing = " ".join(filter(None, (LISTINGS.get(walk["source"], walk["source"]), walk["asks"])))
        name = f"{target} {'+'.join(walk['levels'])}" + (f"\n  {listing}" if listing else "")
        cursor = cursors.brief(walk["cursor"]) if walk["cursor"] else "its first page"
        row = (name, str(walk["pages"]), str(walk["listed"]), walk["state"], cursor)
        table.add_row(*map(escape, row))
    lines = [f"started {run.started_at}; the run {state}; its report is not there"]
    if told["walks"]:
        console.print(table)
    else:
        lines.append("no walk is its own: it came to none, or later runs went on with them")
    if run.command:
        lines.append(f"to go on: {run.command}")
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False, emoji=False)
