"""What the pages of models and of versions have in common: pictures and files of versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.spiders.listings.base import mapping
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from civitscrape.ledger import Walk
    from civitscrape.spiders.arguments import VersionsArguments

VERSIONS = frozenset({"rest.version", "rest.by-hash", "rest.by-one-hash"})
"""Sources whose entries are versions, which do not tell who made them."""

MODEL = "rest.model"


class VersionsSpider(WalkingSpider):
    """A spider that archives models by their versions."""

    args: VersionsArguments

    @property
    def files(self) -> bool:
        """Whether the model files themselves are wanted."""
        return "files" in self.args.content and self.downloads

    @property
    def pictures(self) -> bool:
        """Whether pictures were asked for at all."""
        return bool({"showcase", "gallery"} & {*self.args.content})

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Plan the galleries and showcases of the versions that were found."""
        for entry in map(mapping, entries):
            for source, asked in self._next(walk, entry):
                async for step in self.plan(walk.target, source, asked):
                    yield step

    def _next(self, walk: Walk, entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name the listings that a model or a version leads to.

        The showcase comes with its model, but without prompts and tags: a listing of what the creator posted to the
        version brings them, in a call for each version. Who the creator is, the model tells.
        """
        content, model = self.args.content, entry.get("modelId")
        if walk.source in VERSIONS and "gallery" in content:
            yield self.images({"modelVersionId": entry.get("id")})
        elif walk.source in VERSIONS and "showcase" in content and type(model) is int:
            yield MODEL, {"id": model, "version": entry.get("id")}
        elif walk.source == MODEL:
            creator = mapping(entry.get("creator")).get("username")
            only = walk.params.get("version")
            for number in version_ids(entry):
                if only in {None, number} and "gallery" in content:
                    yield self.images({"modelVersionId": number})
                elif only in {None, number} and "showcase" in content and creator:
                    yield self.images({"modelVersionId": number, "username": creator})


def version_ids(entry: dict[str, Any]) -> list[int]:
    """Find the ids of the versions in a model, or of a version itself.

    >>> version_ids({"id": 1, "modelVersions": [{"id": 11}, {"id": 12}]}), version_ids({"id": 11, "modelId": 1})
    ([11, 12], [11])
    """
    versions = entry.get("modelVersions")
    found = versions if isinstance(versions, list) else [entry]
    return [one["id"] for one in map(mapping, found) if type(one.get("id")) is int]
