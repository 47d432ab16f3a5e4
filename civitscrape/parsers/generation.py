"""Generation data in every form that tools wrote over the years, made into one (contract rest.md §7.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from civitscrape.parsers import comfy, loose
from civitscrape.parsers.resources import Resource, resources

_PROMPT = ("prompt", "Prompt", "positivePrompt", "positive_prompt")
_NEGATIVE = ("negativePrompt", "Negative prompt", "negative_prompt", "Negative Prompt", "NegativePrompt")
_SAMPLER = ("sampler", "Sampler", "samplerName", "sampler_name")
_STEPS = ("steps", "Steps", "num_inference_steps")
_CFG = ("cfgScale", "CFG scale", "cfg_scale", "CFG Scale", "cfg", "guidanceScale", "guidance_scale")
_SEED = ("seed", "Seed", "noise_seed")
_SIZE = ("Size", "size", "resolution")
# ``model`` in small letters is ControlNet's where A1111's settings were cut apart wrongly.
_MODEL = ("Model", "modelName", "model_name", "Checkpoint", "checkpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What generation data say, each value None where they do not; fields as in ``civitscrape.items.Image``."""

    prompt: str | None = None
    negative_prompt: str | None = None
    sampler: str | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    seed: int | None = None
    size: str | None = None
    model: str | None = None
    meta: dict[str, Any] | None = None
    """The innermost whole, untouched."""
    resources: list[Resource] = field(default_factory=list)
    """Models it was made with, from the best list that is there."""


def innermost(meta: Any) -> Any:
    """Take the wrapping ``{id, meta}`` off, however often it was put on.

    >>> innermost({"id": 1, "meta": {"id": 1, "meta": {"prompt": "a lantern"}}})
    {'prompt': 'a lantern'}
    """
    while isinstance(meta, dict) and "meta" in meta and meta.keys() <= {"id", "meta"}:
        meta = meta["meta"]
    return meta


def normalise(meta: Any) -> Generation:
    """Read generation data: flat, wrapped, of any tool, null, or nonsense; never an error.

    A seed beyond signed 64 bits stays in ``meta`` only.
    """
    meta = innermost(meta)
    if not isinstance(meta, dict):
        return Generation()
    prompt, negative = _prompts(meta)
    return Generation(
        prompt=prompt,
        negative_prompt=negative,
        sampler=loose.text(loose.first(meta, _SAMPLER)),
        steps=loose.integer(loose.first(meta, _STEPS)),
        cfg_scale=loose.number(loose.first(meta, _CFG)),
        seed=loose.integer(loose.first(meta, _SEED)),
        size=_size(meta),
        model=_model(meta),
        meta=meta,
        resources=resources(meta, prompt),
    )


def _prompts(meta: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return both prompts; a ComfyUI graph is opened only where the flat prompt is missing."""
    flat = loose.first(meta, _PROMPT)
    negative = loose.text(loose.first(meta, _NEGATIVE))
    nodes = flat if isinstance(flat, dict) and comfy.graph(flat) else None
    prompt = None if nodes is not None else loose.text(flat)
    if prompt is None and (nodes is not None or meta.get("comfy") is not None):
        found = comfy.prompts(meta.get("comfy") if nodes is None else nodes)
        prompt = found.positive
        negative = negative or found.negative
    return prompt, negative


def _size(meta: dict[str, Any]) -> str | None:
    size = loose.text(loose.first(meta, _SIZE))
    if size is not None:
        return size
    width, height = loose.integer(meta.get("width")), loose.integer(meta.get("height"))
    return f"{width}x{height}" if width and height else None


def _model(meta: dict[str, Any]) -> str | None:
    model = loose.text(loose.first(meta, _MODEL))
    checkpoints = meta.get("models")  # ComfyUI's list
    if model is None and isinstance(checkpoints, list) and checkpoints:
        return loose.text(checkpoints[0])
    return model
