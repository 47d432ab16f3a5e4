"""How a creator of the sandbox's world is built: what to ask for, and the draws that make it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.metas import SHAPES
from civitscrape.sandbox.records import FORMATS, MINUTE, Record
from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG, FIRST_TAG, TAGS, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

MILD = ((Level.PG, 0.56), (Level.PG13, 0.22), (Level.R, 0.1), (Level.X, 0.08), (Level.XXX, 0.04))
"""Mix of rating labels of a usual creator; the pictures themselves are harmless whatever their label."""

MONTH, HOUR = 30 * 86_400_000, 3_600_000
FIRST_IMAGE, FIRST_POST, FIRST_USER = 98_000_000, 22_000_000, 550_012
ROOM = 1_000_000
"""Image ids that each creator has for itself, so that one creator's size never moves another's ids."""

GAPS = 0.2
"""Share of ids that skip two, as other people's uploads take some in between."""
DRAFTS = 0.1
"""Share of posts that lay in a drawer: published later than younger ones."""
BARE = 0.06
"""Share of images made with no model that the site knows."""

BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatorSpec:
    """What to build for one creator. Counts are exact and taken from the creator's images, spread evenly over them."""

    username: str
    """Letters, digits and ``_``."""
    images: int = 0
    """Entries in all: images, videos and audio together, ghosts not counted."""
    videos: int = 0
    """How many of them are videos."""
    audio: int = 0
    """How many of them are audio."""
    levels: tuple[tuple[Level, float], ...] = MILD
    """Mix of rating labels: level and weight."""
    sizes: tuple[tuple[int, int], ...] = ((48, 64), (64, 48), (64, 64))
    """Width and height in pixels to choose from; small, because tests want many."""
    video_sizes: tuple[tuple[int, int], ...] = ((64, 48), (48, 64))
    """The same for videos: small, because their frames are stored raw."""
    formats: tuple[str, ...] = ("png", "jpeg", "png", "webp", "jpeg", "png", "webp", "gif")
    """Formats of the images, in turn: ``png``, ``jpeg``, ``webp``, ``gif``."""
    metas: tuple[str, ...] = tuple(SHAPES)
    """Shapes of the generation data, in turn: names of ``metas.SHAPES``."""
    tags: int = 8
    """Community tags on each image."""
    file_size: int | None = None
    """Bytes of every original, padded validly; as the picture comes when null."""
    per_post: int = 4
    """Images of one post at most."""
    deleted: int = 0
    """Entries whose bytes the CDN has no more (404), though they are still listed."""
    hidden: int = 0
    """Entries whose generation data their creator hid."""
    ghosts: int = 0
    """Hits of the index that are dropped from the answer, so that pages run short."""
    minors: int = 0
    """Entries with the minor flag: never listed by ``/images``."""
    pois: int = 0
    """Entries flagged as showing a real person: never listed."""
    childhood: int = 0
    """PG entries with a child-related tag: gone as soon as R or more is asked."""
    stricter: int = 0
    """PG and PG-13 entries whose combined rating is R: the green host filters on it, the red one does not."""
    twins: int = 0
    """Entries that upload the one before again: the same bytes and data under a key of their own."""
    shared: int = 0
    """Entries that are the one before under another id, key and all."""
    foreign: int = 0
    """Old entries whose key is an address on somebody else's server (contract rest.md §10)."""
    vanished: bool = False
    """Whether the account is gone: its entries say ``unknown`` (search route) or null (legacy route)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creator:
    """Somebody who publishes in the sandbox."""

    username: str
    """Name as the site writes it."""
    user_id: int
    """Number of the account."""
    joined: int
    """When the account was made, unix milliseconds."""
    vanished: bool
    """Whether the account is gone."""
    records: tuple[Record, ...]
    """Oldest first."""


_CHECKPOINTS = [one for one in VERSIONS if one.type == "checkpoint"]
_BESIDE = {
    checkpoint.id: [one.id for one in VERSIONS if one.base_model == checkpoint.base_model and one is not checkpoint]
    for checkpoint in _CHECKPOINTS
}
"""Versions that go with a checkpoint: those of its base model."""


def build_creator(spec: CreatorSpec, *, seed: int, place: int, now: int) -> Creator:
    """Build a creator; ``place`` is its number in the world, ``now`` unix milliseconds."""
    name = spec.username.lower()
    draw = Random(f"{seed}/{name}")
    joined = now - draw.randrange(30 * MONTH, 40 * MONTH)
    span, last_id = (joined + MONTH, now - HOUR), FIRST_IMAGE + place * ROOM
    # The places have a source of chance of their own: drawn ahead or one by one, they must come out the same.
    places = _places(spec.images + spec.ghosts, spec.per_post, Random(f"{seed}/{name}/places"), span, last_id)
    return Creator(
        username=spec.username,
        user_id=FIRST_USER + place,
        joined=joined,
        vanished=spec.vanished,
        records=tuple(sorted(_records(spec, FIRST_USER + place, draw, places), key=_age)),
    )


def publish(creator: Creator, spec: CreatorSpec, count: int, *, seed: int, place: int) -> Creator:
    """Let a creator publish plain images, all newer than what there is."""
    last = max((one.id for one in creator.records), default=FIRST_IMAGE + place * ROOM)
    start = max((one.sort_at for one in creator.records), default=creator.joined)
    plain = CreatorSpec(
        username=spec.username,
        images=count,
        levels=spec.levels,
        sizes=spec.sizes,
        formats=spec.formats,
        metas=spec.metas,
        tags=spec.tags,
        file_size=spec.file_size,
    )
    name = f"{seed}/{spec.username.lower()}/{last}"
    places = _places(count, spec.per_post, Random(f"{name}/places"), (start + HOUR, start + MONTH), last)
    fresh = sorted(_records(plain, creator.user_id, Random(name), places), key=_age)
    return replace(creator, records=(*creator.records, *fresh))


def _age(record: Record) -> tuple[int, int]:
    return record.sort_at, record.id


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


class _Place(NamedTuple):
    """Where an entry stands: its ids and its hours."""

    id: int
    post_id: int
    post_index: int
    created: int
    published: int


def _places(total: int, per_post: int, draw: Random, span: tuple[int, int], last_id: int) -> Iterator[_Place]:
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
        yield _Place(image_id, post_id, index, created, published)
        left, index = left - 1, index + 1


def _records(spec: CreatorSpec, user_id: int, draw: Random, places: Iterator[_Place]) -> Iterator[Record]:
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
            file_size=spec.file_size,
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
