from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A machine with other work to do makes single examples slow.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

PAYLOADS = Path(__file__).parents[1] / "payloads" / "images"


@pytest.fixture
def entry() -> dict[str, Any]:
    """Return an entry of a listing of 2026, whole."""
    found: dict[str, Any] = json.loads((PAYLOADS / "flat-2026.json").read_text())
    return found
