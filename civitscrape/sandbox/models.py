"""Models of the sandbox's world as the site's own tables would hold them: models, versions, files, and their counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

from civitscrape.sandbox.vocabulary import CHILDHOOD_TAG, TAG_NAMES

PREFERRED = {
    "format": ("SafeTensor", 100.0),
    "size": ("pruned", 10.0),
    "fp": ("fp16", 1.0),
    "quantType": ("Q4_K_M", 0.5),
}
"""What a primary file should be, and how much each point weighs (contract rest.md §5.1)."""
MAIN_TYPES = frozenset({"Model", "Pruned Model", "Diffusion Model", "UNet"})
STORED_NAMES = frozenset({"LORA", "LoCon"})
"""Types of models whose files keep the name that they were uploaded under."""
ECOSYSTEMS = {"SDXL": "sdxl", "Illustrious": "sdxl", "Pony": "sdxl", "SD1": "sd1", "Flux1": "flux1"}
KEPT_COUNTS = 100_000
AIR_TYPES = {
    "Checkpoint": "checkpoint",
    "LORA": "lora",
    "LoCon": "lycoris",
    "TextualInversion": "embedding",
    "VAE": "vae",
    "Controlnet": "controlnet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One file of a model version. Times are unix milliseconds."""

    id: int
    version_id: int
    name: str
    """Name that it was uploaded under."""
    override_name: str | None
    """Name that its author wants it to be downloaded under, whatever its type."""
    type: str
    """One of ``ModelFileType``: ``Model``, ``Config``, ``Training Data`` …"""
    format: str | None
    """``SafeTensor``, ``PickleTensor``, ``GGUF``, ``Other``; null where nobody said."""
    size: str | None
    """``full`` or ``pruned``: a mark, not a length."""
    fp: str | None
    quant_type: str | None
    length: int
    """Bytes."""
    seed: int
    """Of its bytes; files with equal seed, length and extension are the same bytes."""
    scanned: int
    scan: str
    """``Success``, ``Pending``, ``Danger`` or ``Error``."""
    public: bool
    """Whether anybody but its author may see it."""
    replaced: bool
    """Whether a newer file took its place: only ``/model-versions/{id}`` still tells of it."""
    hashed: bool
    """Whether its hashes are told; a few files were never hashed (contract rest.md §5.1)."""
    lost: bool
    """Whether the storage has it no more: listed, but the download is 404."""

    @property
    def size_kb(self) -> float:
        """Length in units of 1,024 bytes."""
        whole, rest = divmod(self.length, 1024)
        # JavaScript writes no fraction of zero.
        return self.length / 1024 if rest else whole

    @property
    def extension(self) -> str:
        """What its name ends in, without the dot."""
        return self.name.rpartition(".")[2]

    @property
    def listed(self) -> bool:
        """Whether listings show it."""
        return self.public and not self.replaced

    @property
    def metadata(self) -> dict[str, str]:
        """What is known of its kind, in the site's names and order."""
        known = {"format": self.format, "size": self.size, "fp": self.fp, "quantType": self.quant_type}
        return {name: value for name, value in known.items() if value is not None}

    def score(self, wanted: dict[str, str] | None = None) -> float:
        """Tell how well it suits somebody without preferences, or one who wants certain metadata."""
        preferred = {name: value for name, (value, _) in PREFERRED.items()} | (wanted or {})
        points = sum(
            PREFERRED[name][1] * (1 if preferred[name] == value else -1) for name, value in self.metadata.items()
        )
        return 1000 + points + (1000 if self.type in MAIN_TYPES else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """One version of a model. Times are unix milliseconds."""

    id: int
    model_id: int
    index: int
    """Place in the author's order; 0 is shown first."""
    name: str
    description: str | None
    """HTML."""
    base_model: str
    group: str
    """Base-model group."""
    level: int
    """Rating bits, an OR."""
    status: str
    """``Published``, ``Draft`` or ``Unpublished``."""
    availability: str
    """``Public``, ``Unsearchable``, ``Private`` or ``EarlyAccess``."""
    usage_control: str
    """``Download``, or ``Generation`` when its files are not given out."""
    require_auth: bool
    """Whether downloads need a login even where the site at large does not ask for one."""
    paid_until: int | None
    """End of a timed paid gate."""
    paid_forever: bool
    """Whether the gate stays."""
    trained_words: tuple[str, ...]
    created: int
    updated: int
    published: int | None
    seed: int
    files: tuple[FileRecord, ...]
    """All files ever uploaded, private and replaced ones too."""

    @property
    def visible(self) -> bool:
        """Whether by-id look-ups may show it."""
        return self.status == "Published" and self.availability != "Private" and bool(self.files)

    @property
    def listed_files(self) -> tuple[FileRecord, ...]:
        """Files that listings show."""
        return tuple(one for one in self.files if one.listed)

    @property
    def primary(self) -> FileRecord | None:
        """The file that the bare download address gives; null when there is none to be seen."""
        return max(self.listed_files, key=FileRecord.score, default=None)

    @property
    def gated(self) -> bool:
        """Whether it has to be bought now."""
        return self.paid_forever or self.paid_until is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """One model with its versions. Times are unix milliseconds."""

    id: int
    name: str
    description: str | None
    """HTML."""
    type: str
    """One of ``ModelType``."""
    username: str
    user_id: int
    vanished: bool
    """Whether its owner's account is gone."""
    nsfw: bool
    """A flag of the author's, not used for filtering."""
    minor: bool
    poi: bool
    status: str
    """``Published`` or ``Draft``."""
    mode: str | None
    """``Archived``, ``TakenDown`` or null."""
    availability: str
    tag_ids: tuple[int, ...]
    commercial_use: tuple[str, ...]
    created: int
    updated: int
    published: int | None
    seed: int
    versions: tuple[VersionRecord, ...]
    """In the author's order, drafts too."""

    @property
    def level(self) -> int:
        """Rating bits of all versions that are out."""
        bits = 0
        for one in self.versions:
            bits |= one.level if one.status == "Published" or self.status != "Published" else 0
        return bits

    @property
    def last_version_at(self) -> int | None:
        """When its newest version came out."""
        return max((one.published for one in self.versions if one.published is not None), default=None)

    @property
    def childhood(self) -> bool:
        """Whether it carries a child-related tag."""
        return CHILDHOOD_TAG in self.tag_ids

    @property
    def tags(self) -> list[str]:
        """Names of its tags."""
        return [TAG_NAMES[one] for one in self.tag_ids]

    @property
    def visible_versions(self) -> tuple[VersionRecord, ...]:
        """Versions that a look-up by id or by username shows."""
        return tuple(one for one in self.versions if one.visible)

    @property
    def visible(self) -> bool:
        """Whether anybody but its owner may see it."""
        return (
            self.status == "Published"
            and self.availability != "Private"
            and not self.poi
            and self.level > 0
            and bool(self.visible_versions)
        )

    @property
    def permissions(self) -> dict[str, bool]:
        """What its author allows others to do."""
        return {
            "allowNoCredit": self.seed % 2 == 0,
            "allowDerivatives": self.seed % 3 > 0,
            "allowDifferentLicense": self.seed % 5 > 1,
        }

    @property
    def hides_counts(self) -> bool:
        """Whether its owner hides how often it was downloaded."""
        return self.seed % 11 == 0

    @property
    def generates(self) -> bool:
        """Whether the site's own generator can use it."""
        return self.type in AIR_TYPES and self.seed % 4 > 0


class Popularity(NamedTuple):
    """Counts of a model or a version."""

    downloads: int
    thumbs_up: int
    thumbs_down: int
    comments: int
    collected: int
    images: int
    tipped: int
    hidden: bool
    """Whether its owner hides downloads and tips, which listings then tell as null."""


def popularity(record: ModelRecord | VersionRecord) -> Popularity:
    """Count what people did with a version, or with all versions of a model; small numbers, so that some tie."""
    if isinstance(record, ModelRecord):
        parts = [popularity(one) for one in record.versions]
        return Popularity(
            downloads=sum(one.downloads for one in parts),
            thumbs_up=sum(one.thumbs_up for one in parts),
            thumbs_down=sum(one.thumbs_down for one in parts),
            comments=sum(one.comments for one in parts),
            collected=sum(one.collected for one in parts),
            images=sum(one.images for one in parts),
            tipped=sum(one.tipped for one in parts),
            hidden=record.hides_counts,
        )
    return _drawn_popularity(record.seed)


@lru_cache(maxsize=KEPT_COUNTS)
def _drawn_popularity(seed: int) -> Popularity:
    draw = Random(seed ^ 0x90D1)
    likes = int(draw.expovariate(1 / 40))
    return Popularity(
        downloads=likes * 12 + draw.randrange(8),
        thumbs_up=likes,
        thumbs_down=draw.randrange(4),
        comments=draw.randrange(30),
        collected=likes // 2,
        images=draw.randrange(60),
        tipped=draw.randrange(20) * 50,
        hidden=False,
    )


def air(model: ModelRecord, version: VersionRecord) -> str:
    """Name a version as the generators do (contract rest.md §6.1)."""
    ecosystem, kind = ECOSYSTEMS.get(version.group, version.group.lower()), AIR_TYPES.get(model.type, "unknown")
    return f"urn:air:{ecosystem}:{kind}:civitai:{model.id}@{version.id}"


def download_name(model: ModelRecord, version: VersionRecord, file: FileRecord) -> str:
    """Name a file as downloads and listings do (contract rest.md §5.1)."""
    if file.override_name is not None:
        return file.override_name
    if model.type in STORED_NAMES:
        return file.name
    if model.type == "TextualInversion" and version.trained_words:
        return f"{version.trained_words[0]}.{file.extension}"
    return f"{camel(model.name)}_{camel(version.name)}.{file.extension}"


def camel(text: str) -> str:
    """Write words as one, each but the first with a capital.

    >>> camel("Amber Lantern XL"), camel("v2.0")
    ('amberLanternXl', 'v20')
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)
    return "".join(word.lower() if place == 0 else word.capitalize() for place, word in enumerate(words))


def download_query(file: FileRecord) -> dict[str, str]:
    """List the parameters that tell a file from the primary one; equal files get equal ones (contract rest.md §5.1)."""
    return {"type": file.type, **file.metadata}
