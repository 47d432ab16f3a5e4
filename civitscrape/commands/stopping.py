"""Ctrl-C in commands that work for long: the first finishes what is in work, the second ends the process."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stopping() -> Iterator[Event]:
    """Let the first Ctrl-C set what this gives; whoever works looks at it. The second one ends the process."""
    stop = Event()

    def ask(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
