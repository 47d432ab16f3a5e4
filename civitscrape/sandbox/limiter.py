"""Fixed windows of a minute, by which REST counts callers of articles, and of collections (contract rest.md §2.4)."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from civitscrape.sandbox.ask import compact, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.ask import Answer, Ask

WINDOW = 60.0
"""Seconds."""


class Limiter:
    """Counts the requests of each caller; the count starts anew when a caller's window is over."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def refusal(self, ask: Ask, most: int) -> Answer | None:
        """Count a request; answer 429 when it is one too many.

        Args:
            ask: the request.
            most: requests of an anonymous caller in a window, who is known by address; twice as many for a login.
                0 is no limit.
        """
        if not most:
            return None
        who = ask.headers.get("CF-Connecting-IP", "loopback") if ask.caller is None else f"user {ask.caller.user_id}"
        now = self._clock()
        start, count = self._windows.get(who, (now, 0))
        if now - start >= WINDOW:
            start, count = now, 0
        self._windows[who] = start, count + 1
        if count < (most if ask.caller is None else 2 * most):
            return None
        body = compact({"error": "Rate limit exceeded, please retry shortly."})
        left = str(math.ceil(start + WINDOW - now))
        return json_answer(ask, body, status=429, Cache_Control="no-store", Retry_After=left)
