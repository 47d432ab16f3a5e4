"""Where the API key and the cookies go, and where they never go."""

from __future__ import annotations

import pytest
from scrapy.exceptions import DownloadTimeoutError

from civitscrape.civitai.roles import Role
from civitscrape.middlewares.auth import Auth
from tests.middlewares.conftest import API, BUCKET, KEY, MATURE, SITE, answer, request

BEARER = f"Bearer {KEY}".encode()


@pytest.mark.parametrize(
    ("role", "url"),
    [
        (Role.API, API),
        (Role.PAGE, f"{SITE}/user/lampwright"),
        (Role.API, f"{MATURE}/api/v1/images"),
        (Role.PAGE, f"{MATURE}/user/lampwright"),
    ],
)
async def test_the_sites_own_api_and_pages_get_the_key(chain, role, url):
    middlewares = chain(answer(200), CIVITAI_API_KEY=KEY)

    await middlewares.follow(request(role, url))

    assert middlewares.wire.keys == [BEARER]


@pytest.mark.parametrize(
    ("role", "url"),
    [
        (Role.MEDIA, f"{BUCKET}/key/original=true/key.png"),
        (Role.MEDIA, f"{SITE}/api/download/1"),
        (Role.STORAGE, f"{SITE}/api/download/1"),
        (Role.API, "http://civitai.com/api/v1/images"),
        (Role.API, "https://civitai.com:8443/api/v1/images"),
        (Role.API, "https://civitai.com.evil.example/api/v1/images"),
        (Role.API, "https://civitai.com@evil.example/api/v1/images"),
        (Role.PAGE, "https://evil.example/civitai.com"),
        (Role.API, f"{BUCKET}/api/v1/images"),
    ],
)
async def test_nothing_else_gets_the_key(chain, role, url):
    middlewares = chain(answer(200), CIVITAI_API_KEY=KEY)

    await middlewares.follow(request(role, url))

    assert middlewares.wire.keys == [None]


async def test_a_request_without_a_role_gets_no_key(chain):
    middlewares = chain(answer(200), CIVITAI_API_KEY=KEY)
    robots = request(Role.API, f"{SITE}/robots.txt").replace(meta={})

    await middlewares.follow(robots)

    assert middlewares.wire.keys == [None]


async def test_without_a_key_nobody_gets_one(chain):
    middlewares = chain(answer(200), CIVITAI_API_KEY="")

    await middlewares.follow(request(Role.API, API))

    assert middlewares.wire.keys == [None]


async def test_the_key_is_not_left_on_a_request_that_was_answered(chain):
    middlewares = chain(answer(200), CIVITAI_API_KEY=KEY)
    asked = request(Role.API, API)

    await middlewares.follow(asked)

    assert "Authorization" not in asked.headers


async def test_the_copy_that_asks_again_does_not_carry_the_key_either(chain):
    middlewares = chain(answer(500), CIVITAI_API_KEY=KEY)

    again = await middlewares.manager.download_async(middlewares.wire, request(Role.API, API))

    assert again.meta["retry_times"] == 1
    assert "Authorization" not in again.headers
    assert KEY not in repr(again.to_dict())


async def test_the_copy_that_asks_again_after_no_answer_does_not_carry_the_key_either(chain):
    middlewares = chain(DownloadTimeoutError("silence"), CIVITAI_API_KEY=KEY)

    again = await middlewares.manager.download_async(middlewares.wire, request(Role.API, API))

    assert again.meta["retry_times"] == 1
    assert KEY not in repr(again.to_dict())


async def test_asking_again_brings_the_key_once_more(chain):
    middlewares = chain(answer(500), DownloadTimeoutError("silence"), answer(200), CIVITAI_API_KEY=KEY)

    response = await middlewares.follow(request(Role.API, API))

    assert response.status == 200
    assert middlewares.wire.keys == [BEARER] * 3


async def test_a_redirect_to_the_cdn_leaves_the_key_behind(chain):
    moved = answer(302, Location=f"{BUCKET}/key/original=true/key.png")
    middlewares = chain(moved, answer(200), CIVITAI_API_KEY=KEY)

    await middlewares.follow(request(Role.API, API))

    assert [one.url for one in middlewares.wire.sent][1:] == [f"{BUCKET}/key/original=true/key.png"]
    assert middlewares.wire.keys == [BEARER, None]


async def test_a_redirect_to_the_mature_host_takes_the_key_along(chain):
    moved = answer(301, Location=f"{MATURE}/user/lampwright")
    middlewares = chain(moved, answer(200), CIVITAI_API_KEY=KEY)

    await middlewares.follow(request(Role.PAGE, f"{SITE}/user/lampwright"))

    assert middlewares.wire.keys == [BEARER, BEARER]


HEADER = "__Secure-civ-token=eyJ.first.sig; theme=dark"
RENEWAL = "__Secure-civ-token=eyJ.second.sig; Domain=civitai.com; Path=/; HttpOnly; Secure; Max-Age=2592000"
TRPC = f"{SITE}/api/trpc/image.get"


def sent(middlewares, name: str) -> list[bytes | None]:
    return [one.headers.get(name) for one in middlewares.wire.sent]


async def test_cookies_go_to_the_api_with_the_origin_of_its_own_host(chain):
    middlewares = chain(answer(200), CIVITAI_COOKIES=HEADER)

    await middlewares.follow(request(Role.API, TRPC))

    assert sent(middlewares, "Cookie") == [HEADER.encode()]
    assert sent(middlewares, "Origin") == [SITE.encode()]
    assert middlewares.wire.keys == [None]


async def test_cookies_go_to_pages_without_an_origin(chain):
    middlewares = chain(answer(200), CIVITAI_COOKIES=HEADER)

    await middlewares.follow(request(Role.PAGE, f"{SITE}/user/lampwright"))

    assert sent(middlewares, "Cookie") == [HEADER.encode()]
    assert sent(middlewares, "Origin") == [None]


async def test_cookies_that_are_no_login_do_not_claim_to_be_a_browser(chain):
    middlewares = chain(answer(200), CIVITAI_COOKIES="cf_clearance=abc")

    await middlewares.follow(request(Role.API, TRPC))

    assert sent(middlewares, "Cookie") == [b"cf_clearance=abc"]
    assert sent(middlewares, "Origin") == [None]


@pytest.mark.parametrize(
    ("role", "url"),
    [
        (Role.MEDIA, f"{BUCKET}/key/original=true/key.png"),
        (Role.MEDIA, f"{SITE}/api/download/1"),
        (Role.STORAGE, f"{SITE}/api/download/1"),
        (Role.API, f"{MATURE}/api/v1/images"),
        (Role.API, "http://civitai.com/api/v1/images"),
        (Role.API, "https://civitai.com:8443/api/v1/images"),
        (Role.API, "https://civitai.com.evil.example/api/v1/images"),
        (Role.API, "https://civitai.com@evil.example/api/v1/images"),
        (Role.PAGE, "https://evil.example/civitai.com"),
    ],
)
async def test_nothing_else_gets_the_cookies(chain, role, url):
    middlewares = chain(answer(200), CIVITAI_COOKIES=HEADER)

    await middlewares.follow(request(role, url))

    assert sent(middlewares, "Cookie") == sent(middlewares, "Origin") == [None]


async def test_a_file_holds_cookies_for_each_host(chain, tmp_path):
    path = tmp_path / "cookies.txt"
    row = ".{0}\tTRUE\t/\tTRUE\t4102444800\t__Secure-civ-token\t{0}-session"
    lines = [row.format(host) for host in ("civitai.com", "civitai.red")]
    path.write_text("\n".join(["# Netscape HTTP Cookie File", *lines, ""]))
    middlewares = chain(answer(200), answer(200), CIVITAI_COOKIES=str(path))

    await middlewares.follow(request(Role.API, TRPC))
    await middlewares.follow(request(Role.API, f"{MATURE}/api/trpc/image.get"))

    assert sent(middlewares, "Cookie") == [
        b"__Secure-civ-token=civitai.com-session",
        b"__Secure-civ-token=civitai.red-session",
    ]
    assert sent(middlewares, "Origin") == [SITE.encode(), MATURE.encode()]


async def test_where_there_is_a_key_the_cookies_stay(chain):
    middlewares = chain(answer(200), answer(200), CIVITAI_API_KEY=KEY, CIVITAI_COOKIES=HEADER)
    await middlewares.follow(request(Role.API, TRPC))
    await middlewares.follow(request(Role.PAGE, f"{SITE}/user/lampwright"))

    assert middlewares.wire.keys == [BEARER, BEARER]
    assert sent(middlewares, "Cookie") == sent(middlewares, "Origin") == [None, None]


@pytest.mark.parametrize(
    ("cookies", "key", "words"),
    [("theme=dark", "", "log in again"), (HEADER, KEY, "are both set"), (HEADER, "", None), ("", KEY, None)],
)
async def test_cookies_of_no_use_are_told_of(chain, caplog, cookies, key, words):
    caplog.set_level("INFO", "civitscrape.middlewares.auth")

    Auth.from_crawler(chain(CIVITAI_COOKIES=cookies, CIVITAI_API_KEY=key).crawler).introduce()

    assert [words in one.getMessage() for one in caplog.records if words] == ([True] if words else [])
    assert len(caplog.records) == (words is not None)
    assert "eyJ" not in caplog.text


@pytest.mark.parametrize("trouble", [answer(500), DownloadTimeoutError("silence")])
async def test_no_copy_of_a_request_carries_the_cookies(chain, trouble):
    middlewares = chain(trouble, CIVITAI_COOKIES=HEADER)
    asked = request(Role.API, TRPC)

    again = await middlewares.manager.download_async(middlewares.wire, asked)

    assert again.meta["retry_times"] == 1
    assert "eyJ" not in repr(again.to_dict()) + repr(asked.to_dict())
    assert "Origin" not in again.headers


async def test_a_redirect_off_the_site_leaves_the_cookies_behind(chain):
    moved = answer(302, Location=f"{BUCKET}/key/original=true/key.png")
    middlewares = chain(moved, answer(200), CIVITAI_COOKIES=HEADER)

    await middlewares.follow(request(Role.API, TRPC))

    assert sent(middlewares, "Cookie") == [HEADER.encode(), None]
    assert sent(middlewares, "Origin") == [SITE.encode(), None]


async def test_a_renewed_session_is_sent_from_then_on(chain):
    middlewares = chain(answer(500, Set_Cookie=RENEWAL), answer(200), CIVITAI_COOKIES=HEADER)

    await middlewares.follow(request(Role.API, TRPC))

    assert set((sent(middlewares, "Cookie")[1] or b"").split(b"; ")) == {
        b"__Secure-civ-token=eyJ.second.sig",
        b"theme=dark",
    }


async def test_what_a_media_host_sets_is_not_sent_to_the_site(chain):
    middlewares = chain(answer(200, Set_Cookie=RENEWAL), answer(200), CIVITAI_COOKIES=HEADER)

    await middlewares.follow(request(Role.MEDIA, f"{SITE}/api/download/1"))
    await middlewares.follow(request(Role.API, TRPC))

    assert sent(middlewares, "Cookie") == [None, HEADER.encode()]


async def test_without_cookies_nothing_that_the_site_sets_is_sent_back(chain):
    middlewares = chain(answer(200, Set_Cookie=RENEWAL), answer(200), CIVITAI_COOKIES="", CIVITAI_API_KEY="")

    await middlewares.follow(request(Role.API, TRPC))
    await middlewares.follow(request(Role.API, TRPC))

    assert sent(middlewares, "Cookie") == [None, None]


async def test_key_and_cookies_are_the_secrets_of_a_crawl(chain):
    middlewares = chain(answer(200, Set_Cookie=RENEWAL), CIVITAI_COOKIES=HEADER)
    auth = next(one for one in middlewares.manager.middlewares if isinstance(one, Auth))

    await middlewares.follow(request(Role.API, TRPC))

    assert auth.secrets == {"eyJ.first.sig", "eyJ.second.sig"}
    assert Auth.from_crawler(chain(CIVITAI_API_KEY=KEY).crawler).secrets == {KEY}
