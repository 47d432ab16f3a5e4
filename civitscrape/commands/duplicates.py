"""`civitscrape duplicates`: equal files and pictures that look nearly alike, listed; nothing is deleted."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from civitscrape.archive import duplicates as rooms
from civitscrape.archive import looks
from civitscrape.archive.verify import rows
from civitscrape.commands.archives import archive_of, settings_of
from civitscrape.commands.crawling import EXIT_CODES
from civitscrape.commands.stopping import stopping
from civitscrape.commands.verify import known_target
from civitscrape.ledger import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from civitscrape.archive.duplicates import File, Found, Group
    from civitscrape.archive.looks import Looked

NEAR = 6
"""Bits in which a picture may differ: what was made smaller or saved anew differs in a few, others in twenty."""

MOST_NEAR = 12
"""Bits beyond which pictures that have nothing in common would be called near."""

IN_LOG = 30.0
"""Seconds between two lines where there is no terminal."""


def duplicates(
    *,
    near: Annotated[
        int, typer.Option(min=0, max=MOST_NEAR, help="Bits of 64 in which near-equal pictures may differ.")
    ] = NEAR,
    target: Annotated[
        str | None, typer.Option(metavar="KIND:NAME", help="Only the files of one target, such as user:NAME.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """List equal files, and pictures that look nearly alike, with what they take; nothing is ever deleted.

    Pictures are looked at once, and remembered; Ctrl-C finishes what is in work, and the same command goes on.

    Exit codes: 0 done, 1 failed, 3 stopped before anything could be listed.
    """
    settings = settings_of(setting)
    archive = archive_of(settings)
    store = Path(settings["MEDIA_STORE"])
    console = Console(stderr=True)
    try:
        keys = None
        if target is not None:
            keys = archive.run_now(rooms.keys_of, known_target(target, archive.run_now(rows.targets)))
        with stopping() as stop, _showing(console, looks.count(archive, keys)) as tell:
            looked = looks.look(archive, store, stop, tell, keys=keys)
        if stop.is_set():
            console.print("stopped; the same command goes on")
            raise typer.Exit(EXIT_CODES[Outcome.STOPPED])
        found = rooms.find(archive, store, near=near, keys=keys)
    finally:
        archive.close()
    if as_json:
        sys.stdout.write(f"{json.dumps(_content(found, looked, near, target), ensure_ascii=False, indent=1)}\n")
    else:
        _show(found, looked, Console(soft_wrap=True, highlight=False, emoji=False))


@contextmanager
def _showing(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal, and elsewhere a line now and then."""
    done, last = 0, time.monotonic()
    if not sys.stderr.isatty():

        def log() -> None:
            nonlocal done, last
            done += 1
            if time.monotonic() - last >= IN_LOG:
                last = time.monotonic()
                console.print(f"{done} of {total} pictures looked at", soft_wrap=True)

        yield log
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("pictures looked at"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.update(task, advance=1)


def _content(found: Found, looked: Looked, near: int, target: str | None) -> dict[str, Any]:
    return {
        "near_bits": near,
        "target": target,
        "counts": {
            "pictures": found.pictures,
            "looked_at": looked.seen,
            "unreadable": dict(looked.left.most_common()),
            "videos": found.videos,
        },
        "saves": {"equal": _saved(found.equal), "near": _saved(found.near)},
        "equal": [group.as_json() for group in found.equal],
        "near": [group.as_json() for group in found.near],
    }


def _saved(groups: list[Group]) -> int:
    return sum(group.saves for group in groups)


def _show(found: Found, looked: Looked, console: Console) -> None:
    """Print groups as people read them, and what they come to."""
    for group in found.equal:
        console.print(escape(f"equal, sha256 {group.sha256}: {decimal(group.saves)} could be saved"))
        for file in group.files:
            console.print(escape(_line(file)))
    for group in found.near:
        console.print(escape(f"near, the first looks like {group.phash}: the others take {decimal(group.saves)}"))
        for file in group.files:
            console.print(escape(_line(file, bits=file is not group.files[0])))
    console.print(f"{_counted(found.equal)} of equal files: {decimal(_saved(found.equal))} could be saved")
    console.print(f"{_counted(found.near)} of pictures that look nearly alike: {decimal(_saved(found.near))} beside")
    console.print(f"{found.pictures} pictures compared, {looked.seen} of them looked at just now")
    if found.videos:
        console.print(f"{found.videos} videos are compared by their bytes alone")
    if looked.left:
        console.print(f"{looked.left.total()} pictures could not be looked at:")
        for reason, number in looked.left.most_common():
            console.print(escape(f"  {number} of: {reason}"))


def _counted(groups: list[Group]) -> str:
    files = sum(len(group.files) for group in groups)
    return f"{len(groups)} {'group' if len(groups) == 1 else 'groups'} ({files} files)"


def _line(file: File, *, bits: bool = False) -> str:
    """Say one file."""
    told = [
        file.path,
        None if file.id is None else f"image {file.id}",
        file.creator,
        f"{file.width} x {file.height}" if file.width and file.height else None,
        "not there" if file.size is None else decimal(file.size),
        f"{file.bits} {'bit' if file.bits == 1 else 'bits'} off" if bits else None,
        file.link_of and f"hard link of {file.link_of}",
    ]
    return f"  {' · '.join(filter(None, told))}"
