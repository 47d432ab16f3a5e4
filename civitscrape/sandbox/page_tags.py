"""The tags on an image's page, which a script puts there (contract trpc-and-pages §6.4)."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.ask import Colour
from civitscrape.sandbox.tags import TAGS

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask

SCRIPT = files(__package__).joinpath("image_tags.js").read_text(encoding="utf-8")
RATINGS = {Level.PG: "PG", Level.PG13: "PG-13", Level.R: "R", Level.X: "X", Level.XXX: "XXX"}
REMAPPED = {str(one.id): one.shown for one in TAGS.values() if one.shown != one.name}
"""What pages call some tags, by their ids."""


def sidebar(ask: Ask, told: dict[str, Any], picture: str) -> str:
    """Return what stands beside an image: its tags once the script has run; before that bars, as while it loads.

    Args:
        ask: who asks, and where.
        told: answer of ``image.get``.
        picture: address of the image.
    """
    data = {
        "id": told["id"],
        "rating": RATINGS.get(told["nsfwLevel"], ""),
        "names": json.dumps(REMAPPED),
        **({"video": "1"} if told["type"] == MediaType.VIDEO else {}),
        **({"green": "1"} if ask.colour is Colour.GREEN else {}),
    }
    attributes = " ".join(f'data-{name}="{html.escape(str(value))}"' for name, value in data.items())
    return (
        '<link rel="preload" as="font" href="/_next/static/media/inter.woff2" crossorigin="anonymous"/>'
        f'<img src="{html.escape(picture)}" alt=""/>'
        f'<aside id="image-tags" {attributes}><span class="loader-bars"></span></aside><script>{SCRIPT}</script>'
    )
