"""How a listing is followed: page after page, kept entry by entry, and checked at its end."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, cursors, levels
from civitscrape.civitai.cookies import has_login
from civitscrape.civitai.cursors import Move
from civitscrape.exceptions import EntryError, ForbiddenError, LoginError, NotFoundError
from civitscrape.items import Image, Level, ModelFile
from civitscrape.ledger import Announcement, Entry, MediaState, Walk, WalkState, now
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider, host_for
from civitscrape.spiders.findings import is_older, judged, link, numbered, wanted
from civitscrape.spiders.listings.base import NEWEST, Question
from civitscrape.spiders.listings.instead import otherwise
from civitscrape.spiders.listings.registry import LISTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.answers import Page
    from civitscrape.exceptions import AnswerError
    from civitscrape.spiders.arguments import WalkArguments
    from civitscrape.spiders.listings.base import Listing

BAD_REQUEST = 400

NAMES = frozenset({"creator", "tag"})
"""Kinds that are names without numbers: counted here, since they are no items of the pipelines."""

REMEMBERED = 1000
"""Last entries of a walk that are remembered for its check: another walk of the same target may relink them."""


class WalkingSpider(CivitaiSpider):
    """A spider that walks listings."""

    args: WalkArguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen: defaultdict[int, set[str]] = defaultdict(set)
        self._latest: defaultdict[int, deque[int]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._refused: set[tuple[str, int]] = set()
        self._listings: dict[str, Listing] = {}

    @property
    def level(self) -> Level:
        """Rating bits that are asked for."""
        return self.args.level if isinstance(self.args, MediaArguments) else levels.ALL

    @property
    def downloads(self) -> bool:
        """Whether files are wanted, not records alone."""
        return isinstance(self.args, MediaArguments) and self.args.download != "none"

    @property
    def site(self) -> str:
        """The host for all passes of a target: the two hosts filter by different ratings (rest.md §2.1)."""
        return str(self.settings[host_for(self.level)])

    @property
    def pictures(self) -> bool:
        """Whether the files of pictures are wanted."""
        return True

    @property
    def files(self) -> bool:
        """Whether the model files themselves are wanted, not their records alone."""
        return False

    @property
    def logged_in(self) -> bool:
        """Whether the host knows who asks."""
        return has_login(self.settings, self.site)

    def images(self, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Choose who lists images: the public API, or the site's own feed where votes are asked for and to be had."""
        if not isinstance(self.args, MediaArguments) or self.args.votes == "no":
            return "rest.images", asked
        if not self.logged_in:  # which the extension Votes has said
            return "rest.images", asked
        one = asked.get("type")
        rest = {name: value for name, value in asked.items() if name != "type" and value is not None}
        return "trpc.image.getInfinite", rest | ({"types": [one]} if one else {})

    def listing(self, source: str) -> Listing:
        """Return how a source is walked."""
        if source not in self._listings:
            site, media_url = self.settings["CIVITAI_URL"], self.settings["CIVITAI_MEDIA_URL"]
            self._listings[source] = LISTINGS[source](site=site, media_url=media_url)
        return self._listings[source]

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
            walk = await self._walk(listing, target, one, params)
            if self.downloads and (walk.cursor is not None or self.args.mode == "new"):
                async for image in self.books.leftovers(target, walk.level):
                    yield [image, wanted(image, self.settings["CIVITAI_MEDIA_URL"])]
            yield walk
            yield self.ask(walk)

    async def _walk(self, listing: Listing, target: str, level: int, params: dict[str, Any]) -> Walk:
        """Take up what was left unfinished, or start afresh from the end that the mode asks for."""
        fresh = Walk(
            run_id=self.books.run.id,
            source=listing.source,
            target=target,
            level=int(level),
            params=params | {"sort": params.get("sort") or listing.sort},
            state=WalkState.RUNNING,
            started_at=now(),
        )
        chosen = params.get("sort") is not None
        if listing.single:
            return await self.books.adopt(fresh)
        if self.args.max_items is not None:
            end = {} if chosen or listing.sort is None else {"sort": NEWEST, "until_known": True}
            fresh.params |= end | {"max_items": self.args.max_items}
            return fresh
        walk = await self.books.adopt(fresh)
        if walk is not fresh or self.args.mode != "new" or listing.sort is None or chosen:
            return walk
        whole = await self.books.last_whole(fresh)
        if whole is not None and listing.resumable:
            fresh.cursor = whole.cursor
        elif whole is not None:
            fresh.params |= {"sort": NEWEST, "until_known": True}
        return fresh

    def ask(self, walk: Walk, *, again: bool = False, check: bool = False) -> Request:
        """Ask for the page at a walk's cursor, or for the newest page that proves its end."""
        newest = check or walk.params.get("sort") == NEWEST
        # What the edge kept is no news, and a second run within its five minutes would get the first one's answer.
        mark = f"{self.books.run.id}-{1 + again}" if newest or again else None
        question = Question(newest=newest, cursor=None if check else walk.cursor, mark=mark)
        request = self.listing(walk.source).ask(self.site, walk, question)
        callback = self.parse_check if check else self.parse_page
        return request.replace(callback=callback, cb_kwargs={"walk": walk, "again": again})

    async def parse_page(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep the entries of a page, then go on."""
        if response.status == BAD_REQUEST and walk.cursor is not None and not self._seen[walk.id or 0]:
            yield self.restart(walk)
            yield self.ask(walk)
            return
        try:
            page = self.open(response, walk)
        except NotFoundError as error:
            yield Announcement(target=walk.target, exists=False, error=str(error))
            raise
        except (LoginError, ForbiddenError) as error:
            if walk.pages:
                raise
            async for step in self.instead(walk, error):
                yield step
            return
        if walk.pages == 0:
            walk.started_at = answers.time_of(response) or walk.started_at
        entries = page.entries[: self._room(walk)]
        fresh = not walk.params.get("until_known") or await self._fresh(entries, walk)
        for entry in entries:
            yield list(self.keep(entry, walk))
        self._latest[walk.id or 0].extend(numbered(self.listing(walk.source), entries))
        walk.pages, walk.entries = walk.pages + 1, walk.entries + len(entries)
        enough = self._room(walk) == 0 or (entries and not fresh)
        for step in self.end(walk) if enough else self.advance(page, walk, again=again):
            yield step
        async for step in self.follow(walk, entries):
            yield step

    async def instead(self, walk: Walk, error: AnswerError) -> AsyncIterator[Any]:
        """Ask the public API for what the site's own feed refuses.

        Raises:
            AnswerError: the public API has no such listing.
        """
        if not otherwise(walk):
            raise error
        self.logger.warning("%s: %s; the public API is asked instead, which tells no votes", walk.target, error)
        yield walk
        yield self.ask(walk)

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:  # noqa: ARG002 (for those who follow)
        """Plan what the entries of a page lead to; nothing, unless a spider says so."""
        nothing: tuple[Any, ...] = ()
        for step in nothing:
            yield step

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
        walk.cursor, walk.pages, walk.entries = None, 0, 0
        return walk

    def advance(self, page: Page, walk: Walk, *, again: bool) -> Iterator[Walk | Request]:
        """Decide what follows a page, and write it into the walk."""
        listing = self.listing(walk.source)
        believed = again or listing.may_be_empty
        step = cursors.after(page, cursor=walk.cursor, seen=self._seen[walk.id or 0], asked_again=believed)
        if step.move is Move.ON and step.cursor is not None:
            self._seen[walk.id or 0].add(step.cursor)
            walk.cursor = step.cursor
            yield walk
            yield self.ask(walk)
        elif step.move is Move.AGAIN:
            yield walk
            yield self.ask(walk, again=True)
        elif step.move is Move.LOOP:
            walk.state = WalkState.BROKEN
            walk.error = f"the site gave cursor {step.cursor!r} a second time; the listing would never end"
            yield walk
        elif listing.provable and walk.params["sort"] == listing.sort:
            yield walk
            yield self.ask(walk, check=True)
        else:
            yield from self.end(walk)

    def end(self, walk: Walk) -> Iterator[Walk]:
        """Write into a walk that it has come to its end, or to the end that a person set."""
        walk.state = WalkState.LIMITED if "max_items" in walk.params else WalkState.COMPLETE
        flaw = self.listing(walk.source).flaw(walk)
        if walk.state is WalkState.COMPLETE and flaw is not None:
            walk.state, walk.error = WalkState.CAPPED, flaw
        yield walk

    async def parse_check(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Compare the newest page with what was listed from the oldest end: a ceiling looks like the end."""
        page = self.open(response, walk)
        if not page.entries and page.next_cursor is None and walk.entries:
            yield self._unproven(walk) if again else self.ask(walk, check=True, again=True)
            return
        numbers = numbered(self.listing(walk.source), page.entries)
        met = await self.books.met(walk, self.listing(walk.source).kind, numbers) | {*self._latest[walk.id or 0]}
        kept = [record for number, entry in numbers.items() if number not in met for record in self.keep(entry, walk)]
        missed = [record.id for record in kept if isinstance(record, Image) and is_older(record, walk)]
        yield [*kept, judged(walk, len(missed), len(page.entries))]

    def _unproven(self, walk: Walk) -> Walk:
        """Write into a walk that its end could not be checked."""
        walk.state = WalkState.BROKEN
        walk.error = f"{walk.entries} entries were listed, but the newest page came empty twice; its end is not proven"
        return walk

    def keep(self, entry: Any, walk: Walk) -> Iterator[Any]:
        """Turn one entry into all that is kept of it."""
        listing = self.listing(walk.source)
        number = listing.number(entry)
        try:
            records = listing.read(entry, walk)
        except EntryError as error:
            yield self._refuse(entry, walk, number, error)
            return
        yield from records
        if listing.kind in NAMES:
            self.crawler.stats.inc_value("civitscrape/listed")
        if listing.kind != "image" and number is not None:
            yield link(walk, listing.kind, number, listed=not listing.single)
        for record in records:
            yield from self._beside(record, walk, listing)
        if self.settings.getbool("KEEP_PAYLOADS"):
            yield Entry(kind=listing.payload, entry_id=str(number), content=listing.keepable(entry))

    def _beside(self, record: Any, walk: Walk, listing: Listing) -> Iterator[Any]:
        """Link a picture and want its file; want a model file where those were asked for."""
        if isinstance(record, Image):
            record.partial = not listing.brings_files
            yield link(walk, "image", record.id, listed=listing.kind == "image" and not listing.single)
            if self.downloads and self.pictures and listing.brings_files:
                yield wanted(record, self.settings["CIVITAI_MEDIA_URL"])
        elif isinstance(record, ModelFile) and self.files and record.download_url:
            record.state = MediaState.WANTED

    def _refuse(self, entry: Any, walk: Walk, number: int | None, error: EntryError) -> Entry:
        """Count an entry that cannot be read, and keep it with the reason."""
        if (walk.source, number) not in self._refused:  # the check of a walk brings the newest once more
            self.crawler.stats.inc_value("civitscrape/refused")
            self.logger.warning("%s: entry %s refused: %s", walk.target, number, error)
        if number is not None:
            self._refused.add((walk.source, number))
        kind = self.listing(walk.source).payload
        return Entry(kind=kind, entry_id=str(number), content=entry, refused=str(error))

    def _room(self, walk: Walk) -> int | None:
        """Tell how many entries may still be taken; None for all of them."""
        most = walk.params.get("max_items")
        return None if most is None else max(0, most - walk.entries)

    async def _fresh(self, entries: list[Any], walk: Walk) -> list[Any]:
        """Find the entries that the walk's target has not led to before; needed from the newest end only."""
        listing = self.listing(walk.source)
        numbers = numbered(listing, entries)
        known = await self.books.known(walk.target, listing.kind, numbers)
        return [entry for number, entry in numbers.items() if number not in known]
