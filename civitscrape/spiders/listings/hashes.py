"""Versions by the hashes of their files (contract rest.md §6.2-§6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, rest
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import EnvelopeError
from civitscrape.items import Level
from civitscrape.parsers import models, showcases
from civitscrape.spiders.listings.base import Listing, Question, mapping, within_levels

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.ledger import Walk


class Hashes(Listing):
    """A question about hashes: one page, of those that the site knows."""

    kind = "version"
    may_be_empty = True  # most people's files are not all on the site
    brings_files = False  # as with a single version
    single = True
    sort = None

    def passes(self, mask: int) -> list[Level]:
        """Ask once: versions come whatever their level, their pictures as far as their levels were asked for."""
        return [Level(mask)]

    def open(self, response: Response, walk: Walk) -> Page:  # noqa: ARG002 (the base class's signature)
        """Open the list; versions without a usable file come as null (rest.md §6.3)."""
        if response.status != 200:  # noqa: PLR2004 (HTTP's OK)
            raise answers.refusal(response)
        found = answers.open_json(response)
        if not isinstance(found, list):
            raise EnvelopeError(f"{response.url} gave no list; the site may have changed")
        return Page(entries=[entry for entry in found if entry is not None], next_cursor=None)

    def number(self, entry: Any) -> int | None:
        """Return the id of the version."""
        return models.version_id(entry)

    def keepable(self, entry: Any) -> Any:
        """Leave out generation data that its creator hid (rest.md §6.1)."""
        return showcases.keepable(entry)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read a version with its files."""
        return within_levels(models.from_version(entry, site=self.site, media_url=self.media_url), walk)


class HashIds(Hashes):
    """``POST by-hash/ids``: which of up to 10,000 SHA-256 the site knows."""

    source = "rest.by-hash-ids"
    payload = "rest.hash"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for all hashes of the walk."""
        return rest.ids_by_hash(site, walk.params["hashes"])

    def number(self, entry: Any) -> int | None:
        """Return the id of the version."""
        number = mapping(entry).get("modelVersionId")
        return number if type(number) is int else None

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read nothing: what the site knows is asked for next."""
        return []


class HashVersions(Hashes):
    """``POST by-hash``: the versions of up to 100 SHA-256."""

    source = "rest.by-hash"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for all hashes of the walk."""
        return rest.versions_by_hash(site, walk.params["hashes"])


class ByHash(Hashes):
    """``by-hash/{hash}``: the version of one hash of any kind."""

    source = "rest.by-one-hash"

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for the hash."""
        return rest.by_hash(site, walk.params["hash"])

    def open(self, response: Response, walk: Walk) -> Page:  # noqa: ARG002 (the base class's signature)
        """Open the version, a page of one entry."""
        return Page(entries=[answers.open_thing(response)], next_cursor=None)
