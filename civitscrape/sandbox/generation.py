"""What a sandbox image was made with, as ``image.getGenerationData`` tells it (contract trpc-and-pages §4.1, §10.4)."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.items import MediaType
from civitscrape.sandbox.records import generation_data, version

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

TYPES = {"checkpoint": "Checkpoint", "lora": "LORA", "embed": "TextualInversion"}
WEIGHTED = frozenset({"LORA", "DoRA", "LoCon", "TextualInversion"})
"""Types of models whose strength is told."""
DRAWN, UNKNOWN = (0.45, 0.6, 0.8, 1), 0.3


class Resource(NamedTuple):
    """One model version that an image was made with."""

    version_id: int
    type: str
    strength: float | None
    """Fraction; null where it is not known or means nothing."""
    detected: bool
    """Whether the site found it by itself."""


def resources(record: Record) -> list[Resource]:
    """List what an image was made with; strengths agree with its generation data where that has them."""
    data = generation_data(record) or {}
    told = {one["modelVersionId"]: one.get("weight") for one in data.get("civitaiResources") or ()}
    draw = Random(record.seed ^ 0x57E6)
    found = []
    for place, version_id in enumerate(record.used):
        kind = TYPES[version(version_id).type]
        drawn = None if draw.random() < UNKNOWN else draw.choice(DRAWN)
        strength = told.get(version_id, drawn) if kind in WEIGHTED else None
        found.append(Resource(version_id, kind, strength, place < record.detected))
    return found


def meta(record: Record) -> dict[str, Any] | None:
    """Return the generation data as this route cleans it; null when there is none or its creator hid it.

    Nulls and empty lists go, ``Clip skip`` becomes ``clipSkip``, the ComfyUI graph becomes an object.
    """
    data = None if record.hide_meta else generation_data(record)
    if data is None:
        return None
    cleaned = {name: value for name, value in data.items() if value is not None and value != []}
    if "Clip skip" in cleaned:
        cleaned["clipSkip"] = int(cleaned.pop("Clip skip"))
    if isinstance(cleaned.get("comfy"), str):
        cleaned["comfy"] = json.loads(cleaned["comfy"])
    return cleaned


def process(record: Record) -> str | None:
    """Name how an image was made; null without visible generation data."""
    data = meta(record)
    if data is None:
        return None
    if "engine" in data:
        return str(data["workflow"])
    if "comfy" in data:
        return "comfy"
    if record.type is not MediaType.IMAGE:
        return None
    return "txt2img + Hi-Res" if "Hires upscale" in data else "txt2img"


PROCESSES = {"txt2img": "txt2img", "txt2imgHiRes": "txt2img + Hi-Res", "img2img": "img2img", "inpainting": "inpainting"}
"""What the feed's ``generation`` filter calls each."""
