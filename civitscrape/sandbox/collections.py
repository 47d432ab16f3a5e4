"""Collections: what people gathered, in the order of their own (contract trpc-and-pages §4.6, rest.md §8.8)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from civitscrape.sandbox.accounts import Account
    from civitscrape.sandbox.world import World

FIRST_COLLECTION = 7_100_000
DAY = 86_400_000
IMAGE, POST, MODEL = "Image", "Post", "Model"
PUBLIC, UNLISTED, PRIVATE = "Public", "Unlisted", "Private"
CONTEST = "Contest"
ACCEPTED, REVIEW, REJECTED = "ACCEPTED", "REVIEW", "REJECTED"
_STATUSES = (ACCEPTED, ACCEPTED, ACCEPTED, REVIEW, REJECTED)
CONTEST_TAGS = ((88_001, "first round"), (88_002, "second round"))


class Plan(NamedTuple):
    """A collection that every world with creators has."""

    name: str
    type: str
    read: str
    owner: int
    """Place of its owner among the world's creators; -1 is the sandbox's own account."""
    share: int
    """Percent of all entries of its type that are in it."""
    mode: str | None = None


PLANS = (
    Plan("Lanterns & water", IMAGE, PUBLIC, 0, 30),
    Plan("Kept for later / maybe", IMAGE, UNLISTED, 1, 20),
    Plan("Nobody's business", IMAGE, PRIVATE, 0, 20),
    Plan("Read when tired", POST, PUBLIC, 1, 30),
    Plan("Tools of the trade", MODEL, PUBLIC, 0, 60),
    Plan("Harbour prize", IMAGE, PUBLIC, 0, 25, CONTEST),
    Plan("Own drawer", IMAGE, PRIVATE, -1, 15),
    Plan("Empty shelf", IMAGE, PUBLIC, 1, 0),
)


class Member(NamedTuple):
    """One thing in a collection."""

    id: int
    """Of its place in the collection, not of the thing."""
    entry_id: int
    """Number of the image, post or model."""
    status: str
    added: int
    """Unix milliseconds."""
    tag: tuple[int, str] | None
    """The contest's own tag for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection."""

    id: int
    name: str
    description: str | None
    type: str
    read: str
    mode: str | None
    user_id: int
    username: str
    created: int
    """Unix milliseconds."""
    level: Level
    """All levels of its entries together."""
    cover: Record | None
    members: tuple[Member, ...]
    """In the curator's order: the last one added first. Refused and waiting entries of a contest are among them."""

    @property
    def accepted(self) -> list[Member]:
        """Members that everybody sees, in the curator's order."""
        return [one for one in self.members if one.status == ACCEPTED]

    def readable(self, caller: Account | None) -> bool:
        """Tell whether somebody who knows its id may see it."""
        return self.read != PRIVATE or self.owned(caller)

    def owned(self, caller: Account | None) -> bool:
        """Tell whether it is the caller's."""
        return caller is not None and caller.user_id == self.user_id


class Planned(NamedTuple):
    """What is known of a collection before its members are."""

    plan: Plan
    id: int
    user_id: int
    username: str
    created: int


def planned(world: World) -> Iterator[Planned]:
    """Tell whose the collections of a world are, without looking for their members."""
    creators = [one for one in world.creators.values() if one.records and not one.vanished]
    if not creators:
        return
    for place, plan in enumerate(PLANS):
        owner = SANDBOX_ACCOUNT if plan.owner < 0 else creators[plan.owner % len(creators)]
        number = FIRST_COLLECTION + place * 17
        yield Planned(plan, number, owner.user_id, owner.username, creators[0].joined + place * DAY)


def build_collections(world: World) -> Iterator[Collection]:
    """Build a world's collections; publishing adds members and moves none of the others."""
    for plan, number, user_id, username, created in planned(world):
        known = _entries(world, plan.type)
        members = tuple(sorted(_members(world.seed, number, plan, created, known), key=lambda one: -one.added))
        yield Collection(
            id=number,
            name=plan.name,
            description=f"<p>{plan.name}, gathered slowly.</p>" if number % 2 == 0 else None,
            type=plan.type,
            read=plan.read,
            mode=plan.mode,
            user_id=user_id,
            username=username,
            created=created,
            level=reduce(or_, (known[one.entry_id] for one in members), Level(0)),
            cover=world.records[members[0].entry_id] if members and plan.type == IMAGE else None,
            members=members,
        )


def _entries(world: World, kind: str) -> Mapping[int, Level]:
    """List what may be in a collection of a kind, with the level of each."""
    if kind == IMAGE:
        return {one.id: one.level for one in world.records.values() if one.listed}
    if kind == POST:
        return {one.id: one.level for one in world.posts.values()}
    return {one.id: Level(one.level) for one in world.models.values() if one.visible}


def _members(seed: int, number: int, plan: Plan, created: int, known: Mapping[int, Level]) -> Iterator[Member]:
    for entry_id in known:
        chance = _mixed(seed, number, entry_id)
        if chance % 100 >= plan.share:
            continue
        status, tag = ACCEPTED, None
        if plan.mode == CONTEST:
            status = _STATUSES[chance // 1000 % len(_STATUSES)]
            tag = CONTEST_TAGS[chance // 10_000 % len(CONTEST_TAGS)]
        yield Member(chance % 10**9, entry_id, status, created + chance // 100 % (500 * DAY), tag)


def _mixed(*numbers: int) -> int:
    """Mix numbers into one that looks random and depends on nothing else."""
    mixed = 0
    for one in numbers:
        mixed = (mixed ^ one) * 0x9E3779B97F4A7C15 & (1 << 64) - 1
        mixed ^= mixed >> 29
    return mixed
