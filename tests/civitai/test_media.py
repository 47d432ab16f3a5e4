from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.civitai.media import WIDTHS, is_key, key_of, original, poster, smaller
from civitscrape.spiders.arguments import MediaArguments

KEY = "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1"
BASE = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"


@pytest.mark.parametrize(
    "url",
    [
        KEY,
        f"{BASE}/{KEY}/original=true/{KEY}.jpeg",
        f"{BASE}/{KEY}/width=832/{KEY}.jpeg",
        f"{BASE}/{KEY}/width=450/98000001.jpeg",
        f"{BASE}/{KEY}/width=96/lampwright.jpeg",
        f"{BASE}/{KEY}/original=true/lantern 01.png",
        f"{BASE}/{KEY}/original=true/8c3be9d4-2f67-4a10-b1cf-55d0a9e7c312.mp4",
        f"{BASE}/{KEY}/anim=false,transcode=true,width=450,original=false,optimized=true/x.jpeg",
        f"{BASE}/{KEY}",
        f"{BASE}/{KEY}/original=true/{KEY}.jpeg?token=none#top",
        f"https://imagecache.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/{KEY}/width=1024/{KEY}.jpeg",
        f"https://image-b2.civitai.com/file/civitai-media-cache/{KEY}/original",
        f"https://image.civitai.com/.../{KEY}.jpeg",
        f"http://127.0.0.1:8080/media/{KEY}/original=true/{KEY}.mp4",
        f"http://localhost:8080/{KEY}/width=450/1.jpeg",
    ],
)
def test_the_key_is_found_in_every_form_of_address(url):
    assert key_of(url) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "https://image.civitai.com/harbour-7/width=450/harbour-7.jpeg",
        f"{BASE}/harbour-7/original=true/harbour-7.jpeg",
        f"{BASE}/harbour-7/harbour-7.jpeg",
        "https://image-b2.civitai.com/file/civitai-media-cache/harbour-7/original",
        "harbour-7",
    ],
)
def test_a_key_that_is_no_uuid_is_found_too(url):
    assert key_of(url) == "harbour-7"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://img/1",
        f"https://elsewhere.example/{KEY}/original=true/{KEY}.jpeg",
        f"https://civitai.com.elsewhere.example/{KEY}/width=450/1.jpeg",
        f"https://notcivitai.com/{KEY}/width=450/1.jpeg",
        f"https://image.civitai.com@elsewhere.example/{KEY}/width=450/1.jpeg",
        f"blob:https://civitai.com/{KEY}",
        f"ftp://image.civitai.com/{KEY}/width=450/1.jpeg",
        f"//image.civitai.com/{KEY}/width=450/1.jpeg",
        "http://[::1/width=450/1.jpeg",
        "https://image.civitai.com/",
        "https://image.civitai.com/a/picture.jpeg",
        f"{BASE}/../width=450/1.jpeg",
        f"{BASE}/%2e%2e%2fsecret/width=450/1.jpeg",
    ],
)
def test_a_foreign_or_unsafe_address_has_no_key(url):
    assert key_of(url) is None


def test_addresses_of_a_configured_mirror_are_not_foreign():
    url = f"https://mirror.example/cdn/{KEY}/original=true/{KEY}.jpeg"

    assert key_of(url, base="https://mirror.example/cdn/") == KEY
    assert key_of(url, base="https://mirror.example/other") is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a..b", ".hidden", "a/b", "a\\b", "a\nb", "a\n", "a b", "a%2fb", "a?b", "a#b", "width=4", "é"],
)
def test_a_text_unsafe_in_an_address_is_no_key(text):
    assert not is_key(text)


def test_a_key_has_at_most_200_characters():
    assert is_key("a" * 200)
    assert not is_key("a" * 201)


@given(st.text(max_size=300))
def test_whatever_an_address_holds_its_key_is_safe(text):
    for url in (text, f"{BASE}/{text}/width=450/1.jpeg", f"https://image.civitai.com/{text}", f"https://{text}"):
        key = key_of(url)
        assert key is None or is_key(key)


@pytest.mark.parametrize(("media_type", "extension"), [("image", ".jpeg"), ("video", ".mp4"), ("audio", ".mp3")])
def test_the_original_is_asked_under_the_extension_of_its_type(media_type, extension):
    address = original(BASE + "/", KEY, media_type)

    assert address == f"{BASE}/{KEY}/original=true/{KEY}{extension}"
    assert key_of(address) == KEY


def test_no_address_is_built_from_what_is_no_key():
    with pytest.raises(ValueError, match="must not be fetched"):
        original(BASE, "../../etc", "image")
    with pytest.raises(ValueError, match="hologram"):
        original(BASE, KEY, "hologram")


@pytest.mark.parametrize(
    ("media_type", "asked", "extension"),
    [("image", "width=800", ".jpeg"), ("video", "transcode=true,width=800", ".mp4")],
)
def test_a_rendition_is_asked_as_the_site_asks_for_it(media_type, asked, extension):
    address = smaller(BASE + "/", KEY, media_type, "width=800")

    assert address == f"{BASE}/{KEY}/{asked}/{KEY}{extension}"
    assert key_of(address) == KEY


def test_every_width_that_the_cdn_renders_can_be_asked_for_and_no_other():
    qualities = get_args(MediaArguments.model_fields["quality"].annotation)

    assert qualities == ("original", *(f"width={one}" for one in WIDTHS))


def test_a_poster_is_a_still_of_the_same_key():
    assert key_of(poster(BASE, KEY)) == KEY
    with pytest.raises(ValueError, match="must not be fetched"):
        poster(BASE, "../../etc")
    with pytest.raises(ValueError, match="must not be fetched"):
        smaller(BASE, "../../etc", "image", "width=450")
