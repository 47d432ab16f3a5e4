"""Items reach the feeds through the last pipeline, and through nothing else."""

from __future__ import annotations

import pytest
from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from civitscrape.extensions.feeds import Feeds
from civitscrape.pipelines.feed import Feed
from civitscrape.settings import ITEM_PIPELINES


def test_feeds_do_not_listen_to_the_signal_of_an_item():
    crawler = get_crawler(settings_dict={"FEEDS": {"images.csv": {"format": "csv"}}})

    feeds = Feeds.from_crawler(crawler)

    told = crawler.signals.send_catch_log(signals.item_scraped, item={}, response=None, spider=None)
    assert feeds.item_scraped not in [receiver for receiver, _ in told]


def test_without_feeds_there_is_nothing_to_do(monkeypatch):
    crawler = get_crawler()
    monkeypatch.setattr(crawler, "get_extension", lambda _: None)

    with pytest.raises(NotConfigured):
        Feed.from_crawler(crawler)


def test_the_feeds_come_last():
    assert max(ITEM_PIPELINES, key=ITEM_PIPELINES.__getitem__) is Feed
