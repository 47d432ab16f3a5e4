"""Articles: texts with pictures, drawn apart from all else, so that they move nothing (contract rest.md §8.7)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.building import Creator
from civitscrape.sandbox.records import Record
from civitscrape.sandbox.vocabulary import FIRST_TAG, LIGHTS, PLACES, STYLES, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from civitscrape.sandbox.world import World

FIRST_ARTICLE, ROOM = 31_000, 100
"""The first number, and how many each creator has for itself."""
EACH = 6
"""Articles of every creator who has images; the last is a draft, which nobody is told of."""
HOUR, DAY = 3_600_000, 86_400_000
MONTH = 30 * DAY
UNCOUNTED = 0.2
"""Share of articles that have no counts yet."""
MATURE = 0.4
"""Share of articles that their author calls R; the texts are harmless whatever they are called."""
MOST_PICTURES = 3
READERS = 4_000
"""Number of the first account that reacted to anything."""


class Counts(NamedTuple):
    """What people did with an article; bookmarks and places in collections are counted apart."""

    like: int
    heart: int
    laugh: int
    cry: int
    comment: int
    favorite: int
    collected: int
    view: int

    @property
    def reactions(self) -> list[tuple[int, str]]:
        """Who reacted, and how."""
        words = ("Like",) * self.like + ("Heart",) * self.heart + ("Laugh",) * self.laugh + ("Cry",) * self.cry
        return [(READERS + place, word) for place, word in enumerate(words)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. Times are unix milliseconds."""

    id: int
    title: str
    text: tuple[str, str]
    """Its heading and its one paragraph."""
    author: Creator
    status: str
    """``Published`` or ``Draft``."""
    created: int
    published: int
    updated: int
    own_level: Level
    """What its author says; its pictures may say more."""
    cover: Record | None
    pictures: tuple[Record, ...]
    """Those inside the text."""
    tag_ids: tuple[int, ...]
    counts: Counts | None
    attached: bool
    """Whether a file hangs on it."""

    @property
    def level(self) -> Level:
        """All levels of its pictures together with the author's own."""
        shown = (*self.pictures, *([self.cover] if self.cover else []))
        return reduce(or_, (one.level for one in shown), self.own_level)

    @property
    def listed(self) -> bool:
        """Whether anybody is told of it."""
        return self.status == "Published"


def build_articles(world: World) -> Iterator[Article]:
    """Build a world's articles; publishing images moves none of them."""
    for place, creator in enumerate(world.creators.values()):
        pictures = [one for one in creator.records if one.listed and one.type is MediaType.IMAGE and not one.foreign]
        if pictures:
            for count in range(EACH):
                yield _article(world.seed, FIRST_ARTICLE + place * ROOM + count, creator, pictures, count)


def _article(seed: int, number: int, creator: Creator, pictures: Sequence[Record], count: int) -> Article:
    # Every third article was published with the one before it, so that times alone do not order them.
    hours = Random(f"{seed}/{creator.username.lower()}/articles/{count - count % 3 // 2}")
    draw = Random(f"{seed}/{creator.username.lower()}/article/{count}")
    created = creator.joined + 2 * MONTH + hours.randrange(26 * MONTH)
    published = created + HOUR + hours.randrange(HOUR)
    shown = _among([one for one in pictures if one.published <= created], number, draw.randrange(1 + MOST_PICTURES))
    place, light, style = draw.choice(PLACES), draw.choice(LIGHTS), draw.choice(STYLES)
    start = draw.randrange(len(TAGS))
    return Article(
        id=number,
        title=f"{light.capitalize()} in {style}",
        text=(f"On {light}", f"How to show {place} in {style}."),
        author=creator,
        status="Draft" if count == EACH - 1 else "Published",
        created=created,
        published=published,
        updated=published + (draw.randrange(20 * DAY) if draw.randrange(2) else 0),
        own_level=Level.R if draw.random() < MATURE else Level.PG,
        cover=shown[0] if shown else None,
        pictures=tuple(shown[1:]),
        tag_ids=tuple(FIRST_TAG + (start + step * 7) % len(TAGS) for step in range(draw.randrange(4))),
        counts=None if draw.random() < UNCOUNTED else Counts(*(draw.randrange(most) for most in _MOST)),
        attached=count == 0,
    )


_MOST = (12, 7, 3, 3, 6, 9, 9, 2_000)


def _among(pictures: list[Record], number: int, count: int) -> list[Record]:
    """Choose pictures so that the loss of one leaves the other choices as they are."""
    return sorted(pictures, key=lambda one: (one.seed * (2 * number + 1) % 1_000_003, one.id))[:count]
