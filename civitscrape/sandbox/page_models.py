"""Pages of models, and the way to them from versions (contract trpc-and-pages §6.2)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from civitscrape.sandbox import frames
from civitscrape.sandbox.frames import Page, data_of, prefetch
from civitscrape.sandbox.gates import gate

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Answer, Ask
    from civitscrape.sandbox.site import Site

Found = re.Match[str]
SHOWN = 20
"""Images of the carousel."""


def slug(name: str) -> str:
    """Write a name as the end of an address.

    >>> slug("Amber Lantern XL, v2")
    'amber-lantern-xl-v2'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def model(site: Site, ask: Ask, found: Found) -> Answer:
    """``/models/{id}/{slug}``: a missing or wrong slug is a redirect, a missing model 404."""
    asked = ask.query.get("modelVersionId", "")
    if not found[1].isdecimal():
        return frames.missing()
    queries = prefetch(site, ask, "model.getById", {"id": int(found[1]), "excludeTrainingData": True})
    told = data_of(queries, "model.getById")
    page = Page(
        route="/models/[id]/[[...slug]]",
        query={"id": found[1], **ask.query},
        title=frames.DEFAULT_TITLE,
        body="<h1>404</h1>",
        queries=queries,
        own={"id": int(found[1])},
        listed=False,
    )
    if told is None:
        # Who names a version gets a page, which only then finds out.
        return frames.answer(site, ask, page) if asked.isdecimal() else frames.missing()
    ending = slug(told["name"])
    # A name without Latin letters leaves no slug to send anybody to.
    if ending and found[2] != ending:
        query = urlencode(list(ask.query.items()))
        good = found[2] is None and not query
        return frames.redirect(308 if good else 307, f"/models/{told['id']}/{ending}{'?' if query else ''}{query}")
    versions = told["modelVersions"]
    shown = next((one for one in versions if str(one["id"]) == asked), versions[0])
    number, owner = shown["id"], told["user"]
    queries += prefetch(site, ask, "hiddenPreferences.getHidden")
    queries += prefetch(site, ask, "common.getEntityAccess", {"entityType": "ModelVersion", "entityId": [number]})
    queries += prefetch(site, ask, "user.getCreator", {"id": owner["id"]})
    carousel = {"modelVersionId": number, "prioritizedUserIds": [owner["id"]], "period": "AllTime", "limit": SHOWN}
    carousel |= {"sort": "Most Reactions", "pending": True}
    queries += prefetch(site, ask, "image.getInfinite", carousel, kind="infinite")
    allowed = gate(ask, told["nsfwLevel"], nsfw=told["nsfw"])
    group = site.world.versions[number].group
    page = page._replace(
        title=f"{told['name']} - {shown['name']} | {group} {told['type']} | Civitai",
        body=allowed.card or f"<h1>{html.escape(told['name'])}</h1>{told['description'] or ''}",
        listed=allowed.listed and told["availability"] != "Unsearchable",
        head=f'<link rel="canonical" href="{ask.origin}/models/{told["id"]}/{ending}"/>',
    )
    return frames.answer(site, ask, page)


def version(site: Site, _ask: Ask, found: Found) -> Answer:
    """``/model-versions/{id}``: a redirect to its model."""
    known = site.world.versions.get(int(found[1])) if found[1].isdecimal() else None
    if known is None:
        return frames.missing()
    return frames.redirect(308, f"/models/{known.model_id}?modelVersionId={known.id}")
