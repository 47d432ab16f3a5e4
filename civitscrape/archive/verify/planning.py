"""What is wrong with a file that rows name, and what would mend it: decided from what was seen, without touching it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Kind(StrEnum):
    """What can be found."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    DISAGREEING = "disagreeing"
    NO_SIDECAR = "no sidecar"
    ORPHANED = "orphaned"
    UNFINISHED = "unfinished"
    AWAITED = "awaited"


MEANINGS = {
    Kind.MISSING: "a row names it, and it is not there",
    Kind.DAMAGED: "its bytes are not those that the database knows",
    Kind.UNREADABLE: "it cannot be looked at",
    Kind.DISAGREEING: "rows that contradict each other",
    Kind.NO_SIDECAR: "a file without one of the sidecars that it is to have",
    Kind.ORPHANED: "no row names it",
    Kind.UNFINISHED: "left over from a download or a write that was cut off",
    Kind.AWAITED: "was here once, and is to be fetched again",
}
"""What each kind of finding means, in a few words."""


WEBP = "webp"
"""Stands for the table of a WebP beside its original; its row is that of the original, in ``media``."""


class Sight(StrEnum):
    """How the file under one path looks."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    OUTSIDE = "outside"


@dataclass(slots=True, kw_only=True)
class Look:
    """What was seen under one path."""

    sight: Sight
    why: str | None = None
    """What is wrong, a sentence without its subject."""
    size: int | None = None
    sha256: str | None = None
    """SHA-256 of what is there; None where it was not read."""
    signature: tuple[int, ...] | None = None
    """Device, inode, size and time of change: to know it again later; None when there is none."""
    lacks: list[str] = field(default_factory=list)
    """Sidecars that are to be there, and are not."""


@dataclass(slots=True, kw_only=True)
class Holding:
    """Bytes that the archive has or should have: a row of ``media`` with its images, a model file, or a lone image."""

    table: str
    """``media``, ``model_files``, ``images`` for an image without a row in ``media``, or ``WEBP``."""
    id: str | int
    """Key of the row."""
    state: str | None
    path: str | None = None
    sha256: str | None = None
    size: int | None = None
    """Bytes as they were counted when the file came; null for model files."""
    size_kb: float | None = None
    """Kibibytes that the site states of a model file: a reason to look closer, and no more."""
    names: dict[int, str | None] = field(default_factory=dict)
    """Images that have these bytes, each with the path of its own."""
    key: str | None = None
    """Key of the media, where there is one."""
    converted: bool = False
    """Whether a WebP has replaced the original; ``sha256`` and ``size`` are those of the WebP then."""
    webp: Holding | None = None
    """The WebP that lies beside the original, with the names that it has beside those of the original's images."""

    def paths(self) -> list[str]:
        """List the paths that rows name, each once, the home of the bytes first."""
        return list(dict.fromkeys(path for path in (self.path, *self.names.values()) if path))


@dataclass(slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    why: str
    """What is wrong, one sentence."""
    path: str | None = None
    """File, relative to the media store."""
    table: str | None = None
    id: str | int | None = None
    """Key of the row that the finding is about."""
    remedy: str | None = None
    """What mends it, or what was done; null when nothing here can."""
    mended: bool = False


class Settle(StrEnum):
    """What becomes of the row of a holding."""

    KEEP = "keep"
    ADOPT = "adopt"
    FORGET = "forget"
    CLEAR = "clear"


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is wrong with a holding, and the steps that mend it."""

    findings: list[Finding] = field(default_factory=list)
    settle: Settle = Settle.KEEP
    """``adopt``: call it stored; ``forget``: fetch it again; ``clear``: take back a path that leads to no file."""
    source: str | None = None
    """Path of its own under which the bytes are whole."""
    place: list[str] = field(default_factory=list)
    """Paths to be filled from the source."""
    name: list[int] = field(default_factory=list)
    """Images that are to get a path of their own."""
    aside: list[str] = field(default_factory=list)
    """Damaged files to be kept aside when no better bytes turn up."""
    drop: list[str] = field(default_factory=list)
    """Damaged files to be removed, because what they were made from is whole."""
    sidecars: list[int] = field(default_factory=list)
    """Images whose sidecar is to be written."""

    @property
    def seeks(self) -> bool:
        """Whether bytes from elsewhere would help: another row's, or those of a file that no row names."""
        return self.settle is Settle.FORGET

    @property
    def acts(self) -> bool:
        """Whether there is anything to do."""
        return self.settle is not Settle.KEEP or bool(self.place or self.name or self.sidecars)


RESTORE = "restored from {source}"
FETCH = "wanted again: the same crawl command, or `civitscrape retry`, fetches it"
CLEARED = "the row no longer names it"
ADOPTED = "called stored again"
NAMED = "linked under a name of its own"
WRITTEN = "written again from the database"


def plan(holding: Holding, looks: Mapping[str, Look]) -> Plan:
    """Decide what is wrong with a holding and what would mend it.

    Args:
        holding: what the rows say.
        looks: what was seen under each of its paths.
    """
    whole = [path for path in holding.paths() if looks[path].sight is Sight.WHOLE]
    source = next(iter(whole), None)
    if holding.table == "images":
        return _plan_lone(holding, looks)
    if holding.state != MediaState.STORED:
        return _plan_unstored(holding, looks, source)
    if source is None:
        return _plan_lost(holding, looks)
    return _plan_stored(holding, looks, source)


def _plan_stored(holding: Holding, looks: Mapping[str, Look], source: str) -> Plan:
    """Plan for bytes that are whole under at least one of their paths."""
    found = Plan(source=source)
    for finding in flaws(holding, looks):
        path = finding.path or ""
        if looks[path].sight in {Sight.MISSING, Sight.DAMAGED}:
            found.place.append(path)
            finding.remedy = RESTORE.format(source=source)
        elif _is_outside(looks[path]):
            found.settle = Settle.ADOPT
            finding.remedy = CLEARED
        found.findings.append(finding)
    if holding.path is None:
        found.settle = Settle.ADOPT
        found.findings.append(_disagreement(holding, "is stored, and its row does not say where", ADOPTED))
    for number, name in holding.names.items():
        _see_to_name(found, number, name, looks)
    return found


def _see_to_name(found: Plan, number: int, path: str | None, looks: Mapping[str, Look]) -> None:
    """Give an image a path where it has none that can be used, and its file a sidecar."""
    if path is None or _is_outside(looks[path]):
        found.name.append(number)
        if path is None:
            why = f"image {number} has no path, and its bytes are here"
            found.findings.append(Finding(kind=Kind.DISAGREEING, why=why, table="images", id=number, remedy=NAMED))
    elif path in found.place:
        found.sidecars.append(number)
    elif looks[path].sight is Sight.WHOLE and looks[path].lacks:
        found.sidecars.append(number)
        why = f"there is no {' and no '.join(name.rpartition('/')[2] for name in looks[path].lacks)} beside it"
        found.findings.append(
            Finding(kind=Kind.NO_SIDECAR, why=why, path=path, table="images", id=number, remedy=WRITTEN)
        )


def _plan_lost(holding: Holding, looks: Mapping[str, Look]) -> Plan:
    """Plan for bytes that are whole under none of their paths."""
    found = Plan(findings=list(flaws(holding, looks)))
    if not found.findings:
        found.findings.append(_disagreement(holding, "is called stored, and no row says where", None))
    if any(look.sight is Sight.UNREADABLE for look in looks.values()):
        return found  # they may be whole behind what keeps us from reading them
    found.settle = Settle.FORGET
    found.aside = [path for path, look in looks.items() if look.sight is Sight.DAMAGED]
    for finding in found.findings:
        finding.remedy = FETCH
    return found


def _plan_unstored(holding: Holding, looks: Mapping[str, Look], source: str | None) -> Plan:
    """Plan for a row that names a file although it does not call it stored."""
    if source is not None:
        found = Plan(settle=Settle.ADOPT, source=source)
        why = f"is called {holding.state or 'not asked for'}, and the file is here, whole"
        found.findings.append(_disagreement(holding, why, ADOPTED, source))
        found.place = [path for path, look in looks.items() if look.sight in {Sight.MISSING, Sight.DAMAGED}]
        found.name = [one for one, path in holding.names.items() if path is None or _is_outside(looks[path])]
        found.sidecars = [one for one, path in holding.names.items() if path is not None and one not in found.name]
        return found
    states = ", ".join(sorted({look.sight for look in looks.values()}))
    why = f"is called {holding.state or 'not asked for'}, and a row names a file for it, which is {states}"
    first = next(iter(looks), None)
    if any(look.sight is Sight.UNREADABLE for look in looks.values()):
        return Plan(findings=[_disagreement(holding, why, None, first)])
    aside = [path for path, look in looks.items() if look.sight is Sight.DAMAGED]
    return Plan(settle=Settle.CLEAR, aside=aside, findings=[_disagreement(holding, why, CLEARED, first)])


def _plan_lone(holding: Holding, looks: Mapping[str, Look]) -> Plan:
    """Plan for an image that has a path and no row in ``media``."""
    ((number, path),) = holding.names.items()
    look = looks[path or ""]
    if look.sight is Sight.WHOLE:
        if holding.key is None:  # nothing could fetch it, and nothing is known that it could be held against
            return Plan()
        why = f"image {number} has a file, and the table media does not know it"
        finding = Finding(kind=Kind.DISAGREEING, why=why, path=path, table="images", id=number, remedy=ADOPTED)
        return Plan(settle=Settle.ADOPT, source=path, findings=[finding], sidecars=[number])
    found = Plan(findings=list(flaws(holding, looks)))
    if look.sight is Sight.UNREADABLE:
        return found
    found.settle = Settle.CLEAR
    found.aside = [path] if path is not None and look.sight is Sight.DAMAGED else []
    for finding in found.findings:
        finding.remedy = CLEARED if holding.key is None else FETCH
    return found


def rescue(holding: Holding, looks: Mapping[str, Look], source: str) -> Plan:
    """Plan to fill the names of a holding with the same bytes from elsewhere.

    Args:
        holding: what the rows say.
        looks: what was seen under each of its paths.
        source: path of the bytes, of another row or of none.
    """
    names = [number for number, path in holding.names.items() if path is None or _is_outside(looks[path])]
    found = list(flaws(holding, looks)) or [_disagreement(holding, "is called stored, and no row says where", None)]
    for finding in found:
        finding.remedy = RESTORE.format(source=source)
    return Plan(
        findings=found,
        settle=Settle.ADOPT,
        source=source,
        place=[path for path, look in looks.items() if not _is_outside(look)],
        name=names,
        sidecars=[number for number in holding.names if number not in names],
    )


def _is_outside(look: Look) -> bool:
    return look.sight is Sight.OUTSIDE


_KINDS = {
    Sight.MISSING: Kind.MISSING,
    Sight.DAMAGED: Kind.DAMAGED,
    Sight.UNREADABLE: Kind.UNREADABLE,
    Sight.OUTSIDE: Kind.DISAGREEING,
}


def flaws(holding: Holding, looks: Mapping[str, Look]) -> Iterator[Finding]:
    """Name the paths of a holding that are not whole, each with the row that names it."""
    for path in holding.paths():
        look = looks[path]
        if look.sight is not Sight.WHOLE:
            image = next((number for number, name in holding.names.items() if name == path), None)
            table, key = (holding.table, holding.id) if image is None else ("images", image)
            yield Finding(kind=_KINDS[look.sight], why=look.why or "is not there", path=path, table=table, id=key)


def _disagreement(holding: Holding, why: str, remedy: str | None, path: str | None = None) -> Finding:
    text = f"{holding.table} {holding.id} {why}"
    return Finding(kind=Kind.DISAGREEING, why=text, path=path, table=holding.table, id=holding.id, remedy=remedy)
