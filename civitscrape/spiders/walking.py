"""How a listing is followed: page after page, kept entry by entry, and checked at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, cursors, trpc
from civitscrape.civitai.cursors import Move
from civitscrape.exceptions import AnswerError, ForbiddenError, LoginError, NotFoundError
from civitscrape.ledger import Announcement, WalkState
from civitscrape.spiders import splitting
from civitscrape.spiders.findings import numbered, within
from civitscrape.spiders.listings.base import BRINGS, MEETS
from civitscrape.spiders.listings.feeds import ImageFeed
from civitscrape.spiders.listings.instead import otherwise
from civitscrape.spiders.listings.lookups import VersionNames
from civitscrape.spiders.proving import ProvingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response

    from civitscrape.civitai.answers import Page
    from civitscrape.civitai.trpc import Call
    from civitscrape.ledger import Walk
    from civitscrape.spiders.tracks import Track

BAD_REQUEST = 400

ANSWERED = frozenset({200, 207})
"""Statuses by which a request of several calls was understood, whatever came of each."""

IN_PASSING = 2 * VersionNames.in_a_call
"""Most versions that are named in one request with a page."""

STEPS_BACK = 4
"""How often a walk steps back, twice as far each time, to find the place that deletions have moved."""


class WalkingSpider(ProvingSpider):
    """A spider that walks listings."""

    _together = True
    """Whether several calls may go in one request: until the site has refused one as a whole."""

    def beside(self, walk: Walk) -> list[Call]:
        """Name what goes in one request with a page: with the first the newest, with others the names of models."""
        listing = self.listing(walk.source)
        if not isinstance(listing, ImageFeed) or not self._together:
            return []
        if walk.cursor is not None:
            return VersionNames.calls(self._track(walk).names.take(IN_PASSING))
        if not self._provable(walk):
            return []
        return [trpc.marked(listing.call(walk, newest=True), f"{self.books.run.id}-1")]

    async def parse_together(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Take apart what came in one request; a page that failed is asked for alone, which tells why."""
        try:
            first, *others = trpc.parts(response)
            page = None if first is None else self.open(first, walk)
        except AnswerError as error:
            self.logger.info("%s: what was asked for in one request is asked for alone: %s", walk.target, error)
            page, others = None, []
            self._together = self._together and response.status in ANSWERED
        if page is None:
            yield walk
            yield self.ask(walk, alone=True)
            return
        told = [self._read_beside(part, walk) for part in others]
        if None not in told:
            self._track(walk).names.settle()
        yield [record for records in told if records is not None for record in records]
        async for step in self._go_through(page, response, walk, again=again):
            yield step

    def _read_beside(self, part: Response | None, walk: Walk) -> list[Any] | None:
        """Read what came with a page; None for what failed, which is asked for again when it is needed."""
        track = self._track(walk)
        if part is None:
            return None
        try:
            if trpc.procedure_of(part) != VersionNames.procedure:
                track.unread = self.open(part, walk)
                return []
            named = VersionNames.names(trpc.open_result(part))
        except AnswerError as error:
            self.logger.info("%s: what came beside a page is of no use: %s", walk.target, error)
            return None
        track.names.learn(named)
        return list(named)

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
        async for step in self._go_through(page, response, walk, again=again):
            yield step

    async def _go_through(self, page: Page, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep what is new of a page; where nothing of it is known that should be, go back."""
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
            yield self._come_to(entry, walk)
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

    def restart(self, walk: Walk) -> Walk:
        """Go back to the first page of a walk whose stored cursor the site takes no more; repeats cost no file."""
        self.logger.warning(
            "%s: the site refuses the stored cursor %r; the walk starts afresh", walk.target, walk.cursor
        )
        walk.cursor, walk.pages, walk.entries, walk.gaps = None, 0, 0, 0
        return walk

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
        if step.move is Move.ON and walk.pages == 1 and self._provable(walk):
            async for one in self._look_at_newest(walk):
                yield one
        elif step.move is Move.ON:
            yield self.ask(walk)
        elif step.move is Move.AGAIN:
            yield self.ask(walk, again=True)

    def _laid_over(self, cursor: str, page: Page, walk: Walk) -> str:
        """Let the next page begin with the end of this one, where the cursor counts entries."""
        listing, track = self.listing(walk.source), self._track(walk)
        if not listing.overlapping or "max_items" in walk.params:
            return cursor
        seam = cursors.seam(cursor, asked=walk.cursor, shown=len(page.entries))
        track.sure = seam is not None and seam.sure
        return cursor if seam is None else seam.cursor

    def _room(self, walk: Walk) -> int | None:
        """Tell how many entries may still be taken; None for all of them."""
        most = walk.params.get("max_items")
        return None if most is None else max(0, most - walk.entries)
