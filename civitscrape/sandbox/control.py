"""``/_sandbox``: what tests and people ask of the sandbox itself, and change in it while it runs.

======================================  ====================================================================
``GET /_sandbox``                       addresses and settings
``GET|DELETE /_sandbox/requests``       what was asked so far; forget it
``GET|POST|DELETE /_sandbox/faults``    rules and ``latency``; add a rule, a list, or ``{"rules", "latency"}``
``GET|POST /_sandbox/quirks``           how the back end behaves; change some
``GET /_sandbox/truth/{username}``      a perfect archive: ``level=`` mask, ``keyed=1``, ``red=0|1``, ``hashes=0``
``POST /_sandbox/world``                ``{"publish": {"username", "count"}}``, ``{"delete": [ids]}``
``DELETE /_sandbox/edge``               forget what the edge keeps
======================================  ====================================================================
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from civitscrape.sandbox.ask import Answer, compact

if TYPE_CHECKING:
    from multidict import MultiMapping

    from civitscrape.sandbox.server import Sandbox

PREFIX = "/_sandbox"


def answer(sandbox: Sandbox, method: str, path: str, query: MultiMapping[str], body: bytes) -> Answer:
    """Answer a request to the sandbox itself; a wrong one gets 400 and a sentence."""
    name, _, rest = path.removeprefix(PREFIX).strip("/").partition("/")
    try:
        given = json.loads(body) if body else {}
        found = _answer(sandbox, method, name, rest, query, given)
    except (ValueError, TypeError, KeyError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)
    if found is None:
        return _json({"error": f"{method} {path} is not known to the sandbox"}, 404)
    return _json(found)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(
        status, compact(value), {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    )


def _answer(sandbox: Sandbox, method: str, name: str, rest: str, query: MultiMapping[str], given: Any) -> Any:
    match method, name:
        case "GET", "":
            return sandbox.addresses()
        case "GET" | "DELETE", "requests":
            told = sandbox.log.as_dict()
            if method == "DELETE":
                sandbox.log.reset()
            return told
        case "GET", "faults":
            return sandbox.faults.as_dict()
        case "POST", "faults":
            _add_faults(sandbox, given)
            return sandbox.faults.as_dict()
        case "DELETE", "faults":
            sandbox.faults.clear()
            return sandbox.faults.as_dict()
        case "GET" | "POST", "quirks":
            sandbox.site.quirks.change(given)
            return asdict(sandbox.site.quirks)
        case "GET", "truth":
            return _truth(sandbox, rest, query)
        case "POST", "world":
            return _change_world(sandbox, given)
        case "DELETE", "edge":
            if sandbox.edge:
                sandbox.edge.purge()
            return {}
        case _:
            return None


def _add_faults(sandbox: Sandbox, given: Any) -> None:
    """Take one rule, a list of rules, or both rules and latency."""
    rules = given if isinstance(given, list) else [given] if "fault" in given else given.get("rules", [])
    for rule in rules:
        sandbox.faults.add(rule)
    if isinstance(given, dict):
        sandbox.faults.slow(given.get("latency", {}))


def _truth(sandbox: Sandbox, username: str, query: MultiMapping[str]) -> dict[str, Any]:
    told = sandbox.world.truth(
        username,
        int(query.get("level", "3")),
        keyed=query.get("keyed", "0") == "1",
        red=query["red"] == "1" if "red" in query else None,
        hashes=query.get("hashes", "1") == "1",
    )
    return told.as_dict()


def _change_world(sandbox: Sandbox, given: dict[str, Any]) -> dict[str, Any]:
    world = sandbox.world
    if "delete" in given:
        world = world.without(*given["delete"])
    if "publish" in given:
        world = world.with_images(given["publish"]["username"], int(given["publish"]["count"]))
    sandbox.world = world
    return {"creators": {one.username: len(one.records) for one in world.creators.values()}}
