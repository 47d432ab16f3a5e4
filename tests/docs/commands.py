"""What a command in the documentation would do, checked by the programs' own parsers, without doing it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from scrapy.settings import default_settings

from civitscrape.addons import resolve
from civitscrape.civitai import urls
from civitscrape.commands.crawling import project_settings
from civitscrape.commands.get import pairs, spider_for
from civitscrape.commands.project.crawl import Command
from civitscrape.exceptions import CivitscrapeError
from civitscrape.sandbox.faults import Rule
from civitscrape.sandbox.site import Quirks
from docs import generate
from tests.docs.markdown import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

SURROUNDINGS = frozenset({"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SCRAPYD_PASSWORD"})
"""Variables of the environment that are not ours and that we obey."""

TOOLS = frozenset({"ruff", "mypy", "pytest"})
ASSIGNMENT = re.compile(r"[A-Z_]+=")
STANDING = {r"\bID\b": "1", r"\bSHA256\b": "0" * 64}
"""Words that stand for what a person has, where not every word would do."""

LEAST = {
    "hash": {"sha256": "0" * 64},
    "images": {"max_items": "1"},
    "tag": {"tag": "NAME"},
    "url": {"url": "NAME"},
}
"""What a spider must be given that a number for each argument it calls required is not enough for."""


@cache
def own_settings() -> frozenset[str]:
    return frozenset({one.name for one in generate.own_settings()})


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
        case ["curl", *rest]:
            check_job([after for word, after in pairwise(rest) if word == "-d"])
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
    if name in {"get", "plan"}:
        addresses = [filled(word) for word in given["addresses"] or []]
        for address in addresses:
            urls.target(address)
        if addresses:
            spider, arguments = spider_for(addresses)
            check_arguments(spider, {**arguments, **pairs(given["argument"] or [], "-a")})
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


def check_job(given: list[str]) -> None:
    """Refuse what is sent to Scrapyd for a job that would not work; other questions have nothing to check."""
    named = pairs([word for word in given if not word.startswith("setting=")], "-d")
    check_settings(pairs([word.removeprefix("setting=") for word in given if word.startswith("setting=")], "-d"))
    if "spider" in named:
        arguments = {name: value for name, value in named.items() if name not in {"project", "spider", "jobid"}}
        assert named["project"] == "civitscrape"
        check_arguments(named["spider"], arguments)


def check_arguments(spider: str, arguments: dict[str, Any]) -> None:
    spiders = generate.spiders()
    assert spider in spiders, f"there is no spider {spider}"
    spiders[spider].arguments.read({name: filled(value) for name, value in arguments.items()})


def filled(word: str) -> str:
    """Put something real where a word stands for what a person has."""
    for standing, real in STANDING.items():
        word = re.sub(standing, real, word)
    return word


def check_argument(name: str, value: str) -> None:
    """Refuse an argument, named without its spider, that no spider takes."""
    refusals = []
    for spider, found in generate.spiders().items():
        fields = found.arguments.model_fields
        if name not in fields:
            continue
        required = {one: "1" for one, field in fields.items() if field.is_required()}
        try:
            return check_arguments(spider, {**required, **LEAST.get(spider, {}), name: value})
        except CivitscrapeError as error:
            refusals.append(str(error))
    raise AssertionError(f"no spider takes {name}={value}: {refusals}")
