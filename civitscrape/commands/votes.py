"""`civitscrape votes`: bring tags with votes for what is archived already."""

from __future__ import annotations

from typing import Annotated

import typer

from civitscrape.commands.crawling import crawl
from civitscrape.commands.get import pairs


def votes(
    usernames: Annotated[
        list[str] | None, typer.Argument(help="Creators whose images are meant; without any, all that is archived.")
    ] = None,
    only: Annotated[
        str, typer.Option(help="`missing` (never asked for), `stale` (asked for before --older-than), or both.")
    ] = "missing,stale",
    older_than: Annotated[str, typer.Option(metavar="AGE", help="Age from which votes are stale.")] = "30d",
    browser: Annotated[
        bool, typer.Option("--browser", help="Open each image's page, for those who have neither key nor cookies.")
    ] = False,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Bring tags with votes for images that are archived already: 50 images a call, each asked about once.

    Exit codes: 0 complete, 1 failed, 3 incomplete or stopped (the same command goes on).
    """
    arguments = {"only": only, "older_than": older_than, "votes": "browser" if browser else "yes"}
    if usernames:
        arguments["username"] = ",".join(usernames)
    raise typer.Exit(crawl("votes", arguments, pairs(setting or [], "-s")))
