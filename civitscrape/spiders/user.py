"""Everything that a creator has published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import pages, rest
from civitscrape.exceptions import AnswerError, EntryError, EnvelopeError
from civitscrape.ledger import Announcement
from civitscrape.parsers import creators
from civitscrape.spiders.arguments import UserArguments
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response

TYPES = {"images": "image", "videos": "video"}
"""Content as a person says it, and the type that the API takes."""


class UserSpider(WalkingSpider):
    """Archive everything a creator has published as images and videos."""

    name = "user"
    arguments = UserArguments
    args: UserArguments

    async def start(self) -> AsyncIterator[Any]:
        """Ask for each creator's profile, which announces how much there is, and walk their works meanwhile."""
        content = [TYPES[one] for one in self.args.content]
        for username in self.args.username:
            target = f"{self.name}:{username.lower()}"
            yield pages.user(self.site, username, callback=self.parse_profile, cb_kwargs={"target": target})
            params = {"username": username, "type": content[0] if len(content) == 1 else None}
            async for step in self.plan(target, params):
                yield step

    def parse_profile(self, response: Response, target: str) -> Iterator[Any]:
        """Keep who the creator is and what the page announces; without it the crawl goes on, and the report says so."""
        try:
            profile = open_profile(response)
        except AnswerError as error:
            self.logger.warning("%s: announced counts are not known: %s", target, error)
            yield Announcement(target=target, exists=None, error=str(error))
            return
        if profile.exists:
            try:
                yield replace(creators.from_profile(profile), link=response.url)
            except EntryError as error:
                self.logger.warning("%s: the profile is not kept: %s", target, error)
        yield Announcement(target=target, exists=profile.exists, counts=profile.counts, level=profile.counts_level)


def open_profile(response: Response) -> pages.Profile:
    """Open the answer of a profile page.

    Raises:
        AnswerError: there is none, in one sentence.
    """
    if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
        raise rest.refusal(response)
    try:
        return pages.open_profile(response.text)
    except AttributeError as error:
        raise EnvelopeError(f"{response.url} gave {response.headers.get('Content-Type')!r}, not a page") from error
