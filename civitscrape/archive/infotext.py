"""Generation data as text, in the form that AUTOMATIC1111's web UI writes and most tools read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMES = {
    "steps": "Steps",
    "sampler": "Sampler",
    "scheduler": "Schedule type",
    "cfgScale": "CFG scale",
    "seed": "Seed",
    "size": "Size",
    "modelHash": "Model hash",
    "model": "Model",
    "clipSkip": "Clip skip",
    "denoise": "Denoising strength",
}
"""What the site calls a value, and what the web UI does, in the order in which it writes them."""

_COLUMNS = {"Steps": "steps", "Sampler": "sampler", "CFG scale": "cfg_scale", "Seed": "seed", "Size": "size"}
_COLUMNS |= {"Model": "model"}
_TEXTS = frozenset({"prompt", "negativeprompt", "comfy", "workflow"})
"""Names of what is no single value, in whatever spelling."""
_LONGEST = 500
"""Characters of a value; what is longer is a workflow or the like, and has no place in a line."""


def parameters(image: Mapping[str, Any]) -> str | None:
    r"""Write an image's generation data; None when there are none.

    >>> print(parameters({"prompt": "a harbour", "negative_prompt": "fog", "meta": {"steps": 30, "cfgScale": 7.0}}))
    a harbour
    Negative prompt: fog
    Steps: 30, CFG scale: 7
    """
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in _values(image))
    negative = image.get("negative_prompt")
    lines = [image.get("prompt"), f"Negative prompt: {negative}" if negative else None, line]
    return "\n".join(filter(None, lines)) or None


def _values(image: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the values in the web UI's order: the known ones first, then others as they stand in the data."""
    meta = image.get("meta") or {}
    told: dict[str, Any] = {}
    for key, value in meta.items():
        plain = re.sub(r"[ _]", "", key).lower()
        if plain not in _TEXTS and isinstance(value, str | int | float) and len(str(value)) <= _LONGEST:
            told.setdefault(_SPELLINGS.get(plain, key), value)
    for name, column in _COLUMNS.items():
        if image.get(column) is not None:
            told.setdefault(name, image[column])
    for name in _NAMES.values():
        if name in told:
            yield name, told.pop(name)
    yield from ((name, value) for name, value in told.items() if value != "")


_SPELLINGS = {re.sub(r"[ _]", "", name).lower(): called for key, called in _NAMES.items() for name in (key, called)}


def _quoted(value: Any) -> str:
    """Write a value; one that would end too soon stands in quotes, as JSON.

    >>> _quoted(7.0), _quoted("a: b, c"), _quoted(True)
    ('7', '"a: b, c"', 'True')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text
