"""The process of one Scrapyd job: what Scrapyd would have `scrapy` do, with all that it says in the job's log."""

from __future__ import annotations

import os
import signal
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

STDOUT, STDERR = 1, 2


def log_file(words: Sequence[str]) -> str | None:
    """Find the log file that a command line names, or None.

    >>> log_file(["crawl", "user", "-a", "LOG_FILE=no", "-s", "LOG_FILE=1.log"])
    '1.log'
    """
    found = [
        after.removeprefix("LOG_FILE=") for word, after in pairwise(words) if word == "-s" and "LOG_FILE=" in after
    ]
    return found[-1] if found else None


def say_into(path: str) -> None:
    """Send standard output and error to the end of a file: errors before the crawl, and the report after it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (STDOUT, STDERR):
        os.dup2(descriptor, stream)
    os.close(descriptor)


def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (a signal handler's arguments)
    """End at once, before Scrapy has put its own handler here."""
    sys.stderr.write("civitscrape: stopped before the first request; nothing has changed\n")
    sys.stderr.flush()
    os._exit(0)


def main() -> None:
    """Run the command line as a Scrapy command."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    if sys.platform != "win32":
        os.setpgid(0, 0)  # a Ctrl-C typed at the daemon would come twice: from the terminal and from the daemon
    path = log_file(sys.argv)
    if path is not None:
        say_into(path)
    from scrapy.cmdline import execute  # noqa: PLC0415 (takes a second, in which a cancel may come)

    execute()


if __name__ == "__main__":
    main()
