"""What did not come, gathered by the kind of its reason: how many files, and the first of them by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = 12
"""Kinds of reasons that are told of a target at most."""

_PARTICULAR = re.compile(r"https?://\S+|'[^']*'|\b\d+(?= bytes)|\b[0-9a-fA-F]{8,}\b|\d{4,}\S*")
"""What differs from file to file in a reason: addresses, quoted names, sizes, hashes, dates; never a status."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Files that did not come for one reason."""

    state: str
    """``failed``, ``refused`` or, of model files, ``gone``."""
    error: str | None
    """Why the first of them did not come."""
    number: int
    first: str
    """What is called by its name in the sentence, such as ``image 7``."""


def gathered(losses: Iterable[Loss]) -> list[Loss]:
    """Make one of those whose reasons are of one kind; the most frequent come first.

    >>> refused = [Loss("refused", f"http://127.0.0.1/{one} answered 403", 1, f"image {one}") for one in (7, 8)]
    >>> gathered(refused)
    [Loss(state='refused', error='http://127.0.0.1/7 answered 403', number=2, first='image 7')]
    """
    kinds: dict[tuple[str, str], Loss] = {}
    for loss in losses:
        kind = loss.state, _PARTICULAR.sub("…", loss.error or "")
        before = kinds.get(kind)
        kinds[kind] = loss if before is None else replace(before, number=before.number + loss.number)
    return sorted(kinds.values(), key=lambda one: -one.number)


def sentences(losses: Iterable[Loss], state: str, what: str) -> Iterable[str]:
    """Say of files in one state what became of them, a sentence for each kind of reason."""
    found = [loss for loss in losses if loss.state == state]
    for loss in found[:KINDS]:
        yield f"{loss.number} {what}" + (f"; the first: {loss.first}: {loss.error}" if loss.error else "")
    if rest := found[KINDS:]:
        number = sum(loss.number for loss in rest)
        yield f"{number} {what}, for {len(rest)} other reasons; the tables media and model_files have them"
