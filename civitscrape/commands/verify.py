"""`civitscrape verify`: the stored files held against the database, and mended where that can be."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer
from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from civitscrape.archive import sidecars
from civitscrape.archive import template as templates
from civitscrape.archive.verify import rows
from civitscrape.archive.verify.checking import Check, Scope
from civitscrape.archive.verify.mending import Workshop
from civitscrape.archive.verify.planning import MEANINGS, Kind
from civitscrape.commands.archives import archive_of, settings_of
from civitscrape.commands.crawling import EXIT_CODES
from civitscrape.exceptions import ArchiveError, ArgumentError
from civitscrape.ledger import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy.settings import Settings

    from civitscrape.archive.database import Archive

SHOWN = 5
"""Findings of one kind that are printed; the report has more."""

OWN_FOLDERS = ("feeds", "reports", "logs", "scrapyd")
"""What a crawl leaves in the output folder beside the store; the store may be that folder itself."""

TIME = "%Y%m%dT%H%M%S"


def verify(
    *,
    mend: Annotated[bool, typer.Option("--mend", help="Set right what can be; else it is only said.")] = False,
    target: Annotated[
        str | None, typer.Option(metavar="KIND:NAME", help="Only the files of one target, such as user:NAME.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes only, and read no file.")] = False,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Read every stored file and hold it against the database: what is missing, damaged, or named by no row?

    Nothing is changed without --mend, and with it no last copy of anything is removed.

    Exit codes: 0 all is well or was mended, 1 it could not be checked, 3 something remains or it was stopped.
    """
    settings = settings_of(setting)
    templates.read(settings["MEDIA_PATH"])
    archive = archive_of(settings)
    try:
        named = None if target is None else known_target(target, archive.run_now(rows.targets))
        store = Path(settings["MEDIA_STORE"])
        kinds = sidecars.kinds_of(settings["SIDECARS"], settings["MEDIA_PATH"])
        shop = Workshop(store=store, template=settings["MEDIA_PATH"], kinds=kinds)
        scope = Scope(shop=shop, target=named, quick=quick, mend=mend, ignored=_ignored(settings))
        content = _check(archive, scope)
        content["paths"] = {"media": str(store), "report": str(_report_path(settings))}
        _show(content, Console())
        _write(content, Path(content["paths"]["report"]))
    finally:
        archive.close()
    raise typer.Exit(EXIT_CODES[content["outcome"]])


def known_target(target: str, known: list[str]) -> str:
    """Find a target among those that the archive knows.

    Raises:
        ArgumentError: it knows none of this name.
    """
    kind, _, name = target.partition(":")
    wanted = f"{kind}:{name.lower()}"
    if wanted in known:
        return wanted
    near = get_close_matches(wanted, known) or known[:SHOWN]
    if not near:
        raise ArgumentError(f"--target {target!r}: the archive knows no target yet")
    raise ArgumentError(f"--target {target!r}: the archive knows none of this name; it knows {', '.join(near)}")


def _ignored(settings: Settings) -> frozenset[str]:
    """Name what lies in the output folder and is not of the store, should the one lie in the other."""
    folder, database = Path(settings["OUTPUT_DIR"]), sa.make_url(settings["DATABASE_URL"]).database
    own = {str(folder / name) for name in OWN_FOLDERS}
    own.update(f"{Path(database or folder)}{ending}" for ending in ("", "-wal", "-shm", "-journal"))
    return frozenset(own - {settings["MEDIA_STORE"]})


def _report_path(settings: Settings) -> Path:
    return Path(settings["OUTPUT_DIR"]) / "reports" / f"verify-{datetime.now(UTC).strftime(TIME)}.json"


def _check(archive: Archive, scope: Scope) -> dict[str, Any]:
    """Check, with a living line on a terminal; Ctrl-C ends it with what was found so far."""
    started_at, check = now(), Check(archive, scope)
    with _progress(check.total()) as advance:
        try:
            check.run(advance)
        except KeyboardInterrupt:
            check.findings.stopped = True
    how = {"target": scope.target, "quick": scope.quick, "mend": scope.mend}
    return {"started_at": started_at, "finished_at": now(), **how, **check.findings.as_json()}


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far it has come, where somebody looks; what this gives is told files and bytes."""
    if not sys.stderr.isatty():
        yield lambda _files, _size: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("files · {task.fields[read]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task, read = progress.add_task("", total=total, read=decimal(0)), 0

        def advance(files: int, size: int) -> None:
            nonlocal read
            read += size
            progress.update(task, advance=files, read=decimal(read))

        yield advance


def _notes(content: dict[str, Any]) -> Iterator[str]:
    """Say what was looked at, and what is worth knowing of it."""
    counts = content["counts"]
    looked = "by its size" if content["quick"] else "read whole"
    yield f"{counts['files']} files ({decimal(counts['size'])}), each {looked}"
    if counts["unproven"]:
        yield f"{counts['unproven']} of them have no SHA-256 in the database that they could be held against"
    if counts["aside"]:
        yield f"{counts['aside']} damaged files are kept aside, under names with .damaged; delete them when you will"
    if counts["waiting"]:
        yield f"{counts['waiting']} unfinished files are left to the crawl that wants them"


def _show(content: dict[str, Any], console: Console) -> None:
    """Print what was found as people read it."""
    for line in _notes(content):
        console.print(escape(line), soft_wrap=True, highlight=False)
    if content["findings"]:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("what", no_wrap=True)
        for name in ("found", "mended"):
            table.add_column(name, justify="right")
        table.add_column("meaning")
        for kind, group in content["findings"].items():
            table.add_row(kind, str(group["found"]), str(group["mended"]), MEANINGS[kind])
        console.print(table)
    for kind, group in content["findings"].items():
        for finding in group["named"][:SHOWN]:
            line = escape(_line(kind, finding, mend=content["mend"]))
            console.print(line, soft_wrap=True, highlight=False, emoji=False)
        if group["found"] > SHOWN:
            console.print(escape(f"  … and {group['found'] - SHOWN} more"), highlight=False)
    console.print(f"  report {escape(content['paths']['report'])}", soft_wrap=True, highlight=False)
    console.print(f"outcome: {content['outcome']}{_rest(content)}", soft_wrap=True, highlight=False)


def _line(kind: str, finding: dict[str, Any], *, mend: bool) -> str:
    """Say one finding: what, where, why, and what is or would be done about it.

    >>> _line("missing", {"path": "a/7.png", "why": "is not there", "remedy": "restored from b/8.png"}, mend=False)
    '  missing: a/7.png: is not there (with --mend: restored from b/8.png)'
    """
    where = f"{finding['path']}: " if finding["path"] else ""
    remedy = finding["remedy"]
    if remedy is not None and not mend and kind != Kind.AWAITED:
        remedy = f"with --mend: {remedy}"
    return f"  {kind}: {where}{finding['why']}" + (f" ({remedy})" if remedy else "")


def _rest(content: dict[str, Any]) -> str:
    """Say what is to be done about what is left."""
    if content["outcome"] == "stopped":
        return "; it was stopped before its end, and nothing is half done"
    if not content["left"]:
        return ""
    return f"; {content['left']} left" + ("" if content["mend"] else "; --mend sets right what can be")


def _write(content: dict[str, Any], file: Path) -> None:
    """Write the report.

    Raises:
        ArchiveError: the folder cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise ArchiveError(f"the findings were shown, but {file} cannot be written: {error.strerror}") from error
