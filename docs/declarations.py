"""What the code declares, read from its source: texts under fields, settings with the comments beside them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field
from itertools import pairwise

_FOREIGN = re.compile(r"\s*\((?:contract )?(?:rest\.md|trpc-and-pages|DESIGN|docs/)[^)]*\)")
"""References to texts that a reader of the reference does not have at hand."""


def prose(text: str) -> str:
    r"""Turn a text of the code into one line of Markdown.

    >>> prose("Rating bits ``1``\n  to ``16`` (contract rest.md §4).")
    'Rating bits `1` to `16`.'
    """
    return _FOREIGN.sub("", " ".join(text.split())).replace("``", "`")


def _text(node: ast.stmt | None) -> str | None:
    """Return the text that a statement is, if it is nothing but a text."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def _name(node: ast.stmt) -> str | None:
    """Return the name that a statement gives a value."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else None


def texts_under(body: list[ast.stmt]) -> dict[str, str]:
    r"""Collect the text under each name that a body of statements assigns.

    >>> texts_under(ast.parse("x: int\n'''How many.'''\ny = 2").body)
    {'x': 'How many.'}
    """
    return {
        name: text for node, below in pairwise(body) if (name := _name(node)) and (text := _text(below)) is not None
    }


def fields_of(source: str) -> dict[str, dict[str, str]]:
    """Collect the text under each field of each class of a source."""
    return {node.name: texts_under(node.body) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a setting that is a table itself."""

    name: str
    """Last part of its name."""
    value: str
    comment: str
    """The comment beside it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting as its source has it."""

    name: str
    section: str
    """The comment that stands alone above its group."""
    value: str
    """The expression, as it is written."""
    default: object
    """What it is without the environment, for settings that may come from there; else None."""
    comment: str
    """The comment beside it."""
    text: str | None
    """The text under it; only our own settings have one."""
    entries: list[Entry] = field(default_factory=list)
    """Its lines, when it takes more than one."""
    remark: str = ""
    """The comments that stand alone between them."""


def _comments(source: str) -> tuple[dict[int, str], dict[int, str]]:
    """Find the comments by line number: those beside code, and those that stand alone."""
    beside: dict[int, str] = {}
    alone: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found = alone if token.line.lstrip().startswith("#") else beside
            found[token.start[0]] = token.string.lstrip("# ")
    return beside, alone


def settings_of(source: str) -> list[Declared]:
    """Read the settings of a settings file, in its order."""
    beside, alone = _comments(source)
    lines = source.splitlines()
    titles = {number: text for number, text in alone.items() if lines[number - 1].startswith("#")}
    body = ast.parse(source).body
    texts = texts_under(body)
    found = []
    for node in body:
        name = _name(node)
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None or name is None or not name.isupper():
            continue
        above = [text for number, text in titles.items() if number < node.lineno]
        found.append(
            Declared(
                name=name,
                section=above[-1] if above else "",
                value=ast.get_source_segment(source, node.value) or "",
                default=_default(node.value),
                comment=beside.get(_end(node), ""),
                text=texts.get(name),
                entries=_entries(source, node.value, beside),
                remark=" ".join(text for number, text in alone.items() if node.lineno < number < _end(node)),
            )
        )
    return found


def _default(node: ast.expr) -> object:
    """Return the second argument of ``_env(name, default)``."""
    return ast.literal_eval(node.args[1]) if isinstance(node, ast.Call) else None


def _end(node: ast.stmt | ast.expr) -> int:
    """Return the number of the last line of a node."""
    return node.end_lineno or node.lineno


def _entries(source: str, node: ast.expr, beside: dict[int, str]) -> list[Entry]:
    """Read the lines of a table; none when it is written in one."""
    if not isinstance(node, ast.Dict) or _end(node) == node.lineno:
        return []
    found = []
    for key, value in zip(node.keys, node.values, strict=True):
        name = ast.get_source_segment(source, key) if key is not None else None
        if name is None:
            raise ValueError(f"line {value.lineno} of the settings: write out what is merged in here")
        written = ast.get_source_segment(source, value) or ""
        found.append(Entry(name.strip("\"'").rpartition(".")[2], written, beside.get(_end(value), "")))
    return found
