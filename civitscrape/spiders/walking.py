"""How a listing of images is followed: page after page, kept entry by entry, and checked at its end."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import cursors, levels, media, rest
from civitscrape.civitai.cursors import Move
from civitscrape.exceptions import EchoError, EntryError
from civitscrape.items import Image
from civitscrape.ledger import Entry, Link, Media, MediaState, Walk, WalkState, now
from civitscrape.parsers import images
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.rest import Page
    from civitscrape.spiders.arguments import MediaArguments

SOURCE = "rest.images"
"""Endpoint of these walks (contract rest.md §7)."""

OLDEST, NEWEST = "Oldest", "Newest"

BAD_REQUEST = 400

MARGIN = timedelta(minutes=15)
"""An entry this much older than a walk must have been in it: clocks differ, and the site's index lags a little."""


class WalkingSpider(CivitaiSpider):
    """A spider that walks listings of images."""

    args: MediaArguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen: defaultdict[int, set[str]] = defaultdict(set)
        self._refused: set[int] = set()

    @property
    def site(self) -> str:
        """The host for all passes of a target: the two hosts filter by different ratings (rest.md §2.1)."""
        name = "CIVITAI_MATURE_URL" if self.args.level & levels.MATURE else "CIVITAI_URL"
        return str(self.settings[name])

    async def plan(self, target: str, params: dict[str, Any]) -> AsyncIterator[Any]:
        """Plan the passes of a target, each a walk, and ask for the first page of each.

        Args:
            target: such as ``user:lampwright``.
            params: what the listing is asked for, beside levels and sort.
        """
        for level in levels.passes(self.args.level):
            walk = await self._walk(target, level, params)
            if self.args.download != "none" and (walk.cursor is not None or self.args.mode == "new"):
                async for image in self.books.leftovers(target, walk.level):
                    yield [image, wanted(image, self.settings["CIVITAI_MEDIA_URL"])]
            yield walk
            yield self.ask(walk)

    async def _walk(self, target: str, level: int, params: dict[str, Any]) -> Walk:
        """Take up what was left unfinished, or start afresh from the end that the mode asks for."""
        fresh = Walk(
            run_id=self.books.run.id,
            source=SOURCE,
            target=target,
            level=int(level),
            params=params | {"sort": OLDEST},
            state=WalkState.RUNNING,
            started_at=now(),
        )
        if self.args.max_items is not None:
            fresh.params = params | {"sort": NEWEST, "max_items": self.args.max_items}
            return fresh
        walk = await self.books.adopt(fresh)
        if walk is fresh and self.args.mode == "new" and await self.books.is_whole(fresh):
            fresh.params = params | {"sort": NEWEST}
        return walk

    def ask(self, walk: Walk, *, again: bool = False, check: bool = False) -> Request:
        """Ask for the page at a walk's cursor, or for the newest page that proves its end."""
        newest = check or walk.params["sort"] == NEWEST
        # What the edge kept is no news, and a second run within its five minutes would get the first one's answer.
        mark = f"{self.books.run.id}-{1 + again}" if newest or again else None
        return rest.images(
            self.site,
            username=walk.params["username"],
            level=walk.level,
            sort=NEWEST if newest else OLDEST,
            media_type=walk.params["type"],
            cursor=None if check else walk.cursor,
            limit=rest.OTHER_PAGE_SIZE if mark else rest.PAGE_SIZE,
            mark=mark,
            callback=self.parse_check if check else self.parse_images,
            cb_kwargs={"walk": walk, "again": again},
        )

    async def parse_images(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Keep the entries of a page, then go on."""
        if response.status == BAD_REQUEST and walk.cursor is not None and not self._seen[walk.id or 0]:
            yield self.restart(walk)
            yield self.ask(walk)
            return
        page = self.open(response, walk)
        if walk.pages == 0:
            walk.started_at = rest.time_of(response) or walk.started_at
        room = self._room(walk)
        entries = page.entries[:room]
        fresh = await self._fresh(entries, walk)
        for entry in entries:
            yield list(self.keep(entry, walk))
        walk.pages, walk.entries = walk.pages + 1, walk.entries + len(entries)
        enough = self._room(walk) == 0 or (walk.params["sort"] == NEWEST and entries and not fresh)
        for step in self.end(walk) if enough else self.advance(page, walk, again=again):
            yield step

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a page and make sure that it speaks of the target."""
        page = rest.open_listing(response)
        require_echo(page, walk)
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
        step = cursors.after(page, cursor=walk.cursor, seen=self._seen[walk.id or 0], asked_again=again)
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
        elif walk.params["sort"] == OLDEST:
            yield walk
            yield self.ask(walk, check=True)
        else:
            yield from self.end(walk)

    def end(self, walk: Walk) -> Iterator[Walk]:
        """Write into a walk that it has come to its end, or to the end that a person set."""
        walk.state = WalkState.COMPLETE if self.args.max_items is None else WalkState.LIMITED
        yield walk

    async def parse_check(self, response: Response, walk: Walk, *, again: bool) -> AsyncIterator[Any]:
        """Compare the newest page with what was listed from the oldest end: a ceiling looks like the end."""
        page = self.open(response, walk)
        if not page.entries and page.next_cursor is None and walk.entries:
            yield self._unproven(walk) if again else self.ask(walk, check=True, again=True)
            return
        numbers = numbered(page.entries)
        met = await self.books.met(walk, numbers)
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
        number = images.entry_id(entry)
        try:
            records = images.from_rest(entry, media_url=self.settings["CIVITAI_MEDIA_URL"])
        except EntryError as error:
            if number not in self._refused:  # the check of a walk brings the newest once more
                self.crawler.stats.inc_value("civitscrape/refused")
                self.logger.warning("%s: entry %s refused: %s", walk.target, number, error)
            if number is not None:
                self._refused.add(number)
            yield Entry(kind="rest.image", entry_id=str(number), content=entry, refused=str(error))
            return
        image = next(record for record in records if isinstance(record, Image))
        yield from records
        yield link(walk, image)
        if self.args.download != "none":
            yield wanted(image, self.settings["CIVITAI_MEDIA_URL"])
        if self.settings.getbool("KEEP_PAYLOADS"):
            yield Entry(kind="rest.image", entry_id=str(image.id), content=entry)

    def _room(self, walk: Walk) -> int | None:
        """Tell how many entries may still be taken; None for all of them."""
        return None if self.args.max_items is None else max(0, self.args.max_items - walk.entries)

    async def _fresh(self, entries: list[Any], walk: Walk) -> list[Any]:
        """Find the entries that the walk's target has not led to before; needed from the newest end only."""
        numbers = numbered(entries)
        known = await self.books.known(walk.target, numbers)
        return [entry for number, entry in numbers.items() if number not in known]


def require_echo(page: Page, walk: Walk) -> None:
    """Make sure that a page speaks of whom it was asked about; the site has given others' works before.

    Raises:
        EchoError: an entry names somebody else.
    """
    asked = walk.params["username"].lower()
    for entry in page.entries:
        name = entry.get("username") if isinstance(entry, dict) else None
        if name is not None and str(name).lower() not in {asked, "unknown"}:
            raise EchoError(f"asked for the works of {asked!r}, the site gave entry {entry.get('id')} of {name!r}")


def is_older(image: Image, walk: Walk) -> bool:
    """Tell whether an image was there when a walk began, so that the walk should have met it."""
    if image.created_at is None or walk.started_at is None:
        return True
    begun = datetime.fromisoformat(walk.started_at)
    return datetime.fromisoformat(image.created_at).replace(tzinfo=UTC) < begun - MARGIN


def numbered(entries: list[Any]) -> dict[int, Any]:
    """Find entries by their ids; those without one are of no use to a comparison."""
    return {number: entry for entry in entries if isinstance(number := images.entry_id(entry), int)}


def judged(walk: Walk, missed: int, newest: int) -> Walk:
    """Write into a walk whether it was whole: entries of the newest page that it should have met show a ceiling."""
    walk.state = WalkState.CAPPED if missed else WalkState.COMPLETE
    if missed:
        walk.error = (
            f"the listing ended after {walk.entries} entries, but {missed} of the newest {newest} were not in it; "
            "there may be more between"
        )
    return walk


def link(walk: Walk, image: Image) -> Link:
    """Note which target led to an image, on which walk."""
    kind, _, name = walk.target.partition(":")
    return Link(
        target_kind=kind,
        target=name,
        entry_kind="image",
        entry_id=image.id,
        first_seen_at=now(),
        walk_id=walk.id,
    )


def wanted(image: Image, base: str) -> Media:
    """Make the row of the file that an image stands for."""
    if image.key is None or not media.is_key(image.key):
        reason = f"its address {image.url!r} is not one of the CDN"
        return Media(
            key=f"image:{image.id}", kind=image.type, entry_id=image.id, state=MediaState.REFUSED, error=reason
        )
    url = media.original(base, image.key, image.type)
    return Media(key=image.key, kind=image.type, entry_id=image.id, url=url, state=MediaState.WANTED)
