"""What a command in the documentation would do, checked by the programs' own parsers, without doing it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
from typing import TYPE_CHECKING, Any

from scrapy.settings import default_settings

from civitscrape.addons import resolve
from civitscrape.commands.crawling import project_settings
from civitscrape.commands.get import pairs
from civitscrape.commands.project.crawl import Command
from civitscrape.sandbox.faults import Rule
from civitscrape.sandbox.site import Quirks
from docs import generate
from tests.docs.markdown import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

SURROUNDINGS = frozenset({"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"})
"""Variables of the environment that are not ours and that we obey."""

TOOLS = frozenset({"ruff", "mypy", "pytest"})
ASSIGNMENT = re.compile(r"[A-Z_]+=")


def own_settings() -> set[str]:
    return {one.name for one in generate.own_settings()}


def is_known_name(name: str) -> bool:
    """Tell whether something in capitals is a setting or a variable that means something here."""
    return name in own_settings() | SURROUNDINGS or hasattr(default_settings, name)


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def check(words: list[str]) -> None:
    """Refuse a command line that would not work.

    Raises:
        AssertionError: it names something that there is not.
        CivitscrapeError: an argument or a setting is wrong.
    """
    while words and ASSIGNMENT.match(words[0]):
        check_assignment(words[0])
        words = words[1:]
    match words:
        case ["make", *goals]:
            assert set(goals) <= targets(), f"make has no {goals}"
        case ["uv", "run", *rest]:
            check([word for word in rest if word not in {"--frozen", "--"}])
        case ["export", assignment]:
            check_assignment(assignment)
        case ["python", "-m", module]:
            assert importlib.util.find_spec(module), f"there is no {module}"
        case ["civitscrape", name, *rest]:
            check_civitscrape(name, rest)
        case ["scrapy", "crawl", *rest]:
            check_scrapy_crawl(rest)
        case [tool, *_]:
            assert tool in {*TOOLS, "sqlite3"}, f"{tool} is not known here"


def check_assignment(word: str) -> None:
    name, _, value = word.partition("=")
    assert name in own_settings() | SURROUNDINGS, f"{name} is not obeyed"
    if name in own_settings():
        check_settings({name: value})


def check_settings(settings: Mapping[str, str]) -> None:
    unknown = [name for name in settings if not is_known_name(name)]
    assert not unknown, f"there is no setting {unknown}"
    resolve(project_settings(settings))


def check_civitscrape(name: str, rest: list[str]) -> None:
    commands = generate.commands()
    assert name in commands, f"civitscrape has no {name}; it has {sorted(commands)}"
    if not rest:
        return
    given = commands[name].make_context(name, list(rest)).params
    if name == "get":
        arguments = {"username": ",".join(given["usernames"]), **pairs(given["argument"] or [], "-a")}
        check_arguments("user", arguments)
        check_settings(pairs(given["setting"] or [], "-s"))
    if name == "sandbox":
        Quirks(**json.loads(given["quirks"]))
        for rule in json.loads(given["faults"]):
            Rule(**rule)


def check_scrapy_crawl(rest: list[str]) -> None:
    if not rest:
        return
    command = Command()
    command.settings = project_settings({})
    parser = argparse.ArgumentParser(exit_on_error=False)
    command.add_options(parser)
    given, spiders = parser.parse_known_args(rest)
    assert len(spiders) == 1, f"one spider, not {spiders}"
    check_arguments(spiders[0], pairs(given.spargs, "-a"))
    check_settings(pairs(given.set, "-s"))


def check_arguments(spider: str, arguments: dict[str, Any]) -> None:
    spiders = generate.spiders()
    assert spider in spiders, f"there is no spider {spider}"
    spiders[spider].arguments.read(arguments)
