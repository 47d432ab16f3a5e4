"""What the pages of models and of versions have in common: pictures and files of versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.spiders.listings.base import mapping
from civitscrape.spiders.walking import WalkingSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from civitscrape.ledger import Walk
    from civitscrape.spiders.arguments import VersionsArguments

THINGS = frozenset({"rest.model", "rest.version", "rest.by-hash", "rest.by-one-hash"})
"""Sources whose entries are models or versions in full."""


class VersionsSpider(WalkingSpider):
    """A spider that archives models by their versions."""

    args: VersionsArguments

    @property
    def files(self) -> bool:
        """Whether the model files themselves are wanted."""
        return "files" in self.args.content and self.args.download != "none"

    async def follow(self, walk: Walk, entries: list[Any]) -> AsyncIterator[Any]:
        """Plan the galleries of the versions that were found.

        The showcase comes with its model, but without prompts and tags: a listing of what the creator posted to the
        version brings them, in a call for each version.
        """
        if walk.source not in THINGS:
            return
        for entry in map(mapping, entries):
            creator = mapping(entry.get("creator")).get("username")
            for number in version_ids(entry):
                asked: dict[str, Any] = {"modelVersionId": number}
                if "gallery" not in self.args.content:
                    asked["username"] = creator
                if "gallery" in self.args.content or ("showcase" in self.args.content and creator):
                    async for step in self.plan(walk.target, *self.images(asked)):
                        yield step


def version_ids(entry: dict[str, Any]) -> list[int]:
    """Find the ids of the versions in a model, or of a version itself.

    >>> version_ids({"id": 1, "modelVersions": [{"id": 11}, {"id": 12}]}), version_ids({"id": 11, "modelId": 1})
    ([11, 12], [11])
    """
    versions = entry.get("modelVersions")
    found = versions if isinstance(versions, list) else [entry]
    return [one["id"] for one in map(mapping, found) if type(one.get("id")) is int]
