"""What the add-on makes of settings, and what it refuses."""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.addons import CHATTY, Resolve, feeds, quiet, resolve
from civitscrape.commands.crawling import project_settings
from civitscrape.exceptions import ArgumentError
from civitscrape.exports.feeds import FEEDS

if TYPE_CHECKING:
    from scrapy.settings import Settings


def resolved(**overrides: Any) -> Settings:
    settings = project_settings(overrides)
    resolve(settings)
    return settings


def test_everything_lies_below_the_output_folder_wherever_that_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = resolved(OUTPUT_DIR="archive")

    folder = tmp_path / "archive"
    assert settings["OUTPUT_DIR"] == str(folder)
    assert settings["DATABASE_URL"] == f"sqlite:///{folder}/civitscrape.sqlite"
    assert settings["MEDIA_STORE"] == settings["FILES_STORE"] == str(folder / "media")
    assert all(uri.startswith(f"{folder.as_uri()}/feeds/%(name)s/%(time)s/") for uri in settings["FEEDS"])


def test_a_home_folder_may_be_written_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    settings = resolved(OUTPUT_DIR="~/archive", MEDIA_STORE="~/pictures")

    assert settings["OUTPUT_DIR"] == str(tmp_path / "archive")
    assert settings["MEDIA_STORE"] == str(tmp_path / "pictures")


def test_resolving_twice_changes_nothing(tmp_path):
    settings = resolved(OUTPUT_DIR=str(tmp_path))
    once = settings.copy_to_dict()

    resolve(settings)

    assert settings.copy_to_dict() == once


def test_a_resolved_setting_keeps_the_rank_of_the_one_that_was_written(tmp_path):
    settings = resolved(OUTPUT_DIR=str(tmp_path))

    assert settings.getpriority("OUTPUT_DIR") == 40
    assert settings.getpriority("CIVITAI_URL") == 20


def test_the_api_has_its_delay_and_media_and_a_browser_s_pages_slots_of_their_own():
    own = {"API_DELAY": "0.7", "MEDIA_CONCURRENCY": "5", "BROWSER_PAGES": "3"}

    settings = resolved(**own, CIVITAI_MEDIA_URL="http://127.0.0.1:8001/bucket/")

    assert settings.getfloat("DOWNLOAD_DELAY") == settings.getfloat("AUTOTHROTTLE_START_DELAY") == 0.7
    assert settings["DOWNLOAD_SLOTS"] == {
        "media 127.0.0.1:8001": {"concurrency": 5, "delay": 0, "jitter": 0},
        "page civitai.com browser": {"concurrency": 3, "delay": 0.7, "jitter": 0},
        "page civitai.red browser": {"concurrency": 3, "delay": 0.7, "jitter": 0},
    }


def test_feeds_and_slots_of_ones_own_stay():
    settings = resolved(FEEDS={"all.csv": {"format": "csv"}}, DOWNLOAD_SLOTS={"api civitai.com": {"delay": 9}})

    assert settings["FEEDS"]["all.csv"] == {"format": "csv"}
    assert len(settings["FEEDS"]) == len(FEEDS) + 1
    assert settings["DOWNLOAD_SLOTS"]["api civitai.com"] == {"delay": 9}


def test_nothing_in_a_folders_name_is_taken_for_a_placeholder():
    uris = feeds(Path("/archive/50%(name)s #1"))

    assert set(uris) == {f"file:///archive/50%25%28name%29s%20%231/feeds/%(name)s/%(time)s/{name}" for name in FEEDS}


@pytest.mark.parametrize("url", ["https://civitai.com/", "http://127.0.0.1:8001", "https://mirror.example/civitai/"])
def test_an_address_loses_only_its_last_slash(url):
    assert resolved(CIVITAI_URL=url)["CIVITAI_URL"] == url.rstrip("/")


WRONG = [
    *[
        (name, value, "give an address such as https://civitai.com")
        for name in ("CIVITAI_URL", "CIVITAI_MATURE_URL", "CIVITAI_MEDIA_URL")
        for value in (
            "civitai.com",
            "ftp://civitai.com",
            "https://",
            "https://civitai.com?x=1",
            "https://civitai.com#x",
            "http://[::1",
            "http://127.0.0.1:port",
            "https://key@civitai.com",
        )
    ],
    *[("API_DELAY", value, "give a number, 0 or more") for value in ("slow", "-1", "nan", "inf", "1,5")],
    *[("MEDIA_CONCURRENCY", value, "give a number, 1 or more") for value in ("0", "many", "-4")],
    ("RETRY_AFTER_MAX", "long", "give a number, 0 or more"),
    ("RETRY_BACKOFF", "-0.1", "give a number, 0 or more"),
    ("KEEP_PAYLOADS", "perhaps", "give True or False"),
    ("SIDECARS", "yaml", "json"),
    ("SIDECARS", "tgas", "did you mean tags?"),
    ("SIDECARS", "txt,caption", "are the same file, {name}.txt; give one"),
    ("SIDECARS", "json,none", "give none alone"),
    ("MEDIA_STORE", "s3://bucket/media", "give a folder of this machine"),
    ("OUTPUT_DIR", "what?", "cannot hold a ?"),
]


@pytest.mark.parametrize(("name", "value", "way_out"), WRONG)
def test_a_setting_that_makes_no_sense_is_refused_with_its_name_value_and_a_way_out(name, value, way_out):
    with pytest.raises(ArgumentError) as raised:
        resolved(**{name: value})

    assert str(raised.value).startswith(f"setting {name}: ")
    assert value in str(raised.value)
    assert way_out in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("written", ["~/nowhere/cookies.txt", "__Secure-civ-token=eyJ.first.sig; eyJ.second"])
def test_cookies_that_cannot_be_used_are_refused_without_telling_them(written):
    with pytest.raises(ArgumentError, match="setting CIVITAI_COOKIES: ") as raised:
        resolved(CIVITAI_COOKIES=written)

    assert "name=value; name2=value2" in str(raised.value)
    assert "eyJ" not in str(raised.value)


@pytest.mark.parametrize(
    "template", ["../{id}", "/{id}{ext}", "{creator}{ext}/{id}", "{nothing}/{id}{ext}", "{id", "by_model"]
)
def test_a_template_that_could_leave_the_store_or_mix_files_is_refused(template):
    with pytest.raises(ArgumentError, match="media path template"):
        resolved(MEDIA_PATH=template)


def test_what_scrapy_says_at_every_start_is_left_out_unless_debug_asks_for_it(caplog):
    loggers = [logging.getLogger(name) for name in CHATTY]
    filters = [logger.filters[:] for logger in loggers]
    try:
        Resolve().update_settings(project_settings({}))
        # As Scrapy's own set-up does afterwards.
        for logger in loggers:
            logger.setLevel(logging.NOTSET)
            logger.info("a page of lines")
            logger.warning("something is wrong")
    finally:
        for logger, before in zip(loggers, filters, strict=True):
            logger.filters[:] = before

    assert {record.getMessage() for record in caplog.records} == {"something is wrong"}


def test_debug_leaves_everything_in(caplog):
    logger = logging.getLogger(CHATTY[0])
    before, level = logger.filters[:], logger.level
    logger.filters.clear()
    logger.setLevel(logging.NOTSET)
    try:
        quiet(project_settings({"LOG_LEVEL": "DEBUG"}))
        with caplog.at_level(logging.DEBUG):
            logger.info("a page of lines")
    finally:
        logger.filters[:] = before
        logger.setLevel(level)

    assert [record.getMessage() for record in caplog.records] == ["a page of lines"]


CRAWLERS = """
import asyncio, sys
from scrapy.crawler import AsyncCrawlerProcess, AsyncCrawlerRunner
from scrapy.utils.reactor import install_reactor
from civitscrape.commands.crawling import project_settings

settings = project_settings({"OUTPUT_DIR": sys.argv[2], "LOG_ENABLED": False})
if sys.argv[1] == "theirs":
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
process = (AsyncCrawlerRunner if sys.argv[1] == "theirs" else AsyncCrawlerProcess)(settings)
crawler = process.create_crawler("user")
crawler.spider = crawler._create_spider(username="lampwright")
crawler._apply_settings()
print(type(asyncio.get_event_loop()).__module__)
"""


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not to be had on this system")
@pytest.mark.parametrize(("whose", "module"), [("ours", "uvloop"), ("theirs", "asyncio.unix_events")])
def test_a_crawl_has_a_quick_loop_unless_somebody_has_made_theirs(tmp_path, whose, module):
    words = [sys.executable, "-c", CRAWLERS, whose, str(tmp_path)]

    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    assert told.strip() == module
