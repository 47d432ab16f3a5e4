"""What opens an answer of the public API, and what its refusals mean."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from civitscrape.civitai import answers
from civitscrape.civitai.roles import Role, stamp
from civitscrape.exceptions import (
    AnswerError,
    ArchivedError,
    BadArgumentError,
    ChallengeError,
    EarlyAccessError,
    EnvelopeError,
    ForbiddenError,
    LoginError,
    NotFoundError,
    PaidError,
    QuotaError,
    RegionError,
)
from tests.parsers import recorded

SITE = "https://civitai.com"
URL = f"{SITE}/api/v1/images?username=lampwright&limit=200"
DOWNLOAD = f"{SITE}/api/download/models/91000001"
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
ENTRY = {"id": 98000001, "url": "https://image.civitai.com/a/b/c.png"}


def answer(
    body: bytes | str | object,
    status: int = 200,
    content_type: str = "application/json",
    *,
    url: str = URL,
    **headers: str,
) -> Response:
    """Make the answer that Scrapy would make of these bytes; other values are written as JSON."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    named = headers | ({"Content-Type": content_type} if content_type else {})
    made = responsetypes.from_args(headers=Headers(named), url=url, body=body)
    return made(url, status=status, headers=Headers(named), body=body)


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
    page = answers.open_listing(answer({"items": [ENTRY], "metadata": metadata}))

    assert page == answers.Page(entries=[ENTRY], next_cursor=cursor)


def test_a_listing_without_metadata_is_the_last_page():
    page = answers.open_listing(answer({"items": []}))

    assert page == answers.Page(entries=[], next_cursor=None)


def test_raw_control_bytes_inside_texts_are_taken_as_they_are():
    body = b'{"items":[{"id":1,"meta":{"prompt":"a lantern\x0b at\x01 sea\n"}}],"metadata":{}}'

    page = answers.open_listing(answer(body))

    assert page.entries[0]["meta"]["prompt"] == "a lantern\x0b at\x01 sea\n"


def test_entries_are_handed_on_as_they_came_whatever_they_are():
    page = answers.open_listing(answer({"items": [None, 7, "x", [], ENTRY], "metadata": {}}))

    assert page.entries == [None, 7, "x", [], ENTRY]


@pytest.mark.parametrize("content_type", ["text/html; charset=UTF-8", "application/json", "", "TEXT/HTML"])
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_page_where_json_was_asked_for_is_a_challenge(status, content_type):
    with pytest.raises(ChallengeError, match=str(status)):
        answers.open_listing(answer(b"\n " + PAGE, status, content_type))


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
        answers.open_listing(answer(body))

    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@given(st.binary())
def test_bytes_of_any_kind_are_a_page_or_an_answer_error(body):
    try:
        page = answers.open_listing(answer(body))
    except AnswerError:
        return
    assert isinstance(page.entries, list)


CATALOGUE = [
    (400, {"error": {"name": "ZodError", "message": "✖ Too big\n  → at limit"}}, ["limit: Too big"]),
    (400, {"error": "✖ Invalid input\n  → at id"}, ["id: Invalid input"]),
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
    error = answers.refusal(answer(body, status, "" if isinstance(body, bytes) else "application/json"))

    assert all(word in str(error) for word in [*words, URL, f"answered {status}"])
    assert "\n" not in str(error)
    assert isinstance(error, NotFoundError) == (status == 404)


def test_a_refusal_without_an_answer_gives_the_reason():
    response = answers.no_answer(Request(URL), "DownloadTimeoutError: took longer than 60 seconds")

    error = answers.refusal(response)

    assert str(error) == f"{URL}: DownloadTimeoutError: took longer than 60 seconds"


@given(st.binary(max_size=300), st.integers(300, 599))
def test_any_refusal_is_one_sentence_of_a_bearable_length(body, status):
    error = answers.refusal(answer(body, status, ""))

    assert unquote(URL) in str(error)
    assert len(str(error)) < 500


def test_what_the_site_really_said_is_understood():
    path = recorded.REAL / "errors-collected.json"
    if not path.is_file():
        pytest.skip(recorded.MISSING)

    for one in recorded.load(path):
        body = one["body"]
        is_page = isinstance(body, str)
        error = answers.refusal(answer(body, one["status"], "text/html" if is_page else "application/json"))

        assert str(one["status"]) in str(error)
        if is_page:
            assert isinstance(error, ChallengeError)
        else:
            said = body.get("message") or body["error"]
            assert not isinstance(said, str) or " ".join(said.split()) in str(error)


ZOD = [
    {"origin": "number", "code": "too_big", "maximum": 100, "inclusive": True, "path": ["limit"], "message": "Too big"},
    {"code": "invalid_value", "values": ["Oldest", "Newest"], "path": ["sort"], "message": "Invalid option"},
    {"expected": "number", "code": "invalid_type", "path": ["ids", 0], "message": "Invalid input: expected number"},
    {"origin": "array", "code": "too_small", "minimum": 1, "path": ["tags"], "message": "Too small"},
]
FOUND = (
    "limit: too big, at most 100; sort: must be one of Oldest, Newest; ids.0: expected number; "
    "tags: too few, at least 1"
)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"name": "ZodError", "message": json.dumps(ZOD, indent=2)}},
        {"name": "ZodError", "message": json.dumps(ZOD)},
        ZOD,
    ],
)
def test_what_the_site_does_not_take_is_told_field_by_field(body):
    error = answers.refusal(answer(body, 400))

    assert str(error) == f"{URL} answered 400: {FOUND}"
    assert isinstance(error, BadArgumentError)


EARLY = {
    "error": "Early Access",
    "deadline": "2026-12-01T00:00:00.000Z",
    "message": "This asset is in Early Access. You can use Buzz access it now!",
}
LOG_IN = "The creator of this asset requires you to be logged in to download it"
TOO_MUCH = (
    "We've noticed an unusual amount of downloading from your account. Contact support@civitai.com or come back later."
)

MEANINGS = [
    (401, {"error": "Unauthorized"}, LoginError, "CIVITAI_API_KEY or CIVITAI_COOKIES"),
    (401, {"error": "Unauthorized", "message": LOG_IN}, LoginError, "CIVITAI_API_KEY or CIVITAI_COOKIES"),
    (
        401,
        {"error": "Unauthorized", "message": "The creator of this asset has disabled downloads on this file"},
        ForbiddenError,
        "its file cannot be had",
    ),
    (403, EARLY, EarlyAccessError, "free for all from 2026-12-01T00:00:00.000Z"),
    (403, {key: EARLY[key] for key in ("error", "message")}, PaidError, "buy access"),
    (403, {"error": "You do not have access to download this file"}, ForbiddenError, "not open to this account"),
    (404, {"error": "File not found"}, NotFoundError, "File not found"),
    (410, {"error": "Model archived, not available for download"}, ArchivedError, "its file cannot be had"),
    (429, {"error": TOO_MUCH}, QuotaError, "goes on tomorrow"),
    (429, {"error": "Rate limit exceeded, please retry shortly."}, AnswerError, "may fare better later"),
    (429, {"error": "You've requested too many pages, please use cursors instead"}, BadArgumentError, "cursors"),
    (451, {"error": "Access is not available", "code": "REGION_BLOCKED"}, RegionError, "where you ask from"),
    (503, {"error": "Server busy, please retry shortly."}, AnswerError, "may fare better later"),
]
"""Contract rest.md §2.4, §2.5, §9: status, body, what it means, and the way out."""


def test_an_account_that_gets_no_files_is_told_so():
    error = answers.refusal(answer({"error": "Forbidden"}, 403, url=DOWNLOAD))

    assert type(error) is ForbiddenError
    assert "gives no files to this account" in str(error)


@pytest.mark.parametrize(("status", "body", "kind", "way_out"), MEANINGS)
@pytest.mark.parametrize("url", [URL, DOWNLOAD])
def test_refusals_are_told_apart_and_name_a_way_out(status, body, kind, way_out, url):
    error = answers.refusal(answer(body, status, url=url))

    assert type(error) is kind
    assert way_out in str(error)
    assert str(error).startswith(f"{url} answered {status}: ")


@pytest.mark.parametrize(("status", "body", "kind", "way_out"), [one for one in MEANINGS if one[0] in {404, 410, 429}])
def test_a_browsers_bare_words_mean_the_same_as_json(status, body, kind, way_out):
    error = answers.refusal(answer(body["error"].encode(), status, "text/html; charset=utf-8", url=DOWNLOAD))

    assert type(error) is kind
    assert way_out in str(error)


def test_bare_words_are_a_page_everywhere_but_at_downloads():
    error = answers.refusal(answer(b"File not found", 404, "text/html"))

    assert isinstance(error, ChallengeError)


def test_the_end_of_early_access_can_be_asked_of_the_error():
    error = answers.refusal(answer(EARLY, 403, url=DOWNLOAD))

    assert isinstance(error, EarlyAccessError)
    assert error.deadline == "2026-12-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/login?returnUrl=%2Fmodel-versions%2F91000001&reason=download-auth", LoginError),
        ("/model-versions/91000001", PaidError),
    ],
)
def test_a_download_that_sends_a_browser_to_a_page_is_refused(location, kind):
    error = answers.refusal(answer(b"", 307, "", url=DOWNLOAD, Location=location))

    assert type(error) is kind


def test_the_page_at_the_end_of_such_a_redirect_is_a_refusal_too():
    login = f"{SITE}/login?returnUrl=%2Fmodel-versions%2F91000001&reason=download-auth"

    error = answers.refusal(answer(PAGE, 200, "text/html", url=login))

    assert type(error) is LoginError


def test_a_signed_address_is_in_no_error():
    signed = "https://bucket.example/file?X-Amz-Signature=5ec7e7"

    error = answers.refusal(answer(signed.encode(), 307, "text/plain", url=DOWNLOAD, Location=signed))

    assert "5ec7e7" not in str(error)


@pytest.mark.parametrize("status", [403, 404, 500, answers.NO_ANSWER])
def test_what_a_storage_refuses_is_told_without_its_signature_and_its_words(status):
    signed = "https://bucket.example/file?X-Amz-Signature=5ec7e7"
    response = answer(
        f"{signed}: 5ec7e7".encode() if status != answers.NO_ANSWER else signed.encode(), status, url=signed
    )
    response.request = Request(signed, meta=stamp(Role.STORAGE, signed))

    error = answers.refusal(response)

    assert "https://bucket.example/file" in str(error)
    assert "5ec7e7" not in str(error)


def test_a_single_thing_is_an_object():
    assert answers.open_thing(answer(ENTRY)) == ENTRY

    with pytest.raises(EnvelopeError, match="an object was expected"):
        answers.open_thing(answer([ENTRY]))
    with pytest.raises(NotFoundError, match="No model with id 7"):
        answers.open_thing(answer({"error": "No model with id 7"}, 404))


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Tue, 16 Sep 2025 22:22:10 GMT", "2025-09-16T22:22:10.000Z"),
        ("Tue, 16 Sep 2025 22:22:10 +0200", "2025-09-16T20:22:10.000Z"),
        ("yesterday", None),
    ],
)
def test_the_site_s_clock_is_read_from_its_answers(date, moment):
    assert answers.time_of(answer({}, Date=date)) == moment
