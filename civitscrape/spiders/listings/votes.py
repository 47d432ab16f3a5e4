"""Tags with votes of images by their ids, fifty in a request (contract trpc-and-pages.md §1.4, §4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from civitscrape.civitai import levels, trpc
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import AnswerError, ForbiddenError, LoginError, NotFoundError, RegionError
from civitscrape.parsers import tags
from civitscrape.spiders.listings.base import Listing, Question

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.items import Level
    from civitscrape.ledger import Walk

DOUBTFUL = "?"
"""Mark of an id whose tags came empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one request asks; the cursor of its walk, so that it holds fifty ids and never all of them.

    The site gives no tags for an id that it does not know, so empty answers are told apart by asking for the image
    itself, in the request that follows.
    """

    after: int
    """The last id that was taken out of the archive."""
    ids: tuple[int, ...] = ()
    """Images whose votes are asked for."""
    doubtful: tuple[int, ...] = ()
    """Images that are themselves asked for, since their tags came empty."""

    @classmethod
    def read(cls, cursor: str) -> Self:
        """Read a cursor.

        >>> Batch.read("90: 7 9 4?")
        Batch(after=90, ids=(7, 9), doubtful=(4,))
        """
        after, _, listed = cursor.partition(":")
        words = listed.split()
        doubtful = tuple(int(word.removesuffix(DOUBTFUL)) for word in words if word.endswith(DOUBTFUL))
        return cls(after=int(after), ids=tuple(int(w) for w in words if not w.endswith(DOUBTFUL)), doubtful=doubtful)

    def __str__(self) -> str:
        """Write the cursor."""
        return " ".join([f"{self.after}:", *map(str, self.ids), *(f"{one}{DOUBTFUL}" for one in self.doubtful)])

    @property
    def room(self) -> int:
        """How many more calls the request can take."""
        return trpc.BATCH - len(self.ids) - len(self.doubtful)

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Return procedure and input of each call."""
        votes = [("tag.getVotableTags", {"id": one, "type": "image"}) for one in self.ids]
        return votes + [("image.get", {"id": one}) for one in self.doubtful]


REFUSALS = (LoginError, ForbiddenError, RegionError)
"""Errors that are about who asks, and not about one image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the site told of one image."""

    id: int
    answer: Any
    """Result of the call, or the error in its place."""
    itself: bool = False
    """Whether the image itself was asked for, and not its votes."""

    @property
    def gone(self) -> bool:
        """Whether the site says that it has the image no more."""
        return self.itself and isinstance(self.answer, NotFoundError)

    @property
    def error(self) -> AnswerError | None:
        """Why nothing was told; that the image is gone is an answer."""
        return self.answer if isinstance(self.answer, AnswerError) and not self.gone else None

    @property
    def doubtful(self) -> bool:
        """Whether there are no tags, as of an image that the site does not know."""
        return not self.itself and self.answer == []

    @property
    def votes(self) -> Any:
        """The tags with their votes; an image that is there and came without has none."""
        return None if self.gone else [] if self.itself else self.answer


class VotesByBatch(Listing):
    """Votes of what is archived already: ``tag.getVotableTags``, 50 images a request; the spider chooses the ids."""

    source = "trpc.tag.getVotableTags"
    kind = "votes"
    sort = None
    may_be_empty = True

    def passes(self, mask: int) -> list[Level]:  # noqa: ARG002 (what is named by its own id has no level)
        """Ask once."""
        return [levels.ALL]

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (the cursor says it all)
        """Ask for the batch at a cursor."""
        return trpc.batch(site, Batch.read(question.cursor or "0:").calls())

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a batch: what was told of each image, errors included.

        Raises:
            AnswerError: the site refused the batch, or whoever asks.
        """
        batch = Batch.read(walk.cursor or "0:")
        results = trpc.open_batch(response)
        if results and all(isinstance(one, REFUSALS) for one in results):
            raise results[0]
        votes = [Told(id=one, answer=told) for one, told in zip(batch.ids, results, strict=False)]
        images = zip(batch.doubtful, results[len(batch.ids) :], strict=True)
        return Page(entries=votes + [Told(id=one, answer=told, itself=True) for one, told in images], next_cursor=None)

    def number(self, entry: Any) -> int | None:
        """Return the id that was asked for."""
        return entry.id if isinstance(entry, Told) else None

    def keepable(self, entry: Told) -> Any:
        """Keep the answer with the id that it is about."""
        return {"id": entry.id, "votes": entry.votes}

    def read(self, entry: Told, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the tags with their votes; nothing of an image that is gone.

        Raises:
            EntryError: the answer is no list of tags.
        """
        return [] if entry.gone else list(tags.from_votes(entry.id, entry.votes))
