"""What a spider starts with goes into the pipelines a few at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from scrapy import Spider, signals
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from civitscrape.middlewares.gate import Gate

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

SOME, MANY = 3, 10


class Starter(Spider):
    name = "starter"


@pytest.fixture
def crawler() -> Crawler:
    return get_crawler(Starter, {"CONCURRENT_ITEMS": SOME})


async def enter_all(gate: Gate, inside: list[int]) -> None:
    for number in range(MANY):
        await gate.enter()
        inside.append(number)


async def let_run() -> None:
    """Give everybody a turn who could go on."""
    for _ in range(MANY):
        await asyncio.sleep(0)


async def test_no_more_go_in_than_there_is_room_for(crawler):
    gate, inside = Gate(crawler), list[int]()

    entering = asyncio.create_task(enter_all(gate, inside))
    await let_run()

    assert inside == [*range(SOME)]
    assert not entering.done()
    entering.cancel()


@pytest.mark.parametrize("signal", [signals.item_scraped, signals.item_dropped, signals.item_error])
async def test_one_goes_in_for_each_that_is_done(crawler, signal):
    gate, inside = Gate(crawler), list[int]()
    entering = asyncio.create_task(enter_all(gate, inside))
    await let_run()

    for _ in range(MANY - SOME):
        crawler.signals.send_catch_log(signal, item={}, response=None, spider=None)
        await let_run()

    assert inside == [*range(MANY)]
    await entering


async def test_an_item_of_an_answer_makes_no_room(crawler):
    gate, inside = Gate(crawler), list[int]()
    entering = asyncio.create_task(enter_all(gate, inside))
    await let_run()

    crawler.signals.send_catch_log(signals.item_scraped, item={}, response=Response("http://127.0.0.1/"), spider=None)
    await let_run()

    assert inside == [*range(SOME)]
    entering.cancel()
