"""How a walk that the site cut short is split into parts, each small enough to be listed whole (DESIGN section 9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import levels
from civitscrape.items import MediaType
from civitscrape.ledger import Walk, WalkState, now
from civitscrape.spiders.listings.base import BRINGS, COVERS, MEETS, NEWEST, OLDEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from civitscrape.items import Level

POSTS = "trpc.post.getInfinite"

WINDOWS = ("Year", "Month", "Week", "Day")
"""Periods that begin later than the listing of all time, so that what lies in its middle may come into reach."""


def divide(walk: Walk, *, logged_in: bool) -> list[Walk]:
    """Split a walk that the site cut short; nothing where no further split proves anything.

    The cheapest comes first. From the newest end down to what the walk has met costs only the pages that are missing,
    and an overlap proves that nothing lies between. Where the two halves do not meet, levels and types divide: each
    entry has exactly one of either. Posts divide, too, but each costs a call, and listing them needs a login.

    Args:
        walk: a walk over images from the oldest end, or the half from the newest end of one.
        logged_in: whether posts can be listed.
    """
    if MEETS not in walk.params:
        return [_part(walk, {**walk.params, "sort": NEWEST, MEETS: walk.id})]
    whole = {name: value for name, value in walk.params.items() if name != MEETS} | {"sort": OLDEST}
    bits = [bit for bit in levels.NAMES.values() if walk.level & bit]
    if len(bits) > 1:
        return [_part(walk, whole, level=bit) for bit in bits]
    if type_of(walk) is None:
        return [_part(walk, whole | _typed(walk.source, one)) for one in MediaType]
    if logged_in and set(_filters(walk)) == {"username"}:
        brings = {"source": walk.source, "type": type_of(walk)}
        host = {name: value for name, value in walk.params.items() if name == "site"}
        asked = {"username": walk.params["username"], "sort": NEWEST, BRINGS: brings} | host
        return [_part(walk, asked, source=POSTS)]
    return []


def cover(walk: Walk, base_models: Iterable[str]) -> list[Walk]:
    """List what may reach into the middle of a walk that no split divides; proves nothing, but brings entries.

    Args:
        walk: the half from the newest end.
        base_models: base models that entries of the target are known to have.
    """
    whole = {name: value for name, value in walk.params.items() if name != MEETS} | {"sort": OLDEST, COVERS: True}
    asked: list[dict[str, Any]] = []
    if "period" not in walk.params:
        asked += [{"period": one} for one in WINDOWS]
    if "baseModels" not in walk.params:
        asked += [{"baseModels": [one], "sort": order} for one in _single(base_models) for order in (OLDEST, NEWEST)]
    return [_part(walk, whole | one) for one in asked]


def _single(base_models: Iterable[str]) -> list[str]:
    """Leave out those that are several run together, as the site writes them for some images (rest.md §7.2).

    >>> _single(["Pony", "SDXL 1.0", "SDXL 1.0Pony", "PonyPony"])
    ['Pony', 'SDXL 1.0']
    """
    names = list(base_models)
    several = re.compile(f"(?:{'|'.join(map(re.escape, names))}){{2,}}")
    return [name for name in names if not several.fullmatch(name)]


def of_posts(walk: Walk, posts: Iterable[int]) -> list[Walk]:
    """Make a walk over the images of each post that a listing of posts brought in place of images."""
    source, one = walk.params[BRINGS]["source"], walk.params[BRINGS]["type"]
    asked = {"username": walk.params["username"], "sort": OLDEST} | _typed(source, one)
    return [_part(walk, asked | {"postId": number}, source=source) for number in posts]


def type_of(walk: Walk) -> str | None:
    """Tell the one type that a walk asks for; None for all of them."""
    types = walk.params.get("types") or [walk.params.get("type")]
    return types[0] if len(types) == 1 else None


def _typed(source: str, one: str) -> dict[str, Any]:
    return {"types": [str(one)]} if source.startswith("trpc.") else {"type": str(one)}


def _filters(walk: Walk) -> list[str]:
    how = {"sort", "site", MEETS, "type", "types"}
    return [name for name, value in walk.params.items() if name not in how and value is not None]


def _part(walk: Walk, params: dict[str, Any], *, level: Level | None = None, source: str | None = None) -> Walk:
    return Walk(
        run_id=walk.run_id,
        parent_id=walk.id,
        source=source or walk.source,
        target=walk.target,
        level=int(walk.level if level is None else level),
        params=params,
        state=WalkState.PLANNED,
        started_at=now(),
    )
