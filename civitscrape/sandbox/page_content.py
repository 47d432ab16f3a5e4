"""Pages of images, posts, collections and tags (contract trpc-and-pages §6.2, §10.10, §10.11)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from civitscrape.items import Level, MediaType
from civitscrape.sandbox import frames, page_tags
from civitscrape.sandbox.ask import SFW, Colour
from civitscrape.sandbox.frames import Page, data_of, prefetch
from civitscrape.sandbox.gates import gate
from civitscrape.sandbox.models import popularity
from civitscrape.sandbox.tags import BLOCKED, TAGS, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from civitscrape.sandbox.ask import Answer, Ask
    from civitscrape.sandbox.site import Site

Found = re.Match[str]
MOST_MODELS = 20


def _canonical(ask: Ask, path: str) -> str:
    return f'<link rel="canonical" href="{ask.origin}{path}"/>'


def image(site: Site, ask: Ask, found: Found) -> Answer:
    """``/images/{id}``: 200 whatever happens; one that is missing lacks its main query and title."""
    if not found[1].isdecimal():
        return frames.missing()
    given = {"id": int(found[1])}
    names = ["image.get", "image.getGenerationData"]
    names += ["image.getContestCollectionDetails"] if ask.caller else []
    queries = [query for name in names for query in prefetch(site, ask, name, given)]
    queries += prefetch(site, ask, "hiddenPreferences.getHidden")
    told = data_of(queries, "image.get")
    page = Page("/images/[imageId]", {"imageId": found[1]}, frames.DEFAULT_TITLE, "<h1>404</h1>", queries, listed=False)
    if told is None:
        return frames.answer(site, ask, page)
    shown = gate(ask, told["nsfwLevel"])
    kind = "Video" if told["type"] == MediaType.VIDEO else "Image"
    by = told["user"]["username"]
    picture = f"{ask.image_location}/{told['url']}/width=450/{told['url']}.jpeg"
    beside = page_tags.sidebar(ask, told, picture)
    body = shown.card or f'<a href="/posts/{told["postId"]}">View Post</a><div data-image="{told["id"]}"></div>{beside}'
    card = f'<meta property="og:image" content="{ask.origin}/api/og?type=image&amp;id={told["id"]}"/>'
    page = page._replace(
        title=f"{kind} posted by {by}" if by else f"{kind} posted to civitai",
        body=body,
        # Images are never to be indexed, mild videos are.
        listed=shown.listed and kind == "Video" and bool(told["nsfwLevel"] & SFW),
        head=_canonical(ask, ask.path) + card,
    )
    return frames.answer(site, ask, page)


def post(site: Site, ask: Ask, found: Found) -> Answer:
    """``/posts/{id}``: the post and the first 100 of its images that the caller may see; 404 when it is missing."""
    given = {"id": int(found[1])} if found[1].isdecimal() else {}
    queries = prefetch(site, ask, "post.get", given)
    told = data_of(queries, "post.get")
    if told is None:
        return frames.missing()
    feed = {"postId": told["id"], "pending": ask.caller is not None, "withMeta": False, "include": []}
    queries += prefetch(site, ask, "image.getInfinite", feed, kind="infinite")
    queries += prefetch(site, ask, "post.getContestCollectionDetails", given)
    queries += prefetch(site, ask, "hiddenPreferences.getHidden")
    shown = gate(ask, told["nsfwLevel"], nsfw=told["nsfw"])
    title = told["title"]
    if title is None:
        # The site's own words for a creator who is gone.
        title = f"Image post by {told['user']['username'] or 'null'}"
    words = html.escape(_english([one["name"] for one in told["tags"]]))
    page = Page(
        route="/posts/[postId]/[[...postSlug]]",
        query={"postId": found[1]},
        title=f"{title} | Civitai",
        body=shown.card or f"<h1>{html.escape(title)}</h1>{told['detail'] or ''}",
        queries=queries,
        own={"postId": told["id"]},
        listed=shown.listed,
        head=_canonical(ask, f"/posts/{told['id']}") + (f'<meta name="keywords" content="{words}"/>' if words else ""),
    )
    return frames.answer(site, ask, page)


def _english(words: Sequence[str]) -> str:
    """Join words as an English list.

    >>> _english(["a", "b", "c"]), _english(["a", "b"])
    ('a, b, and c', 'a and b')
    """
    *head, last = words or ("",)
    if len(head) < 2:  # noqa: PLR2004 - no comma between two
        return " and ".join((*head, last))
    return f"{', '.join(head)}, and {last}"


def collection(site: Site, ask: Ask, found: Found) -> Answer:
    """``/collections/{id}``: the record alone, none of its items; null for what is private or missing."""
    digits = re.match(r"\d+", found[1])
    if digits is None:
        return frames.missing()
    if digits[0] != found[1]:
        return frames.redirect(308, f"/collections/{digits[0]}")
    number = int(found[1])
    queries = prefetch(site, ask, "collection.getById", {"id": number})
    if ask.caller:
        queries += prefetch(site, ask, "collection.getAllUser", {})
        queries += prefetch(site, ask, "hiddenPreferences.getHidden")
    told = data_of(queries, "collection.getById")["collection"]
    page = Page(
        route="/collections/[collectionId]",
        query={"collectionId": found[1]},
        title=frames.DEFAULT_TITLE,
        body="<h1>404</h1>",
        queries=queries,
        own={"collectionId": number},
        listed=False,
    )
    if told is None:
        return frames.answer(site, ask, page)
    # An empty collection has no level, and nothing to hide.
    shown = gate(ask, told["nsfwLevel"] or int(Level.PG), nsfw=told["nsfw"])
    page = page._replace(
        title=f"{told['name']} - collection posted by {told['user']['username']} | Civitai",
        body=shown.card or f"<h1>{html.escape(told['name'])}</h1>",
        listed=shown.listed and told["read"] == "Public",
        head=_canonical(ask, f"/collections/{number}"),
    )
    return frames.answer(site, ask, page)


def tag(site: Site, ask: Ask, found: Found) -> Answer:
    """``/tag/{name}``: an unknown one is a page with an empty list."""
    name = found[1]
    if name in BLOCKED:
        return frames.missing()
    queries = prefetch(site, ask, "tag.getTagWithModelCount", {"name": name})
    known = named(name)
    page = Page(
        route="/tag/[tagname]",
        query={"tagname": name},
        title=f"{name} AI Models | Civitai",
        body=f"<h1>{html.escape(name)}</h1>",
        queries=queries,
        own={"tagname": name, "seoData": _models(site, known.id if known else None)},
        listed=ask.colour is Colour.GREEN,
        head=_canonical(ask, ask.path),
    )
    return frames.answer(site, ask, page)


def _models(site: Site, tag_id: int | None) -> dict[str, Any]:
    """List the most liked models that carry a tag."""
    tagged = [one for one in site.world.models.values() if tag_id in one.tag_ids and one.visible and tag_id in TAGS]
    best = sorted(tagged, key=lambda one: -popularity(one).thumbs_up)[:MOST_MODELS]
    return {
        "count": len(tagged),
        "models": [
            {
                "id": one.id,
                "name": one.name,
                "type": one.type,
                "creator": one.username,
                "stats": {"downloadCount": popularity(one).downloads, "thumbsUpCount": popularity(one).thumbs_up},
            }
            for one in best
            if one.level & Level.PG
        ],
    }
