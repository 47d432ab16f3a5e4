"""The cache in front of the site: answers to anonymous callers are kept by address (contract rest.md §1.8, §2.3)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from civitscrape.sandbox.ask import Answer, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_ANSWERS = 10_000
PERSONAL = ("Authorization", "Cookie")
_SHARED_AGE = re.compile(r"s-maxage=(\d+)")


class Edge:
    """Answers kept for a while, errors and empty pages included; never what came with credentials."""

    def __init__(self, seconds: float = 300.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        """How long an answer is kept at most."""
        self._clock = clock
        self._kept: dict[str, tuple[float, float, Answer]] = {}

    def serves(self, method: str, headers: Mapping[str, str]) -> bool:
        """Tell whether a request may be answered from here at all."""
        return method == "GET" and not any(name in headers for name in PERSONAL)

    def get(self, url: str) -> Answer | None:
        """Return a kept answer with its age."""
        found = self._kept.get(url)
        if found is None:
            return None
        stored, until, answer = found
        now = self._clock()
        if now >= until:
            del self._kept[url]
            return None
        headers = answer.headers | {"CF-Cache-Status": "HIT", "Age": str(int(now - stored))}
        return Answer(answer.status, answer.body, headers)

    def put(self, url: str, role: Role, answer: Answer) -> Answer:
        """Keep an answer if it may be kept; return it marked as fresh from the site.

        API answers say for how long themselves; pages are kept by a rule of the edge's own.
        """
        found = _SHARED_AGE.search(answer.headers.get("Cache-Control", ""))
        length = min(self.seconds, int(found[1])) if found else self.seconds if role is Role.PAGE else 0.0
        if length > 0 and answer.status != 503:  # noqa: PLR2004 - the one status that is never kept
            if len(self._kept) >= MOST_ANSWERS:
                self._kept.clear()
            now = self._clock()
            self._kept[url] = (now, now + length, answer)
        return Answer(answer.status, answer.body, answer.headers | {"CF-Cache-Status": "MISS"})

    def purge(self) -> None:
        """Forget everything."""
        self._kept.clear()
