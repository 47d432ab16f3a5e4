"""Models, their versions, and the files of those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from civitscrape.items.marks import Always, Count, Earliest, First, Key, NoColumn


@dataclass(slots=True, kw_only=True)
class Model:
    """A model: a checkpoint, a LoRA and so on; what can be downloaded are the files of its versions."""

    id: Annotated[int, Key]
    """Number of the model on the site."""
    name: str | None = None
    """Name."""
    description: str | None = None
    """Text of the model's page, HTML as its creator wrote it."""
    type: str | None = None
    """``Checkpoint``, ``LORA``, ``TextualInversion`` and so on, as the site writes it."""
    nsfw: bool | None = None
    """The flag that its creator or a moderator set; prefer ``level``."""
    level: int | None = None
    """OR of the rating bits of its images: 1 PG, 2 PG-13, 4 R, 8 X, 16 XXX."""
    tags: list[str] | None = None
    """Names of its tags."""
    creator: str | None = None
    """Username of whoever published it; null for the account ``civitai`` and for deleted ones."""
    user_id: int | None = None
    """Number of that account."""
    download_count: Annotated[int | None, Count] = None
    """Downloads; null where its creator hides them."""
    thumbs_up_count: Annotated[int | None, Count] = None
    """Thumbs up."""
    thumbs_down_count: Annotated[int | None, Count] = None
    """Thumbs down."""
    comment_count: Annotated[int | None, Count] = None
    """Comments."""
    tipped_amount_count: Annotated[int | None, Count] = None
    """Buzz that it was tipped with."""
    mode: Annotated[str | None, Always] = None
    """``Archived`` (no files any more) or ``TakenDown`` (no images any more); null for ordinary models."""
    availability: str | None = None
    """``Public``, ``Unsearchable``, ``EarlyAccess`` or ``Private``."""
    poi: bool | None = None
    """Whether it depicts a real person."""
    minor: bool | None = None
    """Whether it is flagged as depicting a minor."""
    sfw_only: bool | None = None
    """Whether only safe-for-work images may be posted to it."""
    allow_no_credit: bool | None = None
    """Licence: may be used without naming its creator."""
    allow_commercial_use: list[str] | None = None
    """Licence: ``Image``, ``RentCivit``, ``Rent``, ``Sell``; an empty list for none."""
    allow_derivatives: bool | None = None
    """Licence: may be merged and trained upon."""
    allow_different_license: bool | None = None
    """Licence: derivatives may have another licence."""
    base_models: list[str] | None = None
    """Base models of its versions."""
    created_at: Annotated[str | None, First] = None
    """When it was made, UTC ISO 8601; only tRPC tells."""
    updated_at: str | None = None
    """When it was last changed, UTC ISO 8601; only tRPC tells."""
    published_at: Annotated[str | None, Earliest] = None
    """When it was published, UTC ISO 8601; REST tells it of versions only, then it is the earliest of theirs."""
    gone_at: Annotated[str | None, Always] = None
    """When the site was found to have it no more, UTC ISO 8601; set after asking by id, cleared when it is back."""
    partial: Annotated[bool, NoColumn] = False
    """Whether the route tells only a part of it: what it does not tell is then kept, be it marked ``ALWAYS``."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""


@dataclass(slots=True, kw_only=True)
class ModelVersion:
    """One version of a model."""

    id: Annotated[int, Key]
    """Number of the version on the site."""
    model_id: int | None = None
    """Model that it belongs to."""
    position: int | None = None
    """Place among the versions of its model, from 0, as its creator orders them."""
    name: str | None = None
    """Name, such as ``v2.0``."""
    description: str | None = None
    """Text of the version, HTML."""
    base_model: str | None = None
    """Base model as the site names it, such as ``SDXL 1.0``."""
    base_model_type: str | None = None
    """``Standard``, ``Inpainting``, ``Refiner`` and so on."""
    trained_words: list[str] | None = None
    """Words that call it up in a prompt."""
    created_at: Annotated[str | None, First] = None
    """When it was made, UTC ISO 8601."""
    updated_at: str | None = None
    """When it was last changed, UTC ISO 8601."""
    published_at: str | None = None
    """When it was published, UTC ISO 8601."""
    download_url: str | None = None
    """Address of its primary file, built from its number; null when it cannot be downloaded."""
    status: str | None = None
    """``Published`` and so on, where a route tells."""
    availability: str | None = None
    """``Public``, ``Unsearchable``, ``EarlyAccess`` or ``Private``."""
    level: int | None = None
    """OR of the rating bits of its images."""
    usage_control: str | None = None
    """``Download``, or a word for on-site generation only."""
    air: str | None = None
    """AIR urn, ``urn:air:sdxl:checkpoint:civitai:MODEL@VERSION``."""
    early_access_ends_at: Annotated[str | None, Always] = None
    """When paid early access ends, UTC ISO 8601; null when there is none."""
    paid_access: Annotated[dict[str, Any] | None, Always] = None
    """Paid gate as the site tells it: ``{permanent, endsAt}``; null when there is none."""
    download_count: Annotated[int | None, Count] = None
    """Downloads."""
    thumbs_up_count: Annotated[int | None, Count] = None
    """Thumbs up."""
    thumbs_down_count: Annotated[int | None, Count] = None
    """Thumbs down."""
    gone_at: Annotated[str | None, Always] = None
    """When the site was found to have it no more, UTC ISO 8601."""
    partial: Annotated[bool, NoColumn] = False
    """Whether the route tells only a part of it: what it does not tell is then kept, be it marked ``ALWAYS``."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""


@dataclass(slots=True, kw_only=True)
class ModelFile:
    """One file of a model version."""

    id: Annotated[int, Key]
    """Number of the file on the site."""
    version_id: int | None = None
    """Version that it belongs to."""
    name: str | None = None
    """File name as the site gives it for downloads."""
    type: str | None = None
    """``Model``, ``Pruned Model``, ``VAE``, ``Config``, ``Training Data`` and so on."""
    size_kb: float | None = None
    """Kibibytes."""
    is_primary: bool | None = None
    """Whether it is what a download of the version brings."""
    format: str | None = None
    """``SafeTensor``, ``PickleTensor``, ``GGUF``, ``Diffusers`` and so on."""
    fp: str | None = None
    """``fp16``, ``fp32``, ``bf16`` and so on."""
    pruning: str | None = None
    """``full`` or ``pruned``: what the site calls the size of a file."""
    quant_type: str | None = None
    """Quantisation of a GGUF file, such as ``Q4_K_M``."""
    sha256: str | None = None
    """SHA-256, lower-case hex."""
    autov1: str | None = None
    """AutoV1 hash, lower-case hex."""
    autov2: str | None = None
    """AutoV2 hash, lower-case hex: the first ten digits of the SHA-256."""
    autov3: str | None = None
    """AutoV3 hash, lower-case hex."""
    blake3: str | None = None
    """BLAKE3, lower-case hex."""
    crc32: str | None = None
    """CRC-32, lower-case hex."""
    download_url: str | None = None
    """Address that names exactly this file, built from the numbers of the version and the file."""
    mirrors: list[dict[str, Any]] | None = None
    """Other places that have had it, as older answers tell: ``{filename, url, source, deletedAt …}``."""
    pickle_scan: str | None = None
    """Result of the pickle scan."""
    virus_scan: str | None = None
    """Result of the virus scan."""
    scanned_at: str | None = None
    """When it was scanned, UTC ISO 8601."""
    path: Annotated[str | None, First] = None
    """File, relative to the media store; null until it is stored."""
    state: Annotated[str | None, First] = None
    """``wanted``, ``stored``, ``gone``, ``failed`` or ``refused``; null when nobody asked for the bytes."""
    error: Annotated[str | None, First] = None
    """Why it is not stored, one sentence."""
    known: Annotated[bool, NoColumn] = False
    """Whether the archive had the record before this answer."""
