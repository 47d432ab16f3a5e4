"""What was asked of the sandbox: every request, and how many were under way at once."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from civitscrape.sandbox.ask import Role

KEPT = 50_000
"""Requests remembered; older ones are forgotten, the counters go on."""


@dataclass(slots=True)
class Line:
    """One request. It is told whether credentials came with it, never what they were."""

    at: float
    """Unix time of arrival, seconds."""
    role: Role
    method: str
    url: str
    """Path and query as they came."""
    host: str
    port: int
    """The caller's port: one number is one connection."""
    authorized: bool
    """Whether an ``Authorization`` header came."""
    cookies: bool
    """Whether a ``Cookie`` header came."""
    user_agent: str
    range: str
    """The ``Range`` header, empty when there was none."""
    status: int = 0
    """What was answered; 0 while under way, or when the connection was broken."""
    seconds: float = 0.0
    """How long it took."""
    sent: int = 0
    """Bytes of the body that the system took for the caller."""

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.url.partition("?")[0]


class Log:
    """The requests, their counts, and the peaks.

    A request is under way until its last byte was handed to the system: without latency most are over at once.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything; what is under way is still counted out."""
        self.lines: deque[Line] = deque(maxlen=KEPT)
        self.counts: Counter[Role] = Counter()
        self.in_flight: Counter[Role] = Counter()
        self.peaks: Counter[Role] = Counter()

    def open(self, line: Line) -> None:
        """Count a request in."""
        role = line.role
        self.lines.append(line)
        self.counts[role] += 1
        self.in_flight[role] = now = self.in_flight[role] + 1
        self.peaks[role] = max(self.peaks[role], now)

    def close(self, line: Line, status: int, sent: int = 0) -> None:
        """Count it out."""
        line.sent = sent
        line.status = status
        line.seconds = time.time() - line.at
        self.in_flight[line.role] = max(self.in_flight[line.role] - 1, 0)

    def of(self, role: Role | str) -> list[Line]:
        """List the requests of a role, oldest first."""
        return [one for one in list(self.lines) if one.role == role]

    def as_dict(self) -> dict[str, Any]:
        """Tell everything as JSON would."""
        lines = list(self.lines)
        names = [name for name in Line.__slots__ if not name.startswith("_")]
        return {
            "counts": dict(self.counts),
            "peaks": dict(self.peaks),
            "connections": {role: len({one.port for one in lines if one.role == role}) for role in self.counts},
            "requests": [{name: getattr(one, name) for name in names} for one in lines],
        }
