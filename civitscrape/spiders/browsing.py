"""Votes as images' pages show them in a browser, for those who have neither a key nor cookies."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy.utils.misc import load_object

from civitscrape.civitai import answers, levels, pages, shown, things
from civitscrape.civitai.roles import browser_slot
from civitscrape.exceptions import AnswerError, BusyError, EnvelopeError
from civitscrape.items import Image, Level
from civitscrape.ledger import Walk, WalkState, now
from civitscrape.parsers import tags
from civitscrape.spiders.listings.base import mapping, require_number
from civitscrape.spiders.listings.things import text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.ledger import Wish
    from civitscrape.spiders.base import CivitaiSpider

SOURCE = "browser.image"
"""Name of this way in the table ``walks``."""

AHEAD = 4
"""Pages asked for ahead, times those open at once: nobody waits for the database."""

IN_A_ROW = 20
"""Pages that fail one after the other, after which the browser or the site is given up."""

METHOD = "scrapy_playwright.page.PageMethod"


class PageVotes:
    """One walk over the pages of images, several open at once; its cursor is below all that is not answered yet."""

    def __init__(self, spider: CivitaiSpider, target: str, wish: Wish) -> None:
        self._spider = spider
        self._target = target
        self._wish = wish
        self._site = str(spider.settings["CIVITAI_URL"])
        self._ahead = AHEAD * spider.settings.getint("BROWSER_PAGES")
        self._refilling = asyncio.Lock()
        self._images: dict[int, Image] = {}
        self._names: dict[int, dict[int, str]] = {}
        self._after = 0
        self._exhausted = False
        self._failures: dict[int, str] = {}
        self._in_a_row = 0
        self._flaw: str | None = None
        self._nameless = 0

    async def begin(self) -> AsyncIterator[Any]:
        """Go on with what was left unfinished, or begin with the lowest id."""
        books = self._spider.books
        if unseen := await books.unseen(self._wish):
            books.left_out.append(
                f"{self._target}: votes of {unseen} images rated above PG were not asked for: their pages are shown "
                "only to those who log in; a key or cookies bring them (CIVITAI_API_KEY, CIVITAI_COOKIES)"
            )
        fresh = Walk(
            run_id=books.run.id,
            source=SOURCE,
            target=self._target,
            # Of a target the pages are those rated PG; of what is archived, none is left out that was asked for.
            level=int(levels.ALL if self._wish.target is None else Level.PG),
            params={},
            state=WalkState.RUNNING,
            started_at=now(),
        )
        try:
            walk, left = await books.adopt_votes(fresh)
        except BusyError as error:
            books.leave(self._target, f"{self._target}: {error}; it is left to that run")
            return
        self._wish = replace(self._wish, without=left)
        self._after = int(walk.cursor or 0)
        async for step in self._go_on(walk):
            yield step

    async def _go_on(self, walk: Walk) -> AsyncIterator[Any]:
        """Ask for further pages; write how far the walk has come, or that it has come to its end."""
        requests = await self._refill(walk)
        walk.cursor = str(min(self._images, default=self._after + 1) - 1)
        if not self._images:
            self._end(walk)
        yield walk
        for request in requests:
            yield request

    async def _refill(self, walk: Walk) -> list[Request]:
        async with self._refilling:
            room = self._ahead - len(self._images)
            # Not for every page a question: half of the queue is room enough to wait for.
            if self._exhausted or room < self._ahead // 2:
                return []
            ids = await self._spider.books.due(self._wish, self._after, room)
            self._exhausted = not ids
            self._names |= await self._spider.books.tag_names(ids)
            images = await self._spider.books.images(ids)
            for image in images.values():
                image.rendition = self._spider.rendition(image.type)  # the file that the listing has brought
            self._images |= images
            self._after = max([self._after, *ids])
            return [self._ask(number, walk) for number in ids]

    def _ask(self, number: int, walk: Walk) -> Request:
        """Ask for an image's page, in a browser that waits for its tags."""
        kept = [{"name": name, "value": value} for name, value in shown.SHOW_ALL.items()]
        known = sorted(self._names.get(number, {}))
        request = pages.page(self._site, f"images/{number}")
        method = load_object(METHOD)("evaluate", shown.SCRIPT, [known, shown.PATIENCE])
        request.meta.update(
            download_slot=browser_slot(request.url),
            autothrottle_dont_adjust_delay=True,
            playwright=True,
            playwright_page_methods=[method],
            playwright_page_goto_kwargs={"wait_until": "domcontentloaded"},
            playwright_context_kwargs={
                "user_agent": self._spider.settings["USER_AGENT"],
                "service_workers": "block",
                "storage_state": {"cookies": [], "origins": [{"origin": self._site, "localStorage": kept}]},
            },
        )
        return request.replace(callback=self.parse, cb_kwargs={"walk": walk, "number": number})

    async def parse(self, response: Response, walk: Walk, number: int) -> AsyncIterator[Any]:
        """Keep the tags of a page, then go on."""
        image = self._images.pop(number)
        try:
            yield self._read(response, image)
            self._in_a_row = 0
            walk.pages, walk.entries = walk.pages + 1, walk.entries + 1
            self._spider.crawler.stats.inc_value("civitscrape/pages")
        except AnswerError as error:
            self._fail(number, response, error)
        async for step in self._go_on(walk):
            yield step

    def _fail(self, number: int, response: Response, error: AnswerError) -> None:
        """Note why a page could not be read; without a browser no page can, and none was asked for."""
        if "browser_flaw" in response.meta:
            self._flaw, self._exhausted = response.meta["browser_flaw"], True
        else:
            self._failures[number] = str(error)
            self._in_a_row += 1
            self._exhausted = self._exhausted or self._in_a_row >= IN_A_ROW

    def _read(self, response: Response, image: Image) -> list[Any]:
        """Turn a page into all that is kept of it.

        Raises:
            AnswerError: there is no page, or its tags did not come.
        """
        if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
            raise answers.refusal(response)
        told = things.open_image_page(text_of(response)).image
        if told is None:
            image.votes_at = image.gone_at = now()
            self._spider.crawler.stats.inc_value("civitscrape/images_gone")
            return [image]
        target = Walk(run_id="", source=SOURCE, target=f"image:{image.id}", level=0, params={})
        require_number(target, told.get("id"), image.id)
        level = told.get("nsfwLevel")
        if type(level) is int and level and not level & Level.PG:  # rated anew since it was listed
            image.level = level
            return [image]
        outcome = mapping(response.meta["playwright_page_methods"][0].result)
        if outcome.get("state") not in {"shown", "none"}:
            raise EnvelopeError(f"{response.url} showed no tags within {shown.PATIENCE / 1000:g} s")
        if outcome["state"] == "none":
            shown.require_bare(outcome.get("call"))
        return self._kept(image, shown.open_tags(text_of(response)), shown.open_names(outcome.get("names")))

    def _kept(self, image: Image, found: list[shown.ShownTag], fresh: dict[int, str]) -> list[Any]:
        names = self._names.pop(image.id, {}) | fresh
        self._nameless += len({one.id for one in found} - names.keys())
        image.votes_at = now()
        image.tags = [names[one.id] for one in found if one.id in names]
        return [image, *tags.from_page(image.id, [(one.id, one.score) for one in found], fresh)]

    def _end(self, walk: Walk) -> None:
        """Write into a walk how it ended."""
        walk.state, walk.cursor = WalkState.COMPLETE, None
        if self._nameless:
            self._spider.logger.warning("%s: the names of %d tags could not be had", self._target, self._nameless)
        if self._flaw is not None:
            walk.state, walk.error = WalkState.BROKEN, f"no page could be opened: {self._flaw}"
        elif self._failures:
            first, reason = next(iter(self._failures.items()))
            walk.state = WalkState.BROKEN
            pages = "1 page" if len(self._failures) == 1 else f"{len(self._failures)} pages"
            given_up = f", {IN_A_ROW} of them one after the other" if self._in_a_row >= IN_A_ROW else ""
            walk.error = f"{pages} could not be read{given_up}; the first: image {first}: {reason}"
