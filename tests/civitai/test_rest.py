"""The public API: the addresses that are asked for, and what opens an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from civitscrape.civitai import rest
from civitscrape.civitai.roles import Role, role_of
from civitscrape.exceptions import AnswerError, ChallengeError, EnvelopeError, NotFoundError
from tests.parsers import recorded

if TYPE_CHECKING:
    from scrapy import Request

SITE = "https://civitai.com"
URL = f"{SITE}/api/v1/images?username=lampwright&limit=200"
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
ENTRY = {"id": 98000001, "url": "https://image.civitai.com/a/b/c.png"}


def ask(**options: Any) -> Request:
    about = {"username": "lampwright", "level": 3, "sort": "Oldest", **options}
    return rest.images(SITE, callback=print, cb_kwargs={}, **about)


def query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def answer(body: bytes | str | object, status: int = 200, content_type: str = "application/json") -> Response:
    """Make the answer that Scrapy would make of these bytes; other values are written as JSON."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = Headers({"Content-Type": content_type} if content_type else {})
    made = responsetypes.from_args(headers=headers, url=URL, body=body)
    return made(URL, status=status, headers=headers, body=body)


def test_the_first_page_is_asked_for_with_everything_that_an_entry_can_tell():
    request = ask()

    assert request.url == (
        f"{SITE}/api/v1/images?username=lampwright&limit=200&sort=Oldest&period=AllTime&browsingLevel=3"
        "&withMeta=true&flatMeta=true&withTags=true"
    )
    assert role_of(request) is Role.API


def test_the_bar_in_a_cursor_is_percent_encoded():
    request = ask(cursor="200|1744925337225")

    assert request.url.endswith("&cursor=200%7C1744925337225")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_any_cursor_reaches_the_site_as_it_came(cursor):
    request = ask(cursor=cursor, media_type="video", limit=7)

    asked = dict(query(request.url))
    assert asked["cursor"] == cursor
    assert (asked["type"], asked["limit"]) == ("video", "7")
    assert len(query(request.url)) == len(asked)


@pytest.mark.parametrize("sort", ["Oldest", "Newest"])
def test_equal_questions_have_equal_addresses_and_no_key_in_them(sort):
    one, other = ask(sort=sort, cursor="a|b"), ask(sort=sort, cursor="a|b")

    assert one.url == other.url
    assert {"token", "key"}.isdisjoint(dict(query(one.url)))
    assert "Authorization" not in one.headers


def test_every_repetition_of_a_question_has_an_address_of_its_own():
    urls = [ask(cursor="200|17").url, ask(cursor="200|17", limit=rest.OTHER_PAGE_SIZE).url]

    chains = [urls]
    for attempt in range(6):
        chains.append([rest.other_address(url, str(attempt)) for url in chains[-1]])

    addresses = [url for chain in chains for url in chain]
    asked = [dict(query(url)) for url in addresses]
    assert len(set(addresses)) == len(addresses)
    assert {(one["username"], one["cursor"], one["sort"], one["browsingLevel"]) for one in asked} == {
        ("lampwright", "200|17", "Oldest", "3")
    }
    assert all(190 < int(one["limit"]) <= 200 for one in asked)


def test_a_question_never_asks_for_less_than_one_entry():
    assert dict(query(rest.other_address(ask(limit=1).url, "a")))["limit"] == "1"


def test_a_mark_makes_another_address_of_the_same_question():
    plain, marked = ask(sort="Newest"), ask(sort="Newest", mark="run 1")

    assert marked.url != plain.url
    assert query(marked.url) == [*query(plain.url), (rest.MARK, "run 1")]


@pytest.mark.parametrize(
    ("metadata", "cursor"),
    [
        ({"nextCursor": "200|1744925337225", "nextPage": "https://elsewhere.example/"}, "200|1744925337225"),
        ({"nextCursor": 98000200}, "98000200"),
        ({"nextCursor": 0}, "0"),
        ({"nextCursor": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_cursor_is_text_whether_it_came_as_text_or_number(metadata, cursor):
    page = rest.open_listing(answer({"items": [ENTRY], "metadata": metadata}))

    assert page == rest.Page(entries=[ENTRY], next_cursor=cursor)


def test_a_listing_without_metadata_is_the_last_page():
    page = rest.open_listing(answer({"items": []}))

    assert page == rest.Page(entries=[], next_cursor=None)


def test_raw_control_bytes_inside_texts_are_taken_as_they_are():
    body = b'{"items":[{"id":1,"meta":{"prompt":"a lantern\x0b at\x01 sea\n"}}],"metadata":{}}'

    page = rest.open_listing(answer(body))

    assert page.entries[0]["meta"]["prompt"] == "a lantern\x0b at\x01 sea\n"


def test_entries_are_handed_on_as_they_came_whatever_they_are():
    page = rest.open_listing(answer({"items": [None, 7, "x", [], ENTRY], "metadata": {}}))

    assert page.entries == [None, 7, "x", [], ENTRY]


@pytest.mark.parametrize("content_type", ["text/html; charset=UTF-8", "application/json", "", "TEXT/HTML"])
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_page_where_json_was_asked_for_is_a_challenge(status, content_type):
    with pytest.raises(ChallengeError, match=str(status)):
        rest.open_listing(answer(b"\n " + PAGE, status, content_type))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"items":[{"id":1},{"id":',
        b"Internal Server Error",
        b"\xff\xfe\xfa",
        b"[" * 100_000,
        {"metadata": {"nextCursor": "a"}},
        {"items": None},
        {"items": {"0": ENTRY}},
        {"error": "Image search is temporarily overloaded"},
        [ENTRY],
        "null",
        '"items"',
        {"items": [], "metadata": {"nextCursor": True}},
        {"items": [], "metadata": {"nextCursor": 200.5}},
        {"items": [], "metadata": {"nextCursor": ["200"]}},
        {"items": [], "metadata": {"nextCursor": {"offset": 200}}},
        {"items": [], "metadata": ["200"]},
        {"items": [], "metadata": "200|17"},
    ],
    ids=lambda body: str(body)[:30],
)
def test_a_broken_envelope_is_an_error_that_names_the_address(body):
    with pytest.raises(EnvelopeError, match=r"^https://civitai\.com/api/v1/images") as raised:
        rest.open_listing(answer(body))

    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@given(st.binary())
def test_bytes_of_any_kind_are_a_page_or_an_answer_error(body):
    try:
        page = rest.open_listing(answer(body))
    except AnswerError:
        return
    assert isinstance(page.entries, list)


CATALOGUE = [
    (400, {"error": {"name": "ZodError", "message": "✖ Too big\n  → at limit"}}, ["Too big", "at limit"]),
    (400, {"error": "✖ Invalid input\n  → at id"}, ["Invalid input", "at id"]),
    (
        400,
        [{"code": "invalid_type", "message": "Expected number"}, {"message": "Required"}],
        ["Expected number", "Required"],
    ),
    (400, {"name": "ZodError", "message": "Too small"}, ["Too small"]),
    (401, {"error": "Unauthorized"}, ["Unauthorized"]),
    (404, {"message": "No user with that name"}, ["No user with that name"]),
    (404, {"error": "User not found", "code": "NOT_FOUND"}, ["User not found"]),
    (429, {"error": "You've requested too many pages, please use cursors instead"}, ["too many pages"]),
    (500, {"message": "An unexpected error occurred", "error": "URI malformed"}, ["unexpected error", "URI malformed"]),
    (
        451,
        {"error": "Access is not available in your region", "code": "REGION_BLOCKED"},
        ["not available in your region"],
    ),
    (499, b"", ["no words"]),
    (500, b"Internal Server Error", ["Internal Server Error"]),
    (400, b"Invalid JSON", ["Invalid JSON"]),
    (413, b"Body exceeded 1mb limit", ["Body exceeded 1mb limit"]),
]
"""Contract rest.md §12c: status, body, and what of it a person must get to read."""


@pytest.mark.parametrize(("status", "body", "words"), CATALOGUE)
def test_a_refusal_says_what_the_site_said(status, body, words):
    error = rest.refusal(answer(body, status, "" if isinstance(body, bytes) else "application/json"))

    assert all(word in str(error) for word in [*words, URL, f"answered {status}"])
    assert "\n" not in str(error)
    assert isinstance(error, NotFoundError) == (status == 404)


def test_a_refusal_without_an_answer_gives_the_reason():
    response = rest.no_answer(ask(), "DownloadTimeoutError: took longer than 60 seconds")

    error = rest.refusal(response)

    assert str(error) == f"{ask().url}: DownloadTimeoutError: took longer than 60 seconds"


@given(st.binary(max_size=300), st.integers(300, 599))
def test_any_refusal_is_one_sentence_of_a_bearable_length(body, status):
    error = rest.refusal(answer(body, status, ""))

    assert unquote(URL) in str(error)
    assert len(str(error)) < 500


def test_what_the_site_really_said_is_understood():
    path = recorded.REAL / "errors-collected.json"
    if not path.is_file():
        pytest.skip(recorded.MISSING)

    for one in recorded.load(path):
        body = one["body"]
        is_page = isinstance(body, str)
        error = rest.refusal(answer(body, one["status"], "text/html" if is_page else "application/json"))

        assert str(one["status"]) in str(error)
        if is_page:
            assert isinstance(error, ChallengeError)
        else:
            said = body.get("message") or body["error"]
            assert not isinstance(said, str) or " ".join(said.split()) in str(error)
