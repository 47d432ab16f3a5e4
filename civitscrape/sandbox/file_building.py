"""How the files of model versions in the sandbox's world are drawn, and which of them are lost or replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from civitscrape.sandbox.models import FileRecord, ModelRecord, VersionRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from civitscrape.sandbox.building import CreatorSpec

MINUTE = 60_000
SHORTEST = 300
"""Bytes that any file must have: the header of a safetensors file needs 264."""


class Files:
    """Draws files with rising ids."""

    def __init__(self, draw: Random, first: int, lengths: tuple[int, int], most: int) -> None:
        if lengths[0] < SHORTEST:
            raise ValueError(f"sandbox model_file_bytes: {lengths[0]} is less than {SHORTEST}, ask for longer files")
        self._draw = draw
        self._id = first
        self._lengths = lengths
        self._most = most

    def of(self, name: str, kind: str, version_id: int, version: str, made: int) -> Iterator[FileRecord]:
        """Yield the files of a version: what it is, then other forms of it or things that go with it."""
        stem = f"{name.lower().replace(' ', '_')}_{version}"
        kinds = self._kinds(kind)
        for place in range(1 + self._draw.randrange(self._most)):
            type_, format_, size, fp, quant, ending = kinds[place % len(kinds)]
            self._id += 2 + self._draw.randrange(3)
            yield FileRecord(
                id=self._id,
                version_id=version_id,
                name=f"{stem}{f'-{place}' if place else ''}.{ending}",
                override_name=f"{stem} (author's name).{ending}" if self._draw.random() < 0.08 else None,  # noqa: PLR2004
                type=type_,
                format=format_,
                size=size,
                fp=fp,
                quant_type=quant,
                length=self._draw.randint(*self._lengths),
                seed=self._draw.getrandbits(52),
                scanned=made + 5 * MINUTE + self._draw.randrange(1000) // (10 if place else 1) * (10 if place else 1),
                scan="Success",
                public=type_ != "Training Data" or self._draw.random() < 0.5,  # noqa: PLR2004
                replaced=False,
                hashed=True,
                lost=False,
            )

    def _kinds(self, type_: str) -> tuple[tuple[str, str | None, str | None, str | None, str | None, str], ...]:
        if type_ == "Workflows":
            return (("Archive", "Other", None, None, None, "zip"), ("Workflow", "Other", None, None, None, "json"))
        first = ("Model", "SafeTensor", "pruned", "fp16", None, "safetensors")
        if type_ == "TextualInversion":
            return (
                ("Model", "PickleTensor", None, None, None, "pt"),
                ("Negative", "SafeTensor", None, None, None, "safetensors"),
            )
        if type_ != "Checkpoint":
            return (
                first,
                ("Training Data", "Other", None, None, None, "zip"),
                ("Config", "Other", None, None, None, "yaml"),
            )
        gguf = ("Model", "GGUF", "full", "fp16", "Q4_K_M", "gguf")
        full = ("Model", "SafeTensor", "full", "fp32", None, "safetensors")
        # Two of equal attributes share one download address: only fileId tells them apart.
        return (first, full, full) if self._draw.random() < 0.4 else (first, gguf, full)  # noqa: PLR2004


def with_marked_files(spec: CreatorSpec, models: list[ModelRecord]) -> tuple[ModelRecord, ...]:
    """Let some files be lost, unhashed or replaced: one a version, evenly over the plain published versions.

    Raises:
        ValueError: there are not enough such versions.
    """
    plain = [
        version.id
        for model in models
        if model.visible and model.mode is None
        for version in model.visible_versions
        if version.availability == "Public" and version.usage_control == "Download"
    ]
    counts = {"lost": spec.lost_files, "unhashed": spec.unhashed_files, "replaced": spec.replaced_files}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    if len(kinds) > len(plain):
        raise ValueError(
            f"sandbox creator {spec.username!r}: {len(kinds)} lost, unhashed and replaced files need as many plain "
            f"versions, there are {len(plain)}; ask for more models"
        )
    marks = {plain[place * len(plain) // len(kinds)]: kind for place, kind in enumerate(kinds)}
    return tuple(
        replace(model, versions=tuple(_marked(one, marks.get(one.id)) for one in model.versions)) for model in models
    )


def _marked(version: VersionRecord, kind: str | None) -> VersionRecord:
    primary = version.primary
    if kind is None or primary is None:
        return version
    if kind == "replaced":
        name = f"old_{primary.name}"
        older = replace(primary, id=primary.id - 1, name=name, seed=primary.seed + 1, replaced=True, override_name=None)
        return replace(version, files=(older, *version.files))
    changed = replace(primary, lost=True) if kind == "lost" else replace(primary, hashed=False)
    return replace(version, files=tuple(changed if one is primary else one for one in version.files))
