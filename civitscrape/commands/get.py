"""`civitscrape get`: archive what a person points at."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from civitscrape.civitai import urls
from civitscrape.commands.crawling import crawl
from civitscrape.exceptions import ArgumentError, UnarchivableError


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


def spider_for(words: list[str]) -> tuple[str, dict[str, str]]:
    """Choose the spider for what a person names: creators alone, or anything else that has an address.

    >>> spider_for(["lampwright", "https://civitai.com/user/harbourmaster"])
    ('user', {'username': 'lampwright,harbourmaster'})
    >>> spider_for(["https://civitai.com/posts/7"])
    ('post', {'post_id': '7'})
    >>> spider_for(["lampwright", "https://civitai.com/posts/7"])
    ('url', {'url': 'lampwright https://civitai.com/posts/7'})
    """
    targets = [_target(word) for word in words]
    if all(one is not None and one.spider == "user" and one.arguments.keys() == {"username"} for one in targets):
        return "user", {"username": ",".join(one.arguments["username"] for one in targets if one is not None)}
    if len(targets) == 1 and targets[0] is not None:
        return targets[0].spider, dict(targets[0].arguments)
    return "url", {"url": " ".join(words)}


def _target(word: str) -> urls.Target | None:
    """Read a word; None for an address that cannot be archived, which the spider names while the rest goes on.

    Raises:
        ArgumentError: it is no address, and no username either.
    """
    if not word.strip():
        raise ArgumentError("an empty word: give a username, or an address of anything on the site")
    if not re.search(r"[/:.]", word):
        urls.username(word)
    try:
        return urls.target(word)
    except UnarchivableError:
        return None


def chosen(addresses: list[str], typed: list[str]) -> tuple[str, dict[str, str]]:
    """Choose the spider, with the arguments that addresses and ``NAME=VALUE`` words make together.

    Raises:
        ArgumentError: an address or a word makes no sense.
    """
    more = pairs(typed, "-a")
    taken = next((name for name in ("username", "url") if name in more), None)
    if taken is not None:
        raise ArgumentError(f"-a '{taken}=…': the names already stand before it; write them there, with spaces")
    spider, arguments = spider_for(addresses)
    return spider, {**arguments, **more}


def get(
    addresses: Annotated[
        list[str], typer.Argument(help="Usernames, or addresses of anything on the site: profiles, models, posts …")
    ],
    argument: Annotated[
        list[str] | None, typer.Option("-a", metavar="NAME=VALUE", help="Argument of the spider, such as level=all.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("-s", metavar="NAME=VALUE", help="Setting, such as OUTPUT_DIR=archive.")
    ] = None,
) -> None:
    """Archive what addresses point at; a username stands for everything that its owner has published.

    Exit codes: 0 complete, 1 failed, 3 incomplete or stopped (the same command goes on).
    """
    spider, arguments = chosen(addresses, argument or [])
    raise typer.Exit(crawl(spider, arguments, pairs(setting or [], "-s")))
