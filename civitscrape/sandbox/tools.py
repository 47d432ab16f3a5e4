"""Tools and techniques that uploaders name beside some images (contract trpc-and-pages §4.1, §4.7)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import MediaType

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

SHARE = 0.35
"""Share of images that name any."""


class Tool(NamedTuple):
    """A program or a service that images are made with."""

    id: int
    name: str
    domain: str
    priority: int | None
    company: str


class Technique(NamedTuple):
    """A way of making them."""

    id: int
    name: str
    type: str


class Use(NamedTuple):
    """A tool or technique on one image."""

    id: int
    notes: str | None


TOOLS = {
    one.id: one
    for one in (
        Tool(33, "Lantern UI", "https://lanterns.invalid/ui", 10, "Lanterns"),
        Tool(41, "Tide Graph", "https://tide.invalid", 4, "Tide"),
        Tool(58, "Ink & Paper", "https://ink.invalid", None, "Ink"),
    )
}
TECHNIQUES = {
    one.id: one
    for one in (
        Technique(1, "txt2img", "Image"),
        Technique(2, "img2img", "Image"),
        Technique(3, "inpainting", "Image"),
        Technique(5, "vid2vid", "Video"),
        Technique(6, "txt2vid", "Video"),
    )
}
_NOTES = (None, None, "hires pass at 1.5x", "only the sky, <twice>")


def tools(record: Record) -> list[Use]:
    """Draw the tools of an image; most have none."""
    return _uses(record, Random(record.seed ^ 0x7001), tuple(TOOLS))


def techniques(record: Record) -> list[Use]:
    """Draw the techniques of an image; most have none."""
    moving = "Image" if record.type is MediaType.IMAGE else "Video"
    return _uses(
        record, Random(record.seed ^ 0x7EC4), tuple(one.id for one in TECHNIQUES.values() if one.type == moving)
    )


def _uses(record: Record, draw: Random, known: tuple[int, ...]) -> list[Use]:
    # Both are named together or not at all.
    if Random(record.seed ^ 0x5A1E).random() >= SHARE:
        return []
    return [Use(one, draw.choice(_NOTES)) for one in sorted(draw.sample(known, draw.randrange(1, 3)))]
