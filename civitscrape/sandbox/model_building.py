"""How models of the sandbox's world are built: a creator's own, and those that everybody's images are made with."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox.file_building import Files, with_marked_files
from civitscrape.sandbox.models import ModelRecord, VersionRecord
from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG, FIRST_TAG, TAGS, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from civitscrape.sandbox.building import CreatorSpec
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.vocabulary import Version

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
FIRST_MODEL, FIRST_VERSION, FIRST_FILE = 1_500_000, 3_000_000, 5_000_000
FOUNDERS_FILE = 3_100_000
MODEL_ROOM, VERSION_ROOM, FILE_ROOM = 10_000, 40_000, 160_000
"""Ids that each creator has for itself, so that one creator's size never moves another's."""

FIRST_FOUNDER = 540_001
FOUNDERS = {
    "lamp_foundry": (1400001, 1400003, 1400005, 1400009),
    "tide_works": (1400002, 1400004, 1400006),
    "civitai": (1400007, 1400008),
}
"""Accounts that own the models everybody uses; listings name no creator for the last (contract rest.md §5.1)."""

KINDS = {"checkpoint": "Checkpoint", "lora": "LORA", "embed": "TextualInversion"}
TYPES = (
    "LORA",
    "Checkpoint",
    "LORA",
    "TextualInversion",
    "LoCon",
    "LORA",
    "Checkpoint",
    "VAE",
    "Controlnet",
    "Workflows",
)
BASES = (
    ("SDXL 1.0", "SDXL"),
    ("Illustrious", "Illustrious"),
    ("Flux.1 D", "Flux1"),
    ("SD 1.5", "SD1"),
    ("Pony", "Pony"),
)
LEVELS = (1, 3, 1, 3, 7, 1, 15, 3, 31, 2)
"""Rating bits in turn: most models have a mild face."""
FIRST_WORDS = ("Amber", "Quiet", "Copper", "Paper", "Misty", "Old", "Salt", "Lantern", "Northern", "灯")
SECOND_WORDS = ("Harbour", "Pier", "Beacon", "Ferry", "Tide", "Roof", "Market", "Fog", "Bridge", "XL")
COMMERCIAL = (("Image", "RentCivit"), ("Image",), (), ("Image", "RentCivit", "Rent", "Sell"))

MARKS = (
    "archived_models", "taken_down_models", "early_access_models", "unsearchable_models", "private_models",
    "minor_models", "childhood_models", "poi_models", "nsfw_models", "generate_only_models", "draft_version_models",
    "batch_models",
)  # fmt: skip
"""Fields of ``CreatorSpec`` that count special models; no model has two of them while there are enough."""


class _Frame(NamedTuple):
    """What is settled of a model before its versions are drawn."""

    id: int
    name: str
    type: str
    bases: Sequence[tuple[str, str]]
    """Base model and group of each version, oldest first; so many versions it has."""
    version_ids: Sequence[int]
    """Oldest first."""
    version_names: Sequence[str]
    level: int
    created: int
    end: int
    """No version is published later."""
    batch: int | None
    """When all its versions were published, together with other models."""
    marks: frozenset[str]


def founding_models(*, seed: int, username: str, now: int) -> tuple[ModelRecord, ...]:
    """Build the models of one of the founders; ids are fixed, all else is drawn."""
    user_id = FIRST_FOUNDER + list(FOUNDERS).index(username)
    draw = Random(f"{seed}/{username}/models")
    built = []
    for model_id in FOUNDERS[username]:
        versions = [one for one in VERSIONS if one.model_id == model_id]
        created = now - draw.randrange(1300, 1700) * DAY
        frame = _Frame(
            id=model_id,
            name=versions[0].name,
            type=KINDS[versions[0].type],
            bases=[(one.base_model, one.group) for one in versions],
            version_ids=[one.id for one in versions],
            version_names=_names(versions),
            level=int(Level.PG | Level.PG13),
            created=created,
            end=created + 60 * DAY,
            batch=None,
            marks=frozenset(),
        )
        first_file = FOUNDERS_FILE + 100 * (model_id - 1_400_000)
        built.append(_model(frame, Files(draw, first_file, (20_000, 60_000), 2), username, user_id, draw))
    return tuple(built)


def _names(versions: list[Version]) -> list[str]:
    return [f"v{place + 1}.0" for place in range(len(versions))]


def build_models(
    spec: CreatorSpec, *, seed: int, place: int, user_id: int, span: tuple[int, int], after: Sequence[ModelRecord] = ()
) -> tuple[ModelRecord, ...]:
    """Build a creator's models, oldest id first; drafts are among them, beside the number asked for.

    Args:
        spec: what is asked for.
        seed: the world's.
        place: the creator's number in the world.
        user_id: number of the account.
        span: when models may be made and published, unix milliseconds.
        after: the creator's models so far, whose ids are taken.

    Raises:
        ValueError: more special models or files are asked for than there are to choose from.
    """
    total = spec.models + spec.draft_models
    draw = Random(f"{seed}/{spec.username.lower()}/models/{len(after)}")
    marks = _marks(spec)
    old = [version for model in after for version in model.versions]
    version_id = max((one.id + 1 for one in old), default=FIRST_VERSION + place * VERSION_ROOM)
    last_file = max((file.id for one in old for file in one.files), default=FIRST_FILE + place * FILE_ROOM)
    files = Files(draw, last_file, spec.model_file_bytes, spec.files_per_version)
    built = []
    for at in range(total):
        number = len(after) + at
        count = 1 + draw.randrange(spec.versions_per_model)
        step = (span[1] - span[0]) // total
        special = marks[at]
        if "draft_version_models" in special:
            # One version must be left that is out.
            count = max(count, 2)
        kind = TYPES[at % len(TYPES)]
        bases = [draw.choice(BASES)] * count
        if count > 1 and draw.random() < 0.4:  # noqa: PLR2004 - share of models that moved on to another base
            bases[-1] = draw.choice(BASES)
        frame = _Frame(
            id=FIRST_MODEL + place * MODEL_ROOM + number * 3,
            name=f"{draw.choice(FIRST_WORDS)} {draw.choice(SECOND_WORDS)} {number + 1}",
            type=kind,
            bases=bases,
            version_ids=range(version_id, version_id + count),
            version_names=[f"v{one + 1}.{draw.randrange(3)}" for one in range(count)],
            level=_level(special, LEVELS[at % len(LEVELS)], at),
            created=span[0] + at * step + draw.randrange(max(step, 1)),
            end=span[1],
            batch=(span[0] + span[1]) // 2 if "batch_models" in special else None,
            marks=special,
        )
        version_id += count
        built.append(_model(frame, files, spec.username, user_id, draw, vanished=spec.vanished))
    return with_marked_files(spec, built)


def add_version(model: ModelRecord, published: int, ids: tuple[int, int]) -> ModelRecord:
    """Let a model have one version more, shown first: other bytes, else like its newest; ``ids``: version, file."""
    newest = max(model.versions, key=lambda one: one.id)
    file = replace(
        newest.files[0], id=ids[1], version_id=ids[0], seed=newest.files[0].seed + ids[0], scanned=published + MINUTE
    )
    added = replace(
        newest,
        id=ids[0],
        name=f"v{len(model.versions) + 1}.0",
        created=published - HOUR,
        updated=published,
        published=published,
        seed=newest.seed + 1,
        files=(file,),
    )
    shown = (added, *model.versions)
    return replace(model, versions=tuple(replace(one, index=place) for place, one in enumerate(shown)))


def _level(marks: frozenset[str], level: int, at: int) -> int:
    """Settle the rating bits of a special model; every second minor one is in no listing (contract rest.md §1.5)."""
    if "nsfw_models" in marks:
        return int(Level.X | Level.XXX)
    if "minor_models" in marks:
        return int(Level.PG13) if at % 2 else int(Level.PG)
    return int(Level.PG | Level.PG13) if "childhood_models" in marks else level


def _marks(spec: CreatorSpec) -> list[frozenset[str]]:
    """Deal the special marks out over the models, drafts first at even distances."""
    total = spec.models + spec.draft_models
    drafts = {(one * total + total // 2) // spec.draft_models for one in range(spec.draft_models)}
    dealt: list[set[str]] = [{"draft_models"} if at in drafts else set() for at in range(total)]
    published = [at for at in range(total) if at not in drafts]
    # A stride that shares no factor with the number visits every model once before any gets a second mark.
    stride = next(one for one in (7, 5, 11, 13, 1) if len(published) % one or one == 1)
    asked = sum(getattr(spec, name) for name in MARKS)
    if asked and not published:
        raise ValueError(f"sandbox creator {spec.username!r}: {asked} special models are asked of none; raise models")
    turn = 0
    for name in MARKS:
        for _ in range(getattr(spec, name)):
            dealt[published[turn * stride % len(published)]].add(name)
            turn += 1
    return [frozenset(one) for one in dealt]


def _model(
    frame: _Frame, files: Files, username: str, user_id: int, draw: Random, *, vanished: bool = False
) -> ModelRecord:
    seed, marks, draft = draw.getrandbits(52), frame.marks, "draft_models" in frame.marks
    versions: list[VersionRecord] = []
    made = frame.created
    for place, version_id in enumerate(frame.version_ids):
        made = min(
            made + HOUR + (draw.randrange(90 * DAY) if place else draw.randrange(5 * DAY)),
            frame.end - draw.randrange(DAY),
        )
        if frame.batch is not None:
            made = frame.batch
        # Some hours end in a zero, which one of the site's cursors loses (contract rest.md §5.1).
        published = made // 10 * 10 if draw.random() < 0.3 and frame.batch is None else made  # noqa: PLR2004
        versions.append(_version(frame, files, draw, place=place, id=version_id, published=published))
    # Most authors show the newest first, a few do not.
    shown = versions if draw.random() < 0.2 else versions[::-1]  # noqa: PLR2004
    published_at = None if draft else min(one.published for one in versions if one.published is not None)
    return ModelRecord(
        id=frame.id,
        name=frame.name,
        description=None
        if seed % 7 == 0
        else f"<p>{frame.name}: <strong>quiet</strong> pictures &amp; calm water.</p>",
        type=frame.type,
        username=username,
        user_id=user_id,
        vanished=vanished,
        nsfw="nsfw_models" in marks,
        minor="minor_models" in marks,
        poi="poi_models" in marks,
        status="Draft" if draft else "Published",
        mode="Archived" if "archived_models" in marks else "TakenDown" if "taken_down_models" in marks else None,
        availability=_availability(marks),
        tag_ids=_tags(seed) + ((CHILDHOOD_TAG,) if "childhood_models" in marks else ()),
        commercial_use=COMMERCIAL[seed % len(COMMERCIAL)],
        created=frame.created,
        updated=made + HOUR,
        published=published_at,
        seed=seed,
        versions=tuple(replace(one, index=place) for place, one in enumerate(shown)),
    )


def _version(frame: _Frame, files: Files, draw: Random, *, place: int, id: int, published: int) -> VersionRecord:  # noqa: A002
    seed, marks = draw.getrandbits(52), frame.marks
    last = place == len(frame.version_ids) - 1
    early = "early_access_models" in marks and last
    draft = "draft_models" in marks or ("draft_version_models" in marks and last)
    base, group = frame.bases[place]
    name = frame.version_names[place]
    return VersionRecord(
        id=id,
        model_id=frame.id,
        index=0,
        name=name,
        description=f"<p>Trained again, version {name}.</p>" if seed % 3 else None,
        base_model=base,
        group=group,
        level=frame.level,
        status="Draft" if draft else "Published",
        availability="EarlyAccess" if early else _availability(marks),
        usage_control="Generation" if "generate_only_models" in marks else "Download",
        require_auth=seed % 4 == 0,
        paid_until=frame.end + 10 * DAY + seed % DAY if early and seed % 3 else None,
        paid_forever=early and seed % 3 == 0,
        trained_words=(f"{frame.name.split()[-2].lower()}{frame.id % 100}",) if frame.type != "Checkpoint" else (),
        created=published - 2 * HOUR - draw.randrange(HOUR),
        updated=published + draw.randrange(HOUR),
        published=None if draft else published,
        seed=seed,
        files=tuple(files.of(frame.name, frame.type, id, name, published)),
    )


def _availability(marks: frozenset[str]) -> str:
    return "Unsearchable" if "unsearchable_models" in marks else "Private" if "private_models" in marks else "Public"


def _tags(seed: int) -> tuple[int, ...]:
    return tuple(FIRST_TAG + (seed + step * 11) % len(TAGS) for step in range(1 + seed % 4))


def posted(records: Sequence[Record], models: Sequence[ModelRecord], seed: int) -> tuple[Record, ...]:
    """Post some of a creator's posts to versions of its own: what those then show (contract rest.md §5.1)."""
    own = [version.id for model in models if model.status == "Published" for version in model.versions]
    if not own:
        return tuple(records)
    draw = Random(f"{seed}/{records[0].user_id}/posted") if records else Random(seed)
    posts = dict.fromkeys(one.post_id for one in records)
    chosen = [one for one in posts if draw.random() < 0.6]  # noqa: PLR2004 - share of posts that show own models
    goes_to = {post: own[place % len(own)] for place, post in enumerate(chosen)}
    return tuple(replace(one, posted_to=goes_to[one.post_id]) if one.post_id in goes_to else one for one in records)
