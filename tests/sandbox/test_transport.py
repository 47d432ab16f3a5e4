from __future__ import annotations

import asyncio

import pytest

from tests.sandbox.conftest import KEY, Caller

PUBLIC = "public, s-maxage=300, stale-while-revalidate=150"


@pytest.mark.parametrize(("query", "status"), [("limit=1", 200), ("limit=999", 400), ("limit=500&page=3", 400)])
async def test_answers_are_publicly_cacheable_errors_too(caller: Caller, query, status):
    reply = await caller.ask(f"/api/v1/images?{query}")

    assert reply.status == status
    assert reply.headers["Cache-Control"] == PUBLIC
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


async def test_the_same_body_is_a_304_to_who_has_it(caller: Caller):
    first = await caller.ask("/api/v1/images?limit=3")

    again = await caller.ask("/api/v1/images?limit=3", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["ETag"].startswith('"')
    assert (again.status, again.body) == (304, b"")


async def test_head_gives_the_length_without_the_body(caller: Caller):
    whole = await caller.ask("/api/v1/images?limit=3")

    head = await caller.ask("/api/v1/images?limit=3", method="HEAD")

    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(whole.body)


async def test_options_are_answered_empty_and_post_like_get(caller: Caller):
    options = await caller.ask("/api/v1/images", method="OPTIONS")
    post = await caller.ask("/api/v1/images?limit=3", method="POST", body={"limit": 9})
    get = await caller.ask("/api/v1/images?limit=3")

    assert (options.status, options.body) == (200, b"")
    assert options.headers["Access-Control-Allow-Methods"] == "GET"
    assert post.body == get.body


async def test_enums_have_no_wrapper(caller: Caller, schema):
    reply = await caller.ask("/api/v1/enums", method="DELETE")

    schema("Enums", reply.json())
    assert len(reply.json()["BaseModel"]) == 99
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert reply.headers["Cache-Control"] == "max-age=0, private, no-cache"


async def test_an_unknown_api_path_is_an_html_404(caller: Caller):
    reply = await caller.ask("/api/v1/lanterns")

    assert reply.status == 404
    assert reply.headers["Content-Type"].startswith("text/html")
    assert b"<title>Page Not Found</title>" in reply.body


async def test_robots_disallow_the_api_and_allow_trpc(caller: Caller):
    text = (await caller.ask("/robots.txt")).body.decode()

    assert "User-agent: *\nAllow: /api/trpc/*\n" in text
    assert "Disallow: /api/*\n" in text
    assert "Crawl-delay" not in text
    assert text.count("Sitemap: ") == 4


async def test_a_blocked_region_gets_451_everywhere_but_on_pages(caller: Caller, schema):
    caller.sandbox.site.quirks.region_blocked = True

    rest = await caller.ask("/api/v1/images")
    trpc = await caller.ask("/api/trpc/image.getInfinite")
    page = await caller.ask("/user/lampwright")

    assert [rest.status, trpc.status, page.status] == [451, 451, 200]
    schema("ErrorRegion", rest.json())


async def test_too_many_at_once_are_shed_with_a_retry_after_and_never_kept(caller: Caller, schema):
    caller.sandbox.site.quirks.bulkhead = 2
    caller.sandbox.faults.slow({"api": 60})

    replies = await asyncio.gather(*(caller.ask(f"/api/v1/images?limit={one}") for one in range(1, 6)))

    shed = [one for one in replies if one.status == 503]
    assert shed
    schema("ErrorString", shed[0].json())
    assert shed[0].json() == {"error": "Server busy, please retry shortly."}
    assert (shed[0].headers["Retry-After"], shed[0].headers["Cache-Control"]) == ("2", "no-store")


async def test_a_very_long_request_is_431(caller: Caller):
    reply = await caller.ask(f"/api/trpc/image.getInfinite?input={'x' * 17_000}")

    assert reply.status == 431


async def test_a_wrong_key_is_an_anonymous_caller(caller: Caller):
    reply = await caller.ask("/api/v1/images?limit=1", headers={"Authorization": "Bearer wrong"})

    assert reply.status == 200


async def test_the_second_word_of_the_header_is_the_key(caller: Caller):
    bearer = await caller.ask("/user/lampwright", headers=KEY)
    other = await caller.ask("/user/lampwright", headers={"Authorization": "Anything sandbox-key"})

    assert other.body == bearer.body
    assert b"keeper@harbour.invalid" in other.body


async def test_a_wrong_key_keeps_cookies_from_being_tried(caller: Caller):
    headers = {"Authorization": "Bearer wrong", "Cookie": "civ-token=sandbox-session"}

    reply = await caller.ask("/user/lampwright", headers=headers)

    assert b"keeper@harbour.invalid" not in reply.body


async def test_a_legacy_cookie_is_handed_out_anew(caller: Caller):
    reply = await caller.ask("/user/lampwright", headers={"Cookie": "__Secure-civitai-token=sandbox-session"})

    assert b"keeper@harbour.invalid" in reply.body
    assert reply.headers["Set-Cookie"].startswith("civ-token=sandbox-session-renewed;")


async def test_a_rolled_session_stays_valid(caller: Caller):
    caller.sandbox.site.quirks.roll_sessions = True
    first = await caller.ask("/user/lampwright", headers={"Cookie": "civ-token=sandbox-session"})
    renewed = first.headers["Set-Cookie"].partition(";")[0]

    again = await caller.ask("/user/lampwright", headers={"Cookie": renewed})

    assert b"keeper@harbour.invalid" in again.body
