"""The tRPC interface: calls, batches of calls, and what opens their answers (contract trpc-and-pages.md §1-§3).

Calls are for those who are logged in (a key or cookies): the site sends all others to the public API.

A cursor of a feed may be text, a number, a big integer, a date or an object, and has to go back as it came. Here it is
text: a cursor that came as text stays as it is, and any other is the superjson envelope that ``query`` sends back,
such as ``{"json":100649076}``.
"""

from __future__ import annotations

import json
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from scrapy import Request

from civitscrape.civitai import answers, refusals
from civitscrape.civitai.answers import TRPC, Page, Part
from civitscrape.civitai.encoding import decode
from civitscrape.civitai.roles import Role, stamp
from civitscrape.exceptions import AnswerError, ChallengeError, EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scrapy.http import Response

BATCH = 50
"""Most calls in one request; the site sets no bound, its own page sends fewer (§1.4, §9)."""

NEVER_BATCH = frozenset(
    {"model.getAll", "image.getResources", "user.getCreator", "tool.getAll", "technique.getAll", "image.get404Images"}
)
"""Procedures whose answers the edge keeps for long, but not from a batch (§1.4, §2.6)."""

LONGEST_ADDRESS = 2000
"""Characters of an address; what is longer is posted (§1.1: the site's own page stops at 2083)."""

MARK = "_"
"""Key of an input that the site ignores, and that makes another address (§1.2)."""

Call: TypeAlias = "tuple[str, Mapping[str, Any] | None]"
"""Procedure and input."""

CURSOR, NEXT_CURSOR, INSIDE = "cursor", "nextCursor", "nextCursor."
ENVELOPE = '{"json":'
"""What a cursor begins with that did not come as text."""


def query(
    base: str,
    procedure: str,
    given: Mapping[str, Any] | None = None,
    *,
    cursor: str | None = None,
    mark: str | None = None,
    beside: Sequence[Call] = (),
    **how: Any,
) -> Request:
    """Call a procedure that reads (§1.1, §1.2); by POST where the address would become too long.

    Args:
        base: address of the site.
        procedure: router and procedure, such as ``image.getInfinite``.
        given: its input, of what JSON can hold; a None in it is a true null, which the site refuses where it expects
            something or nothing. None altogether for procedures without an input.
        cursor: ``Page.next_cursor`` of the page before; None for the first page.
        mark: text that no address had before, where an answer kept by the edge is of no use.
        beside: calls that go in the same request, after this one; ``parts`` opens what comes of it.
        how: ``callback``, ``cb_kwargs`` and whatever else a request takes.

    Raises:
        ValueError: the input holds what JSON cannot write.
    """
    if given is None and cursor is None and mark is None:
        return _request(base, procedure, None, **how)
    envelope = _envelope(given or {}, cursor=cursor, mark=mark)
    if not beside:
        return _request(base, procedure, envelope, **how)
    names = ",".join([procedure, *(name for name, _ in beside)])
    return _request(base, names, {"0": envelope, **_envelopes(beside, 1)}, batched=True, **how)


def marked(call: Call, mark: str) -> Call:
    """Give a call an input that no address had before."""
    procedure, given = call
    return procedure, {**(given or {}), MARK: mark}


def batch(base: str, calls: Sequence[Call], **how: Any) -> Request:
    """Call several procedures in one request; they are answered one by one, in order (§1.4).

    Args:
        base: address of the site.
        calls: procedure and input of each, 1 to ``BATCH``, none of ``NEVER_BATCH``.
        how: ``callback``, ``cb_kwargs`` and whatever else a request takes.

    Raises:
        ValueError: there are none or too many, one should not be in a batch, or an input is not JSON.
    """
    if not 1 <= len(calls) <= BATCH:
        raise ValueError(f"a batch of {len(calls)} calls: give 1 to {BATCH}")
    unfit = NEVER_BATCH.intersection(procedure for procedure, _ in calls)
    if unfit:
        raise ValueError(f"{', '.join(sorted(unfit))}: ask for it alone, since the edge keeps only such answers")
    return _request(base, ",".join(procedure for procedure, _ in calls), _envelopes(calls), batched=True, **how)


def open_result(response: Response) -> Any:
    """Open the answer to one call; plain values, whichever encoding the site wrote.

    Raises:
        AnswerError: the site refused, or the answer is broken; the subclass and the sentence say why.
    """
    return decode(_data(response))


def open_batch(response: Response) -> list[Any]:
    """Open the answer to a batch: a result for each call in order, or in its place the error why there is none.

    An error of one call is an ``AnswerError`` in the list; that call alone need be asked again.

    Raises:
        AnswerError: the site refused the batch as a whole, or the answer is not one for these calls.
    """
    content, addresses = _batched(response)
    places = [f"{address} (call {at} of {len(content)})" for at, address in enumerate(addresses, 1)]
    return [_outcome(response, one, place) for one, place in zip(content, places, strict=True)]


def parts(response: Response) -> list[Part | None]:
    """Take the answer to a batch apart: an answer for each call in order, None for one that failed.

    A call that failed is asked again alone, which tells why.

    Raises:
        AnswerError: the site refused the batch as a whole, or the answer is not one for these calls.
    """
    content, addresses = _batched(response)
    return [
        Part(address, headers=response.headers, request=response.request, content=one)
        if isinstance(one, dict) and "result" in one
        else None
        for one, address in zip(content, addresses, strict=True)
    ]


def procedure_of(response: Response) -> str:
    """Name the procedure that an answer is of.

    >>> procedure_of(Part("https://civitai.com/api/trpc/image.getInfinite", content={}))
    'image.getInfinite'
    """
    return unquote(urlsplit(response.url).path).rpartition("/")[2]


def open_feed(response: Response, name: str = "items") -> Page:
    """Open a page of a feed; give its ``next_cursor`` to ``query``.

    Args:
        response: the answer to one call.
        name: what the list of entries is called in it.

    Raises:
        AnswerError: the site refused, or the answer is not such a page.
    """
    data = _data(response)
    content = decode(data)
    if not isinstance(content, dict) or not isinstance(content.get(name), list):
        raise EnvelopeError(f"{answers.asked(response)} gave no list called {name}; the site may have changed")
    value, marks = _typed_cursor(data)
    if value is None:
        return Page(entries=content[name], next_cursor=None)
    if isinstance(value, bool | list):
        raise EnvelopeError(f"{answers.asked(response)} gave nextCursor {shown(value)}; the site may have changed")
    return Page(entries=content[name], next_cursor=_cursor_text(value, marks))


def _request(
    base: str, procedures: str, content: Mapping[str, Any] | None, *, batched: bool = False, **how: Any
) -> Request:
    url = f"{base}{TRPC}{procedures}{'?batch=1' if batched else ''}"
    headers = {"Accept": "application/json"}
    if content:
        text = json.dumps(content, separators=(",", ":"), allow_nan=False)
        address = f"{url}{'&' if batched else '?'}input={quote(text, safe='')}"
        if len(address) <= LONGEST_ADDRESS:
            url = address
        else:
            how |= {"method": "POST", "body": text}
            headers["Content-Type"] = "application/json"
    return Request(url, headers=headers, meta=stamp(Role.API, url), dont_filter=True, **how)


def _envelopes(calls: Sequence[Call], first: int = 0) -> dict[str, Any]:
    """Write the inputs of calls by their place in the batch; a call without one has no place."""
    return {str(place): _envelope(given) for place, (_, given) in enumerate(calls, first) if given is not None}


def _batched(response: Response) -> tuple[list[Any], list[str]]:
    """Read the results of a batch as they came, and the address of each call."""
    content = _content(response)
    if not isinstance(content, list):
        raise _error(response, content)
    procedures = procedure_of(response).split(",")
    if len(content) != len(procedures):
        counts = f"{len(content)} results to {len(procedures)} calls"
        raise EnvelopeError(f"{answers.asked(response)} gave {counts}; the site may have changed")
    base = response.url.partition(TRPC)[0]
    return content, [f"{base}{TRPC}{name}" for name in procedures]


def _envelope(given: Mapping[str, Any], *, cursor: str | None = None, mark: str | None = None) -> dict[str, Any]:
    """Write an input; ``authed`` keeps away the copy that the edge may hold for the anonymous (§1.2)."""
    plain: dict[str, Any] = {**given, "authed": True}
    if mark is not None:
        plain[MARK] = mark
    if cursor is None:
        return {"json": plain}
    if not cursor.startswith(ENVELOPE):
        return {"json": plain | {CURSOR: cursor}}
    kept = json.loads(cursor)
    plain[CURSOR] = kept["json"]
    values = kept.get("meta", {}).get("values", {})
    if isinstance(values, dict):
        marks = {f"{CURSOR}.{path}": mark for path, mark in values.items()}
    else:
        marks = {CURSOR: values}
    return {"json": plain} | ({"meta": {"values": marks}} if marks else {})


def _content(response: Response) -> Any:
    """Read the JSON of an answer of any status: errors come in envelopes, too."""
    try:
        return answers.open_json(response)
    except (ChallengeError, EnvelopeError):
        if response.status == 200:  # noqa: PLR2004 (HTTP's OK)
            raise
        raise answers.refusal(response) from None


def _data(response: Response) -> Any:
    """Find the encoded result of one call."""
    content = _content(response)
    match content:
        case {"result": {"data": data}}:
            return data
    raise _error(response, content)


def _outcome(response: Response, element: Any, place: str) -> Any:
    """Open one result of a batch; its error is a value here, since the others stand."""
    try:
        match element:
            case {"result": {"data": data}}:
                return decode(data)
        return _error(response, element, place)
    except EnvelopeError as error:
        return EnvelopeError(f"{place}: {error}")


def _error(response: Response, content: Any, place: str | None = None) -> AnswerError:
    """Make the error that stands where a result was expected (§3)."""
    place = place or answers.asked(response)
    match content:
        case {"error": encoded}:
            told = _told(encoded)
            if told is not None:
                status = (told.get("data") or {}).get("httpStatus")
                return refusals.understand(place, status if isinstance(status, int) else response.status, told)
    if response.status in {200, 207}:
        return EnvelopeError(f"{place} gave {shown(content)} where a result was expected; the site may have changed")
    # Not tRPC's own words: of the region's gate, or of the edge.
    return answers.refusal(response)


def _told(encoded: Any) -> dict[str, Any] | None:
    """Decode an error; None when it is not one of tRPC."""
    try:
        told = decode(encoded)
    except EnvelopeError:
        told = encoded
    match told:
        case {"message": str(), **rest} if isinstance(rest.get("data", {}), dict):
            return dict(told)
    return None


def _cursor_text(value: Any, marks: Any) -> str:
    """Write a cursor so that it can be kept as text and sent back as it came."""
    if isinstance(value, str) and not marks and not value.startswith(ENVELOPE):
        return value
    envelope = {"json": value} | ({"meta": {"values": marks}} if marks else {})
    return json.dumps(envelope, separators=(",", ":"))


def _typed_cursor(data: Any) -> tuple[Any, Any]:
    """Find a feed's cursor and the superjson marks of its types; ``data`` was decoded before, so its shape is good."""
    if isinstance(data, str):
        flat = json.loads(data, strict=False)
        root = flat[0] if isinstance(flat[0], dict) else dict(zip(flat[0][1::2], flat[0][2::2], strict=True))
        found: dict[str, Any] = {}
        value = _unflattened(flat, root.get(NEXT_CURSOR, -1), (), found)
        return value, found.get("", found)
    values = (data.get("meta") or {}).get("values")
    marks: dict[str, Any] = values if isinstance(values, dict) else {}
    inside = {path.removeprefix(INSIDE): mark for path, mark in marks.items() if path.startswith(INSIDE)}
    return data["json"].get(NEXT_CURSOR), marks.get(NEXT_CURSOR) or inside


def _unflattened(flat: list[Any], reference: int, path: tuple[str, ...], marks: dict[str, Any]) -> Any:
    """Read a value of devalue as superjson writes it; its dates and big integers are noted in ``marks``."""
    value = flat[reference] if reference >= 0 else None
    match value:
        case ["Date", text]:
            marks[".".join(path)] = ["Date"]
            return text
        case ["BigInt", digits]:
            marks[".".join(path)] = ["bigint"]
            return digits
        case dict():
            steps = {key: key.replace("\\", "\\\\").replace(".", "\\.") for key in value}
            return {key: _unflattened(flat, one, (*path, steps[key]), marks) for key, one in value.items()}
        case list():
            raise EnvelopeError(
                f"a cursor that is or holds {shown(value)} is of no known type; the site may have changed"
            )
    return value
