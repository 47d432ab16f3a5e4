"""``/api/v1`` as the contract has it: images, the vocabularies, and the answers to everything else (rest.md §2, §7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.ask import Answer, Colour, compact, json_answer
from civitscrape.sandbox.entries import Shape
from civitscrape.sandbox.feed import PERIODS, SORTS, Filter, first_page, minute
from civitscrape.sandbox.records import version
from civitscrape.sandbox.vocabulary import ENUMS
from civitscrape.sandbox.zod import Reader

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.feed import Cut
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

PUBLIC = "public, s-maxage=300, stale-while-revalidate=150"
PRIVATE = "max-age=0, private, no-cache"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET",
}
NSFW = {"None": 1, "Soft": 3, "Mature": 7, "X": 31, "Blocked": 32, True: 60, False: 1}
"""What the ``nsfw`` parameter stands for: ``true`` asks for R and more only (contract rest.md §4)."""
PAGE_CAP = 1000
MOST_PER_PAGE = 200
USERNAME = "[A-Za-z0-9_]*"


def public(ask: Ask, body: bytes, status: int = 200) -> Answer:
    """Answer through the Public wrapper: CORS for all, publicly cacheable, errors too (contract rest.md §2.2, §2.3)."""
    answer = json_answer(ask, body, status=status, Cache_Control=PUBLIC)
    answer.headers.update(CORS)
    return answer


def unavailable(ask: Ask, message: str, code: str | None = None) -> Answer:
    """Answer 503, which alone is not cacheable (contract rest.md §2.4)."""
    body = {"error": message} | ({"code": code} if code else {})
    answer = json_answer(ask, compact(body), status=503, Cache_Control="no-store", Retry_After="2")
    answer.headers.update(CORS)
    return answer


def enums(_site: Site, ask: Ask) -> Answer:
    """``/api/v1/enums``: no wrapper, so no CORS and any method (contract rest.md §8.5)."""
    return json_answer(ask, compact(ENUMS), Cache_Control=PRIVATE)


def region_blocked(ask: Ask) -> Answer:
    """Answer 451 as in a blocked region (contract rest.md §2.5)."""
    text = "Access to this service is not available in your region due to legal restrictions."
    return json_answer(ask, compact({"error": text, "code": "REGION_BLOCKED"}), status=451, Cache_Control=PRIVATE)


class _Paging(NamedTuple):
    """Where in a listing the caller is."""

    limit: int
    page: int | None
    cursor: str | None


def images(site: Site, ask: Ask) -> Answer:
    """``/api/v1/images``, both of its routes (contract rest.md §7)."""
    if ask.method == "OPTIONS":
        return Answer(200, b"", {"Cache-Control": PUBLIC, **CORS})
    if site.busy_feeds > site.quirks.bulkhead:
        return unavailable(ask, "Server busy, please retry shortly.")
    read = Reader(ask.query)
    limit = read.number("limit", least=0, most=MOST_PER_PAGE)
    paging = _Paging(100 if limit is None else limit, read.number("page"), read.text("cursor"))
    wanted, shape = _filter(read, ask), _shape(read, site)
    nothing = read.boolean("requiringMeta") or paging.limit == 0
    if read.issues:
        return public(ask, compact({"error": {"name": "ZodError", "message": read.message()}}), 400)
    if paging.page and not paging.cursor and paging.page * paging.limit > PAGE_CAP:
        return public(ask, compact({"error": "You've requested too many pages, please use cursors instead"}), 429)
    if wanted.image_id is not None or (wanted.model_id is not None and wanted.version_id is None):
        return _legacy(site, ask, wanted, shape, paging)
    if nothing:
        return public(ask, b'{"items":[],"metadata":{}}')
    return _search(site, ask, wanted, shape, paging)


def _filter(read: Reader, ask: Ask) -> Filter:
    nsfw = read.choice_or_boolean("nsfw", ("None", "Soft", "Mature", "X", "Blocked"))
    asked = read.number("browsingLevel")
    mask = asked if asked is not None else NSFW[nsfw] if nsfw is not None else int(Level.PG)
    kind = read.choice("type", tuple(MediaType))
    tags, models = read.numbers("tags"), read.choices("baseModels", ENUMS["BaseModel"])
    return Filter(
        mask=Level((mask or int(Level.PG)) & 63),
        username=read.text("username", USERNAME) or None,
        user_id=read.number("userId"),
        post_id=read.number("postId"),
        version_id=read.number("modelVersionId"),
        model_id=read.number("modelId"),
        image_id=read.number("imageId"),
        types=frozenset({MediaType(kind)}) if kind else None,
        tags=frozenset(tags) if tags else None,
        base_models=frozenset(models) if models else None,
        period=read.choice("period", tuple(PERIODS)) or "AllTime",
        sort=read.choice("sort", SORTS) or "Most Reactions",
        combined=ask.colour is Colour.GREEN,
    )


def _shape(read: Reader, site: Site) -> Shape:
    flat = read.boolean("flatMeta")
    return Shape(
        with_meta=read.boolean("withMeta") or False,
        nesting=site.quirks.meta_nesting if flat is None else 0 if flat else 1,
        with_tags=read.boolean("withTags") or False,
        legacy=False,
    )


def _position(cursor: str | None) -> tuple[int, int | None]:
    """Read ``<offset>|<unix ms>``; of anything else only what looks like an offset counts."""
    found = re.match(r"(\d+)(?:\|(\d+))?", cursor or "")
    if found is None:
        return 0, None
    return int(found[1]), int(found[2]) if found[2] else None


def _search(site: Site, ask: Ask, wanted: Filter, shape: Shape, paging: _Paging) -> Answer:
    """Answer by the index: offset cursors, of which only some back ends read the time (§7.3)."""
    offset, pinned = _position(paging.cursor)
    pins = site.quirks.pin_first_page
    until = minute(pinned) if pins and pinned is not None and wanted.sort == "Newest" else None
    cut = site.index.page(wanted, offset=offset, limit=paging.limit, ceiling=site.quirks.hit_ceiling, until=until)
    following = None
    if cut.more:
        shown = cut.hits[-1].sort_at if not pins else cut.hits[0].sort_at if pinned is None else pinned
        following = f"{offset + paging.limit}|{shown}"
    return _answer(site, ask, cut, shape, paging=paging, following=following)


def _legacy(site: Site, ask: Ask, wanted: Filter, shape: Shape, paging: _Paging) -> Answer:
    """Answer by the SQL route: by id, with the loss of one entry at each boundary of a descending walk (§7.2, §7.3)."""
    if wanted.sort == "Random":
        return public(ask, compact({"error": "Random sort requires a collectionId", "code": "BAD_REQUEST"}), 400)
    if wanted.username is not None and site.world.creator(wanted.username) is None:
        return public(ask, compact({"error": "User not found", "code": "NOT_FOUND"}), 404)
    oldest = wanted.sort == "Oldest"
    found = [one for one in site.index.hits(wanted) if not one.ghost for _ in range(_repeats(one, wanted))]
    found.sort(key=lambda one: one.id, reverse=not oldest)
    if paging.cursor:
        start, _ = _position(paging.cursor)
        found = [one for one in found if (one.id >= start if oldest else one.id < start)]
    elif paging.page:
        found = found[(paging.page - 1) * paging.limit :]
    shape = shape._replace(legacy=True, nesting=shape.nesting if "flatMeta" in ask.query else 1)
    cut = first_page(found, paging.limit)
    return _answer(site, ask, cut, shape, paging=paging, following=found[paging.limit].id if cut.more else None)


def _repeats(record: Record, wanted: Filter) -> int:
    """Count how often the legacy route tells an entry: once for each version of the model that was used (§7.2)."""
    return max(sum(version(one).model_id == wanted.model_id for one in record.used), 1)


def _answer(site: Site, ask: Ask, cut: Cut, shape: Shape, *, paging: _Paging, following: str | int | None) -> Answer:
    metadata: dict[str, object] = {}
    paged = paging.page is not None and paging.page > 0 and not paging.cursor
    if following is not None:
        metadata["nextCursor"] = following
    if paged:
        metadata |= {"currentPage": paging.page, "pageSize": paging.limit}
    if following is not None:
        change = ("page", str((paging.page or 0) + 1)) if paged else ("cursor", str(following))
        metadata["nextPage"] = next_page(ask, *change)
    items = site.entries.join(cut.records, ask.image_location, shape)
    return public(ask, b'{"items":[%b],"metadata":%b}' % (items, compact(metadata)))


def next_page(ask: Ask, name: str, value: str) -> str:
    """Repeat the request with one parameter replaced: empty ones are dropped, ``token`` is not (§5.1)."""
    pairs = [(key, value if key == name else old) for key, old in ask.query.items()]
    if name not in ask.query:
        pairs.append((name, value))
    query = "&".join(f"{quote(key, safe='')}={quote(text, safe='')}" for key, text in pairs if text)
    return f"{ask.origin}{ask.path}?{query}"


def robots(ask: Ask) -> Answer:
    """``/robots.txt``: the API is disallowed for every agent, tRPC allowed back (contract rest.md §12d)."""
    closed = (
        "/*/create", "/api/*", "/discord/*", "/dmca/*", "/intent/*", "/models/train", "/models/*/wizard",
        "/models/*/model-versions/*/wizard", "/moderator/*", "/payment/*", "/redirect", "/search/*", "/testing/*",
        "/user/account", "/user/buzz-dashboard", "/user/downloads", "/user/earn-potential", "/user/membership",
        "/user/notifications", "/user/pool-estimate", "/user/transactions", "/user/vault", "/tipalti/*", "/research/*",
        "/claim/*", "/collections/youtube/auth", "/questions/*", "/login", "/*?adid=*", "/*&adid=*", "/*?query=*",
        "/*&query=*",
    )  # fmt: skip
    lines = ["User-agent: *", "Allow: /api/trpc/*", *(f"Disallow: {one}" for one in closed), "", f"Host: {ask.origin}"]
    maps = ("sitemap.xml", "sitemap-pages.xml", "sitemap-models.xml", "sitemap-articles.xml")
    lines += ["", *(f"Sitemap: {ask.origin}/{one}" for one in maps), ""]
    return Answer(200, "\n".join(lines).encode(), {"Content-Type": "text/plain; charset=utf-8"})
