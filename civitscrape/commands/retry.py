"""`civitscrape retry`: what earlier runs left, and nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from civitscrape.commands.archives import archive_of, settings_of
from civitscrape.commands.crawling import crawl
from civitscrape.commands.get import pairs


def retry(
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Go on with walks that broke and fetch files that did not come; what is whole is not asked for again.

    Exit codes: 0 complete, 1 failed, 3 incomplete or stopped (the same command goes on).
    """
    archive_of(settings_of(setting)).close()
    raise typer.Exit(crawl("retry", {}, pairs(setting or [], "-s")))
