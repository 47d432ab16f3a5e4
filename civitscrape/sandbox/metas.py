"""Generation data in the many shapes that uploaders' tools write it (contract rest.md §7.4)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import vocabulary as words

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from civitscrape.sandbox.vocabulary import Version

Meta = dict[str, Any]


def prompt(draw: Random) -> str:
    """Write a prompt, harmless and different from its neighbours."""
    return f"{draw.choice(words.PLACES)}, {draw.choice(words.LIGHTS)}, {draw.choice(words.STYLES)}"


def flat(draw: Random, used: list[Version], size: str) -> Meta:
    """What the A1111 web interface embeds, as the site reads it."""
    return {
        "Size": size,
        "seed": draw.getrandbits(32),
        "Model": used[0].name,
        "steps": draw.randrange(15, 50),
        "prompt": prompt(draw),
        "Version": "v1.10.1",
        "sampler": draw.choice(words.SAMPLERS),
        "cfgScale": draw.choice((3.5, 5, 6.5, 7)),
        "Model hash": f"{draw.getrandbits(40):010x}",
        "negativePrompt": draw.choice(words.NEGATIVES),
    }


def civitai_resources(draw: Random, used: list[Version], size: str) -> Meta:
    """What the site's own generator writes: versions by number, no names."""
    resources: list[Meta] = [{"type": one.type, "modelVersionId": one.id} for one in used]
    for resource in resources[1:]:
        resource["weight"] = draw.choice((0.6, 0.85, 1))
    return {
        "Size": size,
        "seed": draw.getrandbits(32),
        "steps": draw.randrange(20, 45),
        "prompt": prompt(draw),
        "sampler": draw.choice(words.SAMPLERS),
        "cfgScale": draw.choice((3.5, 7)),
        "clipSkip": 2,
        "resources": [],
        "Created Date": "2025-03-19T0829:50.1337521Z",
        "negativePrompt": draw.choice(words.NEGATIVES),
        "civitaiResources": resources,
    }


def resources(draw: Random, used: list[Version], size: str) -> Meta:
    """LoRAs by name and hash, as A1111 with its hashes switched on tells them."""
    model, *extra = used
    hashes = {"model": f"{draw.getrandbits(40):010x}"} | {
        f"{one.type}:{one.name}": f"{draw.getrandbits(48):012x}" for one in extra
    }
    listed: list[Meta] = [
        {
            "name": one.name,
            "type": one.type,
            "weight": draw.choice((0.5, 0.8, 1)),
            "hash": hashes[f"{one.type}:{one.name}"],
        }
        for one in extra
    ]
    text = prompt(draw) + "".join(f" <lora:{one.name}:0.8>" for one in extra)
    model_entry = {"name": model.name, "type": "model", "hash": hashes["model"]}
    return flat(draw, used, size) | {"prompt": text, "hashes": hashes, "resources": [model_entry, *listed]}


def comfy(draw: Random, used: list[Version], size: str) -> Meta:
    """A ComfyUI graph: JSON inside a string under ``comfy``."""
    text = prompt(draw)
    graph = {
        "prompt": {
            "4": {"inputs": {"ckpt_name": f"{used[0].name}.safetensors"}, "class_type": "CheckpointLoaderSimple"},
            "6": {"inputs": {"text": text, "clip": ["4", 1]}, "class_type": "CLIPTextEncode"},
        },
        "workflow": {"nodes": [{"id": 6, "type": "CLIPTextEncode", "widgets_values": [text]}], "version": 0.4},
    }
    return {
        "seed": draw.getrandbits(50),
        "vaes": ["harbour_ae.safetensors"],
        "comfy": json.dumps(graph, ensure_ascii=False),
        "steps": 20,
        "width": int(size.partition("x")[0]),
        "height": int(size.partition("x")[2]),
        "models": [f"{used[0].name}.safetensors"],
        "prompt": text,
        "denoise": 1,
        "sampler": "Euler",
        "cfgScale": 1,
        "modelIds": [],
        "scheduler": "simple",
        "upscalers": [],
        "versionIds": [],
        "controlNets": [],
        "additionalResources": [
            {"name": one.name, "type": one.type, "strength": 0.8, "strengthClip": 1} for one in used[1:]
        ],
    }


def model_object(draw: Random, used: list[Version], size: str) -> Meta:
    """``Model`` and one ADetailer field as objects where text is expected."""
    return flat(draw, used, size) | {"Model": {"name": used[0].name, "id": used[0].model_id}, "ADetailer prompt": {}}


def no_prompt(draw: Random, used: list[Version], size: str) -> Meta:
    """Parameters without a prompt."""
    meta = flat(draw, used, size)
    del meta["prompt"], meta["negativePrompt"]
    return meta


def text_numbers(draw: Random, used: list[Version], size: str) -> Meta:
    """Numbers as text."""
    meta = flat(draw, used, size)
    return meta | {name: str(meta[name]) for name in ("seed", "steps", "cfgScale")} | {"Denoising strength": "0.35"}


def huge_seed(draw: Random, used: list[Version], size: str) -> Meta:
    """A seed beyond 64 bits, with the zeros that JavaScript's numbers leave at its end."""
    return flat(draw, used, size) | {"seed": int(Decimal(repr(float((1 << 64) + draw.getrandbits(60)))))}


def clip_skip(draw: Random, used: list[Version], size: str) -> Meta:
    """``Clip skip`` as A1111 spells it, a key that starts with a quote, and lines inside the prompt."""
    meta = flat(draw, used, size)
    text = f'{meta["prompt"]},\n(glow:1.2), [mist], "quoted", back\\slash\ttab'
    return meta | {"Clip skip": "2", "prompt": text, '"OldEmbedding': "x", "Hires upscale": "1.5"}


def many_scripts(draw: Random, used: list[Version], size: str) -> Meta:
    """A prompt in other scripts, with emoji."""
    return flat(draw, used, size) | {"prompt": f"{draw.choice(words.WORLD_WORDS)}, {prompt(draw)}", "注釈": "夜🏮"}


def prompt_only(draw: Random, _used: list[Version], _size: str) -> Meta:
    """Nothing but a prompt, the usual state of videos."""
    return {"prompt": prompt(draw)}


def engine(draw: Random, _used: list[Version], _size: str) -> Meta:
    """What a hosted engine leaves, with a remix mark."""
    return {
        "engine": "openai",
        "prompt": prompt(draw),
        "quality": "high",
        "workflow": "txt2img",
        "background": "auto",
        "extra": {"remixOfId": 98000000 + draw.randrange(1000)},
    }


SHAPES: dict[str, Callable[[Random, list[Version], str], Meta] | None] = {
    "flat": flat,
    "civitai_resources": civitai_resources,
    "resources": resources,
    "absent": None,
    "comfy": comfy,
    "many_scripts": many_scripts,
    "model_object": model_object,
    "no_prompt": no_prompt,
    "text_numbers": text_numbers,
    "huge_seed": huge_seed,
    "clip_skip": clip_skip,
    "prompt_only": prompt_only,
    "engine": engine,
}
"""Every shape by name; ``absent`` is an upload without generation data. Their order is the order inside a creator."""
