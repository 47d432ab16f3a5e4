"""Which walks a target takes, and where each begins: at what was left unfinished, at the oldest end or the newest."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import levels
from civitscrape.exceptions import BusyError
from civitscrape.ledger import Walk, WalkState, now
from civitscrape.spiders.findings import wanted
from civitscrape.spiders.keeping import KeepingSpider
from civitscrape.spiders.listings.base import LIMITS, NEWEST, Question

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.trpc import Call
    from civitscrape.items import Level
    from civitscrape.spiders.listings.base import Listing


TIMED = frozenset({"image", "model", "post"})
"""Kinds of entries that are published at some time."""


class PlanningSpider(KeepingSpider):
    """A spider that plans walks; how their pages are followed is another matter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken_up: defaultdict[str, int] = defaultdict(int)
        """Levels of each target whose left-over files were taken up already."""

    @abstractmethod
    def parse_page(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep the entries of a page, then go on."""

    @abstractmethod
    def parse_check(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Compare the newest page with what was listed."""

    async def plan(
        self, target: str, source: str, params: dict[str, Any], level: Level | None = None
    ) -> AsyncIterator[Any]:
        """Plan the passes of a target, each a walk, and ask for the first page of each.

        Args:
            target: such as ``user:lampwright``.
            source: endpoint, a key of ``LISTINGS``.
            params: what the listing is asked for, beside levels and sort.
            level: mask of rating bits; those of the arguments when None.
        """
        listing = self.listing(source)
        for one in listing.passes(self.level if level is None else level):
            try:
                walks = await self._walks(listing, target, one, params)
            except BusyError as error:
                self.books.leave(target, f"{target}: {error}; it is left to that run")
                continue
            goes_on = any(walk.cursor for walk in walks) or self.args.mode == "new"
            yield walks
            for walk in walks:
                yield self.ask(walk)
            left = one & self.level & ~self._taken_up[target]
            if goes_on and self.downloads and left:
                yield self._leftovers(target, left)
                self._taken_up[target] |= left

    async def take_up(self, walks: list[Walk]) -> AsyncIterator[Any]:
        """Go on with walks that an earlier run of this spider left."""
        for walk in walks:
            yield walk
            yield self.ask(walk)

    async def _leftovers(self, target: str, level: int) -> AsyncIterator[list[Any]]:
        """Bring what earlier runs left to be fetched, when its turn has come: the listing does not wait for it."""
        async for images in self.books.leftovers(target, level, self.quality):
            base = self.settings["CIVITAI_MEDIA_URL"]
            for image in images:
                image.poster = self.poster(image.type)
            yield [record for image in images for record in (image, wanted(image, base))]

    async def _walks(self, listing: Listing, target: str, level: int, params: dict[str, Any]) -> list[Walk]:
        """Take up what was left unfinished, or start afresh from the end that the mode asks for.

        Raises:
            BusyError: another run is at it.
        """
        fresh = Walk(
            run_id=self.books.run.id,
            source=listing.source,
            target=target,
            level=int(level),
            params=params | {"sort": params.get("sort") or listing.sort} | self._host(level),
            state=WalkState.RUNNING,
            started_at=now(),
        )
        limits = {} if listing.single else self._limits(listing)
        if limits:
            return [self._limited(fresh, listing, limits, chosen=params.get("sort") is not None)]
        parts = await self.books.parts(fresh) if listing.divisible else []
        if parts:
            return parts
        walk = await self.books.adopt(fresh)
        if walk is fresh and self.args.mode == "new" and listing.sort is not None and params.get("sort") is None:
            await self._from_newest(walk, listing)
        return [walk]

    def _host(self, level: int) -> dict[str, str]:
        """Tell the hosts apart where both could be asked: they filter by different ratings (rest.md §2.1)."""
        return {"site": "mature"} if level & levels.SFW and self.level & levels.MATURE else {}

    def _limits(self, listing: Listing) -> dict[str, Any]:
        """Tell what part of a listing is asked for; nothing where it is all of it."""
        timed = listing.kind in TIMED
        asked = {name: getattr(self.args, name, None) for name in LIMITS if name == "max_items" or timed}
        return {name: value for name, value in asked.items() if value is not None}

    def _limited(self, walk: Walk, listing: Listing, limits: dict[str, Any], *, chosen: bool) -> Walk:
        """Begin at the newest end, unless a person chose an order.

        Only a number of entries ends at what is known: of a time, an earlier run may have known the newest alone.
        """
        end: dict[str, Any] = {} if chosen or listing.sort is None else {"sort": NEWEST}
        if end and limits.keys() == {"max_items"}:
            end["until_known"] = True
        walk.params |= end | limits
        return walk

    async def _from_newest(self, walk: Walk, listing: Listing) -> None:
        """Begin where new entries will be, if the last walk came to its end."""
        whole = await self.books.last_whole(walk)
        if whole is not None and listing.resumable:
            walk.cursor = whole.cursor
        elif whole is not None:
            # Until when things are known; what other crawls have seen since is not enough to stop at.
            walk.params |= {"sort": NEWEST, "until_known": whole.updated_at}
            await self.books.replace_newest(walk)

    @abstractmethod
    def parse_together(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Take apart what came in one request."""

    @abstractmethod
    def beside(self, walk: Walk) -> list[Call]:
        """Name what goes in one request with the page at a walk's cursor."""

    def ask(self, walk: Walk, *, again: bool = False, check: bool = False, alone: bool = False) -> Request:
        """Ask for the page at a walk's cursor, or for the newest page that proves its end.

        Args:
            walk: whose listing it is.
            again: whether the page came empty, and is asked for under another address.
            check: whether the newest page is asked for.
            alone: whether nothing else may go in the same request.
        """
        listing = self.listing(walk.source)
        newest = check or walk.params.get("sort") == NEWEST
        # What the edge kept is no news, and a second run within its five minutes would get the first one's answer.
        mark = f"{self.books.run.id}-{1 + again}" if newest or again else None
        beside = [] if again or check or alone else self.beside(walk)
        question = Question(newest=newest, cursor=None if check else walk.cursor, mark=mark, beside=beside)
        site = str(self.settings["CIVITAI_MATURE_URL"]) if listing.any_level else self.site
        callback = self.parse_check if check else self.parse_together if beside else self.parse_page
        return listing.ask(site, walk, question).replace(callback=callback, cb_kwargs={"walk": walk, "again": again})
