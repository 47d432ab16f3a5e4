"""One image as each route of the site tells it, from a sandbox's world, and what the archive makes of the answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from multidict import CIMultiDict, MultiDict

from civitscrape.archive import schema
from civitscrape.archive.commit import commit
from civitscrape.civitai import things
from civitscrape.civitai.encoding import decode
from civitscrape.items import Image, ImageResource, ImageTag, Post, Tag, TagName, VersionImage
from civitscrape.parsers import feeds, posts, tags
from civitscrape.parsers.images import from_detail, from_rest
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT, Login
from civitscrape.sandbox.ask import Ask, Colour
from civitscrape.sandbox.drawn import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

AT = "2026-11-20T18:30:00.000Z"
MEDIA = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"
TOUCHED = (Image, Post, Tag, TagName, ImageTag, ImageResource, VersionImage)


def asked(site: Site, path: str, **query: Any) -> str:
    """Ask a site, logged in where all levels are shown."""
    ask = Ask(
        method="GET",
        path=path,
        query=MultiDict({name: str(value) for name, value in query.items()}),
        headers=CIMultiDict({"Authorization": f"Bearer {SANDBOX_ACCOUNT.key}"}),
        origin="https://civitai.red",
        home="https://civitai.com",
        colour=Colour.RED,
        login=Login(SANDBOX_ACCOUNT, None),
        image_location=MEDIA,
    )
    answer = site.answer(ask)
    assert answer.status == 200, f"{path} {query}: {answer.body[:300]!r}"
    return b"".join(pieces(answer.body)).decode()


def called(site: Site, procedure: str, given: dict[str, Any]) -> Any:
    """Call a procedure."""
    envelope = json.dumps({"json": given})
    return decode(json.loads(asked(site, f"/api/trpc/{procedure}", input=envelope))["result"]["data"])


def one_of(entries: Iterable[dict[str, Any]], number: int) -> dict[str, Any]:
    (entry,) = [one for one in entries if one["id"] == number]
    return entry


def every_route(site: Site, record: Record) -> dict[str, list[Any]]:
    """Return what each route makes of one image of the site's."""
    number, include = record.id, ["tags", "metaSelect"]
    full = {"withMeta": "true", "flatMeta": "true", "withTags": "true", "browsingLevel": 31, "limit": 200}
    of_post = {"postId": record.post_id, "browsingLevel": 31, "limit": 200}
    by_creator = {"userId": record.user_id, "browsingLevel": 31, "sort": "Oldest", "limit": 200}
    entities = {"entities": [{"entityType": "Image", "entityId": number}]}
    search = json.loads(asked(site, "/api/v1/images", postId=record.post_id, **full))["items"]
    legacy = json.loads(asked(site, "/api/v1/images", imageId=number, **full | {"flatMeta": "false"}))["items"]
    index = called(site, "image.getInfinite", by_creator | {"include": include})["items"]
    plain = called(site, "image.getInfinite", of_post | {"include": []})["items"]
    with_all = called(site, "image.getInfinite", of_post | {"include": include, "includeBaseModel": True})["items"]
    gallery = called(site, "image.getImagesAsPostsInfinite", by_creator)["items"]
    (post,) = [one for one in gallery if one["postId"] == record.post_id]
    listing = called(site, "post.getInfinite", {"ids": [record.post_id], "sort": "Newest", "browsingLevel": 31})[
        "items"
    ]
    page = things.open_image_page(asked(site, f"/images/{number}"))
    post_page = things.open_post_page(asked(site, f"/posts/{record.post_id}"))
    votes = called(site, "tag.getVotableTags", {"id": number, "type": "image"})
    (cover,) = called(site, "image.getEntitiesCoverImage", entities)
    return {
        "REST, search": from_rest(one_of(search, number), media_url=MEDIA),
        "REST, legacy": from_rest(one_of(legacy, number), media_url=MEDIA, legacy=True),
        "index": feeds.from_feed(one_of(index, number), media_url=MEDIA, at=AT),
        "database": feeds.from_feed(one_of(plain, number), media_url=MEDIA, at=AT),
        "database, with all": feeds.from_feed(one_of(with_all, number), media_url=MEDIA, at=AT),
        "gallery": posts.from_gallery(post, media_url=MEDIA),
        "posts": [item for one in listing for item in posts.from_listing(one, media_url=MEDIA)],
        "image page": from_detail(page.image, page.generation, media_url=MEDIA),
        "post page": posts.from_page(post_page.post, post_page.images, media_url=MEDIA),
        "votes": list(tags.from_votes(number, votes, at=AT)),
        "cover": feeds.from_cover(cover, media_url=MEDIA, at=AT),
    }


def merged(connection: Connection, answers: Iterable[list[Any]]) -> dict[str, list[dict[Any, Any]]]:
    """Commit answers, one after the other, to tables without a row; return the rows, and leave none."""
    for answer in answers:
        commit(connection, answer)
    found = {}
    for dataclass in TOUCHED:
        table = schema.BY_CLASS[dataclass]
        query = sa.select(table).order_by(*table.primary_key)
        found[table.name] = [dict(row) for row in connection.execute(query).mappings()]
        connection.execute(sa.delete(table))
    return found
