"""`civitscrape demo`: the sandbox, and a real crawl against it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import default_world
from civitscrape.settings import own

CREATOR = "lampwright"
"""The creator of the sandbox who has a bit of everything."""


def demo(
    output: Annotated[Path, typer.Option(help="Folder that the archive goes to.")] = Path("output"),
) -> None:
    """Start the sandbox, archive a creator of it with `scrapy crawl user`, and show what came of it."""
    with Sandbox(default_world()).in_thread() as sandbox:
        kept = {name: value for name, value in os.environ.items() if name not in own and "PROXY" not in name.upper()}
        settings = {**sandbox.settings(), "OUTPUT_DIR": str(output), "API_DELAY": "0.3"}
        words = [sys.executable, "-m", "scrapy", "crawl", "user", "-a", f"username={CREATOR}"]
        environment = {**kept, **settings, "SCRAPY_SETTINGS_MODULE": "civitscrape.settings"}
        typer.echo(f"The sandbox runs at {sandbox.url}; archiving its creator {CREATOR} into {output}/ with:")
        typer.echo(f"  scrapy crawl user -a username={CREATOR}\n")
        code = subprocess.run(words, env=environment, check=False).returncode  # noqa: S603 (our own words)
    raise typer.Exit(code)
