"""How a walk ends: whether its listing was whole, what the newest page shows, and what follows then."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from civitscrape.items import Image
from civitscrape.ledger import Link, WalkState
from civitscrape.spiders import splitting
from civitscrape.spiders.findings import bounds, is_older, judged, link, numbered
from civitscrape.spiders.listings.base import COVERS, LIMITS, MEETS
from civitscrape.spiders.listings.byid import BY_ID
from civitscrape.spiders.listings.feeds import ImageFeed
from civitscrape.spiders.listings.lookups import VersionNames
from civitscrape.spiders.planning import PlanningSpider
from civitscrape.spiders.tracks import Track

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.answers import Page
    from civitscrape.ledger import Walk


class ProvingSpider(PlanningSpider):
    """A spider that proves where walks end; how it comes there is another matter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tracks: defaultdict[int, Track] = defaultdict(Track)

    def _track(self, walk: Walk) -> Track:
        return self._tracks[walk.id or 0]

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a page and make sure that it speaks of the target."""
        listing = self.listing(walk.source)
        page = listing.open(response, walk)
        listing.require_echo(page, walk)
        self.crawler.stats.inc_value("civitscrape/pages")
        return page

    def _kept(self, entry: Any, walk: Walk, *, listed: bool = True) -> list[Any]:
        """Keep an entry, with the names that came with earlier pages."""
        kept = list(self.keep(entry, walk, listed=listed))
        return kept + self._track(walk).names.note(kept)

    def _come_to(self, entry: Any, walk: Walk) -> list[Any]:
        """Keep an entry that the walk has come to; if the newest page showed it just so, all but its link is kept."""
        listing = self.listing(walk.source)
        number = listing.number(entry)
        if number is None or self._track(walk).shown.pop(number, None) != entry:
            return self._kept(entry, walk)
        return [link(walk, listing.kind, number, listed=not listing.single)]

    async def _at_end(self, walk: Walk) -> AsyncIterator[Any]:
        """Prove that a listing has ended where it ended."""
        track = self._track(walk)
        if MEETS in walk.params:
            steps = self.split(walk, f"its newest half ended after {walk.entries} entries, before the two halves met")
        elif walk.gaps or not self._provable(walk):
            steps = self.end(walk)
        elif track.newest is not None:
            steps = self.judge(walk)
        else:
            track.ended = True
            yield walk
            steps = self._look_at_newest(walk)
        async for step in steps:
            yield step

    async def _look_at_newest(self, walk: Walk) -> AsyncIterator[Any]:
        """Look at the newest page, which came with the first where a request may hold both."""
        track = self._track(walk)
        page, track.unread = track.unread, None
        if page is None or not (page.entries or page.next_cursor):  # an empty one may be a time-out of the site
            yield self.ask(walk, check=True)
            return
        async for step in self._hold_against(page, walk):
            yield step

    def _provable(self, walk: Walk) -> bool:
        listing = self.listing(walk.source)
        # A post comes in its own order, whatever is asked for (§4.1): what would be its newest page is its first.
        if walk.source == ImageFeed.source and "postId" in walk.params:
            return False
        return listing.provable and walk.params["sort"] == listing.sort and not LIMITS & walk.params.keys()

    async def parse_check(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep the newest page; what the walk from the oldest end must come to, since a ceiling looks like the end."""
        page = self.open(response, walk)
        if not page.entries and page.next_cursor is None and walk.entries:
            yield self._without_newest(walk) if again else self.ask(walk, check=True, again=True)
            return
        async for step in self._hold_against(page, walk):
            yield step

    async def _hold_against(self, page: Page, walk: Walk) -> AsyncIterator[Any]:
        """Keep what is new of the newest page, and what of it the walk has still to meet; then go on, or judge."""
        track = self._track(walk)
        numbers = numbered(self.listing(walk.source), page.entries)
        met = await self.books.met(walk, self.listing(walk.source).kind, numbers) | {*track.latest}
        missed: set[int] = set()
        for number, entry in numbers.items():
            if number in met:
                continue
            # Not as met by this walk: if it is cut short, its newest half must not take them for the end of the other.
            kept = self._kept(entry, walk, listed=False)
            missed |= {record.id for record in kept if isinstance(record, Image) and is_older(record, walk)}
            if any(isinstance(record, Link) for record in kept):  # one that cannot be read has none
                track.shown[number] = entry
            yield kept  # one by one, so that the event loop gets its turns between them
        track.newest, track.shared, track.missed = set(numbers), numbers.keys() & met, missed
        if not track.ended:
            yield walk
            yield self.ask(walk)
            return
        async for step in self.judge(walk):
            yield step

    def _without_newest(self, walk: Walk) -> Walk | Request:
        """Go on without the newest page, which came empty; at the end that means that nothing is proven."""
        if not self._track(walk).ended:
            return self.ask(walk)
        walk.state = WalkState.BROKEN
        walk.error = f"{walk.entries} entries were listed, but the newest page came empty twice; its end is not proven"
        return walk

    async def judge(self, walk: Walk) -> AsyncIterator[Any]:
        """Close a walk that was whole; split one that was not."""
        track = self._track(walk)
        newest, kind = track.newest or set(), self.listing(walk.source).kind
        judged(walk, 0 if track.joined else len(track.missed), len(newest))
        if walk.state is not WalkState.COMPLETE:
            async for step in self.split(walk, str(walk.error)):
                yield step
            return
        walk.entries += len(newest - track.shared)
        yield [*(link(walk, kind, number) for number in newest - track.shared), walk]
        yield self._once_committed(walk)

    async def split(self, walk: Walk, why: str) -> AsyncIterator[Any]:
        """Walk the parts of a walk that the site cut short; where none are left to prove it, say so."""
        walk.error = why
        divisible = self.listing(walk.source).divisible and COVERS not in walk.params
        parts = splitting.divide(walk, logged_in=self.logged_in) if divisible else []
        walk.state = WalkState.SPLIT if parts else WalkState.CAPPED
        if divisible and not parts:
            parts = splitting.cover(walk, await self.books.base_models(walk.target))
        if parts:
            self.logger.info("%s: %s; walking %d parts of it", walk.target, why, len(parts))
        yield [walk, *parts]
        for part in parts:
            yield self.ask(part)

    async def end(self, walk: Walk) -> AsyncIterator[Any]:
        """Write into a walk that it has come to its end, or to the end that a person set."""
        walk.state = WalkState.LIMITED if LIMITS & walk.params.keys() else WalkState.COMPLETE
        if walk.state is WalkState.LIMITED:
            walk.error = bounds(walk)
        flaw = self.listing(walk.source).flaw(walk)
        if walk.state is WalkState.COMPLETE and walk.gaps:
            yield self._moved(walk)
            return
        if walk.state is WalkState.COMPLETE and flaw is not None:
            walk.state, walk.error = WalkState.CAPPED, flaw
        yield walk
        if walk.state is WalkState.COMPLETE:
            yield self._once_committed(walk)

    def _moved(self, walk: Walk) -> Walk:
        """Write into a walk that the listing has moved under it, so that the next run walks it again."""
        walk.error = f"entries were deleted while it was listed, and others may have been skipped {walk.gaps} times"
        # From the newest end the next run would stop at once, at what this one has met.
        from_newest = {"until_known", MEETS} & walk.params.keys()
        walk.state = WalkState.CAPPED if from_newest else WalkState.BROKEN
        walk.cursor, walk.pages, walk.gaps = None, 0, 0
        return walk

    async def _once_committed(self, walk: Walk) -> AsyncIterator[list[Any]]:
        """Hand on what follows a whole walk; asked of the archive only when it has the last page."""
        async for step in self.ended(walk):
            yield step if isinstance(step, list) else [step]

    async def ended(self, walk: Walk) -> AsyncIterator[Any]:
        """Ask for names of models that came with no page, and for what is not listed any more."""
        if walk.source == ImageFeed.source:
            asked = self._track(walk).names.asked
            numbers = [one for one in await self.books.unnamed(walk.target) if one not in asked]
            if numbers:
                async for step in self.plan(walk.target, VersionNames.source, {"ids": numbers}):
                    yield step
        async for step in self._not_met(walk):
            yield step

    async def _not_met(self, walk: Walk) -> AsyncIterator[Any]:
        """Ask by their ids for entries that a whole walk did not meet any more, where records are refreshed."""
        source = BY_ID.get((self.listing(walk.source).kind, self.logged_in))
        if self.args.mode != "refresh" or source is None or walk.source in BY_ID.values():
            return
        async for ids in self.books.unmet(walk, self.listing(walk.source).kind):
            self.logger.info("%s: %d entries are not listed any more; asking for each", walk.target, len(ids))
            control = next(reversed(self._track(walk).latest), None)
            asked = {"ids": ids} if control is None else {"ids": [control, *ids], "control": control}
            async for step in self.plan(walk.target, source, asked):
                yield step
