"""Writes ``docs/reference`` from what the code declares: ``python -m docs.generate``, or ``make docs``."""

from __future__ import annotations

import inspect
from enum import Enum, StrEnum
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer
from annotated_types import Ge
from scrapy.settings import default_settings
from scrapy.spiderloader import SpiderLoader
from sqlalchemy.dialects import sqlite
from typer.cli import get_docs_for_click

from civitscrape import items, ledger, settings
from civitscrape.addons import resolve
from civitscrape.archive import schema
from civitscrape.civitai import levels
from civitscrape.commands.crawling import EXIT_CODES, project_settings
from civitscrape.commands.main import app
from civitscrape.exports.feeds import FEEDS
from civitscrape.items import Level, Mark
from civitscrape.spiders.arguments import MediaArguments
from docs.declarations import Declared, fields_of, prose, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from pydantic.fields import FieldInfo

    from civitscrape.spiders.arguments import Arguments

REFERENCE = Path(__file__).parent / "reference"
WORDS = {str: "a text", bool: "`yes` or `no`"}

MOST_ARGUMENTS = 8
"""Arguments that a line of the overview names."""

NOTICE = "<!-- Written by `make docs` from what the code declares; change it there. -->"


def spiders() -> dict[str, Any]:
    """Find the project's spiders by name."""
    loader = SpiderLoader.from_settings(project_settings({}))
    return {name: loader.load(name) for name in sorted(loader.list())}


def commands() -> dict[str, Any]:
    """Find the commands of ``civitscrape`` by name."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def own_settings() -> list[Declared]:
    """Find the settings that are ours: those with a text under them."""
    return [one for one in _declared() if one.text is not None]


def _declared() -> list[Declared]:
    return settings_of(inspect.getsource(settings))


def pages() -> dict[str, str]:
    """Build every page of the reference, by file name."""
    built = {
        "arguments.md": _arguments(),
        "commands.md": _commands(),
        "feeds.md": _feeds(),
        "settings.md": _settings(),
        "spiders.md": _spiders(),
        "tables.md": _tables(),
    }
    return {name: "\n\n".join([NOTICE, *blocks]) + "\n" for name, blocks in built.items()}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Lay out a Markdown table.

    >>> print(table(["a", "b"], [["1|2", "3"]]))
    | a | b |
    | --- | --- |
    | 1\|2 | 3 |
    """
    body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *body])


def _code(text: object) -> str:
    return f"`{text}`"


# Spiders


def _spiders() -> Iterator[str]:
    yield "# Spiders"
    yield (
        "What each archives, what it needs, and how many requests it makes beside the files themselves. "
        "The [arguments](arguments.md) of each are listed apart."
    )
    yield table(
        ["spider", "what it does", "arguments of its own", "requests", "needs"],
        [
            [
                _code(name),
                prose((spider.__doc__ or "").strip().split("\n\n")[0]),
                _own_arguments(spider.arguments),
                spider.calls,
                spider.needs,
            ]
            for name, spider in spiders().items()
        ],
    )


def _own_arguments(arguments: type[Arguments]) -> str:
    """Name the arguments that a spider does not share with others; many are the filters of the site."""
    own = [name for name in arguments.model_fields if name not in MediaArguments.model_fields]
    shown = ", ".join(map(_code, own[:MOST_ARGUMENTS]))
    return f"{shown} and {len(own) - MOST_ARGUMENTS} more" if len(own) > MOST_ARGUMENTS else shown


# Arguments


def _arguments() -> Iterator[str]:
    yield "# Spider arguments"
    yield (
        "Given as `-a NAME=VALUE`, to `scrapy crawl` and to `civitscrape get` alike. Everything is checked before the "
        "first request; a name or value that is not understood ends the command with one line and exit code 1."
    )
    for name, spider in spiders().items():
        yield f"## `{name}`"
        yield prose(spider.__doc__)
        yield table(
            ["argument", "takes", "default", "what it does"],
            [
                [_code(argument), _takes(info), _default(info), prose(info.description or "")]
                for argument, info in _own_first(spider.arguments)
            ],
        )


def _own_first(arguments: type[Arguments]) -> list[tuple[str, FieldInfo]]:
    """Put a spider's own arguments before those that it shares with others."""
    return sorted(arguments.model_fields.items(), key=lambda pair: pair[0] not in arguments.__annotations__)


def _takes(info: FieldInfo) -> str:
    kind: Any = info.annotation
    if NoneType in get_args(kind):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is list:
        return f"{_one(get_args(kind)[0], info)}; several with commas"
    return _one(kind, info)


def _one(kind: Any, info: FieldInfo) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(map(_code, get_args(kind)))
    if kind is Level:
        return ", ".join(map(_code, ["sfw", "all", *levels.NAMES])) + "; several with commas"
    if kind is int:
        least = [f", {one.ge} or more" for one in info.metadata if isinstance(one, Ge)]
        return "".join(["a whole number", *least])
    if kind in WORDS:
        return WORDS[kind]
    if get_origin(kind) is dict:
        return "JSON"
    raise TypeError(f"spider argument of type {kind!r}: docs/generate.py has no words for it")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value is None:
        return "none"
    if isinstance(value, Level):
        named = {levels.SFW: "sfw", levels.ALL: "all"}
        return _code(named.get(value) or ",".join(levels.names(value)))
    if isinstance(value, bool):
        return _code("yes" if value else "no")
    return _code(",".join(value) if isinstance(value, list) else value)


# Settings


def _settings() -> Iterator[str]:
    declared = _declared()
    own = [one for one in declared if one.text is not None]
    yield "# Settings"
    yield (
        "Our own settings come from the environment or, for one crawl, from `-s NAME=VALUE`, which wins. Scrapy's own "
        "settings can be given with `-s` too."
    )
    for section in dict.fromkeys(one.section for one in own):
        yield f"## {_title(section)}"
        yield table(
            ["setting", "default", "what it is"],
            [
                [_code(one.name), _code(one.default) if one.default != "" else "empty", prose(one.text or "")]
                for one in own
                if one.section == section
            ],
        )
    yield "## Departures from Scrapy's defaults"
    yield "A few lines restate a default, because the project relies on it."
    others = [one for one in declared if one.text is None]
    for section in dict.fromkeys(one.section for one in others):
        yield f"### {_title(section)}"
        yield from _departures(section, [one for one in others if one.section == section])
    yield "## What follows from them"
    names = ", ".join(map(_code, _resolved()))
    yield f"The add-on `civitscrape.addons.Resolve` works these out, after the command line has spoken: {names}."


def _departures(section: str, declared: list[Declared]) -> Iterator[str]:
    remark = section.partition(". ")[2]
    if remark:
        yield f"{remark}."
    rows = [
        [_code(one.name), _code(one.value), _scrapys(one.name), prose(one.comment)]
        for one in declared
        if not one.entries
    ]
    if rows:
        yield table(["setting", "here", "Scrapy's default", "why"], rows)
    for one in declared:
        if one.entries:
            yield f"`{one.name}`, where `None` switches one of Scrapy's off:"
            yield table(
                ["component", "order", "why"],
                [[_code(entry.name), _code(entry.value), prose(entry.comment)] for entry in one.entries],
            )
            if one.remark:
                yield f"Those switched off: {one.remark[:1].lower()}{one.remark[1:].rstrip(':.')}."


def _title(section: str) -> str:
    """Take the heading out of a section's comment.

    >>> _title("Our own: the pace"), _title("Pace. A host is asked one thing at a time")
    ('The pace', 'Pace')
    """
    title = section.removeprefix("Our own: ").partition(". ")[0]
    return title[:1].upper() + title[1:]


def _scrapys(name: str) -> str:
    """Tell what Scrapy has for a setting; classes by their bare names."""
    if not hasattr(default_settings, name):
        return "none"
    value = getattr(default_settings, name)
    return _code(value.rpartition(".")[2] if isinstance(value, str) and value.startswith("scrapy.") else repr(value))


def _resolved() -> list[str]:
    """Find which settings the add-on sets beside our own."""
    own = {one.name: one.default for one in own_settings()}  # whatever the environment says
    before, after = project_settings(own), project_settings(own)
    resolve(after)
    # Past the mapping's own access, which warns of each setting that Scrapy has given up.
    old = {name: attribute.value for name, attribute in before.attributes.items()}
    new = {name: attribute.value for name, attribute in after.attributes.items()}
    return sorted(name for name, value in new.items() if name not in own and old.get(name) != value)


# Tables


def _tables() -> Iterator[str]:
    yield "# Tables"
    yield (
        "One dataclass is one table, and the order of its fields is the order of the columns. Times are texts, UTC in "
        "ISO 8601. JSON columns hold JSON as text."
    )
    yield (
        "When an answer speaks of a row that is already there, the two are merged column by column, as the mark says. "
        "The books `media`, `walks` and `runs` are also written outright by the run that works on them."
    )
    yield table(
        ["mark", "meaning"],
        [[mark.name.lower(), prose(mark.value)] for mark in Mark if mark is not Mark.NO_COLUMN],
    )
    for heading, module in (("What we keep of the site", items), ("The archive's own books", ledger)):
        texts = fields_of(sources_of(module))
        yield f"## {heading}"
        for dataclass, name in module.TABLES.items():
            yield f"### `{name}`"
            yield prose(dataclass.__doc__ or "")
            yield table(["column", "type", "mark", "what it holds"], _columns(dataclass, texts[dataclass.__name__]))
    yield "## Words"
    yield table(["word of", "meaning", "words, in order"], [*_words(items), *_words(ledger)])


def _columns(dataclass: type, texts: dict[str, str]) -> list[list[str]]:
    marks = schema.marks_of(dataclass)
    return [
        [
            _code(column.name),
            str(column.type.compile(sqlite.dialect())).partition(" COLLATE")[0].lower(),
            marks[column.name].name.lower(),
            prose(texts[column.name]),
        ]
        for column in schema.BY_CLASS[dataclass].columns
    ]


def _words(module: ModuleType) -> list[list[str]]:
    """List the words that columns hold, in the order of their declaration."""
    return [
        [_code(one.__name__), prose(one.__doc__ or ""), ", ".join(_code(member) for member in one)]
        for one in vocabularies(module)
        if issubclass(one, StrEnum)
    ]


# Commands


def _commands() -> Iterator[str]:
    context = typer.Context(typer.main.get_command(app))
    yield "# Commands"
    yield (
        "In a checkout, put `uv run` in front of each. Beside these, all commands of Scrapy work; `scrapy crawl` and "
        "`scrapy list` are the useful ones."
    )
    for name, one in commands().items():
        yield get_docs_for_click(obj=one, ctx=context, name=name, call_prefix="civitscrape", indent=1).rstrip()
    yield "## `scrapy crawl`"
    yield "```console\n$ scrapy crawl [-a NAME=VALUE] [-s NAME=VALUE] [-o FILE] SPIDER\n```"
    yield (
        "Scrapy's own command, run inside a checkout; arguments, settings and folders are checked first. "
        "`scrapy crawl --help` lists Scrapy's options. Exit code 1 means that something was typed wrong or that the "
        "crawl failed, and 0 anything else: whether a run is complete, its report says."
    )
    yield "## Exit codes of `civitscrape get`"
    meanings = {2: ["it was typed wrong"]}
    for outcome, code in EXIT_CODES.items():
        meanings.setdefault(code, []).append(str(outcome))
    yield table(["code", "meaning"], [[str(code), " or ".join(words)] for code, words in sorted(meanings.items())])


# Feeds


def _feeds() -> Iterator[str]:
    texts = fields_of(sources_of(items))
    yield "# Feeds"
    yield "Every run writes what it listed, new or known, into `OUTPUT_DIR/feeds/SPIDER/TIME/`, an entry a line:"
    yield table(
        ["file", "format", "of"],
        [
            [_code(name), feed["format"], ", ".join(_code(one.__name__) for one in feed["item_classes"])]
            for name, feed in FEEDS.items()
        ],
    )
    yield (
        "Text is UTF-8. In CSV, lists and objects are JSON inside their cell, and what is missing is empty. `-o FILE` "
        "writes one more feed with all columns, in any format that Scrapy knows by its ending."
    )
    for name, feed in FEEDS.items():
        if not name.endswith(".csv"):
            continue
        (item,) = feed["item_classes"]
        yield f"## Columns of `{name.removesuffix('.csv')}`"
        yield table(
            ["column", "what it holds"],
            [[_code(column), prose(texts[item.__name__][column])] for column in feed["fields"]],
        )


def sources_of(module: ModuleType) -> str:
    """Return the source of a module, and of the modules beside it whose classes it hands on."""
    homes = {inspect.getmodule(one) for one in module.TABLES} | {inspect.getmodule(one) for one in vocabularies(module)}
    return "\n".join(
        inspect.getsource(home) for home in sorted(filter(None, {*homes, module}), key=lambda one: one.__name__)
    )


def vocabularies(module: ModuleType) -> list[type[Enum]]:
    """Return the enumerations that a module has."""
    found = (one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Enum))
    return [one for one in found if one.__module__.startswith(module.__name__)]


def main() -> None:
    """Write the reference."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
