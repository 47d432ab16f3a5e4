"""Creators and tags of the whole site, page by numbered page (contract rest.md §8.1, §8.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, levels, rest, urls
from civitscrape.civitai.answers import Page
from civitscrape.parsers import creators, tags
from civitscrape.spiders.listings.base import Listing, Question, filters_of, mapping

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.items import Level
    from civitscrape.ledger import Walk


class Vocabulary(Listing):
    """A listing with numbered pages; its cursor is the number, and an empty page is its end."""

    sort = None

    def passes(self, mask: int) -> list[Level]:  # noqa: ARG002 (names have no level)
        """Ask once."""
        return [levels.ALL]

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a page; the next one exists as long as this one is not empty."""
        page = answers.open_listing(response)
        following = str(int(walk.cursor or 1) + 1) if page.entries else None
        return Page(entries=page.entries, next_cursor=following)

    def number(self, entry: Any) -> int | None:  # noqa: ARG002 (the base class's signature)
        """Return None: names are all there is."""
        return None


class Creators(Vocabulary):
    """``/api/v1/creators``."""

    source = "rest.creators"
    kind = "creator"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for a page by its number."""
        return rest.creators(site, filters_of(walk), page=int(question.cursor or 1), mark=question.mark)

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a page; the site tells whether there is another (§8.1)."""
        page = super().open(response, walk)
        metadata = mapping(mapping(answers.open_json(response)).get("metadata"))
        return page if metadata.get("nextPage") else Page(entries=page.entries, next_cursor=None)

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read a creator; models are counted whatever their level, and the address given is one of the API."""
        creator = creators.from_rest(entry)
        link = urls.address("user", creator.username, self.site)
        return [replace(creator, link=link, counts_level=int(levels.ALL))]


class Tags(Vocabulary):
    """``/api/v1/tags``: names without numbers."""

    source = "rest.tags"
    kind = "tag"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for a page by its number."""
        return rest.tags(site, filters_of(walk), page=int(question.cursor or 1), mark=question.mark)

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the name of a tag."""
        return [tags.from_rest(entry)]
