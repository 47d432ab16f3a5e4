"""Tags and what people and detectors say of them: types, levels, votes (contract trpc-and-pages §4, §4.3)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG, TAG_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from civitscrape.sandbox.records import Record

LABEL, MADE_UP, MODERATION = "Label", "UserGenerated", "Moderation"

_MADE_UP = ("watercolor", "ink", "minimalism", "blue theme", "orange theme", "éclairage", "灯籠", "1960s", '"quoted"')
_MODERATION = {"candle": Level.PG13, "glass": Level.PG}
_SHOWN = {"candle": "open flame", "no humans": "scene", "colored pencil (medium)": "coloured pencil"}
_CATEGORIES = ("scenery", "abstract", "sea", "watercolor")
STYLES_AND_SUBJECTS = frozenset({"anime", "cartoon", "comics", "manga", "man", "woman", "men", "women"})
"""Names that stay on an image's page though only the older detector saw them."""


BLOCKED = frozenset({"candle"})
"""Names that the site gives neither pages nor feeds (§4.1, §6.2)."""


class Tag(NamedTuple):
    """A word of the site's."""

    id: int
    name: str
    type: str
    """``Label``, ``UserGenerated`` or ``Moderation``."""
    level: Level
    category: bool
    """Whether the site's start page offers it."""
    shown: str
    """What pages call it, where that is not its name (§6.4)."""


class Vote(NamedTuple):
    """What is known of a tag on one image."""

    tag: Tag
    score: int
    up: int
    """Voters, not weights."""
    down: int
    automated: bool
    concrete: bool
    needs_review: bool
    upvoted_at: int | None
    """Unix milliseconds of the last vote for it."""
    source: str
    """Who set it: ``WD14``, ``Rekognition``, ``Computed`` or ``User``."""
    weights: tuple[int, ...]
    """Each vote with its weight: 1, the creator's 3, a moderator's 10; negative against it."""


def _tag(tag_id: int, name: str) -> Tag:
    kind = MODERATION if name in _MODERATION else MADE_UP if name in _MADE_UP else LABEL
    level = Level.PG13 if tag_id == CHILDHOOD_TAG else _MODERATION.get(name, Level.PG)
    return Tag(tag_id, name, kind, level, name in _CATEGORIES, _SHOWN.get(name, name))


TAGS = {tag_id: _tag(tag_id, name) for tag_id, name in TAG_NAMES.items()}
"""Every tag of the world by its id."""


def named(name: str) -> Tag | None:
    """Find a tag by its name, in its exact case or not."""
    return next((one for one in TAGS.values() if one.name.lower() == name.lower()), None)


_AGE = 200 * 86_400_000
_MIXED, _OLD_DETECTOR = 0.7, 0.9
_SET_BY_HAND, _COMPUTED, _LEFT_OVER = 0.15, 0.18, 0.35


def votes(record: Record) -> list[Vote]:
    """Draw the votes on an image's tags, best score first, then by id.

    Most images were seen by the newer detector (WD14) beside the older (Rekognition), some by the older alone, a few
    by none.
    """
    era = Random(record.seed ^ 0x7A65).random()
    return sorted((_vote(record, TAGS[one], era) for one in record.tag_ids), key=lambda one: (-one.score, one.tag.id))


def _vote(record: Record, tag: Tag, era: float) -> Vote:
    draw = Random(record.seed ^ tag.id << 8)
    source = _source(draw.random(), tag, era)
    automated = source != "User"
    confidence = draw.randrange(38, 101) if automated else 0
    weights = [draw.choices((1, -1, 3, 10, -10), (14, 5, 2, 1, 0.3))[0] for _ in range(int(draw.expovariate(0.9)))]
    if not automated and not any(one > 0 for one in weights):
        # Whoever adds a tag votes for it.
        weights.append(3 if draw.random() < _SET_BY_HAND else 1)
    up = sum(one > 0 for one in weights)
    return Vote(
        tag=tag,
        score=10 * confidence // 100 + sum(weights),
        up=up,
        down=len(weights) - up,
        automated=automated,
        concrete=True,
        needs_review=tag.type == MODERATION and record.seed % 5 == 0,
        upvoted_at=record.sort_at + draw.randrange(_AGE) if up else None,
        source=source,
        weights=tuple(weights),
    )


def _source(chance: float, tag: Tag, era: float) -> str:
    if tag.type == MADE_UP or chance < _SET_BY_HAND or era > _OLD_DETECTOR:
        return "User"
    if chance < _COMPUTED:
        return "Computed"
    if era > _MIXED:
        return "Rekognition"
    return "Rekognition" if chance < _LEFT_OVER or tag.type == MODERATION else "WD14"


def shown(listed: Iterable[Vote], *, upvoted: frozenset[int] = frozenset()) -> list[Vote]:
    """Keep the tags that an image's own page shows (§4.3).

    Once the newer detector has spoken, the older one's tags are dropped, but for moderation and a few words of style
    and subject; then only concrete tags stay, and those that the caller voted for.
    """
    kept = list(listed)
    if any(one.source == "WD14" for one in kept):
        kept = [one for one in kept if one.source != "Rekognition" or _stays(one.tag)]
    return [one for one in kept if one.concrete or one.tag.id in upvoted]


def _stays(tag: Tag) -> bool:
    return tag.type == MODERATION or tag.name in STYLES_AND_SUBJECTS
