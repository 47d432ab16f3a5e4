"""Where the API key goes, and where it never goes."""

from __future__ import annotations

import pytest
from scrapy.exceptions import DownloadTimeoutError

from civitscrape.civitai.roles import Role
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
