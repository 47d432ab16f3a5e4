"""The site itself: its world, who may log in, how its back end behaves today, and which room answers what."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import pages, rest, trpc
from civitscrape.sandbox.accounts import LEGACY_COOKIE, SANDBOX_ACCOUNT, Account, renewal
from civitscrape.sandbox.ask import GREEN_HOSTS, RED_HOSTS, Answer, Ask
from civitscrape.sandbox.entries import Entries
from civitscrape.sandbox.feed import Index

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
    region_blocked: bool = False
    """Whether the caller is in a blocked region (contract rest.md §2.5)."""

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
        self.busy_feeds = 0
        """Feed requests being answered right now."""
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
        route = ROUTES.get(ask.path.rstrip("/"))
        return route(self, ask) if route else pages.answer(self, ask)


ROUTES: dict[str, Callable[[Site, Ask], Answer]] = {"/api/v1/images": rest.images, "/api/v1/enums": rest.enums}
FEEDS = ("/api/v1/images", "/api/trpc/image.getInfinite")
"""Paths that share the bulkhead (contract trpc-and-pages §9)."""
