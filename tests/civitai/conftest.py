from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

# A machine with other work to do makes single examples slow.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

PAYLOADS = Path(__file__).parents[1] / "payloads" / "pages"


def _page(data: Any, head: str = "") -> str:
    script = json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return (
        f"<!DOCTYPE html><html><head><title>lampwright Creator Profile | Civitai</title>{head}</head><body><p>…</p>"
        f'<script id="__NEXT_DATA__" type="application/json" crossorigin="anonymous">{script}</script></body></html>'
    )


@pytest.fixture
def page() -> Callable[..., str]:
    """Write a value into a page, as Next does."""
    return _page


@pytest.fixture
def profile() -> dict[str, Any]:
    """Return the ``__NEXT_DATA__`` of a profile page, superjson, anonymous."""
    data: dict[str, Any] = json.loads((PAYLOADS / "profile.json").read_text())
    return data
