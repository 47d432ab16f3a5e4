"""Images, their tags, and what they were made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from civitscrape.items.enums import MediaType, MetaState, ResourceSource
from civitscrape.items.marks import Always, Closest, Count, Earliest, Generation, Key, Longest, NoColumn, State

APART = "@"
"""What stands between the key of an original and the name of a rendition of it; no key has it."""


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
    created_at: Annotated[str | None, Earliest] = None
    """When it was made, UTC ISO 8601; listings give the latest of creation, scan and publication under this name."""
    published_at: str | None = None
    """When it was published, UTC ISO 8601; only from a publication field."""
    base_model: str | None = None
    """Base model as the site names it, such as ``SDXL 1.0``."""
    model_version_ids: Annotated[list[int] | None, Longest] = None
    """Model versions that it was made with; listings name only those that were detected."""
    tools: list[str] | None = None
    """Names of the tools it was made with, where its page tells."""
    techniques: list[str] | None = None
    """Names of the techniques, where its page tells."""
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
    """File of the original, or of the WebP that replaced it, relative to the media store; null until it is stored."""
    votes_at: str | None = None
    """When tags with votes were last fetched, UTC ISO 8601."""
    gone_at: Annotated[str | None, Always] = None
    """When the site was found to have it no more, UTC ISO 8601; set after asking by id, cleared when it is back."""
    tags: Annotated[list[str], NoColumn] = field(default_factory=list)
    """Names of the community tags that came with the entry."""
    partial: Annotated[bool, NoColumn] = False
    """Whether another listing is about to tell the rest of it; until then it goes to no feed and its file is left."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""
    media_state: Annotated[str | None, NoColumn] = None
    """What became of the file: ``wanted``, ``stored``, ``gone``, ``failed``, ``refused``; null when none was asked."""
    busy: Annotated[bool, NoColumn] = False
    """Whether another run is fetching the file right now."""
    files: Annotated[list[dict[str, Any]], NoColumn] = field(default_factory=list)
    """What the download brought, as Scrapy's media pipelines tell it; empty when nothing was fetched."""
    rendition: Annotated[str | None, NoColumn] = None
    """Which smaller rendition is asked for instead of the original, ``width=450``; null for the original."""
    prompt_tags: Annotated[list[str], NoColumn] = field(default_factory=list)
    """Words of the prompt that came with the entry, each once; never among ``tags``, which are the community's."""
    poster: Annotated[str | None, NoColumn] = None
    """State of a video's poster, in the words of ``media.state``; null where nobody asked for it."""

    @property
    def media_key(self) -> str | None:
        """Key of the row in ``media`` that the file in question has: a rendition's is never the original's.

        >>> Image(id=7, key="1f0a").media_key, Image(id=7, key="1f0a", rendition="width=450").media_key
        ('1f0a', '1f0a@width=450')
        """
        return f"{self.key}{APART}{self.rendition}" if self.key is not None and self.rendition else self.key


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
    """Image that carries it; 0 for a name from the list of all tags."""


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
class PromptTag:
    """A word of an image's prompt, which is never mixed with the community's tags; a set is replaced as a whole."""

    image_id: Annotated[int, Key]
    """Image."""
    position: Annotated[int, Key]
    """Place in the prompt, from 0."""
    text: str
    """The word as the uploader wrote it, without weights and escapes."""
    weight: float = 1.0
    """Weight that the prompt gives it, 1.0 where it says nothing."""


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
class VersionImage:
    """An image that belongs to a model version."""

    version_id: Annotated[int, Key]
    """Model version."""
    image_id: Annotated[int, Key]
    """Image."""
    position: int | None = None
    """Place in the showcase, from 0."""
    source: Annotated[str, Closest] = "detected"
    """``showcase``, ``gallery`` or ``detected``."""
