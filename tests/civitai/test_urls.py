"""What a person may type for a username."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civitscrape.civitai import urls
from civitscrape.exceptions import ArgumentError

typed = st.one_of(
    st.text(),
    st.text(st.sampled_from("ab_9/.:?#@%[]\\ \n\0é")),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "https://", "http://", "ftp://", "//"]),
        st.sampled_from(
            ["civitai.com", "www.civitai.red", "civitai.com.evil.example", "civitai.com@evil.example", "["]
        ),
        st.sampled_from(["/user/", "/users/", "/user", "/", "/en/user/"]),
        st.text(max_size=8),
    ),
)


@given(typed)
@example("[/user/a")
@example("https://civitai.com/user/a%2Fb")
@example("https://civitai.com/user/a%0A")
@example("lampwright\n/..")
def test_what_comes_out_is_a_username_and_nothing_else(text):
    try:
        name = urls.username(text)
    except ArgumentError as error:
        name, sentence = "refused", str(error)
    else:
        sentence = "spider argument username: taken"

    assert re.fullmatch("[A-Za-z0-9_]+", name)
    assert sentence.startswith("spider argument username: ")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "text",
    [
        "lampwright",
        "  lampwright ",
        "civitai.com/user/lampwright",
        "https://civitai.com/user/lampwright",
        "http://www.civitai.com/user/lampwright/",
        "https://civitai.red/user/lampwright/images?sort=Newest#top",
        "https://civitai.green/user/lampwright/videos",
        "https://civitai.com//user//lampwright",
        "https://civitai.com/user/l%61mpwright",
    ],
)
def test_a_name_and_every_form_of_a_profiles_address_are_taken(text):
    assert urls.username(text) == "lampwright"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "lamp-wright",
        "https://civitai.com/models/42",
        "https://civitai.com/user/",
        "https://evil.example/user/lampwright",
        "https://civitai.com.evil.example/user/lampwright",
        "https://civitai.com@evil.example/user/lampwright",
        "https://[civitai.com/user/lampwright",
    ],
)
def test_anything_else_is_refused_in_one_line_that_says_what_is_wanted(text):
    with pytest.raises(ArgumentError) as raised:
        urls.username(text)

    sentence = str(raised.value)
    assert sentence.startswith("spider argument username: ")
    assert repr(text) in sentence or "empty" in sentence
    assert "profile's address" in sentence
