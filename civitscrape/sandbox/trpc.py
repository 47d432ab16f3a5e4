"""``/api/trpc``: envelopes, batches, gates and errors around a table of procedures (contract trpc-and-pages §1-§4)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from civitscrape.sandbox import procedures
from civitscrape.sandbox.accounts import FULL_SCOPE
from civitscrape.sandbox.ask import Answer, compact
from civitscrape.sandbox.inputs import ProcedureError
from civitscrape.sandbox.wire import devalue, parse_input, superjson

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.site import Site

PREFIX = "/api/trpc/"
REFUSAL = "Please use the public API instead: https://developer.civitai.com/"
MIXED = 207
SCOPELESS = "Your API key does not have the required scope for this action"

CODES = {
    "BAD_REQUEST": (400, -32600),
    "UNAUTHORIZED": (401, -32001),
    "FORBIDDEN": (403, -32003),
    "NOT_FOUND": (404, -32004),
    "METHOD_NOT_SUPPORTED": (405, -32005),
    "UNSUPPORTED_MEDIA_TYPE": (415, -32015),
    "TOO_MANY_REQUESTS": (429, -32029),
    "INTERNAL_SERVER_ERROR": (500, -32603),
    "SERVICE_UNAVAILABLE": (503, -32603),
}
"""HTTP status and JSON-RPC code of each error (§3)."""


@dataclass(frozen=True, slots=True)
class _Element:
    """The outcome of one call: a status and a result or an error."""

    status: int
    body: dict[str, Any]


def answer(site: Site, ask: Ask) -> Answer:
    """Answer a call or a batch of calls."""
    if ask.method == "HEAD":
        return Answer(204)
    paths = ask.path.removeprefix(PREFIX).split(",")
    batch = ask.query.get("batch") == "1"
    if ask.method == "POST" and ask.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        refused = _failed(site, "UNSUPPORTED_MEDIA_TYPE", "Unsupported content-type", None)
        return _sent(ask, refused.status, refused.body, failed=True)
    if len({path in procedures.MUTATIONS for path in paths if path in procedures.TABLE}) > 1:
        refused = _failed(site, "BAD_REQUEST", "Cannot mix procedure types in call: query, mutation", None)
        answer = _sent(ask, refused.status, refused.body, failed=True)
        answer.headers["Content-Type"] = "text/plain;charset=UTF-8"
        return answer
    try:
        inputs = _inputs(ask, batch=batch)
    except ValueError as error:
        refused = _failed(site, "BAD_REQUEST", str(error), None)
        return _sent(ask, refused.status, refused.body, failed=True)
    elements = [
        _call(site, ask, path, inputs.get(str(place)), busy=sum(one in procedures.FEEDS for one in paths[:place]))
        for place, path in enumerate(paths)
    ]
    statuses = {one.status for one in elements}
    status = statuses.pop() if len(statuses) == 1 else MIXED
    body = [one.body for one in elements] if batch else elements[0].body
    kept = None if batch else procedures.EDGE_SECONDS.get(paths[0])
    return _sent(ask, status, body, failed=any("error" in one.body for one in elements), kept=kept)


def _sent(ask: Ask, status: int, body: Any, *, failed: bool, kept: int | None = None) -> Answer:
    """Send a body; ``kept`` is for how long the edge has a rule to keep it, logged in or not (§2.6)."""
    shared = ask.caller is None or "model.getAll" not in ask.path
    if kept is not None and not failed and shared:
        cache = f"public, max-age={min(60, kept)}, s-maxage={kept}, stale-while-revalidate=30"
    elif failed or ask.caller is not None:
        cache = "max-age=0, private, no-cache"
    else:
        cache = "public, max-age=60, s-maxage=60, stale-while-revalidate=30"
    headers = {
        "Content-Type": "application/json",
        "Vary": "trpc-accept, accept",
        "Cache-Control": cache,
        "X-Handled-By": "sandbox-trpc",
    }
    return Answer(status, compact(body), headers)


def _inputs(ask: Ask, *, batch: bool) -> dict[str, Any]:
    """Read the inputs by their place in the batch; a single call is a batch of one."""
    text = ask.body.decode() if ask.method == "POST" else ask.query.get("input", "")
    given = json.loads(text) if text else {}
    if not batch:
        return {"0": given} if text else {}
    if not isinstance(given, dict):
        raise ValueError('"input" needs to be an object when doing a batch call')  # noqa: TRY004 - a value from outside
    return given


def _call(site: Site, ask: Ask, path: str, envelope: Any, *, busy: int) -> _Element:
    """Make one call; ``busy`` is how many slots of the bulkhead its batch has taken before it."""
    procedure = procedures.TABLE.get(path)
    if procedure is None:
        return _failed(site, "NOT_FOUND", f'No procedure found on path "{path}"', path)
    refusal = _gates(site, ask, path, busy)
    if refusal is not None:
        return _failed(site, *refusal, path)
    try:
        result = procedure(site, ask, parse_input(envelope))
    except ProcedureError as error:
        return _failed(site, error.code, str(error), path)
    except ValueError as error:
        return _failed(site, "BAD_REQUEST", str(error), path)
    return _Element(200, {"result": {"data": _encoded(site, result)}})


def _gates(site: Site, ask: Ask, path: str, busy: int) -> tuple[str, str] | None:
    """Hold a call against what stands before its input is read, in the site's order (§2)."""
    if path in procedures.MUTATIONS and ask.method != "POST":
        return "METHOD_NOT_SUPPORTED", f'Unsupported {ask.method}-request to mutation procedure at path "{path}"'
    if not _welcome(site, ask):
        return "UNAUTHORIZED", REFUSAL
    keyed = ask.login is not None and ask.login.cookie is None
    if keyed and ask.caller is not None and ask.caller.scope != FULL_SCOPE:
        bit = procedures.scope(path)
        if bit is None or not ask.caller.scope & bit:
            return "FORBIDDEN", SCOPELESS
    if path in procedures.FEEDS and site.busy_feeds + busy > site.quirks.bulkhead:
        return "TOO_MANY_REQUESTS", "Server busy — please retry."
    return None


def _encoded(site: Site, value: Any) -> Any:
    return devalue(value) if site.writes_devalue() else superjson(value)


def _failed(site: Site, code: str, message: str, path: str | None) -> _Element:
    status, number = CODES[code]
    data = {"code": code, "httpStatus": status} | ({"path": path} if path else {})
    return _Element(status, {"error": _encoded(site, {"message": message, "code": number, "data": data})})


def _welcome(site: Site, ask: Ask) -> bool:
    """Check where a call comes from: a valid key needs nothing, a cookie does not replace the header (§2.1)."""
    if ask.login is not None and ask.login.cookie is None:
        return True
    for name in ("Origin", "Referer"):
        host = urlsplit(ask.headers.get(name, "")).netloc
        if host:
            return host in site.hosts
    return False
