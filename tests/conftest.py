"""Fast tests first: whole crawls run after everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move whole crawls to the end; the order within each half stays."""
    items.sort(key=lambda item: item.get_closest_marker("crawl") is not None)
