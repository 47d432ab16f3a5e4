"""`civitscrape votes`: bring tags with votes for what is archived already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from civitscrape.archive import voting
from civitscrape.commands.archives import archive_of, settings_of
from civitscrape.commands.crawling import crawl
from civitscrape.commands.get import pairs
from civitscrape.exceptions import ArgumentError
from civitscrape.spiders.votes import VotesArguments

if TYPE_CHECKING:
    from collections.abc import Collection

    from scrapy.settings import Settings


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
        _require(VotesArguments.read(arguments).username or [], settings_of(setting))
    raise typer.Exit(crawl("votes", arguments, pairs(setting or [], "-s")))


def _require(usernames: Collection[str], settings: Settings) -> None:
    """Refuse creators of whom nothing is archived: they are typed wrong, or have to be archived first.

    Raises:
        ArgumentError: there are some.
        ArchiveError: there is no archive.
    """
    archive = archive_of(settings)
    try:
        unknown = archive.run_now(voting.unknown, usernames)
        name = archive.engine.url.render_as_string()
    finally:
        archive.close()
    if unknown:
        raise ArgumentError(f"{', '.join(unknown)}: no image is archived in {name}; `civitscrape get` archives them")
