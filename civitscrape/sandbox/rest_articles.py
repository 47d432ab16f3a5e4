"""``/api/v1/articles`` and ``/api/v1/articles/{id}`` (contract rest.md §8.7)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox import feed_items
from civitscrape.sandbox.articles import MONTH
from civitscrape.sandbox.ask import EVERYTHING, Answer, compact, json_answer
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.model_query import js_number
from civitscrape.sandbox.model_search import database_time
from civitscrape.sandbox.records import MINUTE
from civitscrape.sandbox.rest import next_page
from civitscrape.sandbox.rest_models import id_issue, prettified
from civitscrape.sandbox.tags import TAGS
from civitscrape.sandbox.wrappers import error, message, mixed
from civitscrape.sandbox.zod import Reader, too_big

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.articles import Article, Counts
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

MOST_PER_PAGE = 100
LONGEST_CURSOR = 100
DELETED = 29 * MONTH + 250
"""Milliseconds from the day an account was made to its end, for those that are gone."""


class _Position(NamedTuple):
    """A place in a listing: what it is sorted by, and the id that settles ties."""

    value: float
    id: int


def _count(pick: Callable[[Counts], int]) -> Callable[[Article], float]:
    return lambda one: 0 if one.counts is None else pick(one.counts)


SORTS: dict[str, Callable[[Article], float]] = {
    "Most Bookmarks": _count(lambda one: one.favorite),
    "Most Reactions": _count(lambda one: len(one.reactions)),
    "Most Comments": _count(lambda one: one.comment),
    "Most Collected": _count(lambda one: one.collected),
    "Newest": lambda one: one.published / 1000,
    "Recently Updated": lambda one: one.updated / 1000,
}
"""What each sort goes by, the greatest first; times are epoch seconds with their fraction, as cursors are."""


@mixed
def articles(site: Site, ask: Ask) -> Answer:
    """``/api/v1/articles``: without their texts; a page begins with the row that its cursor names."""
    refused = site.article_limiter.refusal(ask, site.quirks.articles_per_minute)
    if refused is not None:
        return refused
    read = Reader(ask.query)
    asked, cursor = read.number("limit", least=1, most=MOST_PER_PAGE), read.text("cursor")
    if cursor and len(cursor) > LONGEST_CURSOR:
        read.issues.append(too_big("cursor", LONGEST_CURSOR, "string"))
    sort, query = read.choice("sort", tuple(SORTS)) or "Newest", (read.text("query") or "").lower()
    tags, username, nsfw = frozenset(read.numbers("tags") or ()), read.text("username"), read.boolean("nsfw")
    if read.issues:
        return json_answer(ask, compact({"error": {"name": "ZodError", "message": read.message()}}), status=400)
    start = _position(cursor) if cursor else _Position(math.inf, 0)
    if start is None:
        return error(ask, 400, "Invalid cursor")
    author = site.world.creator(username) if username else None
    if username and author is None:
        return message(ask, 404, "User not found")
    mask = EVERYTHING if nsfw else Level.PG
    places = {one.id: _Position(SORTS[sort](one), one.id) for one in site.world.articles.values()}
    found = [
        one
        for one in sorted(site.world.articles.values(), key=lambda one: places[one.id], reverse=True)
        if one.listed
        and one.level & mask
        and query in one.title.lower()
        and (not tags or not tags.isdisjoint(one.tag_ids))
        and (author is None or one.author.user_id == author.user_id)
        and places[one.id] <= start
    ]
    limit = MOST_PER_PAGE if asked is None else asked
    metadata: dict[str, str] = {}
    if len(found) > limit:
        following = places[found[limit].id]
        metadata["nextCursor"] = f"{_js(following.value)}|{following.id}"
        metadata["nextPage"] = next_page(ask, "cursor", metadata["nextCursor"])
    items = [_item(one, mask) for one in found[:limit]]
    return json_answer(ask, compact({"items": items, "metadata": metadata}))


def _position(cursor: str) -> _Position | None:
    """Read a cursor, made by the site or by hand; null when it is none."""
    value, separator, number = cursor.partition("|")
    read = js_number(value), js_number(number)
    if not separator or not all(map(math.isfinite, read)) or not read[1].is_integer():
        return None
    return _Position(read[0], int(read[1]))


def _js(value: float) -> str:
    """Write a number as JavaScript does.

    >>> _js(1781081100.5), _js(3.0)
    ('1781081100.5', '3')
    """
    return str(int(value)) if float(value).is_integer() else repr(value)


@mixed
def article(site: Site, ask: Ask, name: str) -> Answer:
    """``/api/v1/articles/{id}``: the text whatever its level, the cover only where it is PG."""
    refused = site.article_limiter.refusal(ask, site.quirks.articles_per_minute)
    if refused is not None:
        return refused
    issue = id_issue(name, "id")
    if issue is not None:
        return error(ask, 400, prettified(issue))
    number = int(js_number(name))
    found = site.world.articles.get(number)
    if found is None or not found.listed:
        return message(ask, 404, f"No article with id {number}")
    return json_answer(ask, compact(_detail(found)))


def _common(one: Article, mask: Level) -> dict[str, Any]:
    """Tell what the list and the record have in common."""
    cover = {"coverImage": _cover(one.cover)} if one.cover and one.cover.level & mask else {}
    return {
        "id": one.id,
        "cover": None,
        "title": one.title,
        "publishedAt": iso(one.published),
        "nsfwLevel": int(one.level),
        "userNsfwLevel": int(one.own_level),
        "userId": one.author.user_id,
        "createdAt": iso(one.created),
        "updatedAt": iso(one.updated),
        "availability": "Public",
        "status": one.status,
        "tags": [{"id": tag, "name": TAGS[tag].name, "isCategory": TAGS[tag].category} for tag in one.tag_ids],
        **cover,
    }


def _item(one: Article, mask: Level) -> dict[str, Any]:
    # The list gets its users as JSON from the database, whose dates have no zone.
    gone = database_time(_deleted(one), "T") if one.author.vanished else None
    return _common(one, mask) | {
        "coverId": one.cover.id if one.cover else None,
        "unlisted": False,
        **({} if one.counts is None else {"stats": _stats(one.counts)}),
        "user": _user(one) | {"deletedAt": gone, "cosmetics": None},
        "cosmetic": None,
    }


def _detail(one: Article) -> dict[str, Any]:
    heading, paragraph = one.text
    stats = None if one.counts is None else {f"{name}AllTime": count for name, count in _stats(one.counts).items()}
    file = {"id": one.id * 10, "name": "workflow.zip", "url": f"https://attachments.invalid/{one.id}/workflow.zip"}
    return _common(one, Level.PG) | {
        "content": f"<h2>{heading}</h2><p>{paragraph}</p>",
        "user": _user(one)
        | {"deletedAt": iso(_deleted(one)) if one.author.vanished else None, "cosmetics": [], "isModerator": False},
        "reactions": [
            {"userId": who, "reaction": reaction} for who, reaction in (one.counts.reactions if one.counts else ())
        ],
        "stats": stats,
        "ingestion": "Scanned",
        "lockedProperties": [],
        "metadata": None,
        "attachments": [file | {"sizeKB": 88.1, "metadata": {}, "entityId": one.id}] if one.attached else [],
        "contentJson": {
            "type": "doc",
            "content": [
                {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": heading}]},
                {"type": "paragraph", "content": [{"type": "text", "text": paragraph}]},
            ],
        },
        "contentImages": [{"id": image.id, "url": image.key, "ingestion": "Scanned"} for image in one.pictures],
    }


def _deleted(one: Article) -> int:
    """Tell when the account of an article's author was deleted, which was after the article."""
    return one.author.joined + DELETED


def _user(one: Article) -> dict[str, Any]:
    author = one.author
    return {
        "id": author.user_id,
        "username": None if author.vanished else author.username,
        "deletedAt": None,
        "image": None,
        "profilePicture": None,
    }


def _stats(counts: Counts) -> dict[str, int]:
    return {
        "favoriteCount": counts.favorite,
        "collectedCount": counts.collected,
        "commentCount": counts.comment,
        "likeCount": counts.like,
        "dislikeCount": 0,
        "heartCount": counts.heart,
        "laughCount": counts.laugh,
        "cryCount": counts.cry,
        "viewCount": counts.view,
        "tippedAmountCount": 0,
    }


def _cover(record: Record) -> dict[str, Any]:
    """Tell of a cover: its ``url`` is the bare key, no address."""
    return {
        "id": record.id,
        "name": record.name,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "meta": None,
        "userId": record.user_id,
        "generationProcess": None,
        "needsReview": None,
        "scannedAt": iso(record.created + MINUTE),
        "ingestion": "Scanned",
        "blockedFor": None,
        "postId": record.post_id,
        "type": record.type,
        "metadata": feed_items.metadata(record),
        "createdAt": iso(record.created),
        "hideMeta": record.hide_meta,
        "tags": list(record.tag_ids),
    }
