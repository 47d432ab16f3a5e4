"""`civitscrape scrapyd`: crawls as jobs, started and stopped over HTTP."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from civitscrape.addons import resolve
from civitscrape.commands.admission import USERNAME, is_loopback, kept_password
from civitscrape.commands.crawling import project_settings
from civitscrape.exceptions import ArgumentError
from civitscrape.extensions.books import probe


def scrapyd(
    *,
    output: Annotated[
        Path | None, typer.Option(help="Folder that all jobs archive into; without it, that of OUTPUT_DIR.")
    ] = None,
    bind: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 6800,
) -> None:
    """Run Scrapyd with every spider of this project until Ctrl-C.

    The user is civitscrape. The password is that of SCRAPYD_PASSWORD; without it one is made at the first start, shown
    on the terminal, and kept in the file scrapyd/netrc of the output folder.
    """
    if find_spec("scrapyd") is None:
        raise ArgumentError("Scrapyd is not installed; install civitscrape[scrapyd]")
    if not bind:
        raise ArgumentError("--bind '': give an address of this machine, such as 127.0.0.1")
    settings = project_settings({"OUTPUT_DIR": str(output)} if output else {})
    resolve(settings)
    folder = Path(settings["OUTPUT_DIR"])
    probe(folder / "scrapyd", "OUTPUT_DIR")
    password, kept = os.environ.get("SCRAPYD_PASSWORD", ""), folder / "scrapyd" / "netrc"
    said = "that of SCRAPYD_PASSWORD"
    if not password:
        if not is_loopback(bind):
            raise ArgumentError(
                f"--bind {bind!r}: others can reach it; put a password of your own into SCRAPYD_PASSWORD"
            )
        password, new = kept_password(kept)
        # Only a terminal is shown it: anything else may be a log.
        said = f"{password} (shown this once, kept in {kept})" if new and sys.stdout.isatty() else f"in {kept}"
    from civitscrape.commands import daemon  # noqa: PLC0415 (needs the extra, and installs Twisted's reactor)

    daemon.start(settings, folder, bind=bind, port=port, password=password)
    host = f"[{bind}]" if ":" in bind else bind
    typer.echo(f"Scrapyd listens at http://{host}:{port}/\nuser: {USERNAME}\npassword: {said}\narchive: {folder}")
    daemon.run()
