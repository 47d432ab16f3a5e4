"""What a person may tell the user spider, and what comes of a slip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level
from civitscrape.spiders.arguments import UserArguments


def test_a_username_is_enough():
    arguments = UserArguments.read({"username": "lampwright"})

    assert arguments.model_dump() == {
        "username": ["lampwright"],
        "content": ["images", "videos"],
        "level": Level.PG | Level.PG13,
        "download": "original",
        "quality": "original",
        "posters": "no",
        "mode": "all",
        "max_items": None,
        "max_file_size": None,
        "since": None,
        "until": None,
        "votes": "no",
        "redownload": "no",
    }


def test_everything_can_be_said_in_one_line():
    arguments = UserArguments.read(
        {
            "username": "lampwright, https://civitai.com/user/Harbourmaster ,LAMPWRIGHT",
            "content": "videos,videos",
            "level": "pg,R",
            "download": "none",
            "mode": "new",
            "max_items": "7",
            "redownload": "yes",
        }
    )

    assert arguments.username == ["LAMPWRIGHT", "Harbourmaster"]
    assert arguments.content == ["videos"]
    assert arguments.level == Level.PG | Level.R
    assert (arguments.download, arguments.mode, arguments.max_items, arguments.redownload) == ("none", "new", 7, "yes")


SLIPS = {
    "username": [
        ("", "give one, as in: scrapy crawl user -a username=NAME"),
        (" , ", "give one, as in: scrapy crawl user -a username=NAME"),
        ("a b", "'a b': only letters, digits and _, or a profile's address"),
        ("lampwright,lamp-wright", "'lamp-wright': only letters, digits and _"),
        ("https://civitai.com/models/1", "'https://civitai.com/models/1' is not a profile's address"),
    ],
    "content": [
        ("", "at least 1"),
        ("pictures", "'pictures': input should be 'images', 'videos', "),
        ("images,vids", "'vids': input should be 'images', 'videos', "),
    ],
    "level": [("pgg", "'pgg' is not a level; known are sfw, all, pg, pg13, r, x, xxx")],
    "download": [("yes", "'yes': input should be 'original' or 'none'")],
    "mode": [("newest", "'newest': input should be 'all', 'new' or 'refresh'")],
    "max_items": [
        ("0", "'0': input should be greater than or equal to 1"),
        ("many", "'many': input should be a valid integer"),
        ("1.5", "'1.5': input should be a valid integer"),
    ],
    "quality": [
        ("450", "'450': input should be 'original', 'width=96', "),
        ("width=500", "'width=500': input should be 'original', 'width=96', "),
    ],
    "max_file_size": [
        ("abc", "max_file_size: 'abc': give a number of bytes, as in 500MB, 1.5GiB or 20000"),
        ("٣MB", "give a number of bytes"),
        ("9" * 400, "give a number of bytes"),
        ("0", "0: input should be greater than or equal to 1"),
    ],
    "since": [
        ("٣d", "give a date, as in 2026-05-01"),
        ("yesterday", "give a date, as in 2026-05-01, or an age, as in 12h, 30d or 8w"),
    ],
    "until": [("999999w", "give a date, as in 2026-05-01, or an age"), ("2026-13-01", "give a date")],
    "posters": [("true", "'true': input should be 'no' or 'yes'")],
    "redownload": [("True", "'True': input should be 'no' or 'yes'")],
}


@pytest.mark.parametrize(
    ("name", "value", "words"), [(name, value, words) for name, slips in SLIPS.items() for value, words in slips]
)
def test_a_slip_is_one_line_that_names_argument_value_and_way_out(name, value, words):
    with pytest.raises(ArgumentError) as raised:
        UserArguments.read({"username": "lampwright", name: value})

    assert str(raised.value).startswith(f"spider argument {name}: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_username_is_asked_for():
    with pytest.raises(ArgumentError) as raised:
        UserArguments.read({})

    assert str(raised.value) == "spider argument username: missing; as in: scrapy crawl user -a username=…"


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("levle", "level"),
        ("user_name", "username"),
        ("usernames", "username"),
        ("maxitems", "max_items"),
        ("redownlod", "redownload"),
        ("contents", "content"),
    ],
)
def test_an_unknown_argument_is_refused_with_the_nearest_that_is_known(typed, nearest):
    with pytest.raises(ArgumentError) as raised:
        UserArguments.read({"username": "lampwright", typed: "x"})

    assert str(raised.value) == f"spider argument {typed}: user does not know it; did you mean {nearest}?"


def test_an_argument_like_no_other_is_refused_with_all_that_are_known():
    with pytest.raises(ArgumentError, match=r"^spider argument zzz: user does not know it; known are .*username"):
        UserArguments.read({"username": "lampwright", "zzz": "x"})


@given(st.dictionaries(st.sampled_from([*UserArguments.model_fields, "levle"]), st.text(max_size=12), max_size=4))
def test_whatever_is_typed_is_taken_or_refused_in_one_line(typed):
    try:
        arguments = UserArguments.read(typed)
    except ArgumentError as error:
        sentence = str(error)
    else:
        sentence = f"spider argument username: {arguments.username}"
    assert sentence.startswith("spider argument ")
    assert len(sentence.splitlines()) == 1


async def test_the_run_is_described_without_settings_and_safe_for_a_shell(make_spider):
    spider = make_spider(username="civitai.com/user/lampwright?a=1&b=2", level="all")

    about = spider.describe()

    assert about["command"] == "scrapy crawl user -a username='civitai.com/user/lampwright?a=1&b=2' -a level=all"
    assert about["arguments"]["level"] == 31
    assert about["job"] is None


async def test_the_mature_host_is_asked_as_soon_as_r_or_more_is_wanted(make_spider):
    hosts = {level: make_spider(level=level).site for level in ("sfw", "pg13", "r", "all", "pg,xxx")}

    assert hosts == {
        "sfw": "https://civitai.com",
        "pg13": "https://civitai.com",
        "r": "https://civitai.red",
        "all": "https://civitai.red",
        "pg,xxx": "https://civitai.red",
    }
