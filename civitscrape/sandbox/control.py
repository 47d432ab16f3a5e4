"""``/_sandbox``: what tests and people ask of the sandbox itself, and change in it while it runs.

======================================  ====================================================================
``GET /_sandbox``                       addresses and settings
``GET|DELETE /_sandbox/requests``       what was asked so far; forget it
``GET|POST|DELETE /_sandbox/faults``    rules and ``latency``; add a rule, a list, or ``{"rules", "latency"}``
``GET|POST /_sandbox/quirks``           how the back end behaves; change some
``GET /_sandbox/truth/{username}``      a perfect archive: ``level=`` mask, ``keyed=1``, ``red=0|1``, ``hashes=0``
``GET /_sandbox/models[/{username}]``   all models, or a creator's: ``level=`` mask, ``archived=0|1``, ``hashes=0``
``GET /_sandbox/posts/{username}``      a creator's posts: ``level=`` mask
``GET /_sandbox/collections[/{id}]``    all collections, or one with its entries: ``level=`` mask, ``keyed=1``
``GET /_sandbox/votes/{image}``         an image's tags with votes
``GET /_sandbox/resources/{image}``     what an image was made with
``POST /_sandbox/world``                ``{"publish": {"username", "count"}}``, ``{"delete": [ids]}``, and of models
                                        ``publish_models`` and ``delete_models`` likewise, ``{"add_version": id}``
``DELETE /_sandbox/edge``               forget what the edge keeps
======================================  ====================================================================
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from civitscrape.sandbox import content_truth
from civitscrape.sandbox.ask import Answer, compact

if TYPE_CHECKING:
    from collections.abc import Callable

    from multidict import MultiMapping

    from civitscrape.sandbox.server import Sandbox

PREFIX = "/_sandbox"


class Call(NamedTuple):
    """A request to the sandbox itself."""

    method: str
    rest: str
    """What follows the name of the thing in the path."""
    query: MultiMapping[str]
    body: Any
    """The JSON that was sent, ``{}`` without any."""

    @property
    def changes(self) -> bool:
        """Whether it is a POST."""
        return self.method == "POST"


def answer(sandbox: Sandbox, method: str, path: str, query: MultiMapping[str], body: bytes) -> Answer:
    """Answer a request to the sandbox itself; a wrong one gets 400 and a sentence."""
    name, _, rest = path.removeprefix(PREFIX).strip("/").partition("/")
    room = ROOMS.get(name)
    if room is None or method not in room.methods:
        return _json({"error": f"{method} {path} is not known to the sandbox"}, 404)
    try:
        return _json(room.act(sandbox, Call(method, rest, query, json.loads(body) if body else {})))
    except (ValueError, TypeError, KeyError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(
        status, compact(value), {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    )


def _addresses(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    return sandbox.addresses()


def _requests(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    told = sandbox.log.as_dict()
    if call.method == "DELETE":
        sandbox.log.reset()
    return told


def _faults(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Take one rule, a list of rules, or both rules and latency."""
    if call.method == "DELETE":
        sandbox.faults.clear()
    if call.changes:
        given = call.body
        if isinstance(given, list) or "fault" in given:
            given = {"rules": given if isinstance(given, list) else [given]}
        unknown = given.keys() - {"rules", "latency"}
        if unknown:
            raise ValueError(
                f"sandbox faults: {sorted(unknown)} without a fault; send a rule, a list, or rules and latency"
            )
        for rule in given.get("rules", []):
            sandbox.faults.add(rule)
        sandbox.faults.slow(given.get("latency", {}))
    return sandbox.faults.as_dict()


def _quirks(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    sandbox.site.quirks.change(call.body)
    return asdict(sandbox.site.quirks)


def _truth(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    query = call.query
    told = sandbox.world.truth(
        call.rest,
        int(query.get("level", "3")),
        keyed=query.get("keyed", "0") == "1",
        red=query["red"] == "1" if "red" in query else None,
        hashes=query.get("hashes", "1") == "1",
    )
    return told.as_dict()


def _models(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    query = call.query
    told = sandbox.world.model_truth(
        call.rest or None,
        mask=int(query.get("level", "31")),
        archived=query.get("archived", "1") == "1",
        hashes=query.get("hashes", "1") == "1",
    )
    return told.as_dict()


def _posts(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    return content_truth.posts_truth(sandbox.world, call.rest, mask=int(call.query.get("level", "31")))


def _collections(sandbox: Sandbox, call: Call) -> Any:
    world, mask = sandbox.world, int(call.query.get("level", "31"))
    account = sandbox.site.accounts[0] if call.query.get("keyed", "0") == "1" else None
    if call.rest:
        return content_truth.collection_truth(world, int(call.rest), mask=mask, account=account)
    told = (content_truth.collection_truth(world, one, mask=mask, account=account) for one in world.collections)
    return [one for one in told if one]


def _votes(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    return content_truth.votes_truth(sandbox.world, int(call.rest))


def _resources(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return content_truth.resources_truth(sandbox.world, int(call.rest))


def _world(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    sandbox.world = sandbox.world.changed(call.body)
    return {"creators": {one.username: len(one.records) for one in sandbox.world.creators.values()}}


def _edge(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    if sandbox.edge:
        sandbox.edge.purge()
    return {}


class Room(NamedTuple):
    """A thing below ``/_sandbox``."""

    methods: tuple[str, ...]
    act: Callable[[Sandbox, Call], Any]


ROOMS = {
    "": Room(("GET",), _addresses),
    "requests": Room(("GET", "DELETE"), _requests),
    "faults": Room(("GET", "POST", "DELETE"), _faults),
    "quirks": Room(("GET", "POST"), _quirks),
    "truth": Room(("GET",), _truth),
    "models": Room(("GET",), _models),
    "posts": Room(("GET",), _posts),
    "collections": Room(("GET",), _collections),
    "votes": Room(("GET",), _votes),
    "resources": Room(("GET",), _resources),
    "world": Room(("POST",), _world),
    "edge": Room(("DELETE",), _edge),
}
"""What may be done with each thing below ``/_sandbox``."""
