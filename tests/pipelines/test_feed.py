"""The pipeline that hands items to the feeds; what reaches them is in tests/crawls/test_feeds.py."""

from __future__ import annotations

import pytest
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from civitscrape.pipelines.feed import Feed
from civitscrape.settings import ITEM_PIPELINES


def test_without_feeds_there_is_nothing_to_do(monkeypatch):
    crawler = get_crawler()
    monkeypatch.setattr(crawler, "get_extension", lambda _: None)

    with pytest.raises(NotConfigured):
        Feed.from_crawler(crawler)


def test_the_feeds_come_last():
    assert max(ITEM_PIPELINES, key=ITEM_PIPELINES.__getitem__) is Feed
