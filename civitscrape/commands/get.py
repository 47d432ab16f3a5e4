"""`civitscrape get`: archive what a person points at."""

from __future__ import annotations

from typing import Annotated

import typer

from civitscrape.commands.crawling import crawl
from civitscrape.exceptions import ArgumentError


def pairs(words: list[str], what: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` words.

    >>> pairs(["level=all"], "-a")
    {'level': 'all'}

    Raises:
        ArgumentError: a word has no ``=``.
    """
    read = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ArgumentError(f"{what} {word!r}: write NAME=VALUE")
        read[name] = value
    return read


def get(
    usernames: Annotated[list[str], typer.Argument(help="Usernames, or addresses of profiles.")],
    argument: Annotated[
        list[str] | None, typer.Option("-a", metavar="NAME=VALUE", help="Argument of the spider, such as level=all.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Archive everything that creators have published.

    Exit codes: 0 complete, 1 failed, 3 incomplete or stopped (the same command goes on).
    """
    more = pairs(argument or [], "-a")
    if "username" in more:
        raise ArgumentError("-a 'username=…': the names already stand before it; write them there, with spaces")
    arguments = {"username": ",".join(usernames), **more}
    raise typer.Exit(crawl("user", arguments, pairs(setting or [], "-s")))
