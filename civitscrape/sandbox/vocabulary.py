"""The words that the sandbox's world is made of: base models, versions, tags, and what prompts are written with."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import NamedTuple

ENUMS: dict[str, list[str]] = json.loads(files(__package__).joinpath("enums.json").read_text(encoding="utf-8"))
"""What ``GET /api/v1/enums`` answers, in its order (contract rest.md §8.5)."""


class Version(NamedTuple):
    """A model version that images are posted to or made with."""

    id: int
    model_id: int
    name: str
    type: str
    base_model: str
    group: str
    """Base-model group, which the legacy route names instead (contract rest.md §7.2)."""


VERSIONS = (
    Version(2900002, 1400001, "Amber Lantern XL", "checkpoint", "SDXL 1.0", "SDXL"),
    Version(2900003, 1400002, "Harbour Fog", "lora", "SDXL 1.0", "SDXL"),
    Version(2900004, 1400003, "Tidewater Ink", "checkpoint", "Illustrious", "Illustrious"),
    Version(2900005, 1400004, "Paper Boats", "lora", "Illustrious", "Illustrious"),
    Version(2900006, 1400005, "Cobble and Rain", "checkpoint", "Flux.1 D", "Flux1"),
    Version(2900007, 1400006, "Quiet Lighthouses", "lora", "Flux.1 D", "Flux1"),
    Version(2900008, 1400007, "Old Glass", "checkpoint", "SD 1.5", "SD1"),
    Version(2900009, 1400008, "Copper Evening", "embed", "SD 1.5", "SD1"),
    Version(2900010, 1400009, "Night Ferry", "checkpoint", "Pony", "Pony"),
    Version(2900011, 1400001, "Amber Lantern XL v2", "checkpoint", "SDXL 1.0", "SDXL"),
)
"""Two versions share model 1400001, so that the legacy route can repeat an image (contract rest.md §7.2)."""

TAGS = (
    "lantern", "harbour", "boat", "rain", "street", "night", "lighthouse", "fog", "sea", "sky", "cloud", "sunset",
    "sunrise", "mountain", "forest", "river", "bridge", "snow", "window", "candle", "clock", "garden", "stone",
    "copper", "glass", "paper", "wave", "moon", "star", "island", "ferry", "market", "roof", "tower",
    "meadow", "autumn", "winter", "abstract", "gradient", "watercolor", "ink", "minimalism", "no humans", "scenery",
    "reflection", "blue theme", "orange theme", "colored pencil (medium)", "éclairage", "灯籠", "pier & crane",
    "1960s", '"quoted"',
)  # fmt: skip
"""Community tags; the number of one is ``FIRST_TAG`` plus its place."""

FIRST_TAG = 5100
CHILDHOOD_TAG = 5351
"""The one child-related tag of this world: entries that carry it vanish when R or more is asked (contract §1.5)."""
CHILDHOOD_NAME = "picture book"

TAG_NAMES = {FIRST_TAG + place: name for place, name in enumerate(TAGS)} | {CHILDHOOD_TAG: CHILDHOOD_NAME}

PLACES = (
    "a harbour at dusk", "a rainy street", "an empty pier", "a lighthouse in fog", "a garden after snow",
    "a paper boat on a canal", "a clock tower", "a market before dawn", "a copper roof", "an island in the mist",
    "a stone bridge", "a ferry under stars",
)  # fmt: skip
LIGHTS = ("lantern light", "moonlight", "soft morning light", "neon reflections", "candle glow", "storm light")
STYLES = ("watercolor", "ink wash", "wide angle photo", "paper cut", "oil painting", "flat colours")
WORLD_WORDS = (
    "港の灯り、霧の夜",
    "雨中的灯笼与石桥",
    "등대와 조용한 바다",
    "маяк и фонарь ночью",
    "🏮🌊 lantern ⛵ sea",
    "éclairage doux, façade",
)
NEGATIVES = ("blurry, lowres", "text, watermark", "worst quality, jpeg artifacts", "noise")
SAMPLERS = ("Euler a", "DPM++ 2M Karras", "DPM++ 2M SDE", "DDIM", "Undefined")
