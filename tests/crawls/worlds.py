"""Small worlds for crawls that go wrong: every page short, so that a few pictures make many of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from civitscrape.items import Level
from civitscrape.sandbox.world import CreatorSpec, World

NAME = "lampwright"
ASK = {"username": NAME}
SAFE = ((Level.PG, 7.0), (Level.PG13, 3.0))
LONG_AGO = datetime(2024, 5, 1, tzinfo=UTC)
"""When time stands still in these worlds: before any walk began, whatever this machine's clock says."""

PAGE = 20
"""Entries of a page, with the fixture ``short_pages``."""


def world(images: int = 70, **options: object) -> World:
    spec = CreatorSpec(username=NAME, images=images, **{"levels": SAFE, **options})  # type: ignore[arg-type]
    return World.build(seed=7, creators=[spec, CreatorSpec(username="harbourmaster", images=3)], now=LONG_AGO)


def bared(world: World, image_id: int) -> World:
    """Take all tags off an image."""
    old = world.named(NAME)
    records = tuple(replace(one, tag_ids=()) if one.id == image_id else one for one in old.records)
    return replace(world, creators={**world.creators, NAME: replace(old, records=records)})


def at(offset: int) -> str:
    """Text by which a fault finds the page that would begin at an offset, if pages did not overlap by an entry."""
    return f"cursor={offset - offset // PAGE}%7C"
