"""`civitscrape duplicates`: equal files, pictures that look alike, or like a given one; nothing is deleted."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from functools import partial
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

    from civitscrape.archive.duplicates import File, Found, Group, Near
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
    like: Annotated[
        str | None,
        typer.Option(
            metavar="FILE_OR_ID", help="Only what is near this picture: a file anywhere, or the number of an image."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="KIND:NAME", help="Only the files of one target, such as user:NAME.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """List equal files, and pictures that look nearly alike, with what they take; nothing is ever deleted.

    With --like, list the archived pictures that look like one, the nearest first.

    Pictures are looked at once, and remembered; Ctrl-C finishes what is in work, and the same command goes on.

    Exit codes: 0 done, 1 failed, 3 stopped before anything could be listed.
    """
    settings = settings_of(setting)
    archive = archive_of(settings)
    store = Path(settings["MEDIA_STORE"])
    console = Console(stderr=True)
    try:
        looking = None if like is None else rooms.looks_of(archive, store, like)
        keys = None
        if target is not None:
            keys = archive.run_now(rooms.keys_of, known_target(target, archive.run_now(rows.targets)))
        looked = looks.Looked()
        if looking is None or archive.run_now(looks.any_unseen):
            with stopping() as stop, _showing(console, looks.count(archive, keys)) as tell:
                looked = looks.look(archive, store, stop, tell, keys=keys)
            if stop.is_set():
                console.print("stopped; the same command goes on")
                raise typer.Exit(EXIT_CODES[Outcome.STOPPED])
        if like is not None and looking is not None:
            besides = rooms.number_in(like)
            one = rooms.like(archive, store, looking, near=near, keys=keys, besides=besides)
            content, shown = (
                _content_like(one, looked, like, near, target),
                partial(_show_like, one, looked, like, near),
            )
        else:
            found = rooms.find(archive, store, near=near, keys=keys)
            content, shown = _content(found, looked, near, target), partial(_show, found, looked)
    finally:
        archive.close()
    if as_json:
        sys.stdout.write(f"{json.dumps(content, ensure_ascii=False, indent=1)}\n")
    else:
        shown(Console(soft_wrap=True, highlight=False, emoji=False))


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


def _content_like(one: Near, looked: Looked, like: str, near: int, target: str | None) -> dict[str, Any]:
    return {
        "like": like,
        "phash": f"{one.looks:0{rooms.DIGITS}x}",
        "near_bits": near,
        "target": target,
        "counts": {
            "pictures": one.pictures,
            "looked_at": looked.seen,
            "unreadable": dict(looked.left.most_common()),
        },
        "near": [file.as_json() for file in one.files],
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
    _show_pictures(found.pictures, looked, console)
    if found.videos:
        console.print(f"{found.videos} videos are compared by their bytes alone")
    _show_left(looked, console)


def _show_like(one: Near, looked: Looked, like: str, near: int, console: Console) -> None:
    """Print what is near a picture, the nearest first."""
    for file in one.files:
        console.print(escape(_line(file, bits=True)))
    console.print(escape(f"{len(one.files)} files are near {like}: they differ in at most {near} of 64 bits"))
    _show_pictures(one.pictures, looked, console)
    _show_left(looked, console)


def _show_pictures(compared: int, looked: Looked, console: Console) -> None:
    console.print(f"{compared} pictures compared, {looked.seen} of them looked at just now")


def _show_left(looked: Looked, console: Console) -> None:
    """Say which pictures could not be looked at."""
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
