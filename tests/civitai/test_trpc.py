"""The tRPC interface: what is sent, and what its answers mean, before a real server and recorded answers."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Headers, Response, TextResponse
from yarl import URL

from civitscrape.civitai import trpc
from civitscrape.civitai.answers import Page, no_answer
from civitscrape.civitai.rest import other_address
from civitscrape.civitai.roles import Role, role_of
from civitscrape.exceptions import (
    AnswerError,
    BadArgumentError,
    ChallengeError,
    EnvelopeError,
    ForbiddenError,
    LoginError,
    NotFoundError,
    RegionError,
)
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.wire import UNDEFINED, Date, devalue, parse_input, superjson
from tests.parsers import recorded
from tests.sandbox.conftest import KEY, WORLD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from scrapy import Request

SITE = "https://civitai.com"
ENCODINGS = {"superjson": superjson, "devalue": devalue}
MOMENT = "2026-06-11T18:58:01.003Z"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
inputs = st.dictionaries(st.text().filter(lambda key: key not in {"authed", trpc.MARK, "cursor"}), json_values)


def posted_or_put(request: Request) -> Any:
    """Read what a request sends, as the site would."""
    if request.method == "POST":
        assert request.headers["Content-Type"] == b"application/json"
        return json.loads(request.body)
    return json.loads(parse_qs(urlsplit(request.url).query)["input"][0])


def reply(request: Request, body: Any, status: int = 200, content_type: str = "application/json") -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = Headers({"Content-Type": content_type})
    return TextResponse(request.url, status=status, headers=headers, body=raw, request=request)


def ask(procedure: str = "image.get", **more: Any) -> Request:
    return trpc.query(SITE, procedure, {"id": 5}, **more)


def feed(encode: Callable[[Any], Any], cursor: Any) -> Response:
    return reply(ask("image.getInfinite"), {"result": {"data": encode({"items": [{"id": 1}], "nextCursor": cursor})}})


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(WORLD) as running:
        yield running


@pytest.fixture
async def send() -> AsyncIterator[Callable[..., Awaitable[Response]]]:
    """Send a request as it is, with a key or without: ``await send(request)``, ``await send(request, headers={})``."""
    async with aiohttp.ClientSession() as session:

        async def go(request: Request, headers: Any = KEY) -> Response:
            own = {name.decode(): values[0].decode() for name, values in request.headers.items()}
            url = URL(request.url, encoded=True)
            async with session.request(request.method, url, headers=own | headers, data=request.body) as got:
                body, kind = await got.read(), Headers({"Content-Type": got.headers.get("Content-Type", "")})
            return TextResponse(request.url, status=got.status, headers=kind, body=body, request=request)

        yield go


# What is sent


def test_a_call_is_a_get_of_its_own_address_and_says_that_somebody_is_logged_in():
    request = trpc.query(SITE, "image.get", {"id": 91230001}, callback=print, cb_kwargs={"walk": 1})

    assert request.method == "GET"
    assert request.url == (
        f"{SITE}/api/trpc/image.get?input=%7B%22json%22%3A%7B%22id%22%3A91230001%2C%22authed%22%3Atrue%7D%7D"
    )
    assert (role_of(request), request.callback, request.cb_kwargs) == (Role.API, print, {"walk": 1})
    assert request.dont_filter


def test_calls_beside_another_go_in_the_same_request_after_it():
    newest = trpc.marked(("image.getInfinite", {"sort": "Newest"}), "run 1")

    request = trpc.query(SITE, "image.getInfinite", {"sort": "Oldest"}, cursor="5|6", beside=[newest])

    assert urlsplit(request.url).path == "/api/trpc/image.getInfinite,image.getInfinite"
    assert parse_qs(urlsplit(request.url).query)["batch"] == ["1"]
    assert posted_or_put(request) == {
        "0": {"json": {"sort": "Oldest", "authed": True, "cursor": "5|6"}},
        "1": {"json": {"sort": "Newest", "authed": True, trpc.MARK: "run 1"}},
    }


@pytest.mark.parametrize("encode", [superjson, devalue])
def test_an_answer_to_several_calls_is_taken_apart_and_each_opened_as_if_it_had_come_alone(encode):
    request = trpc.query(SITE, "image.getInfinite", {}, beside=[("image.get", {"id": 1}), ("image.get", {"id": 2})])
    feed = {"result": {"data": encode({"items": [{"id": 1}], "nextCursor": 7})}}
    failed = {"error": encode({"message": "no", "code": -32004, "data": {"code": "NOT_FOUND", "httpStatus": 404}})}
    response = reply(request, [feed, failed, {"result": {"data": encode({"id": 2})}}], status=207)

    page, missing, image = trpc.parts(response)

    assert page is not None
    assert image is not None
    assert trpc.open_feed(page) == Page(entries=[{"id": 1}], next_cursor='{"json":7}')
    assert missing is None
    assert (trpc.procedure_of(image), trpc.open_result(image)) == ("image.get", {"id": 2})


def test_too_few_answers_to_several_calls_are_refused():
    request = trpc.query(SITE, "image.getInfinite", {}, beside=[("image.get", {"id": 1})])

    with pytest.raises(EnvelopeError, match="1 results to 2 calls"):
        trpc.parts(reply(request, [{"result": {"data": {"json": {}}}}]))


def test_a_procedure_without_an_input_gets_none():
    assert trpc.query(SITE, "hiddenPreferences.getHidden").url == f"{SITE}/api/trpc/hiddenPreferences.getHidden"


def test_a_mark_makes_another_address_of_the_same_question():
    plain, marked = ask(), ask(mark="run 1")

    assert marked.url != plain.url
    assert posted_or_put(marked)["json"] == posted_or_put(plain)["json"] | {trpc.MARK: "run 1"}


@pytest.mark.parametrize("count", [0, 150, 160, 5000])
def test_an_address_never_grows_beyond_what_servers_take(count):
    request = trpc.query(SITE, "image.getInfinite", {"excludedTagIds": list(range(count))})

    assert len(request.url) <= trpc.LONGEST_ADDRESS
    assert request.method == ("GET" if count < 200 and not request.body else "POST")
    assert posted_or_put(request)["json"]["excludedTagIds"] == list(range(count))


@given(inputs)
def test_any_input_reaches_the_site_as_it_was_given(asked):
    request = trpc.query(SITE, "image.getInfinite", asked)

    assert parse_input(posted_or_put(request)) == asked | {"authed": True}
    assert len(request.url) <= trpc.LONGEST_ADDRESS


@given(inputs)
def test_a_call_that_is_asked_again_asks_the_same_under_another_address(asked):
    request = trpc.query(SITE, "image.getInfinite", asked)

    again = request.replace(url=other_address(request.url, "a1"))

    assert again.url != request.url
    assert posted_or_put(again) == posted_or_put(request)


def test_what_json_cannot_write_is_refused_before_it_is_sent():
    with pytest.raises(ValueError, match="JSON"):
        trpc.query(SITE, "image.getInfinite", {"limit": float("nan")})


def test_a_batch_numbers_its_inputs_and_leaves_out_those_without():
    request = trpc.batch(SITE, [("tag.getVotableTags", {"id": 5, "type": "image"}), ("a.b", None), ("image.get", {})])

    assert urlsplit(request.url).path == "/api/trpc/tag.getVotableTags,a.b,image.get"
    assert parse_qs(urlsplit(request.url).query)["batch"] == ["1"]
    assert posted_or_put(request) == {
        "0": {"json": {"id": 5, "type": "image", "authed": True}},
        "2": {"json": {"authed": True}},
    }


def test_a_long_batch_is_posted():
    calls = [("image.getGenerationData", {"id": 100_000_000 + place}) for place in range(trpc.BATCH)]

    request = trpc.batch(SITE, calls)

    assert (request.method, request.url[-8:]) == ("POST", "?batch=1")
    assert [one["json"]["id"] for one in posted_or_put(request).values()] == [one[1]["id"] for one in calls]


@pytest.mark.parametrize("count", [0, trpc.BATCH + 1])
def test_a_batch_has_a_call_at_least_and_not_too_many(count):
    with pytest.raises(ValueError, match=f"give 1 to {trpc.BATCH}"):
        trpc.batch(SITE, [("image.get", {"id": 1})] * count)


@pytest.mark.parametrize("procedure", sorted(trpc.NEVER_BATCH))
def test_what_the_edge_keeps_for_long_is_never_in_a_batch(procedure):
    with pytest.raises(ValueError, match=procedure):
        trpc.batch(SITE, [("image.get", {"id": 1}), (procedure, {})])


# Cursors


CURSORS: list[Any] = [
    "200|1744925337225",
    "12:0.5:98000001",
    '{"json":7}',
    "",
    "100649076",
    100649076,
    0,
    1.5,
    {"v": 12, "id": 98000001},
    Date(MOMENT),
    {"v": Date(MOMENT), "id": 98000001, "a.b": Date(MOMENT)},
]


@pytest.mark.parametrize("cursor", CURSORS, ids=str)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_cursor_goes_back_exactly_as_it_came(cursor, encoding):
    page = trpc.open_feed(feed(ENCODINGS[encoding], cursor))

    sent = posted_or_put(ask(cursor=page.next_cursor))
    assert isinstance(page.next_cursor, str)
    assert sent["json"]["cursor"] == cursor
    assert type(sent["json"]["cursor"]) in {type(cursor), str}
    came = superjson({"cursor": cursor}).get("meta", {}).get("values", {})
    assert sent.get("meta", {}).get("values", {}) == came


@given(st.text())
def test_a_cursor_of_text_stays_readable_or_goes_back_all_the_same(cursor):
    page = trpc.open_feed(feed(superjson, cursor))

    assert posted_or_put(ask(cursor=page.next_cursor))["json"]["cursor"] == cursor
    assert page.next_cursor == cursor or cursor.startswith(trpc.ENVELOPE)


def test_a_big_integer_is_sent_back_as_one_from_both_encodings():
    plain = {"json": {"items": [], "nextCursor": "123"}, "meta": {"values": {"nextCursor": ["bigint"]}}}
    flat = '[{"items":1,"nextCursor":2},[],["BigInt","123"]]'

    for data in (plain, flat):
        page = trpc.open_feed(reply(ask(), {"result": {"data": data}}))
        sent = posted_or_put(ask(cursor=page.next_cursor))
        assert (sent["json"]["cursor"], sent["meta"]) == ("123", {"values": {"cursor": ["bigint"]}})


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("cursor", [None, UNDEFINED])
def test_a_feed_without_a_cursor_is_at_its_end(cursor, encoding):
    page = trpc.open_feed(feed(ENCODINGS[encoding], cursor))

    assert (page.entries, page.next_cursor) == ([{"id": 1}], None)


def test_a_feed_may_call_its_list_otherwise():
    response = reply(ask(), {"result": {"data": superjson({"collectionItems": [1], "nextCursor": "a"})}})

    assert trpc.open_feed(response, "collectionItems").entries == [1]


@pytest.mark.parametrize(
    "data",
    [
        superjson({"collectionItems": []}),
        superjson([]),
        superjson(None),
        superjson(UNDEFINED),
        "-1",
        superjson({"items": [], "nextCursor": True}),
        superjson({"items": [], "nextCursor": ["200"]}),
        devalue({"items": [], "nextCursor": ["200"]}),
        '[["null","items",1,"nextCursor",2],[],["Set"]]',
    ],
    ids=str,
)
def test_a_feed_that_is_none_is_an_error_that_names_the_call(data):
    with pytest.raises(EnvelopeError, match=r"image\.get|no known type"):
        trpc.open_feed(reply(ask(), {"result": {"data": data}}))


# Answers


def test_an_answer_that_cannot_be_a_result_is_an_error():
    bodies: tuple[Any, ...] = ({}, [], None, 7, {"result": {}}, {"result": {"data": 7}}, b"", b"{", b"\xff")
    for body in bodies:
        with pytest.raises(EnvelopeError):
            trpc.open_result(reply(ask(), body))


def test_a_page_is_a_challenge_whatever_its_status():
    for status in (200, 403, 503):
        with pytest.raises(ChallengeError, match=str(status)):
            trpc.open_result(reply(ask(), b"<!DOCTYPE html><html></html>", status, "text/html"))


@given(st.binary(), st.sampled_from([200, 207, 400, 429, 500, 599]))
def test_bytes_of_any_kind_are_a_result_or_an_answer_error(body, status):
    for open_ in (trpc.open_result, trpc.open_batch, trpc.open_feed):
        with suppress(AnswerError):
            open_(reply(ask(), body, status))


def told(message: str, status: int) -> dict[str, Any]:
    return {"message": message, "code": -32001, "data": {"code": "A_WORD", "httpStatus": status, "path": "image.get"}}


SCOPE = "Your API key does not have the required scope for this action"
ORIGIN = "Please use the public API instead: https://developer.civitai.com/"
ZOD = json.dumps([{"origin": "number", "code": "too_big", "maximum": 200, "path": ["limit"], "message": "x"}], indent=2)
REFUSALS = [
    (ORIGIN, 401, LoginError, "CIVITAI_API_KEY or CIVITAI_COOKIES"),
    ("UNAUTHORIZED", 401, LoginError, "CIVITAI_API_KEY or CIVITAI_COOKIES"),
    (SCOPE, 403, ForbiddenError, "Read Only"),
    ("FORBIDDEN", 403, ForbiddenError, "not open to this account"),
    ("No image with id 1", 404, NotFoundError, "No image with id 1"),
    ('No procedure found on path "image.get"', 404, BadArgumentError, "a newer civitscrape"),
    (ZOD, 400, BadArgumentError, "limit: too big, at most 200"),
    ("Server busy — please retry.", 429, AnswerError, "may fare better later"),
    ("anything", 500, AnswerError, "may fare better later"),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("message", "status", "kind", "way_out"), REFUSALS)
def test_refusals_are_told_apart_in_both_encodings_and_name_a_way_out(message, status, kind, way_out, encoding):
    body = {"error": ENCODINGS[encoding](told(message, status))}

    with pytest.raises(AnswerError) as raised:
        trpc.open_result(reply(ask(), body, status))

    assert type(raised.value) is kind
    assert way_out in str(raised.value)
    assert str(raised.value).startswith(f'{SITE}/api/trpc/image.get?input={{"json":{{"id":5')
    assert f"answered {status}: " in str(raised.value)


@pytest.mark.parametrize("message", ["[" * 100_000, "[" * 900 + "]" * 900, json.dumps([[ZOD]]), "[1]", "[{}]"])
def test_a_message_that_only_looks_like_zods_is_taken_as_it_is(message):
    with pytest.raises(BadArgumentError) as raised:
        trpc.open_result(reply(ask(), {"error": superjson(told(message, 400))}, 400))

    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("error", [{"message": {"message": "no"}}, {"message": "no", "data": 7}, {"data": {}}, 7, []])
def test_an_error_of_an_unknown_shape_is_one_all_the_same(error):
    with pytest.raises(BadArgumentError, match="answered 400"):
        trpc.open_result(reply(ask(), {"error": superjson(error)}, 400))


def test_the_gate_of_the_region_does_not_speak_trpc_and_is_understood():
    body = {"error": "Access to this service is not available in your region", "code": "REGION_BLOCKED"}

    for open_ in (trpc.open_result, trpc.open_batch):
        with pytest.raises(RegionError, match="not available in your region"):
            open_(reply(ask(), body, 451))


def test_no_answer_at_all_is_told_with_its_reason():
    with pytest.raises(AnswerError, match="DownloadTimeoutError: took longer"):
        trpc.open_result(no_answer(ask(), "DownloadTimeoutError: took longer than 60 seconds"))


def two() -> Request:
    return trpc.batch(SITE, [("tag.getVotableTags", {"id": 5, "type": "image"}), ("image.get", {"id": 1})])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_one_failing_call_of_a_batch_leaves_the_others_whole(encoding):
    encode = ENCODINGS[encoding]
    good, bad = {"result": {"data": encode([{"id": 4}])}}, {"error": encode(told("No image", 404))}

    first, second = trpc.open_batch(reply(two(), [good, bad], 207))

    assert first == [{"id": 4}]
    assert type(second) is NotFoundError
    assert str(second) == f"{SITE}/api/trpc/image.get (call 2 of 2) answered 404: No image"


@pytest.mark.parametrize("broken", [None, {}, {"result": {}}, {"result": {"data": "[{"}}, {"error": "[]"}], ids=str)
def test_a_broken_result_of_a_batch_is_an_error_in_its_place(broken):
    first, second = trpc.open_batch(reply(two(), [broken, {"result": {"data": superjson(7)}}], 200))

    assert type(first) is EnvelopeError
    assert "tag.getVotableTags (call 1 of 2)" in str(first)
    assert second == 7


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_batch_with_too_few_or_too_many_results_is_an_error(count):
    with pytest.raises(EnvelopeError, match=f"{count} results to 2 calls"):
        trpc.open_batch(reply(two(), [{"result": {"data": superjson(7)}}] * count))


def test_a_batch_that_is_refused_as_a_whole_is_one_error():
    body = {"error": superjson(told("Cannot mix procedure types in call: query, mutation", 400))}

    with pytest.raises(BadArgumentError, match="Cannot mix procedure types"):
        trpc.open_batch(reply(two(), body, 400, "text/plain;charset=UTF-8"))


# The sandbox


async def walk(send: Any, site: str, asked: dict[str, Any]) -> list[int]:
    found: list[int] = []
    cursor = None
    while True:
        page = trpc.open_feed(await send(trpc.query(site, "image.getInfinite", asked, cursor=cursor)))
        found += [entry["id"] for entry in page.entries]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("encoding", ["never", "always", "alternate"])
async def test_a_walk_brings_everything_in_either_encoding(sandbox, send, encoding):
    sandbox.site.quirks.devalue = encoding
    asked = {"username": "lampwright", "limit": 9, "sort": "Oldest", "browsingLevel": 3}

    found = await walk(send, sandbox.url, asked)

    assert found == WORLD.truth("lampwright", 3, hashes=False).ids


async def test_a_feed_of_numbers_is_walked_too(sandbox, send):
    post = max((one.post_id for one in WORLD.creators["lampwright"].records), key=_pictures)
    asked = {"postId": post, "limit": 1, "browsingLevel": 31}

    found = await walk(send, sandbox.mature_url, asked)

    whole = trpc.open_feed(await send(trpc.query(sandbox.mature_url, "image.getInfinite", asked | {"limit": 200})))
    assert len(found) > 1
    assert found == [entry["id"] for entry in whole.entries]


def _pictures(post: int) -> int:
    return sum(one.post_id == post and one.listed for one in WORLD.creators["lampwright"].records)


async def test_a_long_question_is_posted_and_answered(sandbox, send):
    request = trpc.query(
        sandbox.url, "image.getInfinite", {"username": "lampwright", "excludedUserIds": list(range(900))}
    )

    response = await send(request)

    assert request.method == "POST"
    assert trpc.open_feed(response).entries


@pytest.mark.parametrize("long", [False, True])
async def test_a_batch_of_good_and_bad_calls_is_answered_call_by_call(sandbox, send, long):
    calls = [("userProfile.overview", {"username": name}) for name in ("lampwright", "nobody_here", "harbourmaster")]
    calls *= 1 + 9 * long

    results = trpc.open_batch(await send(trpc.batch(sandbox.url, calls)))

    assert [type(one) for one in results[:3]] == [dict, NotFoundError, dict]
    assert len(results) == len(calls)


async def test_a_call_without_a_login_is_told_which_setting_helps(sandbox, send):
    with pytest.raises(LoginError, match="CIVITAI_API_KEY or CIVITAI_COOKIES"):
        trpc.open_result(await send(trpc.query(sandbox.url, "userProfile.overview", {"username": "lampwright"}), {}))


async def test_a_blocked_region_is_told_as_such(sandbox, send):
    sandbox.site.quirks.region_blocked = True

    for request in (trpc.query(sandbox.url, "image.getInfinite", {}), trpc.batch(sandbox.url, [("image.get", {})])):
        with pytest.raises(RegionError, match="not available in your region"):
            trpc.open_batch(await send(request))


async def test_what_the_sandbox_does_not_take_is_told_field_by_field(sandbox, send):
    request = trpc.query(sandbox.url, "image.getInfinite", {"limit": 201})

    with pytest.raises(BadArgumentError, match="limit: too big, at most 200"):
        trpc.open_feed(await send(request))


# Recorded answers


def test_recorded_answers_are_opened():
    files = [path for path in recorded.files("trpc-*.json") if "result" in (recorded.load(path) or {})]
    if not files:
        pytest.skip(recorded.MISSING)

    for path in files:
        content = recorded.load(path)
        assert trpc.open_result(reply(ask(), content)) == content["result"]["data"]["json"], path.name


@pytest.mark.parametrize(
    ("name", "cursor"),
    [("trpc-image-getInfinite-2025-09-*", int), ("trpc-image-getImagesAsPostsInfinite-2025-09-p1-*", str)],
)
def test_cursors_of_recorded_feeds_go_back_as_they_came(name, cursor):
    files = recorded.files(name)
    if not files:
        pytest.skip(recorded.MISSING)

    content = recorded.load(files[0])
    page = trpc.open_feed(reply(ask("image.getInfinite"), content))

    came = content["result"]["data"]["json"]["nextCursor"]
    assert type(came) is cursor
    assert posted_or_put(ask(cursor=page.next_cursor))["json"]["cursor"] == came
