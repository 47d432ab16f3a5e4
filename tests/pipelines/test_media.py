"""What is asked of the CDN, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.http import HtmlResponse, Response

from civitscrape.civitai.roles import Role, role_of
from civitscrape.commands.crawling import project_settings
from civitscrape.downloads.response import INSTEAD, FileResponse
from civitscrape.items import Creator, Image
from civitscrape.pipelines.fates import PAGE_INSTEAD
from civitscrape.pipelines.media import Media, fate

if TYPE_CHECKING:
    from pathlib import Path

BUCKET = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA"
KEY = "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1"
FILE = f"{BUCKET}/{KEY}/original=true/{KEY}.jpeg"
HEADS = {
    ".png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ".webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    ".mp4": b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2",
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Media:
    overrides = {"OUTPUT_DIR": str(tmp_path), "EXTENSIONS": {}, "TWISTED_REACTOR_ENABLED": False}
    crawler = AsyncCrawlerRunner(project_settings(overrides)).create_crawler("user")
    crawler.spider = crawler._create_spider(username="lampwright")
    crawler._apply_settings()
    crawler.crawling = True
    return Media.from_crawler(crawler)


def brought(path: Path, head: bytes, size: int = 64) -> FileResponse:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head)
    return FileResponse(FILE, path=str(path), size=size, sha256="ab" * 32, head=head)


def test_the_original_of_a_wanted_image_is_asked_for_as_media(pipeline, tmp_path):
    image = Image(id=7, key=KEY, media_state="wanted")

    [request] = pipeline.get_media_requests(image, None)

    assert request.url == FILE
    assert role_of(request) is Role.MEDIA
    assert request.meta["download_to"] == str(tmp_path / "media" / ".parts" / f"{KEY}.part")
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    "item",
    [
        Image(id=7, key=KEY, media_state="stored"),
        Image(id=7, key=KEY, media_state="refused"),
        Image(id=7, key=KEY),
        Image(id=7, media_state="wanted"),
        Creator(username="lampwright"),
    ],
    ids=["stored", "refused", "not asked", "no key", "no image"],
)
def test_nothing_else_is_asked_for(pipeline, item):
    assert pipeline.get_media_requests(item, None) == []


@pytest.mark.parametrize(
    ("response", "status", "error"),
    [
        (Response(FILE, status=404), "gone", "the CDN answered 404"),
        (Response(FILE, status=410), "gone", "the CDN answered 410"),
        (Response(FILE, status=500), "failed", "the CDN answered 500"),
        (Response(FILE, status=401), "failed", "the CDN answered 401"),
        (Response(FILE, status=302), "failed", "the CDN answered 302"),
        (HtmlResponse(FILE, flags=[INSTEAD]), "failed", PAGE_INSTEAD),
        (HtmlResponse(FILE, status=403, body=b"<html>"), "failed", "the CDN answered 403"),
        (Response(FILE, status=599, body=b"DownloadTimeoutError: silence"), "failed", "DownloadTimeoutError: silence"),
    ],
)
def test_an_answer_without_a_file_says_why_there_is_none(response, status, error):
    assert fate(response) == {"status": status, "error": error}


@pytest.mark.parametrize("extension", HEADS)
def test_a_file_is_what_its_first_bytes_say(tmp_path, extension):
    response = brought(tmp_path / "x.part", HEADS[extension])

    found = fate(response)

    assert (found["status"], found["extension"], found["part"]) == ("stored", extension, str(tmp_path / "x.part"))
    assert (found["checksum"], found["size"]) == ("ab" * 32, 64)


@pytest.mark.parametrize("head", [b"", b"<!DOCTYPE html><html>", b'{"error":"no"}', b"\0" * 512])
def test_bytes_that_are_no_picture_are_thrown_away(tmp_path, head):
    response = brought(tmp_path / "x.part", head)

    found = fate(response)

    assert (found["status"], found["error"]) == ("failed", "64 bytes came that are no known media format")
    assert not (tmp_path / "x.part").exists()


def test_what_came_is_written_into_the_item_and_counted(pipeline):
    image = Image(id=7, key=KEY, media_state="wanted")
    result = {"url": FILE, "path": "", "status": "gone", "error": "the CDN answered 404"}

    done = pipeline.item_completed([(True, result)], image, None)

    assert done is image
    assert (image.media_state, image.files) == ("gone", [result])
    assert pipeline.crawler.stats.get_value("civitscrape/files_gone") == 1


@pytest.mark.parametrize("media_type", ["image", "video"])
def test_a_rendition_has_an_address_and_a_part_of_its_own(pipeline, tmp_path, media_type):
    image = Image(id=7, key=KEY, type=media_type, media_state="wanted", rendition="width=450")

    [request] = pipeline.get_media_requests(image, None)

    assert "width=450/" in request.url
    assert request.meta["download_to"] == str(tmp_path / "media" / ".parts" / f"{KEY}@width=450.part")


async def test_a_still_is_not_kept_as_the_rendition_of_a_video(pipeline, tmp_path):
    video = Image(id=7, key=KEY, type="video", media_state="wanted", rendition="width=450")
    [request] = pipeline.get_media_requests(video, None)

    came = brought(tmp_path / "x.part", HEADS[".png"])
    found = await pipeline.media_downloaded(came, request, None, item=video)

    assert found["status"] == "failed"
    assert "still" in found["error"]
    assert not (tmp_path / "x.part").exists()


class Engine:
    """Stands for Scrapy's engine: answers when it is told to, and counts what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.asked = 0
        self.answer = answer
        self.told = asyncio.Event()

    async def download_async(self, _: Any) -> Any:
        self.asked += 1
        await self.told.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def ask(pipeline):
    async def ask(engine: Engine, *images: Image) -> list[asyncio.Task[Any]]:
        pipeline.crawler.engine, pipeline.spiderinfo = engine, SimpleNamespace()
        tasks = [asyncio.create_task(pipeline.process_item(image)) for image in images]
        await asyncio.sleep(0)
        return tasks

    return ask


def two() -> list[Image]:
    return [Image(id=number, key=KEY, media_state="wanted") for number in (7, 8)]


async def test_two_images_of_one_file_fetch_it_once_and_both_know_what_became_of_it(ask):
    engine = Engine(Response(FILE, status=404))

    tasks = await ask(engine, *two())
    engine.told.set()
    done = await asyncio.gather(*tasks)

    assert engine.asked == 1
    assert [(image.id, image.media_state) for image in done] == [(7, "gone"), (8, "gone")]


async def test_what_was_fetched_before_is_not_remembered(ask):
    engine = Engine(Response(FILE, status=404))
    engine.told.set()

    for image in two():
        await asyncio.gather(*await ask(engine, image))

    assert engine.asked == 2


async def test_a_fault_of_the_program_is_told_and_fails_the_file(ask, caplog):
    engine = Engine(RuntimeError("no such thing"))
    engine.told.set()

    done = await asyncio.gather(*await ask(engine, *two()))

    assert [(image.media_state, image.files[0]["error"]) for image in done] == [("failed", "no such thing")] * 2
    assert FILE in caplog.text


async def test_who_waits_for_a_file_may_go_without_harm_to_the_others(ask):
    engine = Engine(Response(FILE, status=404))
    first, second, third = await ask(engine, *two(), Image(id=9, key=KEY, media_state="wanted"))

    second.cancel()
    await asyncio.sleep(0)
    engine.told.set()

    assert [image.media_state for image in await asyncio.gather(first, third)] == ["gone", "gone"]


async def test_who_waits_for_a_file_is_not_left_waiting_when_its_fetch_is_cancelled(ask):
    first, second = await ask(Engine(None), *two())

    first.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(second, timeout=5)
