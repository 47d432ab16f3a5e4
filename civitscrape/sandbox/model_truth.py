"""What a perfect archive of models holds, read from the world itself: it can contradict the server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from civitscrape.items import Level
from civitscrape.sandbox import model_files
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.models import download_name

if TYPE_CHECKING:
    from civitscrape.sandbox.models import FileRecord, ModelRecord, VersionRecord
    from civitscrape.sandbox.world import World

MOST_SHOWN = 20
"""Images of one version that listings show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTruth:
    """Models that can be listed, with their versions, files and showcases."""

    username: str | None
    """Whose they are; null for the general listing."""
    mask: int
    """Levels asked for."""
    models: list[dict[str, Any]]
    """Every model, by id: see ``model_truth``."""

    @property
    def ids(self) -> list[int]:
        """Ids of the models."""
        return [one["id"] for one in self.models]

    @property
    def versions(self) -> list[dict[str, Any]]:
        """All versions of all models."""
        return [version for model in self.models for version in model["versions"]]

    @property
    def files(self) -> list[dict[str, Any]]:
        """All files of all versions."""
        return [file for version in self.versions for file in version["files"]]

    @property
    def stored(self) -> list[dict[str, Any]]:
        """Files whose bytes a caller with a key can have."""
        return [one for one in self.files if one["answer"] == 307]  # noqa: PLR2004 - the redirect to the storage

    def as_dict(self) -> dict[str, Any]:
        """Tell everything as JSON would."""
        return asdict(self)


def model_truth(
    world: World, username: str | None = None, *, mask: int = 31, archived: bool = True, hashes: bool = True
) -> ModelTruth:
    """Tell what a perfect archive of models holds.

    A perfect archive asks for PG apart from all levels, so of what is hidden from whoever asks for R it has all that
    has a PG bit. Asked by username it also has unsearchable and early-access versions, which the general listing
    hides. Showcases are whole, as ``/models/{id}`` shows them.

    Args:
        world: the sandbox's world.
        username: the creator or founder, any case; null for everything that the general listing shows.
        mask: level bits; a model is wanted if it shares one.
        archived: whether archived models are asked for.
        hashes: whether to make every file for its hashes.

    Raises:
        KeyError: there is no such creator.
    """
    if username is None:
        pool = list(world.models.values())
    else:
        pool = list((world.founders.get(username.lower()) or world.named(username)).models)
    told = [
        _model(world, one, general=username is None, hashes=hashes)
        for one in pool
        if one.visible and one.level & mask and reachable(one) and (archived or one.mode != "Archived")
    ]
    return ModelTruth(username=username, mask=mask, models=[one for one in told if one["versions"]])


def reachable(model: ModelRecord) -> bool:
    """Tell whether any listing shows a model (contract rest.md §1.5)."""
    return bool(model.level & Level.PG) or not (model.minor or model.childhood)


def _model(world: World, model: ModelRecord, *, general: bool, hashes: bool) -> dict[str, Any]:
    shown = [one for one in model.visible_versions if not general or one.availability == "Public"]
    return {
        "id": model.id,
        "name": model.name,
        "type": model.type,
        "creator": None if model.vanished else model.username,
        "level": model.level,
        "nsfw": model.nsfw,
        "minor": model.minor,
        "mode": model.mode,
        "tags": model.tags,
        "last_version_at": None if model.last_version_at is None else iso(model.last_version_at),
        "versions": [_version(world, model, one, hashes=hashes) for one in shown],
    }


def _version(world: World, model: ModelRecord, version: VersionRecord, *, hashes: bool) -> dict[str, Any]:
    files = () if model.mode == "Archived" else version.listed_files
    showcase = () if model.mode == "TakenDown" else world.showcases.get(version.id, ())[:MOST_SHOWN]
    return {
        "id": version.id,
        "model_id": model.id,
        "position": version.index,
        "name": version.name,
        "base_model": version.base_model,
        "availability": version.availability,
        "published_at": None if version.published is None else iso(version.published),
        "created_at": iso(version.created),
        "files": [_file(model, version, one, hashes=hashes) for one in files],
        "showcase": [one.id for one in showcase],
    }


def _file(model: ModelRecord, version: VersionRecord, file: FileRecord, *, hashes: bool) -> dict[str, Any]:
    """Describe a file: ``sha256`` of its bytes, ``hashes`` as they are told, ``answer`` the status of a download.

    The status is what the site answers to a caller with a key.
    """
    return {
        "id": file.id,
        "version_id": version.id,
        "name": download_name(model, version, file),
        "type": file.type,
        "size": file.length,
        "size_kb": file.size_kb,
        "primary": file is version.primary,
        "metadata": file.metadata,
        "sha256": model_files.sha256(file) if hashes else None,
        "hashes": model_files.hashes(file) if hashes else None,
        "answer": refusal(model, version, file),
    }


def refusal(model: ModelRecord, version: VersionRecord, file: FileRecord) -> int:
    """Name the status that a download with a key is answered with (contract rest.md §9)."""
    if model.mode == "Archived":
        return 410
    if version.usage_control != "Download":
        return 401
    if version.gated:
        return 403
    return 404 if file.lost else 307
