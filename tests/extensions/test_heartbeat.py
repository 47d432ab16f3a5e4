"""Scrapy looks often enough whether anything is left to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from scrapy.core.engine import ExecutionEngine

from civitscrape.extensions.heartbeat import INTERVAL, Heartbeat


def test_the_interval_that_is_set_is_the_one_that_scrapy_has():
    engine: Any = object.__new__(ExecutionEngine)
    crawler: Any = SimpleNamespace(engine=engine)

    Heartbeat(crawler).quicken()

    assert engine._SLOT_HEARTBEAT_INTERVAL == INTERVAL < ExecutionEngine._SLOT_HEARTBEAT_INTERVAL
