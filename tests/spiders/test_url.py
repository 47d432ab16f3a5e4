"""Lists of addresses: what stands for the same is asked for once, what is wrong is named, credentials are not kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from scrapy.crawler import AsyncCrawlerRunner

from civitscrape.civitai.urls import Target
from civitscrape.commands.crawling import project_settings
from civitscrape.extensions.books import Books
from civitscrape.ledger import Announcement
from civitscrape.spiders.url import MOST, UrlArguments, UrlSpider, gathered, merged
from tests.spiders.conftest import all_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., UrlSpider]]:
    """Make the spider of a list: ``make("lampwright", "https://…", download="none")``."""
    made: list[UrlSpider] = []

    def make_it(*lines: str, **arguments: str) -> UrlSpider:
        settings = {"OUTPUT_DIR": str(tmp_path), "EXTENSIONS": {Books: 1}, "TWISTED_REACTOR_ENABLED": False}
        crawler = AsyncCrawlerRunner(project_settings(settings)).create_crawler("url")
        (tmp_path / "list.txt").write_text("\n".join(lines), "utf-8")
        given = arguments if "url" in arguments else {"file": str(tmp_path / "list.txt"), **arguments}
        spider = crawler._create_spider(**given)
        assert isinstance(spider, UrlSpider)
        crawler.spider = spider
        crawler._apply_settings()
        made.append(spider)
        return spider

    yield make_it
    for spider in made:
        spider.books.close()


async def refused(spider: UrlSpider) -> list[Announcement]:
    steps: list[Any] = await all_of(spider.start())
    return [one for one in steps if isinstance(one, Announcement)]


async def test_a_thousand_addresses_of_fifty_images_are_fifty_pages(make):
    forms = ["https://civitai.com/images/{}", "civitai.red/images/{}?x=1", "https://www.civitai.com/images/{}#top"]
    spider = make(*(forms[number % 3].format(98_000_000 + number % 50) + f"?n={number}" for number in range(1000)))

    pages = [one.url for one in await all_of(spider.start()) if hasattr(one, "callback")]

    assert len(pages) == len(set(pages)) == 50


def test_things_with_the_same_arguments_go_to_one_spider():
    users = [Target("user", {"username": name, "content": what}) for name in "abc" for what in ("images", "models")]

    groups = list(gathered([Target("tag", {"tag": "x", "of": "models"}), *users, Target("tag", {"tag": "y"})]))

    assert [merged(group) for group in groups] == [
        Target("tag", {"tag": "x", "of": "models"}),
        Target("user", {"username": "a,b,c", "content": "images"}),
        Target("user", {"username": "a,b,c", "content": "models"}),
        Target("tag", {"tag": "y"}),
    ]


def test_a_long_list_is_cut():
    targets = [Target("post", {"post_id": str(number)}) for number in range(1, MOST + 2)]

    assert [len(group) for group in gathered(targets)] == [MOST, 1]


async def test_one_wrong_thing_does_not_spoil_the_others(make, monkeypatch):
    wrong = "x" * 90
    spider = make("lampwright", f"https://civitai.com/user/{wrong}", "harbourmaster")
    make_one = spider.spider_for

    def picky(target: Target) -> Any:
        # The real check of a group, which fails for all of it because of one.
        return make_one(Target("image", {"image_id": "no"}) if wrong in target.arguments["username"] else target)

    monkeypatch.setattr(spider, "spider_for", picky)
    steps = await all_of(spider.start())

    asked = [one.url for one in steps if hasattr(one, "callback")]
    (said,) = [one for one in steps if isinstance(one, Announcement)]
    assert any("lampwright" in url for url in asked)
    assert any("harbourmaster" in url for url in asked)
    assert said.refused
    assert wrong in said.target


async def test_a_missing_key_is_told_with_each_address_that_needs_one(make):
    spider = make("https://civitai.com/collections/5?token=s3cr3t", "https://civitai.com/collections/6")

    first, second = await refused(spider)

    assert str(first.error).startswith("'https://civitai.com/collections/5?token=…': spider collection needs a key")
    assert str(second.error).startswith("'https://civitai.com/collections/6': spider collection needs a key")


async def test_the_same_refusal_is_told_once(make):
    spider = make(
        "https://civitai.com/articles/5?token=one",
        "https://civitai.com/articles/5?token=two  # again",
        "https://civitai.com/articles/5?token=two",
    )

    assert len(await refused(spider)) == 1


def test_comments_begin_at_a_line_or_after_white_space(tmp_path):
    path = tmp_path / "list.txt"
    lines = ["\ufeff# mine", "lampwright # a friend", "https://civitai.com/images/1#top", "  # x", "", "dunes\t#y # z"]
    path.write_text("\n".join(lines), "utf-8")

    pasted = UrlArguments.read({"file": str(path)}).pasted()

    assert pasted == ["lampwright", "https://civitai.com/images/1#top", "dunes"]


@pytest.mark.parametrize(
    "text",
    [
        "https://user:s3cr3t@civitai.com/images/1",
        "user:s3cr3t@civitai.com/images/1",
        "https://user:s3@cr3t@civitai.com/images/1",
        "https://civitai.com/images/1?token=s3cr3t",
        "https://civitai.com/articles/5?a=1&api_key=s3cr3t",
        "https://civitai.com/images/1#access_token=s3cr3t",
    ],
)
async def test_credentials_in_an_address_are_kept_nowhere(make, text, caplog):
    spider = make(url=f"civitai:123@456 {text}")

    said = await refused(spider)

    about = spider.describe()
    kept = json.dumps([about, [(one.target, one.error) for one in said]], ensure_ascii=False) + caplog.text
    assert "cr3t" not in kept
    assert "civitai:123@456" in about["command"]
    assert about["arguments"]["url"][0] == "civitai:123@456"


def test_credentials_in_a_profiles_address_are_not_kept(make_spider):
    spider = make_spider(username="https://civitai.com/user/lampwright?token=s3cr3t")

    assert "s3cr3t" not in json.dumps(spider.describe())
