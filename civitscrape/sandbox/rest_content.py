"""``/api/v1/content/{path}`` and ``/api/v1/permissions/check`` (contract rest.md §8.6, §8.9)."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.model_query import js_number
from civitscrape.sandbox.wrappers import error, public

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.models import VersionRecord
    from civitscrape.sandbox.site import Site

CONTENT = "/api/v1/content"


class Text(NamedTuple):
    """A page that the site keeps as a Markdown file."""

    title: str
    description: str
    content: str
    lastmod: str | None = None


TEXTS = {
    "tos": Text("Terms of the harbour", "What holds here", "\n# Terms\n\nBe kind.\n", "2026-03-01T00:00:00.000Z"),
    "tos.green": Text(
        "Terms of the quiet harbour", "What holds here", "\n# Terms\n\nBe kind and quiet.\n", "2026-03-02T00:00:00.000Z"
    ),
    "privacy": Text("Privacy", "What is kept of you", "\n# Privacy\n\nNothing leaves this machine.\n"),
    "guides/lanterns": Text("Lanterns", "How to light one", "\n# Lanterns\n\nWith care.\n", "2025-11-20T00:00:00.000Z"),
}
"""By path; one that ends in a colour is for that host before the plain one is."""


@public
def content(_site: Site, ask: Ask) -> Answer:
    """``/api/v1/content/{path}``: everything that goes wrong is a 500."""
    path = ask.path.removeprefix(CONTENT).strip("/")
    # Paths with a dot reach no file: the variants of a colour cannot be asked for by name.
    found = None if "." in path else TEXTS.get(f"{path}.{ask.colour}") or TEXTS.get(path)
    if found is None:
        return json_answer(ask, b"{}", status=500)
    told = {
        "title": found.title,
        "description": found.description,
        **({} if found.lastmod is None else {"lastmod": found.lastmod}),
        "content": found.content,
        "hash": hashlib.sha256(found.content.rstrip().encode()).hexdigest(),
    }
    return json_answer(ask, compact(told))


@public
def permissions(site: Site, ask: Ask) -> Answer:
    """``/api/v1/permissions/check``: which model versions anybody may generate with; a list when none is asked of."""
    given = ask.query.getall("entityIds", [])
    parts = [part for value in given for part in value.split(",") if part.strip()]
    numbers = [js_number(one) for one in parts]
    known = ask.query.get("entityType", "ModelVersion") == "ModelVersion"
    known = known and ask.query.get("permission", "Generate") == "Generate"
    if not given or not known or not all(map(math.isfinite, (*numbers, js_number(ask.query.get("userId", ""))))):
        return error(ask, 400, "Could not parse provided model versions array.")
    if not numbers:
        return json_answer(ask, b"[]")
    versions = site.world.versions
    return json_answer(ask, compact({str(int(one)): _open(site, versions.get(int(one))) for one in numbers}))


def _open(site: Site, version: VersionRecord | None) -> bool:
    """Tell whether a version is out for everybody."""
    if version is None or version.status != "Published" or version.gated:
        return False
    return site.world.models[version.model_id].visible
