"""Many things by their ids in one call, for those who have a key or cookies (contract trpc-and-pages.md §1.4, §4.8)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from civitscrape.civitai import levels, trpc
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import AnswerError, EntryError, NotFoundError
from civitscrape.items import Image
from civitscrape.ledger import Naming, now
from civitscrape.parsers import images, posts, tags
from civitscrape.spiders.listings.base import Listing, Question, mapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.trpc import Call
    from civitscrape.items import Level
    from civitscrape.ledger import Walk

FINAL = (NotFoundError,)
"""Errors of one call that asking again does not better."""


class Ids(Listing):
    """A list of ids, some at a time; its cursor is what is still to be asked."""

    sort = None
    together: ClassVar[int]
    """Ids that one request asks for at most."""

    def passes(self, mask: int) -> list[Level]:  # noqa: ARG002 (what is named by its own id has no level)
        """Ask once."""
        return [levels.ALL]

    def ids(self, cursor: str | None, walk: Walk) -> tuple[list[int], list[int]]:
        """Return the ids of the request at a cursor, and those after it."""
        left = [int(one) for one in cursor.split(",")] if cursor else list(walk.params["ids"])
        return left[: self.together], left[self.together :]

    def number(self, entry: Any) -> int | None:
        """Return the id that was asked for."""
        number = mapping(entry).get("id")
        return number if type(number) is int else None


class Lookup(Ids):
    """Some calls for each id, many ids in a batch; what failed in passing is asked again at the end."""

    per_thing: ClassVar[int]
    """Calls that one id takes."""

    @abstractmethod
    def calls(self, number: int) -> list[tuple[str, dict[str, Any]]]:
        """Return the calls about one id: procedure and input."""

    @abstractmethod
    def named(self, answers: list[Any]) -> dict[str, Any]:
        """Name the answers about one id; an error becomes None."""

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for the batch at a cursor."""
        numbers, _ = self.ids(question.cursor, walk)
        return trpc.batch(site, [call for number in numbers for call in self.calls(number)])

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a batch; calls that failed in passing are asked again, alone."""
        numbers, left = self.ids(walk.cursor, walk)
        results, entries, again = trpc.open_batch(response), [], []
        for place, number in enumerate(numbers):
            answers = results[place * self.per_thing : (place + 1) * self.per_thing]
            passing = [one for one in answers if isinstance(one, AnswerError) and not isinstance(one, FINAL)]
            if passing and len(numbers) == 1:
                raise passing[0]
            if passing:
                again.append(number)
            else:
                entries.append({"id": number} | self.named(answers))
        following = left + again
        return Page(entries=entries, next_cursor=",".join(map(str, following)) or None)


class ImageLookup(Lookup):
    """Images by their ids: record, generation data, tags with votes; sixteen in a call."""

    source = "trpc.image.get"
    kind = "image"
    per_thing = 3
    together = trpc.BATCH // 3

    def calls(self, number: int) -> list[tuple[str, dict[str, Any]]]:
        """Ask for the image, its generation data, its votes."""
        return [
            ("image.get", {"id": number}),
            ("image.getGenerationData", {"id": number}),
            ("tag.getVotableTags", {"id": number, "type": "image"}),
        ]

    def named(self, answers: list[Any]) -> dict[str, Any]:
        """Name the three answers."""
        told = [None if isinstance(one, AnswerError) else one for one in answers]
        return dict(zip(("image", "generation", "votes"), told, strict=True))

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read an image.

        Raises:
            EntryError: the site has no such image.
        """
        number, image, votes = entry["id"], entry["image"], entry["votes"]
        if image is None:
            raise EntryError(f"the site has no image {number}, or not for you", field="id", entry_id=number)
        records = list(images.from_detail(image, entry["generation"], media_url=self.media_url))
        if votes is not None:
            at = now()
            records += tags.from_votes(number, votes, at=at)
            for record in records:
                if isinstance(record, Image):
                    record.votes_at = at
        return records


class PostLookup(Lookup):
    """Posts by their ids: texts and tags, which the feed does not tell; fifty in a call."""

    source = "trpc.post.get"
    kind = "post"
    per_thing = 1
    together = trpc.BATCH

    def calls(self, number: int) -> list[tuple[str, dict[str, Any]]]:
        """Ask for the post."""
        return [("post.get", {"id": number})]

    def named(self, answers: list[Any]) -> dict[str, Any]:
        """Name the answer."""
        return {"post": None if isinstance(answers[0], AnswerError) else answers[0]}

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read a post.

        Raises:
            EntryError: the site has no such post.
        """
        if entry["post"] is None:
            raise EntryError(f"the site has no post {entry['id']}, or not for you", field="id", entry_id=entry["id"])
        return list(posts.from_trpc(entry["post"]))


class VersionNames(Ids):
    """Names of versions by their ids: fifty ids in a call, fifty calls in a request."""

    procedure = "modelVersion.getVersionsByIds"
    source = f"trpc.{procedure}"
    kind = "version"
    in_a_call = 50
    """Most ids that one call takes (§4.8)."""
    together = trpc.BATCH * in_a_call

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for the names of the versions at a cursor."""
        numbers, _ = self.ids(question.cursor, walk)
        return trpc.batch(site, self.calls(numbers))

    @classmethod
    def calls(cls, numbers: Sequence[int]) -> list[Call]:
        """Return the calls for the names of versions."""
        parts = [numbers[start : start + cls.in_a_call] for start in range(0, len(numbers), cls.in_a_call)]
        return [(cls.procedure, {"ids": part}) for part in parts]

    def open(self, response: Response, walk: Walk) -> Page:
        """Open the names; a part that failed breaks the walk, which goes on another time."""
        _, left = self.ids(walk.cursor, walk)
        results = trpc.open_batch(response)
        error = next((one for one in results if isinstance(one, AnswerError)), None)
        if error is not None:
            raise error
        entries = [entry for part in results if isinstance(part, list) for entry in part]
        return Page(entries=entries, next_cursor=",".join(map(str, left)) or None)

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read the name of a version's model."""
        return self.names([entry])

    @staticmethod
    def names(entries: Any) -> list[Naming]:
        """Read the names of versions' models; what is none is left out."""
        told = [mapping(entry) for entry in entries] if isinstance(entries, list) else []
        named = ((one.get("id"), one.get("modelName")) for one in told)
        return [Naming(version_id=id_, name=name) for id_, name in named if type(id_) is int and isinstance(name, str)]
