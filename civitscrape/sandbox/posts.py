"""Posts: what a creator published together, read from the records (contract trpc-and-pages §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from random import Random
from typing import TYPE_CHECKING

from civitscrape.items import Level
from civitscrape.sandbox.records import Record, reactions
from civitscrape.sandbox.vocabulary import LIGHTS, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNTITLED, EMPTY, PLAIN = 0.2, 0.32, 0.8
"""Shares of titles that are null, then ``""``, then a few words; the rest is hard on file names."""
HARD = ('Lanterns & "water" <again>', "港の灯り / part 2", "  a: b? c*  ", "..", "The pier's end | night")
DETAILED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post."""

    id: int
    title: str | None
    """Null for most untitled posts, ``""`` for some."""
    detail: str | None
    """HTML."""
    username: str
    user_id: int
    vanished: bool
    published: int
    """Unix milliseconds."""
    version_id: int | None
    """The model version that it was posted to."""
    tag_ids: tuple[int, ...]
    images: tuple[Record, ...]
    """In the order of their index; ghosts are not among them."""

    @property
    def level(self) -> Level:
        """All levels of its images together."""
        return reduce(or_, (one.level for one in self.images), Level(0))

    @property
    def reactions(self) -> int:
        """Reactions of its images together."""
        return sum(reactions(one).reactions for one in self.images)


def build_posts(records: Iterable[Record]) -> Iterator[Post]:
    """Build the posts that records lie in; posts that hold nothing but ghosts do not exist."""
    shown = sorted((one for one in records if not one.ghost), key=attrgetter("post_id", "post_index"))
    for post_id, group in groupby(shown, key=attrgetter("post_id")):
        yield _post(post_id, tuple(group))


def _post(post_id: int, images: tuple[Record, ...]) -> Post:
    first, draw = images[0], Random(post_id * 2654435761)
    # A post's own tags are some of its first image's.
    tag_ids = first.tag_ids[: draw.randrange(4)]
    return Post(
        id=post_id,
        title=_title(draw),
        detail=f"<p>Seen by {draw.choice(LIGHTS)}.</p>" if draw.random() < DETAILED else None,
        username=first.username,
        user_id=first.user_id,
        vanished=first.vanished,
        published=first.published,
        version_id=first.posted_to,
        tag_ids=tag_ids,
        images=images,
    )


def _title(draw: Random) -> str | None:
    chance, words, hard = draw.random(), f"{draw.choice(PLACES)} by {draw.choice(LIGHTS)}", draw.choice(HARD)
    return None if chance < UNTITLED else "" if chance < EMPTY else words if chance < PLAIN else hard
