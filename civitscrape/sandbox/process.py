"""The sandbox in a process of its own, for tests and benchmarks that must not share their loop or their core."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def spawn(*options: str) -> Iterator[dict[str, Any]]:
    """Run ``python -m civitscrape.sandbox`` with options; yield its addresses, and stop it in the end.

    Raises:
        RuntimeError: it ended before it was ready; its own words are on standard error.
    """
    command = [sys.executable, "-m", "civitscrape.sandbox", "--watch-stdin", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError(f"the sandbox did not start: {' '.join(command)} ended with {process.wait()}")
            yield json.loads(line)
        finally:
            process.terminate()
