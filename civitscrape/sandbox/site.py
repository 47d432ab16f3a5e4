"""The site itself: its world, who may log in, how its back end behaves today, and which room answers what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import (
    downloads,
    pages,
    rest,
    rest_accounts,
    rest_articles,
    rest_collections,
    rest_content,
    rest_models,
    rest_tags,
    rest_versions,
    trpc,
)
from civitscrape.sandbox.accounts import LEGACY_COOKIE, SANDBOX_ACCOUNT, Account, renewal
from civitscrape.sandbox.ask import GREEN_HOSTS, RED_HOSTS, Answer, Ask
from civitscrape.sandbox.entries import Entries
from civitscrape.sandbox.feed import Index
from civitscrape.sandbox.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.world import World


@dataclass(slots=True, kw_only=True)
class Quirks:
    """How the back end behaves: what depends on the site's operators, and may change between two answers."""

    hit_ceiling: int | None = None
    """Hits that the search engine gives at most; the page that crosses it has no cursor (contract rest.md §7.3)."""
    pin_first_page: bool = False
    """Whether REST cursors pin a Newest feed to its first page's minute (contract rest.md §7.3)."""
    meta_nesting: int = 0
    """How often ``meta`` is wrapped in ``{id, meta}`` on the search route when ``flatMeta`` is absent."""
    devalue: str = "never"
    """Which encoding tRPC and pages write: ``never``, ``always`` or ``alternate`` devalue (trpc-and-pages §1.3)."""
    bulkhead: int = 20
    """Feed requests at once before the rest is refused (contract rest.md §2.4)."""
    roll_sessions: bool = False
    """Whether answers to session cookies hand them out anew; legacy cookies always are (trpc-and-pages §8.1)."""
    redirect_media: bool = False
    """Whether the CDN sends callers on to its cache's host (contract rest.md §10, a field report)."""
    database_timeout: bool = False
    """Whether feeds from the database time out: 200, no entries, no cursor (trpc-and-pages §3)."""
    search_overloaded: bool = False
    """Whether feeds from the index are refused with 503 (trpc-and-pages §3)."""
    lazy_posts: bool = False
    """Whether galleries tell only the first images of each post (trpc-and-pages §4.1)."""
    collections_per_minute: int = 60
    """REST requests for collections that an anonymous caller has each minute, a login twice as many; 0 is no limit."""
    articles_per_minute: int = 60
    """The same for articles, which are counted apart."""
    region_blocked: bool = False
    """Whether the caller is in a blocked region (contract rest.md §2.5)."""
    text_arrays: bool = False
    """Whether arrays of enums come as the database writes them, ``{Image,Sell}`` (contract rest.md §5.1)."""
    anonymous_downloads: bool = False
    """Whether model files are given to callers without a login, where their version allows it (contract rest.md §9)."""
    download_quota: int | None = None
    """Downloads that each caller may ask for; all when null (contract rest.md §2.4)."""
    downloads_blocked: bool = False
    """Whether the caller's address is on the list of those that get no model files (contract rest.md §9, step 1)."""
    still_videos: bool = False
    """Whether the CDN gives a picture of a video where its original is asked for."""
    signature_seconds: int = 300
    """How long the address of a file in the storage is good for."""

    def change(self, values: dict[str, Any]) -> None:
        """Set several at once.

        Raises:
            ValueError: one of them is unknown.
        """
        known = {one.name for one in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"sandbox quirk {name!r} is unknown; known are {', '.join(sorted(known))}")
            setattr(self, name, value)


class Site:
    """Answers requests about a world; knows nothing of sockets."""

    def __init__(
        self, world: World, *, accounts: tuple[Account, ...] = (SANDBOX_ACCOUNT,), quirks: Quirks | None = None
    ) -> None:
        self.accounts = accounts
        self.quirks = quirks or Quirks()
        self.entries = Entries()
        self.index = Index(world)
        self.hosts: set[str] = {*GREEN_HOSTS, *RED_HOSTS}
        """Hosts that tRPC takes calls from: those of the site itself (trpc-and-pages §2.1)."""
        self.limiter = Limiter()
        """Counts requests for collections."""
        self.article_limiter = Limiter()
        self.busy_feeds = 0
        """Feed requests being answered right now."""
        self.downloads: Counter[str] = Counter()
        """Downloads asked for, by who asked."""
        self.turns = 0
        """Answers of tRPC and pages so far, for the encodings to alternate by."""

    @property
    def world(self) -> World:
        """What the site holds; another world may be put in its place while it runs."""
        return self.index.world

    @world.setter
    def world(self, world: World) -> None:
        self.index = Index(world)

    def writes_devalue(self) -> bool:
        """Decide the encoding of the next answer."""
        self.turns += 1
        return self.quirks.devalue == "always" or (self.quirks.devalue == "alternate" and self.turns % 2 == 0)

    def answer(self, ask: Ask) -> Answer:
        """Answer one request of role api or page, and renew the caller's session where that is due."""
        answer = self._answer(ask)
        found = ask.login
        if found and found.cookie and (self.quirks.roll_sessions or found.cookie == LEGACY_COOKIE):
            answer.headers["Set-Cookie"] = renewal(found, ask.origin)
        return answer

    def _answer(self, ask: Ask) -> Answer:
        if ask.path.startswith(("/api/v1/", "/api/trpc/")) and self.quirks.region_blocked:
            return rest.region_blocked(ask)
        if ask.path.startswith("/api/trpc/"):
            return trpc.answer(self, ask)
        if ask.path == "/robots.txt":
            return rest.robots(ask)
        path = ask.path.rstrip("/")
        route = ROUTES.get(path)
        if route is not None:
            return route(self, ask)
        if path.startswith(f"{rest_content.CONTENT}/"):
            return rest_content.content(self, ask)
        parent, _, name = path.rpartition("/")
        below = BELOW.get(parent)
        return below(self, ask, name) if below else pages.answer(self, ask)


ROUTES: dict[str, Callable[[Site, Ask], Answer]] = {
    "/api/v1/images": rest.images,
    "/api/v1/enums": rest.enums,
    "/api/v1/models": rest_models.models,
    "/api/v1/model-versions/by-hash": rest_versions.by_hashes,
    "/api/v1/model-versions/by-hash/ids": rest_versions.ids_by_hashes,
    "/api/v1/creators": rest_accounts.creators,
    "/api/v1/me": rest_accounts.me,
    "/api/v1/tags": rest_tags.tags,
    "/api/v1/users": rest_tags.users,
    "/api/v1/collections": rest_collections.collections,
    "/api/v1/articles": rest_articles.articles,
    rest_content.CONTENT: rest_content.content,
    "/api/v1/permissions/check": rest_content.permissions,
}
BELOW: dict[str, Callable[[Site, Ask, str], Answer]] = {
    "/api/v1/models": rest_models.model,
    "/api/v1/model-versions": rest_versions.version,
    "/api/v1/model-versions/by-hash": rest_versions.by_hash,
    "/api/v1/model-versions/mini": rest_versions.mini,
    "/api/v1/collections": rest_collections.collection,
    "/api/v1/articles": rest_articles.article,
    "/api/download/models": downloads.download,
    "/api/download/training-data": downloads.training_data,
}
"""What is answered below a path, where the last part of it names a thing."""
FEEDS = ("/api/v1/images", "/api/trpc/image.getInfinite", "/api/trpc/image.getImagesAsPostsInfinite")
"""Paths that share the bulkhead (contract trpc-and-pages §9)."""
