import asyncio
import sys
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import web
from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.test import get_crawler

from civitscrape.downloads.downloader import PacedDownloader

from .conftest import SETTINGS
from .crawls import Fetch, Files, Pages, slot
from .servers import PICTURE, site

ROOT = Path(__file__).parents[2]


def make_crawler(spider: type[Spider], *, concurrency: int, delay: float = 0) -> Crawler:
    settings = SETTINGS | slot(concurrency, delay) | {"ITEM_PIPELINES": {Fetch: 1}}
    return AsyncCrawlerRunner(settings).create_crawler(spider)


def paced(crawler: Crawler) -> PacedDownloader:
    assert crawler.engine
    assert isinstance(crawler.engine.downloader, PacedDownloader)
    return crawler.engine.downloader


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_pages_under_way_are_as_many_as_the_slot_allows(concurrency):
    crawler = make_crawler(Pages, concurrency=concurrency)

    async with site() as server:
        await crawler.crawl_async(url=server.url)

    assert len(server.paths) == Pages.count
    assert server.most_in_flight == concurrency
    assert len(server.connections) == concurrency


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_files_under_way_are_as_many_as_the_slot_allows(tmp_path, concurrency):
    crawler = make_crawler(Files, concurrency=concurrency)

    async with site() as server:
        await crawler.crawl_async(url=server.url, folder=tmp_path)

    assert len(list(tmp_path.iterdir())) == Files.count
    assert server.most_in_flight == concurrency
    assert len(server.connections) == concurrency


@pytest.mark.parametrize("seconds", [(0.2,), (0.2, 0.05), (0.05, 0.2)], ids=["one", "then shorter", "then longer"])
@pytest.mark.parametrize("delay", [0, 0.01])
async def test_queued_requests_wait_for_the_end_of_the_longest_hold(seconds, delay):
    crawler = make_crawler(Pages, concurrency=1, delay=delay)
    arrivals: list[float] = []

    async def answer(_):
        # The first request is under way, the others are in the queue of the slot.
        if not arrivals:
            for hold in seconds:
                paced(crawler).hold("media", hold)
        arrivals.append(monotonic())
        return web.Response()

    async with site(answer) as server:
        await crawler.crawl_async(url=server.url)

    assert len(arrivals) == Pages.count
    assert arrivals[1] - arrivals[0] >= 0.2


async def test_a_slot_can_be_held_before_its_first_request():
    crawler = make_crawler(Pages, concurrency=4)
    held_from = []
    arrivals: list[float] = []

    def hold():
        held_from.append(monotonic())
        paced(crawler).hold("media", 0.2)

    async def answer(_):
        arrivals.append(monotonic())
        return web.Response()

    crawler.signals.connect(hold, signals.spider_opened)
    async with site(answer) as server:
        await crawler.crawl_async(url=server.url)

    assert min(arrivals) - held_from[0] >= 0.2


async def test_a_hold_leaves_other_slots_alone():
    crawler = make_crawler(Pages, concurrency=4)

    def hold():
        paced(crawler).hold("api", 60)

    crawler.signals.connect(hold, signals.spider_opened)
    async with site() as server:
        await crawler.crawl_async(url=server.url)

    assert len(server.paths) == Pages.count


@pytest.fixture
async def downloader():
    crawler = get_crawler(settings_dict=SETTINGS)
    crawler.crawling = True
    downloader = PacedDownloader(crawler)
    yield downloader
    downloader.close()
    await crawler.signals.send_catch_log_async(signals.engine_stopped)


async def test_what_waits_in_a_slot_is_given_up_when_a_person_stops_the_crawl(downloader):
    downloader.hold("media", 60)
    waiting = asyncio.ensure_future(
        downloader._enqueue_request(Request("http://harbour.example/1", meta={"download_slot": "media"}))
    )
    await asyncio.sleep(0)

    downloader.crawler.crawling = False
    downloader._process_queue(downloader.slots["media"])

    with pytest.raises(IgnoreRequest, match="stopped"):
        await waiting


async def test_what_is_left_of_a_hold_can_be_asked(downloader):
    downloader.hold("media", 60)
    downloader.hold("media", 1)

    assert 50 < downloader.held("media") <= 60
    assert downloader.held("api") == 0


async def test_a_hold_that_is_over_is_none(downloader):
    downloader.hold("media", 0)

    assert downloader.held("media") == 0


async def test_a_held_slot_plans_one_call_and_closing_cancels_it(downloader):
    downloader.hold("media", 60)
    meta = {"download_slot": "media"}
    first = asyncio.ensure_future(downloader._enqueue_request(Request("http://harbour.example/1", meta=meta)))
    await asyncio.sleep(0)
    planned = downloader.slots["media"].latercall
    timer = planned._timer_handle

    second = asyncio.ensure_future(downloader._enqueue_request(Request("http://harbour.example/2", meta=meta)))
    await asyncio.sleep(0)
    still_planned = downloader.slots["media"].latercall
    downloader.close()

    assert still_planned is planned
    assert timer.cancelled()
    assert downloader.slots["media"].latercall is None
    first.cancel()
    second.cancel()


async def test_a_crawl_on_the_asyncio_reactor_stores_files_too(tmp_path):
    module = "tests.downloads.reactor_crawl"

    async with site() as server:
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, server.url, tmp_path, cwd=ROOT)
        code = await process.wait()

    assert code == 0
    assert [path.read_bytes() == PICTURE for path in tmp_path.iterdir()] == [True] * Files.count
    assert server.most_in_flight == 4
