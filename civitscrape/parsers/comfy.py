"""Prompts out of a ComfyUI graph: the text that a sampler's positive and negative inputs lead to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.parsers import loose

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOPS_MAX = 32
"""Nodes between a sampler and its text; real graphs have two to six."""

_TEXTS = ("text", "text_g", "t5xxl", "clip_l", "string", "value", "prompt")
_ROLES = ("positive", "negative")
_PASSING = ("conditioning", "conditioning_1", "conditioning_to")
"""Inputs of the nodes that only change or join what passes through."""


class Prompts(NamedTuple):
    """Both prompts of a graph; None where the graph does not tell plainly."""

    positive: str | None
    negative: str | None


def prompts(comfy: Any) -> Prompts:
    """Find both prompts in what a tool left: a graph, ``{prompt: graph, workflow}``, or either as JSON text.

    >>> nodes = {"3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0]}}}
    >>> prompts(nodes | {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lantern"}}})
    Prompts(positive='a lantern', negative=None)
    """
    nodes = graph(comfy)
    positive, negative = (next(_texts(nodes, role), None) for role in _ROLES)
    return Prompts(positive, negative)


def graph(comfy: Any) -> dict[str, Any]:
    """Return the nodes of a graph by their id; empty when there is none."""
    comfy = _loaded(comfy)
    if isinstance(comfy, dict) and "prompt" in comfy:
        comfy = _loaded(comfy["prompt"])
    if not isinstance(comfy, dict):
        return {}
    return {
        name: node for name, node in comfy.items() if isinstance(node, dict) and isinstance(node.get("inputs"), dict)
    }


def _loaded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return None


def _texts(nodes: dict[str, Any], role: str) -> Iterator[str]:
    """Yield the text behind one role of each sampler, samplers in the order of the graph."""
    for node in nodes.values():
        inputs = node["inputs"]
        if "Sampler" not in str(node.get("class_type")):
            continue
        guider = nodes.get(_link(inputs.get("guider")), {}).get("inputs", {})
        link = _link(inputs.get(role)) or _link(guider.get(role))
        if not link and role == "positive":
            # A guider with a single conditioning has no negative side.
            link = _link(guider.get("conditioning"))
        found = _text_behind(nodes, link, role)
        if found is not None:
            yield found


def _text_behind(nodes: dict[str, Any], link: str, role: str) -> str | None:
    """Follow links from node to node until one holds the text itself."""
    for _ in range(_HOPS_MAX):
        node = nodes.get(link)
        # A zeroed conditioning is made from a text, but says nothing.
        if node is None or node.get("class_type") == "ConditioningZeroOut":
            return None
        inputs = node["inputs"]
        link = ""
        for name in _TEXTS:
            if isinstance(inputs.get(name), str) and inputs[name].strip():
                return loose.text(inputs[name])
            link = link or _link(inputs.get(name))
        for name in (role, *_PASSING):
            link = link or _link(inputs.get(name))
    return None


def _link(value: Any) -> str:
    """Return the id of the node that a link ``[id, output]`` comes from; empty text when it is none."""
    match value:
        case [str() | int() as node, int()]:
            return str(node)
    return ""
