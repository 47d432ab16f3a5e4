"""How a listing is followed: page after page, kept entry by entry, and checked at its end."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, cursors
from civitscrape.civitai.cursors import Move
from civitscrape.exceptions import AnswerError, ForbiddenError, LoginError, NotFoundError
from civitscrape.items import Image
from civitscrape.ledger import Announcement, WalkState
from civitscrape.spiders import splitting
from civitscrape.spiders.findings import bounds, is_older, judged, link, numbered, within
from civitscrape.spiders.listings.base import BRINGS, COVERS, LIMITS, MEETS
from civitscrape.spiders.listings.byid import BY_ID
from civitscrape.spiders.listings.instead import otherwise
from civitscrape.spiders.planning import PlanningSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.answers import Page
    from civitscrape.ledger import Walk

BAD_REQUEST = 400

REMEMBERED = 1000
"""Last entries of a walk that are remembered: the next page must begin with one of them, the newest hold them."""

STEPS_BACK = 4
"""How often a walk steps back, twice as far each time, to find the place that deletions have moved."""


@dataclass(slots=True)
class Track:
    """What is remembered of a walk while it is followed; the rest is in its row."""

    cursors: set[str] = field(default_factory=set)
    latest: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    sure: bool = True
    """Whether the next page must hold an entry of those before it."""
    back: int = 0
    """Steps back that were made to find such an entry."""
    newest: set[int] | None = None
    """Entries of the newest page; None before it was asked for."""
    missed: set[int] = field(default_factory=set)
    """Those of them that must be in the listing and have not come yet from the oldest end."""
    shared: set[int] = field(default_factory=set)
    """Those of them that have."""
    ended: bool = False
    """Whether the listing has ended, so that what is missed now was cut off."""

    @property
    def joined(self) -> bool:
        """Whether the walk has come far enough into the newest page for nothing to lie between."""
        return self.newest is not None and len(self.shared) > len(self.newest) // 2


class WalkingSpider(PlanningSpider):
    """A spider that walks listings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tracks: defaultdict[int, Track] = defaultdict(Track)

    async def parse_page(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep the entries of a page, then go on."""
        if response.status == BAD_REQUEST and walk.cursor is not None and not self._track(walk).cursors:
            yield self.restart(walk)
            yield self.ask(walk)
            return
        try:
            page = self.open(response, walk)
        except AnswerError as error:
            async for step in self.refused(walk, error):
                yield step
            return
        entries = await self._unmet(page, walk)
        if entries is None:
            yield walk
            yield self.ask(walk)
            return
        if walk.pages == 0:
            walk.started_at = answers.time_of(response) or walk.started_at
        async for step in self._take(page, entries, walk, again=again):
            yield step

    async def _take(self, page: Page, entries: list[Any], walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep entries, and go on to where the page leads."""
        entries, passed = within(self.listing(walk.source), entries, walk)
        entries = entries[: self._room(walk)]
        enough = passed or await self._reaches_known(entries, walk) or self._room(walk) == len(entries)
        for entry in entries:
            yield list(self.keep(entry, walk))
        self._track(walk).latest.extend(numbered(self.listing(walk.source), page.entries))
        walk.pages, walk.entries = walk.pages + 1, walk.entries + len(entries)
        async for step in self.end(walk) if enough else self.advance(page, walk, again=again):
            yield step
        async for step in self.follow_parts(walk, entries) if BRINGS in walk.params else self.follow(walk, entries):
            yield step

    async def refused(self, walk: Walk, error: AnswerError) -> AsyncIterator[Any]:
        """Make the best of a page that the site refuses.

        Raises:
            AnswerError: there is nothing to be made of it.
        """
        if isinstance(error, NotFoundError):
            yield Announcement(target=walk.target, exists=False, error=str(error))
        if walk.pages or not isinstance(error, LoginError | ForbiddenError):
            raise error
        async for step in self.instead(walk, error):
            yield step

    async def instead(self, walk: Walk, error: AnswerError) -> AsyncIterator[Any]:
        """Ask the public API for what the site's own feed refuses.

        Raises:
            AnswerError: the public API has no such listing.
        """
        if not otherwise(walk):
            raise error
        self.logger.warning("%s: %s; the public API is asked instead, which tells no votes", walk.target, error)
        if getattr(self.args, "votes", "no") != "no":
            reason = f"{walk.target}: votes were asked for and did not come: {error}"
            if reason not in self.books.left_out:
                self.books.left_out.append(reason)
        yield walk
        yield self.ask(walk)

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:  # noqa: ARG002 (for those who follow)
        """Plan what the entries of a page lead to; nothing, unless a spider says so."""
        nothing: tuple[Any, ...] = ()
        for step in nothing:
            yield step

    async def follow_parts(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Walk the images of each post, where posts stand for a part of a listing of images."""
        parts = splitting.of_posts(walk, numbered(self.listing(walk.source), entries))
        yield parts
        for part in parts:
            yield self.ask(part)

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a page and make sure that it speaks of the target."""
        listing = self.listing(walk.source)
        page = listing.open(response, walk)
        listing.require_echo(page, walk)
        self.crawler.stats.inc_value("civitscrape/pages")
        return page

    def restart(self, walk: Walk) -> Walk:
        """Go back to the first page of a walk whose stored cursor the site takes no more; repeats cost no file."""
        self.logger.warning(
            "%s: the site refuses the stored cursor %r; the walk starts afresh", walk.target, walk.cursor
        )
        walk.cursor, walk.pages, walk.entries, walk.gaps = None, 0, 0, 0
        return walk

    def _track(self, walk: Walk) -> Track:
        return self._tracks[walk.id or 0]

    async def _unmet(self, page: Page, walk: Walk) -> list[Any] | None:
        """Leave out what the pages before have brought; None where the walk must step back to find its place.

        Pages are laid over one another where cursors count entries: one that holds nothing of those before it shows
        that entries were deleted meanwhile, and that others were skipped.
        """
        listing, track = self.listing(walk.source), self._track(walk)
        if not listing.overlapping or walk.cursor is None or not cursors.OFFSET.fullmatch(walk.cursor):
            return page.entries
        numbers = numbered(listing, page.entries)
        before = set(track.latest) or await self.books.met(walk, listing.kind, numbers)
        if walk.pages and page.entries and track.sure and before.isdisjoint(numbers):
            if self._steps_back(walk, track, len(page.entries)):
                return None
            walk.gaps = (walk.gaps or 0) + 1
        track.back = 0
        return [entry for entry in page.entries if listing.number(entry) not in before]

    def _steps_back(self, walk: Walk, track: Track, size: int) -> bool:
        """Go back to where the page before ended, wherever that is by now; False when it was not found."""
        back = cursors.further_back(walk.cursor or "", by=max(1, size // 2) * 2**track.back)
        if back is None or track.back >= STEPS_BACK:
            return False
        self.logger.info(
            "%s: entries were taken away meanwhile; going back from %r to %r", walk.target, walk.cursor, back
        )
        walk.cursor, track.back = back, track.back + 1
        return True

    async def _reaches_known(self, entries: list[Any], walk: Walk) -> bool:
        """Tell whether a walk from the newest end has come to what the target has led to before."""
        listing = self.listing(walk.source)
        numbers = numbered(listing, entries)
        if MEETS in walk.params and numbers:
            parent = replace(walk, id=walk.params[MEETS])
            return await self.books.met(parent, listing.kind, numbers) >= numbers.keys()
        if not walk.params.get("until_known") or not entries:
            return False
        until = walk.params["until_known"]
        since_ever = None if until is True else str(until)
        return await self.books.known(walk.target, listing.kind, numbers, since_ever) >= numbers.keys()

    def _reaches_newest(self, page: Page, walk: Walk) -> bool:
        """Tell whether a walk from the oldest end has come so far into the newest page that nothing lies between."""
        track = self._track(walk)
        if track.newest is None:
            return False
        numbers = numbered(self.listing(walk.source), page.entries).keys()
        track.missed -= numbers
        track.shared |= track.newest & numbers
        return track.joined

    async def advance(self, page: Page, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Decide what follows a page, and write it into the walk."""
        track = self._track(walk)
        believed = again or self.listing(walk.source).may_be_empty
        step = cursors.after(page, cursor=walk.cursor, seen=track.cursors, asked_again=believed)
        if self._reaches_newest(page, walk) or step.move is Move.END:
            async for one in self._at_end(walk):
                yield one
            return
        if step.move is Move.ON and step.cursor is not None:
            track.cursors.add(step.cursor)
            walk.cursor = self._laid_over(step.cursor, page, walk)
        elif step.move is Move.LOOP:
            walk.state = WalkState.BROKEN
            walk.error = f"the site gave cursor {step.cursor!r} a second time; the listing would never end"
        yield walk
        if step.move is Move.ON:
            yield self.ask(walk, check=walk.pages == 1 and self._provable(walk))
        elif step.move is Move.AGAIN:
            yield self.ask(walk, again=True)

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
            yield self.ask(walk, check=True)
            return
        async for step in steps:
            yield step

    def _provable(self, walk: Walk) -> bool:
        listing = self.listing(walk.source)
        return listing.provable and walk.params["sort"] == listing.sort and not LIMITS & walk.params.keys()

    def _laid_over(self, cursor: str, page: Page, walk: Walk) -> str:
        """Let the next page begin with the end of this one, where the cursor counts entries."""
        listing, track = self.listing(walk.source), self._track(walk)
        if not listing.overlapping or "max_items" in walk.params:
            return cursor
        seam = cursors.seam(cursor, asked=walk.cursor, shown=len(page.entries))
        track.sure = seam is not None and seam.sure
        return cursor if seam is None else seam.cursor

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

    async def _once_committed(self, walk: Walk) -> AsyncIterator[list[Any]]:
        """Hand on what follows a whole walk; asked of the archive only when it has the last page."""
        async for step in self.ended(walk):
            yield step if isinstance(step, list) else [step]

    async def ended(self, walk: Walk) -> AsyncIterator[Any]:
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

    def _moved(self, walk: Walk) -> Walk:
        """Write into a walk that the listing has moved under it, so that the next run walks it again."""
        walk.error = f"entries were deleted while it was listed, and others may have been skipped {walk.gaps} times"
        # From the newest end the next run would stop at once, at what this one has met.
        from_newest = {"until_known", MEETS} & walk.params.keys()
        walk.state = WalkState.CAPPED if from_newest else WalkState.BROKEN
        walk.cursor, walk.pages, walk.gaps = None, 0, 0
        return walk

    async def parse_check(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep the newest page; what the walk from the oldest end must come to, since a ceiling looks like the end."""
        page, track = self.open(response, walk), self._track(walk)
        if not page.entries and page.next_cursor is None and walk.entries:
            yield self._without_newest(walk) if again else self.ask(walk, check=True, again=True)
            return
        numbers = numbered(self.listing(walk.source), page.entries)
        met = await self.books.met(walk, self.listing(walk.source).kind, numbers) | {*track.latest}
        unmet = [entry for number, entry in numbers.items() if number not in met]
        # Not as met by this walk: should it be cut short, its newest half must not take them for the end of the other.
        kept = [record for entry in unmet for record in self.keep(entry, walk, listed=False)]
        track.newest, track.shared = set(numbers), numbers.keys() & met
        track.missed = {record.id for record in kept if isinstance(record, Image) and is_older(record, walk)}
        yield kept
        if not track.ended:
            yield walk
            yield self.ask(walk)
            return
        async for step in self.judge(walk):
            yield step

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

    def _without_newest(self, walk: Walk) -> Walk | Request:
        """Go on without the newest page, which came empty; at the end that means that nothing is proven."""
        if not self._track(walk).ended:
            return self.ask(walk)
        walk.state = WalkState.BROKEN
        walk.error = f"{walk.entries} entries were listed, but the newest page came empty twice; its end is not proven"
        return walk

    def _room(self, walk: Walk) -> int | None:
        """Tell how many entries may still be taken; None for all of them."""
        most = walk.params.get("max_items")
        return None if most is None else max(0, most - walk.entries)
