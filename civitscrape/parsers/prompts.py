r"""Words of a prompt as tags of their own kind, with their weights (A1111's attention syntax, and what grew around it).

Understood are ``(word:1.2)``, ``((word))``, ``[word]``, ``{word}``, escapes such as ``\(``, BREAK, AND and the words
of regional prompts, ``[from:to:0.5]``, ``{a|b}``; left out are ``<lora:name:0.8>``, which is a resource, and wildcards
such as ``__hair__``, which are no words yet. What is between commas, line breaks and the ends of sentences is one word,
as the person wrote it; a word that comes twice counts once.

Not everybody writes commas. Two groups beside each other, ``(a)(b)`` or ``(a) (b)``, are two words, and so is a group
that holds a list from what is beside it, ``(a, b) c``, and one with a number from letters that touch it, ``(a:1.2)b``.
With a space between, a group is an emphasis within one word: ``(very) red hair`` and ``(very:1.2) red hair`` are one of
three, as ``a (red:1.2) boat`` is, and ``(flower)s`` is one, too; it has the weight that is furthest from 1.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

UP, DOWN, BRACE = 1.1, 1 / 1.1, 1.05
"""What one pair of brackets does: ``()`` and ``[]`` as A1111 has it, ``{}`` as NovelAI."""

LONGEST = 20_000
"""Characters of a prompt that are read, as far as its words end there: the longest honest one seen has a tenth."""

# All of them bounded, or without two ways to read one text: prompts come from strangers.
_LORA = re.compile(r"<[A-Za-z][\w-]{0,20}:[^<>]{0,300}>")
_WILDCARD = re.compile(r"__[^\s_,][^\s,]{0,100}?__")
_REGION = re.compile(r"\b(?:BREAK|AND|ADDCOMM|ADDBASE|ADDCOL|ADDROW)\b")
_CHOICE = re.compile(r"\{(?:\d{1,3}(?:-\d{1,3})?\$\$)?([^{}|]*(?:\|[^{}|]*)+)\}")
_EDIT = re.compile(r"(?<!\\)\[([^\[\]():]{0,300}):(?:([^\[\]():]{0,300}):)?\s{0,9}\d{0,5}\.?\d{1,9}\s{0,9}\]")
_TURNS = re.compile(r"(?<!\\)\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_SHARE = re.compile(r"(?:^|\|)\s{0,9}\d{0,5}\.?\d{1,9}::")
_SHARES = re.compile(r":\s{0,9}[+-]?\d{0,5}\.?\d{1,9}\s{0,9}(?=\bAND\b|$)")
_TOKEN = re.compile(
    r"[^\\()\[\]{},;\n\uff0c\u3001\uff1b\u3002:]+|[,()\[\]{};\n\uff0c\u3001\uff1b\u3002]"
    r"|:\s{0,9}([+-]?\d{0,5}\.?\d{1,9})\s{0,9}\)|\\.|.",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[\\()\[\]{}<>;\n\uff0c\u3001\uff1b\u3002:.!?]|__|[A-Z]{3}")
_SENTENCE = re.compile(r"[.!?](?=\s|$)")
_END = re.compile(r"[,;\n\uff0c\u3001\uff1b\u3002]|[.!?](?=\s)")
_SPEAKS = re.compile(r"[^\W_]|[\u2100-\U0010ffff]")
"""A letter, a digit, or what is beyond letters, such as an emoji; the rest is punctuation."""

_SEPARATORS = frozenset(",;\n\uff0c\u3001\uff1b\u3002")
_OPENS = {"(": UP, "[": DOWN, "{": BRACE}
_CLOSES = {")": "(", "]": "[", "}": "{"}
_BRACKETS = _OPENS.keys() | _CLOSES.keys()
_SIGNS = _BRACKETS | _SEPARATORS


class Word(NamedTuple):
    """One word of a prompt."""

    text: str
    weight: float
    """1.0 where nothing says otherwise."""


def words(prompt: str) -> list[Word]:
    r"""Cut a prompt into its words, in their order, each once.

    >>> [tuple(one) for one in words(r"(masterpiece:1.2), ((best)), [dull], star \(sky\), <lora:ink:0.8>")]
    [('masterpiece', 1.2), ('best', 1.21), ('dull', 0.9091), ('star (sky)', 1.0)]
    """
    text = prompt if len(prompt) <= LONGEST else _shortened(prompt)
    if _SPECIAL.search(text) is None:
        return _once((part, 1.0) for part in text.split(","))
    if "<" in text:
        text = _LORA.sub(",", text)
    if "AND" in text:
        text = _SHARES.sub("", text)
    if "[" in text:
        text = _TURNS.sub(_listed, _EDIT.sub(_edited, text))
    if "{" in text:
        text = _CHOICE.sub(_listed, text)
    if "__" in text:
        text = _WILDCARD.sub(" ", text)
    if "BREAK" in text or "AND" in text or "ADD" in text:
        text = _REGION.sub(",", text)
    return _once(_weighted(_SENTENCE.sub(",", text)))


def _shortened(prompt: str) -> str:
    """Cut a prompt that is too long behind a word, so that no half of one is taken for a word."""
    ends = [found.end() for found in _END.finditer(prompt, 0, LONGEST + 1)]
    return prompt[: ends[-1]] if ends else ""


def _listed(found: re.Match[str]) -> str:
    """Write alternatives one after the other, without their shares."""
    return _SHARE.sub("|", found[1]).replace("|", ",")


def _edited(found: re.Match[str]) -> str:
    """Write both what is there at first and what takes its place."""
    return f"{found[1]},{found[2] or ''}"


def _once(found: Iterable[tuple[str, float]]) -> list[Word]:
    """Tidy words, and keep the first of those that are the same but for their case."""
    unique: dict[str, Word] = {}
    for raw, weight in found:
        text = " ".join(raw.split())
        if _SPEAKS.search(text) is not None:
            unique.setdefault(text.casefold(), Word(text, weight))
    return list(unique.values())


def _weighted(text: str) -> Iterator[tuple[str, float]]:
    """Cut a text at its separators; a word has the weight of that part of it which is furthest from 1."""
    tokens = [(token[0], token[1]) for token in _TOKEN.finditer(text)]
    factors, ends, borders = _brackets(tokens)
    outer: list[float] = []
    current, weight, closed = 1.0, 1.0, False
    parts: list[str] = []
    for place, (sign, explicit) in enumerate(tokens):
        if sign in _SEPARATORS or place in borders or (closed and sign in _OPENS):
            yield "".join(parts), _tidy(weight)
            parts, weight = [], 1.0
        if place in factors:
            outer.append(current)
            current *= factors[place]
        elif place in ends:
            current = outer.pop()
        elif sign not in _SIGNS and explicit is None:
            parts.append(_unescaped(sign) if sign[0] == "\\" else sign)
            if current != 1.0 and abs(current - 1) > abs(weight - 1) and not sign.isspace():
                weight = current
        closed = place in ends or (closed and sign.isspace())
    yield "".join(parts), _tidy(weight)


class _Open(NamedTuple):
    """A bracket that waits for its end."""

    sign: str
    place: int
    separators: int
    """How many were before it."""


def _brackets(tokens: Sequence[tuple[str, str | None]]) -> tuple[dict[int, float], set[int], set[int]]:
    """Match brackets: what each opening one does to the weight, where such pairs end, and which of both end a word.

    Lone ones do nothing.
    """
    factors: dict[int, float] = {}
    ends: set[int] = set()
    borders: set[int] = set()
    opened: list[_Open] = []
    waiting = dict.fromkeys(_OPENS, 0)
    separators = 0
    for place, (sign, explicit) in enumerate(tokens):
        separators += sign in _SEPARATORS
        if sign not in _BRACKETS and explicit is None:
            continue
        if sign in _OPENS:
            opened.append(_Open(sign, place, separators))
            waiting[sign] += 1
            continue
        wanted = "(" if explicit is not None else _CLOSES[sign]
        if not waiting[wanted]:
            continue
        while True:
            begun = opened.pop()
            waiting[begun.sign] -= 1
            if begun.sign == wanted:
                break
        factors[begun.place] = _OPENS[wanted] if explicit is None else float(explicit)
        ends.add(place)
        listed = separators > begun.separators
        if listed or (explicit is not None and begun.place and tokens[begun.place - 1][0][-1].isalnum()):
            borders.add(begun.place)
        if listed or (explicit is not None and place + 1 < len(tokens) and tokens[place + 1][0][0].isalnum()):
            borders.add(place)
    return factors, ends, borders


def _tidy(weight: float) -> float:
    """Round a weight; one that no computer can hold says nothing."""
    return 1.0 if weight == 1.0 or not math.isfinite(weight) else round(weight, 4)


def _unescaped(text: str) -> str:
    return text[1] if len(text) > 1 and text[0] == "\\" and text[1] in "()[]{}\\" else text
