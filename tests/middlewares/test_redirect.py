"""Where a redirect may lead."""

from __future__ import annotations

import pytest

from civitscrape.civitai.answers import NO_ANSWER
from civitscrape.civitai.roles import Role, role_of, slot
from tests.middlewares.conftest import API, BUCKET, SITE, answer, request

FILE = f"{BUCKET}/key/original=true/key.png"
LOOPBACK = {"CIVITAI_URL": "http://127.0.0.1:8001", "CIVITAI_MEDIA_URL": "http://127.0.0.1:8001/bucket"}


@pytest.mark.parametrize(
    ("role", "url", "location"),
    [
        (Role.MEDIA, FILE, "https://image-b2.civitai.com/file/civitai-media-cache/key/original"),
        (Role.MEDIA, FILE, "https://civitai.com/x"),
        (Role.MEDIA, FILE, "https://f004.backblazeb2.com/file/key"),
        (Role.MEDIA, FILE, "https://account.r2.cloudflarestorage.com/key?X-Amz-Signature=abc"),
        (Role.MEDIA, FILE, "https://BACKBLAZEB2.com/file/key"),
        (Role.STORAGE, f"{SITE}/api/download/1", "https://account.r2.cloudflarestorage.com/key"),
        (Role.PAGE, f"{SITE}/user/Lampwright", "/user/lampwright"),
        (Role.PAGE, f"{SITE}/user/lampwright", "https://civitai.red/user/lampwright"),
        (Role.API, API, "/api/v1/images?limit=100"),
    ],
)
async def test_a_redirect_to_the_site_or_its_storage_is_followed(chain, role, url, location):
    middlewares = chain(answer(302, Location=location), answer(200))

    response = await middlewares.follow(request(role, url))

    assert response.status == 200
    followed = middlewares.wire.sent[1]
    assert role_of(followed) is role
    sent_in = url if role in {Role.MEDIA, Role.STORAGE} else followed.url
    assert followed.meta["download_slot"] == slot(role or Role.PAGE, sent_in)


@pytest.mark.parametrize(
    ("role", "url", "location"),
    [
        (Role.MEDIA, FILE, "https://evil.example/key.png"),
        (Role.MEDIA, FILE, "//evil.example/key.png"),
        (Role.MEDIA, FILE, "https://evilbackblazeb2.com/key.png"),
        (Role.MEDIA, FILE, "https://backblazeb2.com.evil.example/key.png"),
        (Role.MEDIA, FILE, "https://backblazeb2.com@evil.example/key.png"),
        (Role.MEDIA, FILE, "https://evil.example#@backblazeb2.com/key.png"),
        (Role.MEDIA, FILE, "https://evil.example?.backblazeb2.com/key.png"),
        (Role.MEDIA, FILE, "https://evil.example\\@backblazeb2.com/key.png"),
        (Role.MEDIA, FILE, "http://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/key"),
        (Role.MEDIA, FILE, "http://f004.backblazeb2.com/file/key"),
        (Role.MEDIA, FILE, "http://127.0.0.1:8001/key.png"),
        (Role.MEDIA, FILE, "http://localhost/key.png"),
        (Role.MEDIA, FILE, "http://[::1]/key.png"),
        (Role.MEDIA, FILE, "http://169.254.169.254/latest/meta-data"),
        (Role.MEDIA, FILE, "http://[evil.example/key.png"),
        (Role.API, API, "https://evil.example/api/v1/images"),
        (Role.API, API, "http://civitai.com/api/v1/images"),
        (Role.API, API, "https://f004.backblazeb2.com/file/key"),
        (Role.PAGE, f"{SITE}/user/lampwright", "https://account.r2.cloudflarestorage.com/login"),
    ],
)
async def test_a_redirect_to_anywhere_else_is_not_followed_and_says_why(chain, role, url, location):
    middlewares = chain(answer(302, Location=location), answer(200))

    response = await middlewares.follow(request(role, url))

    assert len(middlewares.wire.sent) == 1
    assert response.status == NO_ANSWER
    assert response.text if hasattr(response, "text") else response.body.decode().startswith(url)
    assert b"not an address of the site or its storage" in response.body or b"cannot be followed" in response.body


async def test_other_schemes_are_left_as_the_answer_that_they_are(chain):
    middlewares = chain(answer(302, Location="file:///etc/passwd"))

    response = await middlewares.follow(request(Role.MEDIA, FILE))

    assert (response.status, len(middlewares.wire.sent)) == (302, 1)


@pytest.mark.parametrize("location", ["http://127.0.0.1:9001/k", "http://localhost:9001/k", "http://[::1]:9001/k"])
async def test_a_sandbox_may_send_media_to_another_port_of_this_machine(chain, location):
    middlewares = chain(answer(302, Location=location), answer(200), **LOOPBACK)

    response = await middlewares.follow(request(Role.MEDIA, "http://127.0.0.1:8001/bucket/key"))

    assert response.status == 200


async def test_a_sandbox_may_not_send_api_calls_to_another_port(chain):
    middlewares = chain(answer(302, Location="http://127.0.0.1:9001/api/v1/images"), **LOOPBACK)

    response = await middlewares.follow(request(Role.API, "http://127.0.0.1:8001/api/v1/images"))

    assert response.status == NO_ANSWER


async def test_redirects_in_a_circle_come_to_an_end(chain):
    middlewares = chain(*[answer(302, Location=FILE)] * 50)

    response = await middlewares.follow(request(Role.MEDIA, FILE))

    assert response.status == NO_ANSWER
    assert b"its redirect cannot be followed" in response.body
    assert len(middlewares.wire.sent) < 30


async def test_where_a_file_goes_is_not_lost_on_the_way(chain):
    middlewares = chain(answer(302, Location="https://f004.backblazeb2.com/file/key"), answer(200))
    asked = request(Role.MEDIA, FILE)
    asked.meta["download_to"] = "store/.parts/key.part"

    await middlewares.follow(asked)

    assert middlewares.wire.sent[1].meta["download_to"] == "store/.parts/key.part"


@pytest.mark.parametrize(
    "location", ["/login?returnUrl=%2Fmodel-versions%2F29&reason=download-auth", f"{SITE}/model-versions/29"]
)
async def test_a_download_that_leads_to_a_page_of_the_site_is_a_refusal(chain, location):
    asked = request(Role.API, f"{SITE}/api/download/models/29?fileId=31")
    asked.meta["download_to"] = "31.part"
    middlewares = chain(answer(307, Location=location))

    response = await middlewares.follow(asked)

    assert response.status == 307
    assert len(middlewares.wire.sent) == 1


async def test_a_download_that_is_sent_on_within_the_site_keeps_its_key(chain):
    asked = request(Role.API, f"{SITE}/api/download/training-data/29")
    asked.meta["download_to"] = "31.part"
    middlewares = chain(
        answer(308, Location="/api/download/models/29?type=Training%20Data"), answer(200), CIVITAI_API_KEY="k"
    )

    await middlewares.follow(asked)

    assert [role_of(one) for one in middlewares.wire.sent] == [Role.API, Role.API]
    assert all("Authorization" in one.headers for one in middlewares.wire.sent)
