"""Which way votes come, by what was asked and by what the person has."""

from __future__ import annotations

import pytest
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from civitscrape.addons import resolve
from civitscrape.extensions.votes import LADDER, way

COOKIES = {"CIVITAI_COOKIES": "civ-token=something"}
KEY = {"CIVITAI_API_KEY": "something"}


@pytest.mark.parametrize(
    ("spider", "arguments", "has", "expected"),
    [
        ("user", {"username": "a"}, {}, "no"),
        ("user", {"username": "a"}, KEY, "no"),
        ("user", {"username": "a", "votes": "yes"}, KEY, "yes"),
        ("user", {"username": "a", "votes": "yes"}, COOKIES, "yes"),
        ("user", {"username": "a", "votes": "yes"}, {}, "refused"),
        ("user", {"username": "a", "votes": "browser"}, {}, "browser"),
        ("user", {"username": "a", "votes": "browser"}, KEY, "yes"),
        ("votes", {}, KEY, "batch"),
        ("votes", {"votes": "browser"}, {}, "browser"),
        ("votes", {"votes": "browser"}, KEY, "batch"),
        ("tags", {}, KEY, None),
    ],
)
def test_the_cheapest_way_that_a_person_has_is_taken(tmp_path, spider, arguments, has, expected):
    settings = Settings()
    settings.setmodule("civitscrape.settings")
    settings.setdict({"CIVITAI_API_KEY": "", "CIVITAI_COOKIES": "", **has, "OUTPUT_DIR": str(tmp_path)})
    resolve(settings)
    crawler = Crawler(SpiderLoader.from_settings(settings).load(spider), settings)
    crawler.spider = crawler.spidercls.from_crawler(crawler, **arguments)

    assert way(crawler) == expected
    assert expected is None or LADDER[expected]
