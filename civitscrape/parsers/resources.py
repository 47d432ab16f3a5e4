"""The models that an image was made with, out of the lists in its generation data.

The best list that is there wins as a whole: ``civitaiResources``; then ``resources``, ``hashes`` and
``additionalResources`` together; then what the prompt itself names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from civitscrape.items import ResourceSource
from civitscrape.parsers import loose
from civitscrape.parsers.fields import storable

_AIR = re.compile(r"urn:air:[^:]*:(?P<type>[^:]*):civitai:[0-9]+@(?P<version>[0-9]{1,18})")
_JOB_TYPE = re.compile(r"\bType = (\w+)")  # "ImageJobNetworkParams { Strength = 0.75, TriggerWord = , Type = Lora }"
_PROMPT_LORA = re.compile(r"<lora:([^:<>]+)(?::([^:<>]*))?[^<>]*>")
_TYPES = {
    "ckpt": "checkpoint",
    "embed": "textualinversion",
    "embedding": "textualinversion",
    "hypernet": "hypernetwork",
    "lyco": "locon",
    "model": "checkpoint",
    "ti": "textualinversion",
    "unet": "checkpoint",
}
"""Other words of tools for the site's own types of models."""

_HASHED = frozenset({"model", "vae", "lora", "lyco", "embed", "hypernet", "ti", "unet", "controlnet", "upscaler"})
"""What a key of ``hashes`` may begin with; any other key is the name of a model itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A model that an image was made with; see ``civitscrape.items.ImageResource``."""

    model_version_id: int | None = None
    name: str | None = None
    type: str | None = None
    weight: float | None = None
    hash: str | None = None
    source: ResourceSource = ResourceSource.RESOURCES


def resources(meta: dict[str, Any], prompt: str | None) -> list[Resource]:
    """Return the resources that generation data name, from the best source that is there."""
    return _civitai(meta) or _listed(meta) or _prompted(prompt)


def _civitai(meta: dict[str, Any]) -> list[Resource]:
    found = (_resource(entry, ResourceSource.CIVITAI_RESOURCES) for entry in _list(meta, "civitaiResources"))
    return [one for one in found if one is not None]


def _listed(meta: dict[str, Any]) -> list[Resource]:
    """Join the three lists of tools: entries, hashes for them, and ComfyUI's additions."""
    found = [one for entry in _list(meta, "resources") if (one := _resource(entry, ResourceSource.RESOURCES))]
    hashes = meta.get("hashes")
    if isinstance(hashes, dict):
        for key, value in hashes.items():
            _add_hash(found, meta, key, _hash(value))
    for entry in _list(meta, "additionalResources"):
        one = _resource(entry, ResourceSource.RESOURCES)
        if one is not None and not any(_same(one, known) for known in found):
            found.append(one)
    return found


def _prompted(prompt: str | None) -> list[Resource]:
    """Return the ``<lora:NAME:WEIGHT>`` marks of a prompt, each name once."""
    if prompt is None or "<lora:" not in prompt:
        return []
    weights: dict[str, float | None] = {}
    for name, weight in _PROMPT_LORA.findall(prompt):
        weights.setdefault(name.strip(), loose.number(weight))
    return [
        Resource(name=name, type="lora", weight=weight, source=ResourceSource.DETECTED)
        for name, weight in weights.items()
        if name
    ]


def _resource(entry: Any, source: ResourceSource) -> Resource | None:
    """Read one entry of a list; None when it names nothing."""
    if not isinstance(entry, dict):
        return None
    name = loose.text(loose.first(entry, ("modelName", "name", "modelVersionName")))
    air = _AIR.search(loose.text(entry.get("air")) or name or "")
    version = loose.integer(entry.get("modelVersionId"))
    kind = loose.text(entry.get("type"))
    hash_ = _hash(entry.get("hash"))
    if air is not None:
        version = version or int(air["version"])
        kind = kind or air["type"]
    if version is None and name is None and hash_ is None:
        return None
    return Resource(
        model_version_id=version,
        name=name,
        type=word(kind),
        weight=loose.number(loose.first(entry, ("weight", "strength"))),
        hash=hash_,
        source=source,
    )


def _add_hash(found: list[Resource], meta: dict[str, Any], key: str, hash_: str | None) -> None:
    """Give a hash to the resource that it belongs to, or add one for it."""
    if hash_ is None:
        return
    prefix, colon, name = key.partition(":")
    if prefix.lower() in _HASHED and (colon or prefix.lower() in {"model", "vae"}):
        kind = word(prefix)
        title = loose.text(name) or loose.text(meta.get({"checkpoint": "Model", "vae": "VAE"}.get(kind or "", "")))
    else:
        kind, title = None, loose.text(key)
    for position, known in enumerate(found):
        of_kind = kind is None or known.type in {kind, None}
        # ``model`` and ``vae`` have no name of their own: there is one of each.
        of_name = known.name == title is not None or (not name and kind is not None)
        if known.hash == hash_ or (of_kind and of_name and known.type is not None):
            found[position] = replace(known, hash=known.hash or hash_)
            return
    found.append(Resource(name=title, type=kind, hash=hash_))


def _same(one: Resource, other: Resource) -> bool:
    if one.model_version_id is not None and other.model_version_id is not None:
        return one.model_version_id == other.model_version_id
    return one.name is not None and one.name == other.name


def word(kind: str | None) -> str | None:
    """Return the site's word, lower case, for a type of models, whatever a tool calls it.

    >>> word("LORA"), word("ckpt"), word(None)
    ('lora', 'checkpoint', None)
    """
    if kind is None:
        return None
    job = _JOB_TYPE.search(kind)
    word = (job[1] if job else kind).strip().lower()
    return _TYPES.get(word, word)


def _hash(value: Any) -> str | None:
    return storable(value.strip().lower()) or None if isinstance(value, str) else None


def _list(meta: dict[str, Any], name: str) -> list[Any]:
    value = meta.get(name)
    return value if isinstance(value, list) else []
