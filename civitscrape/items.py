"""What we keep of the site: flat items, tied by ids, each field documented under the field.

One declaration serves many uses: the order of the fields is the order of columns in CSV and SQL, the documentation of
the fields is the reference, and the marks inside ``Annotated`` say which fields are the key, how two answers about the
same thing are merged, and what is not a column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntFlag, StrEnum
from typing import Annotated, Any


class Level(IntFlag):
    """Rating bits of the site (contract rest.md §4)."""

    PG = 1
    PG13 = 2
    R = 4
    X = 8
    XXX = 16
    BLOCKED = 32


class MediaType(StrEnum):
    """What an image entry really is (contract rest.md §7.4)."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class MetaState(StrEnum):
    """What is known about the generation data of an image; a later member never replaces an earlier one."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


class ResourceSource(StrEnum):
    """Where a resource of an image was read; the set from an earlier member replaces the set from a later one."""

    GENERATION = "generation"
    CIVITAI_RESOURCES = "civitaiResources"
    RESOURCES = "resources"
    DETECTED = "detected"


class Mark(Enum):
    """What a field is to its table, inside ``Annotated``; without a mark a field is a column merged as ``LATEST``."""

    KEY = "part of the table's primary key"
    LATEST = "the newer answer wins, but null never replaces a value"
    FIRST = "the first known value stays"
    COUNT = "the newer answer wins, but null or zero never replaces a count"
    STATE = "the better state wins, see MetaState"
    GENERATION = "part of the generation data: replaced together when the newer answer brings ``meta``, else kept"
    ALWAYS = "the newer answer wins, null included"
    NO_COLUMN = "carried by the item for feeds, not a column"


Key = Mark.KEY
First = Mark.FIRST
Count = Mark.COUNT
State = Mark.STATE
Generation = Mark.GENERATION
Always = Mark.ALWAYS
NoColumn = Mark.NO_COLUMN


@dataclass(slots=True, kw_only=True)
class Creator:
    """Somebody who publishes on the site."""

    username: Annotated[str, Key]
    """Name as the site writes it; compared without regard to case."""
    user_id: int | None = None
    """Number of the account, where a route gives it."""
    image: str | None = None
    """Address of the avatar."""
    link: str | None = None
    """Address of the profile page."""
    model_count: Annotated[int | None, Count] = None
    """Models announced by the profile page, for the levels in ``counts_level``."""
    image_count: Annotated[int | None, Count] = None
    """Images announced by the profile page, for the levels in ``counts_level``."""
    video_count: Annotated[int | None, Count] = None
    """Videos announced by the profile page, for the levels in ``counts_level``."""
    post_count: Annotated[int | None, Count] = None
    """Posts announced by the profile page, for the levels in ``counts_level``."""
    counts_level: int | None = None
    """Mask of the rating bits that the announced counts cover: 1 for anonymous callers (trpc-and-pages §4.5)."""
    created_at: Annotated[str | None, First] = None
    """When the account was made, UTC ISO 8601."""
    deleted_at: str | None = None
    """When the account was deleted, UTC ISO 8601; null while it lives."""


@dataclass(slots=True, kw_only=True)
class Image:
    """One image, video or audio piece, as a listing or its own page tells of it."""

    id: Annotated[int, Key]
    """Number of the image on the site."""
    key: str | None = None
    """UUID of the original on the CDN; the same key is the same bytes. A foreign address for some old rows."""
    url: str | None = None
    """Address of the picture as the site gave it; never followed as it stands."""
    type: str = MediaType.IMAGE
    """``image``, ``video`` or ``audio``."""
    creator: str | None = None
    """Username of whoever posted it; null when the site says ``unknown``."""
    post_id: int | None = None
    """Post that it belongs to."""
    post_index: int | None = None
    """Place inside the post, from 0, where a route gives it."""
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    hash: str | None = None
    """BlurHash, a tiny preview as text."""
    level: int | None = None
    """Rating bit: 1 PG, 2 PG-13, 4 R, 8 X, 16 XXX; null when unrated or not told."""
    nsfw: bool | None = None
    """The site's own flag; its meaning changed over the years, prefer ``level``."""
    created_at: str | None = None
    """When it was made, UTC ISO 8601; from the REST listing the latest of creation, scan and publication."""
    published_at: str | None = None
    """When it was published, UTC ISO 8601; only from a publication field."""
    base_model: str | None = None
    """Base model as the site names it, such as ``SDXL 1.0``."""
    model_version_ids: list[int] | None = None
    """Model versions that the listing names for it."""
    prompt: Annotated[str | None, Generation] = None
    """Positive prompt."""
    negative_prompt: Annotated[str | None, Generation] = None
    """Negative prompt."""
    sampler: Annotated[str | None, Generation] = None
    """Sampler as the uploader's tool wrote it."""
    steps: Annotated[int | None, Generation] = None
    """Sampling steps."""
    cfg_scale: Annotated[float | None, Generation] = None
    """Guidance scale."""
    seed: Annotated[int | None, Generation] = None
    """Seed; may exceed 64 bits on some tools, then it is only in ``meta``."""
    size: Annotated[str | None, Generation] = None
    """Size at generation, ``WIDTHxHEIGHT`` in pixels."""
    model: Annotated[str | None, Generation] = None
    """Name of the checkpoint as the uploader's tool wrote it."""
    meta: Annotated[dict[str, Any] | None, Generation] = None
    """The whole generation data, untouched."""
    meta_state: Annotated[str, State] = MetaState.UNKNOWN
    """``visible``, ``hidden``, ``absent``, ``unknown`` (the route cannot tell) or ``not_asked``."""
    cry_count: Annotated[int | None, Count] = None
    """Reactions."""
    laugh_count: Annotated[int | None, Count] = None
    """Reactions."""
    like_count: Annotated[int | None, Count] = None
    """Reactions."""
    heart_count: Annotated[int | None, Count] = None
    """Reactions."""
    comment_count: Annotated[int | None, Count] = None
    """Comments."""
    path: str | None = None
    """File of the original, relative to the media store; null until it is stored."""
    votes_at: str | None = None
    """When tags with votes were last fetched, UTC ISO 8601."""
    gone_at: Annotated[str | None, Always] = None
    """When the site was found to have it no more, UTC ISO 8601; set after asking by id, cleared when it is back."""
    tags: Annotated[list[str], NoColumn] = field(default_factory=list)
    """Names of the community tags that came with the entry."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""
    media_state: Annotated[str | None, NoColumn] = None
    """What became of the file: ``wanted``, ``stored``, ``gone``, ``failed``, ``refused``; null when none was asked."""
    files: Annotated[list[dict[str, Any]], NoColumn] = field(default_factory=list)
    """What the download brought, as Scrapy's media pipelines tell it; empty when nothing was fetched."""


@dataclass(slots=True, kw_only=True)
class Tag:
    """One word of the site's tag vocabulary."""

    id: Annotated[int, Key]
    """Number of the tag."""
    name: str
    """Name, lower case on the site."""
    type: str | None = None
    """``UserGenerated``, ``Label``, ``Moderation`` or ``System``, where a route gives it."""
    level: int | None = None
    """Rating bit of the tag itself."""


@dataclass(slots=True, kw_only=True)
class TagName:
    """A tag whose number is not known yet."""

    name: Annotated[str, Key]
    """Name of the tag."""
    image_id: Annotated[int, Key]
    """Image that carries it."""


@dataclass(slots=True, kw_only=True)
class ImageTag:
    """A community tag on an image, with its votes where they were asked."""

    image_id: Annotated[int, Key]
    """Image."""
    tag_id: Annotated[int, Key]
    """Tag."""
    score: int | None = None
    """Confidence of the detector in tenths plus the weighted votes (trpc-and-pages §4)."""
    up_votes: int | None = None
    """Voters for it."""
    down_votes: int | None = None
    """Voters against it."""
    automated: bool | None = None
    """Whether a detector set it."""
    shown: bool | None = None
    """Whether the image's own page shows it, where known."""


@dataclass(slots=True, kw_only=True)
class ImageResource:
    """A model that an image was made with."""

    image_id: Annotated[int, Key]
    """Image."""
    position: Annotated[int, Key]
    """Place in the list, from 0."""
    model_version_id: int | None = None
    """Version on the site, where known."""
    name: str | None = None
    """Name as the uploader's tool wrote it."""
    type: str | None = None
    """``checkpoint``, ``lora`` and so on, lower case."""
    weight: float | None = None
    """Strength, 1.0 for full."""
    hash: str | None = None
    """Hash as the uploader's tool wrote it, lower case."""
    source: str = ResourceSource.DETECTED
    """``generation``, ``civitaiResources``, ``resources`` or ``detected``; a set is replaced as a whole."""


@dataclass(slots=True, kw_only=True)
class Post:
    """A post: a title, a text and some images."""

    id: Annotated[int, Key]
    """Number of the post."""
    title: str | None = None
    """Title."""
    creator: str | None = None
    """Username of whoever posted it."""
    model_version_id: int | None = None
    """Model version that it was posted to."""
    published_at: str | None = None
    """When it was published, UTC ISO 8601."""
    image_count: Annotated[int | None, Count] = None
    """Images that the site counts in it."""
    level: int | None = None
    """OR of the rating bits of its images."""


@dataclass(slots=True, kw_only=True)
class VersionImage:
    """An image that belongs to a model version."""

    version_id: Annotated[int, Key]
    """Model version."""
    image_id: Annotated[int, Key]
    """Image."""
    position: int | None = None
    """Place in the showcase, from 0."""
    source: Annotated[str, First] = "detected"
    """``showcase``, ``gallery`` or ``detected``."""


Item = Creator | Image | Tag | TagName | ImageTag | ImageResource | Post | VersionImage

TABLES: dict[type, str] = {
    Creator: "creators",
    Image: "images",
    Tag: "tags",
    TagName: "tag_names",
    ImageTag: "image_tags",
    ImageResource: "image_resources",
    Post: "posts",
    VersionImage: "version_images",
}
"""Table of each item; outside scripts read these names."""
