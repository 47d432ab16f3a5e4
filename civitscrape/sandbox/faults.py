"""What goes wrong on purpose: rules that match requests, and what each does to the answer."""

from __future__ import annotations

import dataclasses
import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from civitscrape.sandbox.ask import Answer, Role, compact
from civitscrape.sandbox.drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from multidict import MultiMapping

MOST_RULES = 1000
SHARED = "public, s-maxage=300, stale-while-revalidate=150"
BUSY = 503
LONGEST = 600.0
"""Seconds that any fault may hold a request."""


class Fault(StrEnum):
    """What a rule does."""

    STATUS = "status"
    """Answer ``status`` with ``headers`` and ``body`` instead."""
    CHALLENGE = "challenge"
    """Answer an HTML challenge page with ``status`` (403, 503, or 200) instead."""
    MALFORMED = "malformed"
    """Cut the body in its middle and tell the shorter length truthfully: JSON breaks off, a file is damaged."""
    CONTROL_BYTE = "control_byte"
    """Put a raw control byte into the first text of a JSON body."""
    EMPTY = "empty"
    """Answer 200 with no body at all."""
    TRUNCATE = "truncate"
    """Promise the whole body, send ``share`` of it, close the connection."""
    LENGTH = "length"
    """Promise ``delta`` bytes more than are sent, or fewer where it is negative, then close the connection."""
    RESET = "reset"
    """Break the connection before a byte is sent."""
    STALL = "stall"
    """Send ``share`` of the body, hold still for ``seconds``, send the rest."""
    DRIP = "drip"
    """Send the body in small pieces over ``seconds``."""
    DELAY = "delay"
    """Wait ``seconds`` before the answer begins."""
    EMPTY_PAGE = "empty_page"
    """Answer a listing without entries and without a cursor, as after a silent timeout (contract rest.md §7.3)."""
    ZERO_STATS = "zero_stats"
    """Set every counter to 0, as when the metrics store is slow (contract rest.md §7.4)."""
    REPEAT_CURSOR = "repeat_cursor"
    """Give the cursor that was asked with as the next one."""
    DROP = "drop"
    """Take the field ``field`` (dotted) out of every entry, or out of those in ``ids``."""
    SET = "set"
    """Set the field ``field`` (dotted) of every entry, or of those in ``ids``, to ``value``."""
    PAGING = "paging"
    """Set the field ``field`` of what a listing says of its paging, ``nextCursor`` or ``nextPage``, to ``value``."""
    WORLD = "world"
    """Change the world before the answer, as ``POST /_sandbox/world`` with ``value`` for its body does."""


ORIGIN = frozenset({Fault.EMPTY_PAGE, Fault.ZERO_STATS, Fault.REPEAT_CURSOR, Fault.DROP, Fault.SET, Fault.PAGING})
"""Faults of the application itself, which an edge in front keeps like any answer; the others hit the connection."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Rule:
    """Which requests are hit, and with what. All conditions must hold; the first rule that matches is used."""

    fault: Fault
    path: str = ""
    """Start of the path."""
    contains: str = ""
    """Text within path and query as they came, percent-encoded."""
    role: Role | None = None
    after: int = 0
    """Matching requests to let pass first."""
    times: int | None = None
    """Requests to hit; all when null."""
    every: int = 1
    """Hit only each so-many-th of them."""
    origin: bool = False
    """Whether a status, a challenge or a bad body comes from behind the edge, which then may keep it."""
    status: int = 503
    """Status to answer."""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    """Headers to answer with, beside the usual ones."""
    body: str = ""
    """Body to answer with."""
    seconds: float = 1.0
    """How long to stall, drip or wait."""
    share: float = 0.5
    """Part of the body that comes through, or comes before a stall."""
    delta: int = 100
    """Bytes promised and never sent; where negative, sent and not promised."""
    field: str = ""
    """Dotted path of a field inside each entry, or a field of the paging."""
    ids: list[int] = dataclasses.field(default_factory=list)
    """Entries whose field is hit; all when empty."""
    value: Any = None
    """What to set it to, or how to change the world."""
    seen: int = 0
    """Matching requests so far."""
    hit: int = 0
    """Requests hit so far."""

    def __post_init__(self) -> None:
        self.fault = Fault(self.fault)
        self.role = None if self.role is None else Role(self.role)
        if not 0 <= self.seconds <= LONGEST:
            raise ValueError(f"sandbox fault seconds: {self.seconds} is not between 0 and {LONGEST:g}")
        if self.every < 1:
            raise ValueError(f"sandbox fault every: {self.every} is less than 1")

    @property
    def behind_edge(self) -> bool:
        """Whether its answers pass through the edge."""
        return self.fault in ORIGIN or self.origin

    def matches(self, role: Role, url: str) -> bool:
        """Tell whether a request fits, not yet whether its turn has come."""
        return (
            (self.role is None or self.role == role)
            and url.startswith(self.path)
            and (not self.contains or self.contains in url)
        )

    def takes(self) -> bool:
        """Count a matching request and tell whether it is to be hit."""
        self.seen += 1
        turn = self.seen - self.after
        if turn < 1 or (turn - 1) % self.every or (self.times is not None and self.hit >= self.times):
            return False
        self.hit += 1
        return True


class Faults:
    """The rules in force and the latency of each role; both may change while requests are under way."""

    def __init__(self, rules: Iterable[Rule] = (), latency: dict[str, float] | None = None) -> None:
        self.rules: list[Rule] = list(rules)
        self.latency: dict[Role, float] = {}
        """Milliseconds before any answer, by role."""
        self.slow(latency or {})

    def slow(self, latency: dict[str, float]) -> None:
        """Set the latency of some roles, in milliseconds."""
        self.latency.update({Role(role): min(float(one), LONGEST * 1000) for role, one in latency.items()})

    def add(self, rule: Rule | dict[str, Any]) -> Rule:
        """Add a rule.

        Raises:
            ValueError: it has a field that rules do not have, or there are too many.
        """
        if isinstance(rule, dict):
            unknown = rule.keys() - {one.name for one in dataclasses.fields(Rule)}
            if unknown or "fault" not in rule:
                known = ", ".join(one.name for one in dataclasses.fields(Rule))
                raise ValueError(f"sandbox fault {rule!r}: a rule has a fault, and of the rest only {known}")
            rule = Rule(**rule)
        if len(self.rules) >= MOST_RULES:
            raise ValueError(f"sandbox faults: {MOST_RULES} rules are enough; DELETE the old ones first")
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Take all rules and latencies away."""
        self.rules.clear()
        self.latency.clear()

    def match(self, role: Role, url: str, *, behind_edge: bool) -> Rule | None:
        """Find the rule that hits a request at the door, or one that hits it behind the edge."""
        for rule in self.rules:
            if rule.behind_edge is behind_edge and rule.matches(role, url) and rule.takes():
                return rule
        return None

    def as_dict(self) -> dict[str, Any]:
        """Tell the rules with their counts."""
        return {"rules": [dataclasses.asdict(one) for one in self.rules], "latency": dict(self.latency)}


CHALLENGE_PAGE = b"""<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
<meta name="robots" content="noindex,nofollow"></head><body><div class="main-wrapper"><h1>civitai.com</h1>
<p>Checking that you are not a robot. Enable JavaScript and cookies to continue.</p></div></body></html>"""


def replacement(rule: Rule) -> Answer | None:
    """Build the answer that stands in for the site's own; null when the site is to be asked."""
    # What comes from behind the edge may be kept there, all but 503 (contract rest.md §1.8).
    kept = rule.origin and (rule.fault is Fault.EMPTY or rule.status != BUSY)
    cache = {"Cache-Control": SHARED if kept else "no-store"}
    match rule.fault:
        case Fault.STATUS:
            kind = "application/json; charset=utf-8" if rule.body.startswith(("{", "[")) else "text/html; charset=utf-8"
            return Answer(rule.status, rule.body.encode(), {"Content-Type": kind, **cache, **rule.headers})
        case Fault.CHALLENGE:
            headers = {"Content-Type": "text/html; charset=UTF-8", "cf-mitigated": "challenge", "Server": "cloudflare"}
            return Answer(rule.status, CHALLENGE_PAGE, headers | cache | rule.headers)
        case Fault.EMPTY:
            return Answer(200, b"", {"Content-Type": "application/json; charset=utf-8", **cache})
        case _:
            return None


def damaged(answer: Answer, rule: Rule, cursor: str | None) -> Answer:
    """Alter an answer as a rule says; ``cursor`` is the one that was asked with."""
    change = _CHANGES.get(rule.fault)
    if change is None or (isinstance(answer.body, Drawn) and rule.fault is not Fault.MALFORMED):
        return answer
    headers = {name: value for name, value in answer.headers.items() if name != "ETag"}
    return Answer(answer.status, change(answer.body, rule, cursor), headers)


def asked_cursor(query: MultiMapping[str]) -> str | None:
    """Find the cursor that a request of REST or tRPC asks with; of a batch, that of the first call."""
    if "input" not in query:
        return query.get("cursor")
    try:
        given = json.loads(query["input"])
        cursor = given.get("0", given)["json"].get("cursor")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if cursor is None else str(cursor)


def _control_byte(body: bytes, _rule: Rule, _cursor: str | None) -> bytes:
    return re.sub(rb'(:\s*")', rb"\1" + b"\x0b", body, count=1)


def _edited(body: bytes, rule: Rule, cursor: str | None) -> bytes:
    """Edit the entries or the cursor of a listing, REST or tRPC in superjson, and each of a batch; the rest stays."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    for one in answer if isinstance(answer, list) else [answer]:
        _edit_listing(one, rule, cursor)
    return compact(answer)


def _edit_listing(answer: Any, rule: Rule, cursor: str | None) -> None:
    try:
        holder = answer if "items" in answer else answer["result"]["data"]["json"]
        entries, metadata = holder["items"], holder.get("metadata", holder)
    except (KeyError, TypeError):
        return
    match rule.fault:
        case Fault.EMPTY_PAGE:
            holder["items"] = []
            for name in ("nextCursor", "nextPage"):
                metadata.pop(name, None)
        case Fault.ZERO_STATS:
            for entry in entries:
                entry["stats"] = dict.fromkeys(entry["stats"], 0)
        case Fault.REPEAT_CURSOR if cursor is not None:
            metadata["nextCursor"] = cursor
            if "nextPage" in metadata:
                metadata["nextPage"] = re.sub(r"(?<=cursor=)[^&]*", quote(cursor, safe=""), metadata["nextPage"])
        case Fault.DROP | Fault.SET:
            _edit_entries(entries, rule)
        case Fault.PAGING:
            metadata[rule.field] = rule.value


def _edit_entries(entries: list[dict[str, Any]], rule: Rule) -> None:
    for entry in entries:
        if not rule.ids or entry.get("id") in rule.ids:
            _edit(entry, rule)


def _edit(entry: dict[str, Any], rule: Rule) -> None:
    *path, last = rule.field.split(".")
    for name in path:
        inner = entry.get(name)
        if not isinstance(inner, dict):
            return
        entry = inner
    if rule.fault is Fault.DROP:
        entry.pop(last, None)
    else:
        entry[last] = rule.value


_CHANGES: dict[Fault, Callable[[Any, Rule, str | None], bytes | Drawn]] = {
    Fault.MALFORMED: lambda body, rule, _: body[: int(len(body) * rule.share)],
    Fault.CONTROL_BYTE: _control_byte,
    **dict.fromkeys(ORIGIN, _edited),
}
