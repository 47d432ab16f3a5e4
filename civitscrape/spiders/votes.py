"""Tags with votes for what is archived already."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from civitscrape.civitai import levels
from civitscrape.civitai.cookies import has_login
from civitscrape.exceptions import ArgumentError, BusyError, EntryError
from civitscrape.items import Image, ImageTag, Tag
from civitscrape.ledger import Announcement, Entry, Walk, WalkState, Wish, now
from civitscrape.spiders.arguments import Arguments, Usernames, split
from civitscrape.spiders.base import CivitaiSpider
from civitscrape.spiders.browsing import PageVotes
from civitscrape.spiders.listings.base import Question
from civitscrape.spiders.listings.votes import Batch, Told, VotesByBatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from civitscrape.exceptions import AnswerError

ALL_TAGS = 100
"""Tags that one answer gives at most; below, a tag that is not among them is not shown any more (§4.3)."""

TRIES = 3
"""How often an image is asked for in one run, whose call failed in passing while others of the batch did not."""


HOURS = {"h": 1, "d": 24, "w": 7 * 24}
"""Hours of each unit of an age."""


def _age(text: str) -> str:
    """Make sure that ``30d``, ``12h`` or ``2w`` is one of these."""
    if not re.fullmatch(r"\d{1,5}[hdw]", text):
        raise ValueError("give an age such as 30d, 12h or 2w")
    return text


class VotesArguments(Arguments):
    """Arguments of ``scrapy crawl votes``."""

    spider: ClassVar[str] = "votes"

    only: Annotated[list[Literal["missing", "stale"]], BeforeValidator(split), Field(min_length=1)] = Field(
        default=["missing", "stale"],
        description="Whose votes to ask for: of images that never had any (`missing`), of those last asked for before "
        "`older_than` (`stale`).",
    )
    older_than: Annotated[str, AfterValidator(_age)] = Field(
        default="30d", description="Age from which votes are `stale`, such as `30d`, `12h` or `2w`."
    )
    username: Usernames | None = Field(default=None, description="Images of these creators only, with commas.")
    votes: Literal["yes", "browser"] = Field(
        default="yes",
        description="`yes` asks the site's own interface, 50 images a call; needs a key or cookies. `browser` opens "
        "each image's page, for those who have neither: scores without votes for and against, of images rated PG.",
    )


class VotesSpider(CivitaiSpider):
    """Bring tags with votes for images that are archived already, into the database and the sidecars.

    When votes were asked for is remembered for each image, so nothing is asked twice before it is stale.
    """

    name = "votes"
    retells = True
    arguments = VotesArguments
    args: VotesArguments
    calls = "⌈n/50⌉ API calls for n images, and as much again for those without tags; with `votes=browser` n pages"
    needs = "a key or cookies; for `votes=browser` the extra `browser` and a Chromium"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tried: Counter[int] = Counter()
        self._given_up: dict[int, AnswerError] = {}
        self._without: tuple[str, ...] = ()

    @classmethod
    def require_login(cls, settings: BaseSettings, arguments: Arguments) -> None:
        """Make sure that there is a key or cookies for one of the hosts, unless a browser does the asking.

        Raises:
            ArgumentError: there is neither.
        """
        if getattr(arguments, "votes", "yes") == "yes" and site_for(settings) is None:
            raise ArgumentError(
                f"spider {cls.name} needs a key or cookies: the site tells votes to nobody else; put a key into "
                "CIVITAI_API_KEY, or a browser's cookies into CIVITAI_COOKIES; without either, -a votes=browser reads "
                "the scores that an image's page shows"
            )

    @property
    def wish(self) -> Wish:
        """Whose votes are to be asked for."""
        age = timedelta(hours=int(self.args.older_than[:-1]) * HOURS[self.args.older_than[-1]])
        before = datetime.now(UTC) - age
        stale = before.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Wish(
            missing="missing" in self.args.only,
            before=stale if "stale" in self.args.only else None,
            usernames=tuple(self.args.username or ()),
            without=self._without,
        )

    @property
    def target(self) -> str:
        """What is asked for, as the walks call it."""
        return f"{self.name}:{','.join(self.args.username or ['all']).lower()}"

    async def start(self) -> AsyncIterator[Any]:
        """Go on with what was left unfinished, or begin with the lowest id."""
        yield Announcement(target=self.target, exists=True)
        if self.args.votes == "browser" and site_for(self.settings) is None:
            async for step in PageVotes(self, self.target, replace(self.wish, pages=True)).begin():
                yield step
            return
        params = {"only": ",".join(self.args.only), "username": ",".join(self.args.username or []) or None}
        fresh = Walk(
            run_id=self.books.run.id,
            source=VotesByBatch.source,
            target=self.target,
            level=int(levels.ALL),
            params={name: value for name, value in params.items() if value is not None},
            state=WalkState.RUNNING,
            started_at=now(),
        )
        try:
            walk, self._without = await self.books.adopt_votes(fresh)
        except BusyError as error:
            self.books.leave(self.target, f"{self.target}: {error}; it is left to that run")
            return
        async for step in self.take_up([walk]):
            yield step

    async def take_up(self, walks: list[Walk]) -> AsyncIterator[Any]:
        """Go on with walks of votes at the batches that they have come to."""
        for walk in walks:
            async for step in self._go_on(walk, Batch.read(walk.cursor or "0:")):
                yield step

    async def _go_on(self, walk: Walk, batch: Batch) -> AsyncIterator[Any]:
        """Fill a batch out of the archive and ask for it; an empty one is the end."""
        fresh = await self.books.due(self.wish, batch.after, batch.room) if batch.room else []
        batch = replace(batch, after=max([batch.after, *fresh]), ids=(*batch.ids, *fresh))
        if not batch.calls():
            self._end(walk)
            yield walk
            return
        walk.cursor = str(batch)
        yield walk
        request = self._listing.ask(str(site_for(self.settings)), walk, Question(newest=False, cursor=walk.cursor))
        yield request.replace(callback=self.parse_votes, cb_kwargs={"walk": walk})

    @property
    def _listing(self) -> VotesByBatch:
        return VotesByBatch(site=self.settings["CIVITAI_URL"], media_url=self.settings["CIVITAI_MEDIA_URL"])

    def _end(self, walk: Walk) -> None:
        """Write into a walk that everything was asked for."""
        walk.state, walk.cursor = WalkState.COMPLETE, None
        if gone := self.crawler.stats.get_value("civitscrape/images_gone", 0):
            self.logger.info("%s: %d images are gone from the site; what is archived of them stays", self.target, gone)
        if self._given_up:
            number, error = next(iter(self._given_up.items()))
            walk.state = WalkState.BROKEN
            images = "1 image" if len(self._given_up) == 1 else f"{len(self._given_up)} images"
            walk.error = f"votes of {images} could not be had; the first: image {number}: {error}"

    async def parse_votes(self, response: Response, walk: Walk) -> AsyncIterator[Any]:
        """Keep what a batch told, then ask for the next one."""
        page = self._listing.open(response, walk)
        self.crawler.stats.inc_value("civitscrape/pages")
        told: list[Told] = page.entries
        known = [one.id for one in told if one.error is None and not one.doubtful]
        images, tag_ids = await self.books.images(known), await self.books.tag_ids(known)
        for one in told:
            if one.id in images:
                yield list(self._kept(one, images[one.id], tag_ids.get(one.id, set())))
        walk.pages, walk.entries = walk.pages + 1, walk.entries + len(known)
        async for step in self._go_on(walk, self._following(walk, told)):
            yield step

    def _following(self, walk: Walk, told: list[Told]) -> Batch:
        """Begin the next batch with what this one left open."""
        for one in told:
            if one.error is not None:
                self._tried[one.id] += 1
                if self._tried[one.id] >= TRIES:
                    self._given_up[one.id] = one.error
        open_ = [one for one in told if one.error is not None and one.id not in self._given_up]
        doubtful = [one.id for one in told if one.doubtful] + [one.id for one in open_ if one.itself]
        ids = [one.id for one in open_ if not one.itself]
        return Batch(after=Batch.read(walk.cursor or "0:").after, ids=tuple(ids), doubtful=tuple(doubtful))

    def _kept(self, told: Told, image: Image, tag_ids: set[int]) -> Iterator[Any]:
        """Turn what was told of an image into all that is kept of it."""
        try:
            records = self._listing.read(told, Walk(run_id="", source="", target="", level=0, params={}))
        except EntryError as error:
            self.crawler.stats.inc_value("civitscrape/refused")
            self.logger.warning("%s: the votes of image %d are refused: %s", self.target, told.id, error)
            yield Entry(kind=self._listing.payload, entry_id=str(told.id), content=told.votes, refused=str(error))
            return
        image.votes_at = now()
        image.gone_at = image.votes_at if told.gone else None
        image.tags = [one.name for one in records if isinstance(one, Tag)]
        yield image
        yield from records
        if told.gone:
            self.crawler.stats.inc_value("civitscrape/images_gone")
            return
        listed = {one.tag_id for one in records if isinstance(one, ImageTag)}
        if len(listed) < ALL_TAGS:
            yield from (ImageTag(image_id=image.id, tag_id=one, shown=False) for one in sorted(tag_ids - listed))
        if self.settings.getbool("KEEP_PAYLOADS"):
            yield Entry(kind=self._listing.payload, entry_id=str(told.id), content=self._listing.keepable(told))


def site_for(settings: BaseSettings) -> str | None:
    """Choose the host that knows who asks; look-ups by id give all levels on either (trpc-and-pages §2.3)."""
    hosts = (settings["CIVITAI_URL"], settings["CIVITAI_MATURE_URL"])
    return next((str(host) for host in hosts if has_login(settings, host)), None)
