"""The garbage collector's pace during a crawl."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from scrapy import signals
from scrapy.utils.test import get_crawler

from civitscrape.extensions import thrift
from civitscrape.extensions.thrift import ALL, OLDER, Thrift


class Knot:
    """What only the collector can remove."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
async def opened(monkeypatch):
    monkeypatch.setattr(thrift, "PAUSE", 0.01)
    extension = Thrift()
    extension.open()
    yield extension
    extension.close()


async def test_the_collector_rests_during_a_crawl_and_is_as_before_afterwards():
    extension = Thrift()
    before = gc.isenabled(), gc.get_freeze_count()

    extension.open()
    during, frozen = gc.isenabled(), gc.get_freeze_count()
    extension.close()

    assert during is False
    assert frozen > 0
    assert (gc.isenabled(), gc.get_freeze_count()) == before == (True, 0)


async def test_a_crawl_that_fails_while_it_opens_leaves_the_collector_as_it_was():
    crawler = get_crawler()
    extension = Thrift.from_crawler(crawler)
    crawler.signals.send_catch_log(signals.spider_opened, spider=None)
    during = gc.isenabled()

    crawler.signals.send_catch_log(signals.spider_closed, spider=None, reason="archive")

    assert during is False
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
    assert extension is not None  # whom signals hold weakly


async def test_where_it_was_switched_off_it_stays_so():
    extension = Thrift()
    gc.disable()
    try:
        extension.open()
        extension.close()
        enabled = gc.isenabled()
    finally:
        gc.enable()

    assert enabled is False


@pytest.mark.usefixtures("opened")
async def test_garbage_is_removed_all_the_same():
    knot = weakref.ref(Knot())
    assert knot() is not None

    for _ in range(500):
        if knot() is None:
            break
        await asyncio.sleep(0.01)

    assert knot() is None


def test_every_twentieth_look_goes_further_back_and_one_an_hour_through_everything(monkeypatch):
    looks: list[int] = []
    monkeypatch.setattr(gc, "collect", looks.append)
    extension = Thrift()

    for _ in range(ALL):
        extension.look()

    assert (looks.count(0), looks.count(1), looks.count(2)) == (ALL - ALL // OLDER, ALL // OLDER - 1, 1)
    assert looks[-1] == 2


def test_a_crawl_that_never_began_leaves_the_collector_alone():
    Thrift().close()

    assert gc.isenabled()
