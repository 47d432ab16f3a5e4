"""The sandbox's world: creators and their images, built from a seed, frozen, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import model_files
from civitscrape.sandbox.articles import build_articles
from civitscrape.sandbox.building import Creator, CreatorSpec, build_creator, build_founders, publish, publish_models
from civitscrape.sandbox.collections import build_collections
from civitscrape.sandbox.model_building import add_version
from civitscrape.sandbox.model_truth import ModelTruth, model_truth
from civitscrape.sandbox.posts import build_posts
from civitscrape.sandbox.truth import Truth, truth

if TYPE_CHECKING:
    from civitscrape.items import Level
    from civitscrape.sandbox.articles import Article
    from civitscrape.sandbox.collections import Collection
    from civitscrape.sandbox.models import FileRecord, ModelRecord, VersionRecord
    from civitscrape.sandbox.posts import Post
    from civitscrape.sandbox.records import Record

__all__ = ["Creator", "CreatorSpec", "World", "default_world"]

NOW = datetime(2026, 11, 1, tzinfo=UTC)
"""The hour at which time stands still in the sandbox: ``period`` counts back from here."""

WISHES = frozenset({"delete", "publish", "delete_models", "publish_models", "add_version"})
"""Ways in which a world may be changed from outside."""


@dataclass(frozen=True)
class World:
    """Everything the sandbox knows; a changed world is another world (``with_images``, ``without``)."""

    seed: int
    specs: tuple[CreatorSpec, ...]
    creators: Mapping[str, Creator] = field(repr=False)
    """By lower-case username."""
    now: datetime = NOW
    founders: Mapping[str, Creator] = field(default_factory=dict, repr=False)
    """Accounts that own the models everybody's images are made with, by lower-case username; they have no images."""

    @classmethod
    def build(cls, *, seed: int = 1, creators: Iterable[CreatorSpec] = (), now: datetime = NOW) -> World:
        """Build a world; equal arguments give equal worlds on every machine."""
        specs = tuple(creators)
        end = int(now.timestamp() * 1000)
        built = (build_creator(spec, seed=seed, place=place, now=end) for place, spec in enumerate(specs))
        founders = {one.username: one for one in build_founders(seed=seed, now=end)}
        return cls(seed, specs, {one.username.lower(): one for one in built}, now, founders)

    @cached_property
    def records(self) -> Mapping[int, Record]:
        """Every entry by its id."""
        return {one.id: one for creator in self.creators.values() for one in creator.records}

    @cached_property
    def keys(self) -> Mapping[str, Record]:
        """Every entry by its key."""
        return {one.key: one for one in self.records.values()}

    @cached_property
    def posts(self) -> Mapping[int, Post]:
        """Every post by its id."""
        return {one.id: one for one in build_posts(self.records.values())}

    @cached_property
    def collections(self) -> Mapping[int, Collection]:
        """Every collection by its id, the private ones too."""
        return {one.id: one for one in build_collections(self)}

    @cached_property
    def articles(self) -> Mapping[int, Article]:
        """Every article by its id, drafts too."""
        return {one.id: one for one in build_articles(self)}

    @cached_property
    def models(self) -> Mapping[int, ModelRecord]:
        """Every model by its id, drafts too, those of the founders first."""
        owners = (*self.founders.values(), *self.creators.values())
        return {model.id: model for owner in owners for model in owner.models}

    @cached_property
    def versions(self) -> Mapping[int, VersionRecord]:
        """Every model version by its id."""
        return {version.id: version for model in self.models.values() for version in model.versions}

    @cached_property
    def files(self) -> Mapping[int, FileRecord]:
        """Every model file by its id."""
        return {file.id: file for version in self.versions.values() for file in version.files}

    @cached_property
    def hashes(self) -> Mapping[str, tuple[FileRecord, ...]]:
        """Listed files by any of their hashes; makes every file when first asked for."""
        found: dict[str, tuple[FileRecord, ...]] = {}
        for file in self.files.values():
            for one in set(model_files.hashes(file).values()) if file.listed else ():
                found[one] = (*found.get(one, ()), file)
        return found

    @cached_property
    def showcases(self) -> Mapping[int, tuple[Record, ...]]:
        """The owner's own images of each version that has any, by post and place in it (contract rest.md §5.1)."""
        found: dict[int, list[Record]] = {}
        for creator in self.creators.values():
            own = {version.id for model in creator.models for version in model.versions}
            for one in creator.records:
                if one.posted_to in own and one.listed:
                    found.setdefault(one.posted_to, []).append(one)
        return {
            version_id: tuple(sorted(records, key=lambda one: (one.post_id, one.post_index)))
            for version_id, records in found.items()
        }

    def creator(self, username: str) -> Creator | None:
        """Find a creator or founder, whatever the case; null when there is none or the account is gone."""
        name = username.lower()
        found = self.creators.get(name) or self.founders.get(name)
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

    def rerated(self, levels: Mapping[int, Level]) -> World:
        """Return this world after images were given other ratings, by their ids."""
        world = self
        for name in {self.records[one].username for one in levels}:
            old = world.creators[name.lower()]
            records = (
                replace(one, level=levels[one.id], combined_level=levels[one.id]) if one.id in levels else one
                for one in old.records
            )
            world = world._with(replace(old, records=tuple(records)), world.now)
        return world

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

    def with_models(self, username: str, count: int) -> World:
        """Return this world after a creator has published more models, all newer than those so far."""
        old = self.named(username)
        place = list(self.creators).index(username.lower())
        changed = publish_models(old, self.specs[place], count, seed=self.seed, place=place)
        newest = max(one.last_version_at or 0 for one in changed.models)
        return self._with(changed, max(self.now, datetime.fromtimestamp(newest / 1000 + 1, UTC)))

    def with_version(self, model_id: int) -> World:
        """Return this world after a creator's model got one more version, published now."""
        old = self.named(self.models[model_id].username)
        versions = [version for model in old.models for version in model.versions]
        ids = max(one.id for one in versions) + 1, max(file.id for one in versions for file in one.files) + 1
        published = int(self.now.timestamp() * 1000)
        changed = replace(
            old,
            models=tuple(add_version(one, published, ids) if one.id == model_id else one for one in old.models),
        )
        return self._with(changed, datetime.fromtimestamp(published / 1000 + 1, UTC))

    def without_models(self, *model_ids: int) -> World:
        """Return this world after creators' models were deleted from it."""
        world = self
        for name in {self.models[one].username for one in model_ids}:
            old = world.named(name)
            kept = tuple(one for one in old.models if one.id not in model_ids)
            world = world._with(replace(old, models=kept), world.now)
        return world

    def changed(self, wishes: Mapping[str, Any]) -> World:
        """Return this world after all that ``POST /_sandbox/world`` was asked for.

        Raises:
            KeyError: a creator, an image or a model is not there, or a wish lacks its number.
            ValueError: a wish is unknown.
        """
        unknown = wishes.keys() - WISHES
        if unknown:
            raise ValueError(f"sandbox world: {sorted(unknown)} unknown; known are {', '.join(sorted(WISHES))}")
        world = self
        if "delete" in wishes:
            world = world.without(*wishes["delete"])
        if "publish" in wishes:
            world = world.with_images(wishes["publish"]["username"], int(wishes["publish"]["count"]))
        if "delete_models" in wishes:
            world = world.without_models(*wishes["delete_models"])
        if "publish_models" in wishes:
            world = world.with_models(wishes["publish_models"]["username"], int(wishes["publish_models"]["count"]))
        if "add_version" in wishes:
            world = world.with_version(int(wishes["add_version"]))
        return world

    def model_truth(
        self, username: str | None = None, *, mask: int = 31, archived: bool = True, hashes: bool = True
    ) -> ModelTruth:
        """Tell what a perfect archive of models holds, see ``model_truth.model_truth``."""
        return model_truth(self, username, mask=mask, archived=archived, hashes=hashes)

    def _with(self, creator: Creator, now: datetime) -> World:
        return replace(self, creators={**self.creators, creator.username.lower(): creator}, now=now)


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
        models=7,
        archived_models=1,
        early_access_models=1,
        unsearchable_models=1,
        generate_only_models=1,
    )
    harbourmaster = CreatorSpec(
        username="harbourmaster", images=24, videos=1, sizes=PRETTY, video_sizes=FILMS, hidden=1, tags=7, models=2
    )
    return World.build(seed=seed, creators=(lampwright, harbourmaster, CreatorSpec(username="quiet_one")))
