"""Everything that a creator has published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, pages
from civitscrape.exceptions import AnswerError, BusyError, EntryError, EnvelopeError
from civitscrape.ledger import Announcement, Walk, WalkState, now
from civitscrape.parsers import creators
from civitscrape.spiders.arguments import UserArguments
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response

PROFILE = "page.user"
"""Source of the page that announces how much there is; its row says whether it was read."""

TYPES = {"images": "image", "videos": "video"}
"""Content as a person says it, and the type that the API takes."""


class UserSpider(WalkingSpider):
    """Archive everything a creator has published: images, videos, posts, models, collections."""

    name = "user"
    arguments = UserArguments
    args: UserArguments
    calls = (
        "1 page a creator for the announced counts; ⌈n/200⌉ + 1 API calls for n images in each pass over levels; "
        "⌈n/100⌉ for n models; ⌈n/200⌉ + ⌈n/50⌉ for n posts with their texts; with `votes=yes` one less in each "
        "pass, where the names of models do not take one of their own"
    )
    needs = "nothing; a key or cookies for `votes=yes`, `posts`, `collections`"

    async def start(self) -> AsyncIterator[Any]:
        """Ask for each creator's profile, which announces how much there is, and walk their works meanwhile."""
        self._say_what_needs_login()
        for username in self.args.username:
            target = f"{self.name}:{username.lower()}"
            async for step in self._profile(target, username):
                yield step
            for source, asked in self._listings_of(username):
                async for step in self.plan(target, source, asked):
                    yield step

    async def _profile(self, target: str, username: str) -> AsyncIterator[Any]:
        """Ask for the profile; a row says what became of it, since the listings go on without."""
        walk = Walk(
            run_id=self.books.run.id,
            source=PROFILE,
            target=target,
            level=int(self.level),
            params={"username": username},
            state=WalkState.RUNNING,
            started_at=now(),
        )
        try:
            walk = await self.books.adopt(walk)
        except BusyError:
            return  # whoever is at it announces the counts of the same works
        yield walk
        yield pages.user(self.site, username, callback=self.parse_profile, cb_kwargs={"walk": walk})

    def _listings_of(self, username: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name the listings that bring what was asked for of a creator."""
        content = self.args.content
        types = [TYPES[one] for one in content if one in TYPES]
        if types:
            yield self.images({"username": username, "type": types[0] if len(types) == 1 else None})
        if "posts" in content and self.logged_in:
            yield "trpc.post.getInfinite", {"username": username}
        if self.models:
            yield "rest.models", {"username": username}

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Ask for the texts of posts, which the feed does not tell."""
        ids = [number for entry in entries if (number := self.listing(walk.source).number(entry)) is not None]
        if walk.source == "trpc.post.getInfinite" and ids:
            async for step in self.plan(walk.target, "trpc.post.get", {"ids": ids}):
                yield step

    def _say_what_needs_login(self) -> None:
        """Tell what is left out because it needs a key or cookies; the run is not complete then."""
        for one in ("posts", "collections"):
            if one in self.args.content and not self.logged_in:
                reason = f"{one} need a key or cookies (CIVITAI_API_KEY, CIVITAI_COOKIES); they were left out"
                self.logger.warning("%s", reason)
                self.books.left_out.append(reason)

    @property
    def models(self) -> bool:
        """Whether models were asked for, with their files or without."""
        return bool({"models", "files"} & {*self.args.content})

    @property
    def files(self) -> bool:
        """Whether the model files themselves are wanted."""
        return "files" in self.args.content and self.downloads

    async def parse_profile(self, response: Response, walk: Walk) -> AsyncIterator[Any]:
        """Keep who the creator is and what the page announces; without it the crawl goes on, and the report says so."""
        target = walk.target
        try:
            profile = open_profile(response)
        except AnswerError as error:
            self.logger.warning("%s: announced counts are not known: %s", target, error)
            walk.state, walk.error = WalkState.BROKEN, str(error)
            yield [walk, Announcement(target=target, exists=None, error=str(error))]
            return
        walk.state, walk.pages = WalkState.COMPLETE, 1
        yield walk
        if profile.exists:
            try:
                yield replace(creators.from_profile(profile), link=response.url)
            except EntryError as error:
                self.logger.warning("%s: the profile is not kept: %s", target, error)
        yield Announcement(target=target, exists=profile.exists, counts=profile.counts, level=profile.counts_level)
        number = (profile.user or {}).get("id")
        if "collections" in self.args.content and self.logged_in and isinstance(number, int):
            async for step in self.plan(target, "trpc.collection.getInfinite", {"userId": number}):
                yield step


def open_profile(response: Response) -> pages.Profile:
    """Open the answer of a profile page.

    Raises:
        AnswerError: there is none, in one sentence.
    """
    if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
        raise answers.refusal(response)
    try:
        return pages.open_profile(response.text)
    except AttributeError as error:
        raise EnvelopeError(f"{response.url} gave {response.headers.get('Content-Type')!r}, not a page") from error
