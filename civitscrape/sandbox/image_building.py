"""How the images of a creator of the sandbox's world are drawn: marks, places in posts, and the records."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.records import FORMATS, MINUTE, Record
from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG, FIRST_TAG, TAGS, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from civitscrape.sandbox.building import CreatorSpec

HOUR = 3_600_000
FIRST_IMAGE, FIRST_POST = 98_000_000, 22_000_000
GAPS = 0.2
"""Share of ids that skip two, as other people's uploads take some in between."""
DRAFTS = 0.1
"""Share of posts that lay in a drawer: published later than younger ones."""
BARE = 0.06
"""Share of images made with no model that the site knows."""

BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

_CHECKPOINTS = [one for one in VERSIONS if one.type == "checkpoint"]
_BESIDE = {
    checkpoint.id: [one.id for one in VERSIONS if one.base_model == checkpoint.base_model and one is not checkpoint]
    for checkpoint in _CHECKPOINTS
}
"""Versions that go with a checkpoint: those of its base model."""


class _Marks(NamedTuple):
    """Places of the special entries among all of a creator."""

    videos: set[int]
    audio: set[int]
    deleted: set[int]
    hidden: set[int]
    ghosts: set[int]
    minors: set[int]
    pois: set[int]
    childhood: set[int]
    stricter: set[int]
    twins: set[int]
    shared: set[int]
    foreign: set[int]


def _spread(count: int, places: list[int], offset: float) -> set[int]:
    """Choose ``count`` of the places, evenly; different offsets keep two kinds of marks mostly apart."""
    total = len(places)
    return {places[int((one + offset) * total / count) % total] for one in range(count)} if count and total else set()


def _marks(spec: CreatorSpec) -> _Marks:
    total = spec.images + spec.ghosts
    ghosts = _spread(spec.ghosts, list(range(total)), 0.5)
    real = [one for one in range(total) if one not in ghosts]
    videos = _spread(spec.videos, real, 0.31)
    audio = _spread(spec.audio, [one for one in real if one not in videos], 0.77)
    shown = [one for one in real if one not in videos | audio]
    minors = _spread(spec.minors, shown, 0.44)
    pois = _spread(spec.pois, [one for one in shown if one not in minors], 0.9)
    plain = [one for one in shown if one not in minors | pois]
    childhood = _spread(spec.childhood, plain, 0.23)
    deleted, hidden = _spread(spec.deleted, plain, 0.62), _spread(spec.hidden, plain, 0.17)
    stricter = _spread(spec.stricter, [one for one in plain if one not in childhood], 0.71)
    special = childhood | deleted | hidden | stricter
    free = [one for one in plain if one not in special]
    foreign = _spread(spec.foreign, free, 0.4)
    # Those whose elder neighbour is as plain as they are can repeat it.
    followers = [one for before, one in pairwise(free) if before == one - 1 and foreign.isdisjoint((before, one))]
    twins = _spread(spec.twins, followers, 0.97)
    return _Marks(
        videos=videos,
        audio=audio,
        deleted=deleted,
        hidden=hidden,
        ghosts=ghosts,
        minors=minors,
        pois=pois,
        childhood=childhood,
        stricter=stricter,
        twins=twins,
        shared=_spread(spec.shared, [one for one in followers if one not in twins], 0.03),
        foreign=foreign,
    )


class Place(NamedTuple):
    """Where an entry stands: its ids and its hours."""

    id: int
    post_id: int
    post_index: int
    created: int
    published: int


def draw_places(total: int, per_post: int, draw: Random, span: tuple[int, int], last_id: int) -> Iterator[Place]:
    """Lay entries out in posts, by id; all entries of a post are published in the same millisecond."""
    post_id = FIRST_POST + last_id - FIRST_IMAGE
    image_id, left, index, made, published = last_id, 0, 0, 0, 0
    step = (span[1] - span[0]) // max(total, 1)
    for at in range(total):
        image_id += 3 if draw.random() < GAPS else 1
        if left == 0:
            left, index = draw.randrange(1, per_post + 1), 0
            post_id += 1
            made = published = span[0] + at * step + draw.randrange(max(step // 2, 1)) + draw.randrange(1000)
            if draw.random() < DRAFTS:
                published = max(made, min(made + 3 * per_post * step, span[1] - draw.randrange(HOUR)))
        created = made - (20 - index) * MINUTE - draw.randrange(MINUTE)
        yield Place(image_id, post_id, index, created, published)
        left, index = left - 1, index + 1


def draw_records(spec: CreatorSpec, user_id: int, draw: Random, places: Iterator[Place]) -> Iterator[Record]:
    """Draw the records of a creator, one for each place, in the order of their ids."""
    for _, group in groupby(_drawn(spec, user_id, draw, places), key=attrgetter("post_id")):
        post = list(group)
        # It is the post that goes to a version: what one image says holds for all of them.
        version_id = next((one.posted_to for one in post if one.posted_to is not None and not one.ghost), None)
        yield from (one if one.posted_to == version_id else replace(one, posted_to=version_id) for one in post)


def _drawn(spec: CreatorSpec, user_id: int, draw: Random, places: Iterator[Place]) -> Iterator[Record]:
    """Draw each record as if it were alone in its post."""
    marks = _marks(spec)
    levels, weights = zip(*spec.levels, strict=True)
    previous: Record | None = None
    for at, place in enumerate(places):
        seed, bits = draw.getrandbits(52), f"{draw.getrandbits(128):032x}"
        level = draw.choices(levels, weights)[0]
        used, blurhash = _used(draw), _blurhash(draw)
        key = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
        if previous is not None and (at in marks.twins or at in marks.shared):
            previous = replace(previous, key=key if at in marks.twins else previous.key, **place._asdict())
            yield previous
            continue
        if at in marks.foreign:
            key = f"https://old-uploads.invalid/{bits}.jpeg"
        if at in marks.childhood or (at in marks.stricter and level > Level.PG13):
            level = Level.PG
        kind = MediaType.VIDEO if at in marks.videos else MediaType.AUDIO if at in marks.audio else MediaType.IMAGE
        moving = kind is not MediaType.IMAGE
        sizes = spec.video_sizes if kind is MediaType.VIDEO else spec.sizes
        width, height = sizes[seed % len(sizes)]
        tag_ids = _tag_ids(spec.tags, seed)
        previous = Record(
            **place._asdict(),
            key=key,
            type=kind,
            format=FORMATS.get(kind, spec.formats[at % len(spec.formats)]),
            username=spec.username,
            user_id=user_id,
            vanished=spec.vanished,
            level=level,
            combined_level=Level.R if at in marks.stricter else level,
            width=width,
            height=height,
            hash=None if moving and seed % 3 == 0 else blurhash,
            seed=seed,
            file_size=spec.video_bytes or spec.file_size if kind is MediaType.VIDEO else spec.file_size,
            shape="prompt_only" if moving and seed % 2 else spec.metas[at % len(spec.metas)],
            hide_meta=at in marks.hidden,
            tag_ids=(*tag_ids, CHILDHOOD_TAG) if at in marks.childhood else tag_ids,
            posted_to=used[0] if used and seed % 3 else None,
            used=used,
            detected=max(len(used) - seed % 2, 0),
            deleted=at in marks.deleted,
            ghost=at in marks.ghosts,
            minor=at in marks.minors,
            poi=at in marks.pois,
        )
        yield previous


def _used(draw: Random) -> tuple[int, ...]:
    """Draw the versions of an image: mostly a checkpoint, often a second resource of the same base model."""
    chance = draw.random()
    if chance < BARE:
        return ()
    checkpoint = _CHECKPOINTS[int(chance * 997) % len(_CHECKPOINTS)]
    return (checkpoint.id, *_BESIDE[checkpoint.id][: int(chance * 3)])


def _tag_ids(count: int, seed: int) -> tuple[int, ...]:
    """Pick distinct tags by striding through the vocabulary: cheaper than a draw each, and 53 tags are a prime."""
    start, stride = seed % len(TAGS), 1 + seed // len(TAGS) % (len(TAGS) - 1)
    return tuple(FIRST_TAG + (start + step * stride) % len(TAGS) for step in range(min(count, len(TAGS))))


def _blurhash(draw: Random) -> str:
    """Write a BlurHash of 4 by 3 components: size mark, range, average colour, eleven details."""
    colour = draw.getrandbits(24)
    average = "".join(BASE83[colour // 83**power % 83] for power in (3, 2, 1, 0))
    rest = draw.getrandbits(140)
    return "L" + BASE83[rest % 83] + average + "".join(BASE83[rest >> 6 * one & 63] for one in range(1, 23))
