"""Which way votes come, by what was asked and by what the person has."""

from __future__ import annotations

import pytest
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from civitscrape.addons import resolve
from civitscrape.extensions.votes import LADDER, line, way

COOKIES = {"CIVITAI_COOKIES": "civ-token=something"}
KEY = {"CIVITAI_API_KEY": "something"}


@pytest.mark.parametrize(
    ("command", "has", "expected", "why"),
    [
        ("user username=a", {}, "no", "votes=no: "),
        ("user username=a", KEY, "no", "votes=no: "),
        ("user username=a votes=yes", KEY, "yes", "votes=yes, with a key: "),
        ("user username=a votes=yes", COOKIES, "yes", "votes=yes, with cookies: "),
        ("user username=a votes=yes", {}, "refused", "votes=yes, without a key or cookies: "),
        ("user username=a votes=browser", {}, "browser", "votes=browser, without a key or cookies: "),
        ("user username=a votes=browser", KEY, "yes", "votes=browser, with a key: "),
        ("image image_id=7", KEY, "anyway", "votes=no, with a key: "),
        ("image image_id=7", {}, "no", "votes=no: "),
        ("votes", KEY, "batch", "votes=yes, with a key: "),
        ("votes votes=browser", {}, "browser", "votes=browser, without a key or cookies: "),
        ("votes votes=browser", KEY, "batch", "votes=browser, with a key: "),
        ("tags", KEY, None, None),
    ],
)
def test_the_cheapest_way_that_a_person_has_is_taken_and_a_line_says_why(tmp_path, command, has, expected, why):
    spider, *pairs = command.split()
    arguments = dict(pair.split("=") for pair in pairs)
    settings = Settings()
    settings.setmodule("civitscrape.settings")
    settings.setdict({"CIVITAI_API_KEY": "", "CIVITAI_COOKIES": "", **has, "OUTPUT_DIR": str(tmp_path)})
    resolve(settings)
    crawler = Crawler(SpiderLoader.from_settings(settings).load(spider), settings)
    crawler.spider = crawler.spidercls.from_crawler(crawler, **arguments)

    said = line(crawler)

    assert way(crawler) == expected
    assert (said is None) == (why is None)
    assert said is None or said.startswith(f"{why}{LADDER[str(expected)]}")
    assert ("no browser is needed" in (said or "")) == (bool(has) and arguments.get("votes") == "browser")
