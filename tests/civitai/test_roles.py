"""What a request is for, and which addresses are ours."""

from __future__ import annotations

import pytest
from scrapy import Request

from civitscrape.civitai.roles import Role, role_of, stamp, within

SITE = "https://civitai.com"
BUCKET = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"


@pytest.mark.parametrize("role", list(Role))
def test_a_stamped_request_knows_its_role(role):
    request = Request(SITE, meta=stamp(role, SITE))

    assert role_of(request) is role
    assert ("dont_obey_robotstxt" in request.meta) == (role is not Role.PAGE)


@pytest.mark.parametrize("slot", ["", "civitai.com", "cookie civitai.com", "API civitai.com"])
def test_a_request_that_was_not_stamped_has_no_role(slot):
    assert role_of(Request(SITE, meta={"download_slot": slot})) is None
    assert role_of(Request(SITE)) is None


@pytest.mark.parametrize(
    ("url", "prefix", "expected"),
    [
        (f"{SITE}", SITE, True),
        (f"{SITE}/", f"{SITE}/", True),
        (f"{SITE}/api/v1/images?cursor=1", SITE, True),
        (f"{SITE}?x=1", SITE, True),
        ("http://civitai.com/", SITE, False),
        ("https://civitai.com:8443/", SITE, False),
        ("https://www.civitai.com/", SITE, False),
        ("https://civitai.com.evil.example/", SITE, False),
        ("https://evil.example/https://civitai.com/", SITE, False),
        ("https://civitai.com@evil.example/", SITE, False),
        ("https://evil.example@civitai.com/", SITE, False),
        (f"{BUCKET}/key/original=true/key.png", BUCKET, True),
        (f"{BUCKET}x/key", BUCKET, False),
        ("https://image.civitai.com/other/key", BUCKET, False),
        ("http://127.0.0.1:8001/x", "http://127.0.0.1:8001", True),
        ("http://127.0.0.1:8002/x", "http://127.0.0.1:8001", False),
    ],
)
def test_an_address_is_ours_only_with_the_same_scheme_host_port_and_path(url, prefix, expected):
    assert within(url, prefix) is expected
