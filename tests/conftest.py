"""Fast tests first: whole crawls run after everything else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    import pytest

LOOPS: dict[str, Callable[[], AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
"""Event loops by name; the last is the one that crawls use here."""
with suppress(ImportError):  # on Windows
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move whole crawls to the end; the order within each half stays."""
    items.sort(key=lambda item: item.get_closest_marker("crawl") is not None)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], AbstractEventLoop]]:
    """Test on the loop that crawls use; what receives and writes files on the other one as well."""
    return LOOPS if item.path.parent.name == "downloads" else dict([*LOOPS.items()][-1:])
