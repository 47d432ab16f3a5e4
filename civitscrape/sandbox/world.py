"""The sandbox's world: creators and their images, built from a seed, frozen, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from civitscrape.sandbox.building import Creator, CreatorSpec, build_creator, publish
from civitscrape.sandbox.truth import Truth, truth

if TYPE_CHECKING:
    from civitscrape.sandbox.records import Record

__all__ = ["Creator", "CreatorSpec", "World", "default_world"]

NOW = datetime(2026, 11, 1, tzinfo=UTC)
"""The hour at which time stands still in the sandbox: ``period`` counts back from here."""


@dataclass(frozen=True)
class World:
    """Everything the sandbox knows; a changed world is another world (``with_images``, ``without``)."""

    seed: int
    specs: tuple[CreatorSpec, ...]
    creators: Mapping[str, Creator] = field(repr=False)
    """By lower-case username."""
    now: datetime = NOW

    @classmethod
    def build(cls, *, seed: int = 1, creators: Iterable[CreatorSpec] = (), now: datetime = NOW) -> World:
        """Build a world; equal arguments give equal worlds on every machine."""
        specs = tuple(creators)
        end = int(now.timestamp() * 1000)
        built = (build_creator(spec, seed=seed, place=place, now=end) for place, spec in enumerate(specs))
        return cls(seed, specs, {one.username.lower(): one for one in built}, now)

    @cached_property
    def records(self) -> Mapping[int, Record]:
        """Every entry by its id."""
        return {one.id: one for creator in self.creators.values() for one in creator.records}

    @cached_property
    def keys(self) -> Mapping[str, Record]:
        """Every entry by its key."""
        return {one.key: one for one in self.records.values()}

    def creator(self, username: str) -> Creator | None:
        """Find a creator, whatever the case; null when there is none or the account is gone."""
        found = self.creators.get(username.lower())
        return None if found is None or found.vanished else found

    def named(self, username: str) -> Creator:
        """Return a creator who must be there, account gone or not.

        Raises:
            KeyError: this world has nobody of that name.
        """
        if username.lower() not in self.creators:
            known = ", ".join(one.username for one in self.creators.values())
            raise KeyError(f"the sandbox has no creator {username!r}; it has {known}")
        return self.creators[username.lower()]

    def truth(
        self, username: str, mask: int, *, keyed: bool = False, red: bool | None = None, hashes: bool = True
    ) -> Truth:
        """Tell what a perfect archive of a creator holds, see ``truth.truth``."""
        return truth(self, username, mask, keyed=keyed, red=red, hashes=hashes)

    def with_images(self, username: str, count: int) -> World:
        """Return this world after a creator has published more: new entries at its newest end, the rest untouched."""
        old = self.named(username)
        place = list(self.creators).index(username.lower())
        changed = publish(old, self.specs[place], count, seed=self.seed, place=place)
        newest = datetime.fromtimestamp(max(one.sort_at for one in changed.records) / 1000 + 1, UTC)
        return self._with(changed, max(self.now, newest))

    def without(self, *image_ids: int) -> World:
        """Return this world after images were deleted from it: no listing has them, their bytes are gone."""
        gone = set(image_ids)
        names = {self.records[one].username for one in gone}
        world = self
        for name in names:
            old = world.creators[name.lower()]
            world = world._with(
                replace(old, records=tuple(one for one in old.records if one.id not in gone)), world.now
            )
        return world

    def _with(self, creator: Creator, now: datetime) -> World:
        return World(self.seed, self.specs, {**self.creators, creator.username.lower(): creator}, now)


PRETTY = ((768, 1024), (1024, 768), (832, 832), (640, 896), (512, 768))
FILMS = ((288, 192), (192, 288))


def default_world(*, seed: int = 1) -> World:
    """Build the world of the demonstration: one busy creator, a smaller one, and one who has published nothing."""
    lampwright = CreatorSpec(
        username="lampwright",
        images=60,
        videos=3,
        sizes=PRETTY,
        video_sizes=FILMS,
        tags=9,
        deleted=2,
        hidden=4,
        ghosts=2,
        minors=1,
        childhood=2,
        stricter=2,
        twins=1,
    )
    harbourmaster = CreatorSpec(
        username="harbourmaster", images=24, videos=1, sizes=PRETTY, video_sizes=FILMS, hidden=1, tags=7
    )
    return World.build(seed=seed, creators=(lampwright, harbourmaster, CreatorSpec(username="quiet_one")))
