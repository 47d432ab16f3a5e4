"""How a creator of the sandbox's world is built: what to ask for, and the draws that make it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from civitscrape.items import Level
from civitscrape.sandbox.image_building import FIRST_IMAGE, draw_places, draw_records
from civitscrape.sandbox.metas import SHAPES
from civitscrape.sandbox.model_building import FIRST_FOUNDER, FOUNDERS, build_models, founding_models, posted
from civitscrape.sandbox.models import ModelRecord
from civitscrape.sandbox.records import Record

MILD = ((Level.PG, 0.56), (Level.PG13, 0.22), (Level.R, 0.1), (Level.X, 0.08), (Level.XXX, 0.04))
"""Mix of rating labels of a usual creator; the pictures themselves are harmless whatever their label."""

MONTH, HOUR = 30 * 86_400_000, 3_600_000
FOUNDING = 60 * MONTH
FIRST_USER = 550_012
ROOM = 1_000_000
"""Image ids that each creator has for itself, so that one creator's size never moves another's ids."""


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
    video_bytes: int | None = None
    """Bytes of every video, where they are to differ from ``file_size``; big ones are drawn while they are sent."""
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
    models: int = 0
    """Models published, drafts not counted; their showcases are some of the creator's own posts."""
    draft_models: int = 0
    """Models that were never published."""
    versions_per_model: int = 3
    """Versions of one model at most."""
    files_per_version: int = 3
    """Files of one version at most."""
    model_file_bytes: tuple[int, int] = (20_000, 200_000)
    """Length of model files: least and most."""
    archived_models: int = 0
    """Models that are listed only with ``archived``, without files (410)."""
    taken_down_models: int = 0
    """Models whose showcase is not shown."""
    early_access_models: int = 0
    """Models whose newest version has to be bought (403)."""
    unsearchable_models: int = 0
    """Models that only look-ups by id or username show."""
    private_models: int = 0
    """Models that nobody else sees."""
    minor_models: int = 0
    """Models with the minor flag: gone as soon as R or more is asked, every second one in no listing at all."""
    childhood_models: int = 0
    """PG models with a child-related tag: gone as soon as R or more is asked."""
    poi_models: int = 0
    """Models of real people: never shown."""
    nsfw_models: int = 0
    """Models rated X and XXX only."""
    draft_version_models: int = 0
    """Models whose newest version is not out yet."""
    batch_models: int = 0
    """Models published in the same millisecond: more than a page of them make a cursor stand still."""
    generate_only_models: int = 0
    """Models whose files are not given out (401)."""
    lost_files: int = 0
    """Primary files that the storage has no more (404)."""
    unhashed_files: int = 0
    """Primary files of which no hash is told."""
    replaced_files: int = 0
    """Files that a newer one replaced, which only ``/model-versions/{id}`` tells of."""
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
    models: tuple[ModelRecord, ...] = ()
    """By id, drafts too."""


def build_creator(spec: CreatorSpec, *, seed: int, place: int, now: int) -> Creator:
    """Build a creator; ``place`` is its number in the world, ``now`` unix milliseconds."""
    name = spec.username.lower()
    draw = Random(f"{seed}/{name}")
    joined = now - draw.randrange(30 * MONTH, 40 * MONTH)
    span, last_id = (joined + MONTH, now - HOUR), FIRST_IMAGE + place * ROOM
    # The places have a source of chance of their own: drawn ahead or one by one, they must come out the same.
    places = draw_places(spec.images + spec.ghosts, spec.per_post, Random(f"{seed}/{name}/places"), span, last_id)
    records = sorted(draw_records(spec, FIRST_USER + place, draw, places), key=_age)
    models = build_models(spec, seed=seed, place=place, user_id=FIRST_USER + place, span=span)
    return Creator(
        username=spec.username,
        user_id=FIRST_USER + place,
        joined=joined,
        vanished=spec.vanished,
        records=posted(records, models, seed),
        models=models,
    )


def build_founders(*, seed: int, now: int) -> tuple[Creator, ...]:
    """Build the accounts that own the models everybody's images are made with; they have no images themselves."""
    return tuple(
        Creator(
            username=name,
            user_id=FIRST_FOUNDER + place,
            joined=now - FOUNDING,
            vanished=False,
            records=(),
            models=founding_models(seed=seed, username=name, now=now),
        )
        for place, name in enumerate(FOUNDERS)
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
    places = draw_places(count, spec.per_post, Random(f"{name}/places"), (start + HOUR, start + MONTH), last)
    fresh = sorted(draw_records(plain, creator.user_id, Random(name), places), key=_age)
    return replace(creator, records=(*creator.records, *fresh))


def publish_models(creator: Creator, spec: CreatorSpec, count: int, *, seed: int, place: int) -> Creator:
    """Let a creator publish plain models, all newer than what there is."""
    start = max((one.last_version_at or 0 for one in creator.models), default=creator.joined)
    plain = CreatorSpec(
        username=spec.username,
        models=count,
        versions_per_model=1,
        files_per_version=spec.files_per_version,
        model_file_bytes=spec.model_file_bytes,
        vanished=spec.vanished,
    )
    span = (start + HOUR, start + MONTH)
    fresh = build_models(plain, seed=seed, place=place, user_id=creator.user_id, span=span, after=creator.models)
    return replace(creator, models=(*creator.models, *fresh))


def _age(record: Record) -> tuple[int, int]:
    return record.sort_at, record.id
