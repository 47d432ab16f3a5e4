"""One entry of the sandbox's world, and what is drawn from its seed when somebody asks: data, reactions, tags."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.metas import SHAPES
from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG, TAG_NAMES, VERSIONS, Version

MINUTE = 60_000
"""Milliseconds."""

FORMATS = {MediaType.VIDEO: "mp4", MediaType.AUDIO: "mp3"}
"""Format of what is not an image."""

UNSEEN = 0.08
"""Share of images that nobody has reacted to."""

_VERSIONS = {one.id: one for one in VERSIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One image, video or audio piece as the site's own tables would hold it. Times are unix milliseconds."""

    id: int
    key: str
    type: MediaType
    format: str
    username: str
    user_id: int
    vanished: bool
    post_id: int
    post_index: int
    level: Level
    combined_level: Level
    created: int
    published: int
    width: int
    height: int
    hash: str | None
    seed: int
    """Of all that is drawn later: bytes, generation data, reactions; twins share it."""
    file_size: int | None
    shape: str
    """Name of the shape of its generation data, see ``metas.SHAPES``."""
    hide_meta: bool
    tag_ids: tuple[int, ...]
    posted_to: int | None
    """The version of its post, the same for all images of one."""
    used: tuple[int, ...]
    """All versions it was made with; the first is the checkpoint."""
    detected: int
    """How many of ``used`` were detected automatically, from the first."""
    deleted: bool
    ghost: bool
    minor: bool
    poi: bool

    @property
    def sort_at(self) -> int:
        """The latest of creation, scan (a minute later) and publication; listings call it ``createdAt``."""
        return max(self.published, self.created + MINUTE)

    @property
    def foreign(self) -> bool:
        """Whether its bytes lie on somebody else's server; the key is then their address."""
        return self.key.startswith("http")

    @property
    def childhood(self) -> bool:
        """Whether it carries a child-related tag."""
        return CHILDHOOD_TAG in self.tag_ids

    @property
    def listed(self) -> bool:
        """Whether any listing may ever show it."""
        return not (self.ghost or self.minor or self.poi)

    @property
    def extension(self) -> str:
        """What its addresses end in, whatever the bytes are (contract rest.md §10)."""
        return FORMATS.get(self.type, "jpeg")

    @property
    def on_site(self) -> bool:
        """Whether it was made by the site's own generator."""
        return self.shape == "civitai_resources"

    @property
    def name(self) -> str:
        """Name of the file that was uploaded."""
        return f"{self.id % 100_000:05d}.{self.format}"

    @property
    def base_model(self) -> str | None:
        """Base models of its checkpoints run together, ``""`` without one, null for a few (contract rest.md §7.2)."""
        if self.seed % 29 == 0:
            return None
        return "".join(one.base_model for one in map(version, self.used) if one.type == "checkpoint")


class Stats(NamedTuple):
    """Reactions and comments of an image."""

    cry: int
    laugh: int
    like: int
    heart: int
    comment: int
    collected: int

    @property
    def reactions(self) -> int:
        """What ``Most Reactions`` sorts by."""
        return self.cry + self.laugh + self.like + self.heart


def version(version_id: int) -> Version:
    """Return a model version of the world."""
    return _VERSIONS[version_id]


def reactions(record: Record) -> Stats:
    """Count the reactions of an image; a few have none at all."""
    draw = Random(record.seed ^ 0x57A7)
    if draw.random() < UNSEEN:
        return Stats(0, 0, 0, 0, 0, 0)
    like = int(draw.expovariate(1 / 120))
    return Stats(draw.randrange(9), draw.randrange(7), like, like * 2 // 5, draw.randrange(6), like // 10)


def generation_data(record: Record) -> dict[str, Any] | None:
    """Return the generation data as it was uploaded, hidden or not; null when there is none."""
    shape = SHAPES[record.shape]
    if shape is None:
        return None
    used = [version(one) for one in record.used] or [VERSIONS[0]]
    return shape(Random(record.seed ^ 0x3E7A), used, f"{record.width}x{record.height}")


def remix_of(record: Record) -> int | None:
    """Return the image that a remix began from, as its generation data tells."""
    data = generation_data(record) if record.shape == "engine" and not record.hide_meta else None
    return data["extra"]["remixOfId"] if data else None


def community_tags(record: Record) -> list[tuple[int, str]]:
    """Name the community tags of an image."""
    return [(tag_id, TAG_NAMES[tag_id]) for tag_id in record.tag_ids]
