"""What a check has found, counted, with some of each kind by name; memory stays flat however much it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from civitscrape.archive.fingerprints import printable
from civitscrape.archive.verify.planning import MEANINGS, Finding, Kind
from civitscrape.ledger import Outcome

NAMED = 1000
"""Findings of one kind that are named; all are counted."""


@dataclass(slots=True)
class Group:
    """Findings of one kind."""

    found: int = 0
    mended: int = 0
    named: list[Finding] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Findings:
    """Everything that a check has found."""

    files: int = 0
    """Rows whose files were looked at."""
    size: int = 0
    """Bytes of the files that were looked at."""
    unproven: int = 0
    """Files that are there, and of which the database knows no SHA-256."""
    aside: int = 0
    """Damaged files that were kept aside."""
    waiting: int = 0
    """Parts whose file is still wanted; the crawl that wants it goes on with them."""
    stopped: bool = False
    groups: dict[Kind, Group] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while there is room."""
        group = self.groups.setdefault(finding.kind, Group())
        group.found += 1
        group.mended += finding.mended
        if len(group.named) < NAMED:
            group.named.append(finding)

    @property
    def left(self) -> int:
        """Number of findings that were not mended."""
        return sum(group.found - group.mended for group in self.groups.values())

    @property
    def outcome(self) -> Outcome:
        """``complete`` when all is well or was mended, ``stopped`` after Ctrl-C, else ``incomplete``."""
        if self.stopped:
            return Outcome.STOPPED
        return Outcome.INCOMPLETE if self.left else Outcome.COMPLETE

    def as_json(self) -> dict[str, Any]:
        """Turn the findings into JSON values."""
        counts = {name: getattr(self, name) for name in ("files", "size", "unproven", "aside", "waiting")}
        groups = {
            str(kind): {
                "meaning": MEANINGS[kind],
                "found": self.groups[kind].found,
                "mended": self.groups[kind].mended,
                "named": [_shown(one) for one in self.groups[kind].named],
            }
            for kind in Kind
            if kind in self.groups
        }
        return {"outcome": self.outcome, "counts": counts, "left": self.left, "findings": groups}


def _shown(finding: Finding) -> dict[str, Any]:
    values = asdict(finding)
    if finding.path is not None:
        values["path"] = _text(finding.path)
    return {name: _text(value) if isinstance(value, str) else value for name, value in values.items()}


def _text(value: str) -> str:
    """Write what a file system or a database gave so that JSON and terminals take it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        try:
            return printable(value)
        except UnicodeEncodeError:
            return value.encode("utf-8", "backslashreplace").decode()
    return value
