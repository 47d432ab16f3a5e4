import asyncio
import gzip
import threading
import tracemalloc
from hashlib import sha256
from typing import Any

import psutil
import pytest
from aiohttp import web
from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, NotSupported, ResponseDataLossError

from civitscrape.downloads import handler as handler_module
from civitscrape.downloads.handler import ERROR_SIZE, WRITE_SIZE, DiskDownloadHandler
from civitscrape.downloads.part import PartFile
from civitscrape.downloads.response import FileResponse
from civitscrape.exceptions import ArchiveError

from .conftest import file_request
from .servers import PICTURE, site, wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


async def test_a_file_goes_to_disk_with_its_hash(handler, tmp_path):
    async with site() as server:
        response = await handler.download_request(file_request(f"{server.url}/a.png", tmp_path / "1" / "a.part"))

    assert isinstance(response, FileResponse)
    assert response.path == str(tmp_path / "1" / "a.part")
    assert (tmp_path / "1" / "a.part").read_bytes() == PICTURE
    assert response.size == len(PICTURE)
    assert response.sha256 == sha256(PICTURE).hexdigest()
    assert response.head == PICTURE[:512]
    assert response.body == b""
    assert response.headers["Content-Type"] == b"image/png"


async def test_the_latency_is_noted_for_a_file(handler, tmp_path):
    async with site() as server:
        request = file_request(server.url, tmp_path / "a.part")
        await handler.download_request(request)

    assert request.meta["download_latency"] > 0


async def test_an_empty_file_is_a_file(handler, tmp_path):
    async with wire(HEAD + b"Content-Length: 0\r\n\r\n") as url:
        response = await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert response.size == 0
    assert response.head == b""
    assert (tmp_path / "a.part").read_bytes() == b""


async def test_chunks_are_put_together(handler, tmp_path):
    async with wire(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nlante", b"\r\n3\r\nrns\r\n0\r\n\r\n", then="hang"
    ) as url:
        response = await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert (tmp_path / "a.part").read_bytes() == b"lanterns"
    assert response.sha256 == sha256(b"lanterns").hexdigest()


async def test_a_body_that_only_the_end_of_the_connection_ends_is_stored(handler, tmp_path):
    async with wire(HEAD + b"\r\nlante", b"rns") as url:
        await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert (tmp_path / "a.part").read_bytes() == b"lanterns"


@pytest.mark.parametrize(
    ("pieces", "then"),
    [
        pytest.param([HEAD + b"Content-Length: 9\r\n\r\nlant"], "close", id="fewer bytes than announced"),
        pytest.param([HEAD + b"Content-Length: 9\r\n\r\nlant"], "reset", id="reset"),
        pytest.param([HEAD + b"Content-Length: 4\r\n\r\nl", b"anterns"], "hang", id="more bytes than announced"),
        pytest.param([HEAD + b"Content-Length: 4\r\n\r\nlanterns"], "hang", id="more bytes, in one piece"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nlant\r\n"], "close", id="no last chunk"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nlant\r\n"], "reset", id="chunks, reset"),
        pytest.param([HEAD + b"\r\nlant"], "reset", id="neither length nor chunks, reset"),
        pytest.param([HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nlant"], "close", id="not gzip"),
    ],
)
async def test_a_body_that_is_not_whole_is_retried_and_leaves_nothing(handler, tmp_path, retried, pieces, then):
    async with wire(*pieces, then=then) as url:
        with pytest.raises(retried):
            await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert list(tmp_path.iterdir()) == []


async def test_more_that_comes_while_the_file_is_written_is_seen(handler, tmp_path, monkeypatch, retried):
    connections: list[Any] = []
    store = PartFile.store

    def slowly(part, body):
        store(part, body)
        connections[0].write(b"erns")

    async def answer(request):
        connections.append(request.transport)
        response = web.StreamResponse()
        response.content_length = 4
        await response.prepare(request)
        await response.write(b"lant")
        return response

    monkeypatch.setattr(PartFile, "store", slowly)
    async with site(answer) as server:
        with pytest.raises(retried, match="more came than was announced"):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert list(tmp_path.iterdir()) == []


async def test_a_loss_says_how_much_came(handler, tmp_path):
    async with wire(HEAD + b"Content-Length: 9\r\n\r\nlant") as url:
        with pytest.raises(ResponseDataLossError, match="the body broke off after 4 bytes"):
            await handler.download_request(file_request(url, tmp_path / "a.part"))


async def test_a_server_that_falls_silent_is_given_up(make_handler, tmp_path):
    class Hasty(DiskDownloadHandler):
        idle_timeout = 0.1

    async with make_handler(Hasty) as handler, wire(HEAD + b"Content-Length: 9\r\n\r\nlant", then="hang") as url:
        with pytest.raises(DownloadTimeoutError, match="reading data"):
            await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert list(tmp_path.iterdir()) == []


async def test_a_slow_but_steady_file_may_take_longer_than_the_timeout_for_answers(handler, tmp_path):
    async with wire(HEAD + b"Content-Length: 15\r\n\r\n", *[b"x"] * 15) as url:
        response = await handler.download_request(file_request(url, tmp_path / "a.part", download_timeout=0.05))

    assert response.size == 15


async def test_an_answer_in_memory_has_a_total_timeout(handler):
    async with wire(HEAD + b"Content-Length: 15\r\n\r\n", *[b"x"] * 15) as url:
        with pytest.raises(DownloadTimeoutError, match=r"took longer than 0\.05 seconds"):
            await handler.download_request(Request(url, meta={"download_timeout": 0.05}))


async def test_an_encoded_file_is_decoded(handler, tmp_path):
    packed = gzip.compress(PICTURE)
    length = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with wire(HEAD + length + packed, then="hang") as url:
        response = await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert (tmp_path / "a.part").read_bytes() == PICTURE
    assert response.sha256 == sha256(PICTURE).hexdigest()
    assert "Content-Encoding" not in response.headers


async def test_an_encoding_that_cannot_be_decoded_is_refused(handler, tmp_path, retried):
    async with wire(HEAD + b"Content-Encoding: compress\r\nContent-Length: 1\r\n\r\nx", then="hang") as url:
        with pytest.raises(NotSupported, match="'compress'") as caught:
            await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert not isinstance(caught.value, retried)
    assert list(tmp_path.iterdir()) == []


async def test_a_file_is_asked_for_without_encoding(handler, tmp_path):
    asked = []

    async def answer(request):
        asked.append(request.headers["Accept-Encoding"])
        return web.Response(body=b"x")

    async with site(answer) as server:
        request = file_request(server.url, tmp_path / "a.part")
        request.headers["Accept-Encoding"] = "gzip, br"
        await handler.download_request(request)

    assert asked == ["identity"]


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "found out"])
async def test_a_file_larger_than_allowed_is_cancelled(handler, tmp_path, retried, chunked):
    async def answer(request):
        response = web.StreamResponse()
        if not chunked:
            response.content_length = 4 * WRITE_SIZE
        await response.prepare(request)
        for _ in range(4):
            await response.write(bytes(WRITE_SIZE))
        return response

    async with site(answer) as server:
        with pytest.raises(DownloadCancelledError, match="larger than download max size") as caught:
            await handler.download_request(
                file_request(server.url, tmp_path / "a.part", download_maxsize=2 * WRITE_SIZE)
            )

    assert not isinstance(caught.value, retried)
    assert list(tmp_path.iterdir()) == []


async def test_the_setting_for_answers_in_memory_does_not_limit_files(make_handler, tmp_path):
    async with make_handler(DOWNLOAD_MAXSIZE=1000) as handler, site() as server:
        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        with pytest.raises(DownloadCancelledError):
            await handler.download_request(Request(server.url))

    assert response.size == len(PICTURE)


async def test_a_request_without_a_file_is_answered_in_memory(handler):
    async with site() as server:
        response = await handler.download_request(Request(server.url))

    assert not isinstance(response, FileResponse)
    assert response.body == PICTURE


async def test_an_answer_that_is_not_the_file_is_kept_in_memory(handler, tmp_path):
    async def answer(_):
        return web.json_response({"error": "gone"}, status=404)

    async with site(answer) as server:
        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert response.status == 404
    assert response.json() == {"error": "gone"}
    assert list(tmp_path.iterdir()) == []


async def test_of_a_long_error_page_only_the_beginning_is_kept(handler, tmp_path):
    async def answer(_):
        return web.Response(body=b"e" * (8 * ERROR_SIZE), status=503, headers={"Retry-After": "7"})

    async with site(answer) as server:
        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert response.status == 503
    assert response.headers["Retry-After"] == b"7"
    assert len(response.body) == ERROR_SIZE


async def test_an_error_page_that_breaks_off_keeps_its_status(handler, tmp_path):
    async with wire(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nlant") as url:
        response = await handler.download_request(file_request(url, tmp_path / "a.part"))

    assert response.status == 429
    assert response.body == b"lant"
    assert response.flags == ["dataloss"]


async def test_a_file_that_cannot_be_written_is_not_retried(handler, tmp_path, retried):
    (tmp_path / "file").touch()

    async with site() as server:
        with pytest.raises(ArchiveError, match=r"a\.part cannot be written") as caught:
            await handler.download_request(file_request(server.url, tmp_path / "file" / "a.part"))

    assert not isinstance(caught.value, retried)


async def test_a_cancelled_download_leaves_neither_part_nor_open_file(handler, tmp_path):
    length = b"Content-Length: %d\r\n\r\n" % (4 * WRITE_SIZE)

    async with wire(HEAD + length + bytes(3 * WRITE_SIZE), then="hang") as url:
        download = asyncio.create_task(handler.download_request(file_request(url, tmp_path / "a.part")))
        async with asyncio.timeout(10):
            while not list(tmp_path.iterdir()):  # noqa: ASYNC110  a file that appears sets no event
                await asyncio.sleep(0.01)
        download.cancel()
        with pytest.raises(asyncio.CancelledError):
            await download

    assert list(tmp_path.iterdir()) == []
    assert [file for file in psutil.Process().open_files() if "a.part" in file.path] == []


class Watched(PartFile):
    calls: list[tuple[str, int, int]]

    def write(self, chunks):
        self.calls.append(("write", sum(map(len, chunks)), threading.get_ident()))
        super().write(chunks)

    def finish(self, chunks):
        self.calls.append(("finish", sum(map(len, chunks)), threading.get_ident()))
        super().finish(chunks)

    def store(self, body):
        self.calls.append(("store", len(body), threading.get_ident()))
        super().store(body)


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(Watched, "calls", [], raising=False)
    monkeypatch.setattr(handler_module, "PartFile", Watched)
    return Watched.calls


async def test_a_big_file_passes_through_memory_in_pieces_and_never_blocks_the_loop(handler, tmp_path, watched):
    block = bytes(1024 * 1024)

    async def answer(request):
        response = web.StreamResponse()
        response.content_length = 48 * len(block)
        await response.prepare(request)
        for _ in range(48):
            await response.write(block)
        return response

    tracemalloc.start()
    async with site(answer) as server:
        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert response.size == 48 * len(block)
    assert response.sha256 == sha256(block * 48).hexdigest()
    assert peak < 12 * len(block)
    assert threading.get_ident() not in {thread for _, _, thread in watched}


async def test_connections_are_used_again(handler, tmp_path):
    async with site() as server:
        for number in range(5):
            await handler.download_request(file_request(server.url, tmp_path / f"{number}.part"))
            await handler.download_request(Request(server.url))

    assert len(server.connections) == 1


async def test_the_pool_is_no_second_limit_behind_the_slots(make_handler, tmp_path):
    settings = {"CONCURRENT_REQUESTS": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    together = asyncio.Barrier(5)

    async def answer(_):
        async with asyncio.timeout(10):
            await together.wait()
        return web.Response(body=PICTURE)

    async with make_handler(**settings) as handler, site(answer) as server:
        requests = [file_request(server.url, tmp_path / f"{number}.part") for number in range(5)]
        answers = await asyncio.gather(*map(handler.download_request, requests))

    assert [answer.status for answer in answers] == [200] * 5


async def test_a_proxy_is_used_with_its_credentials(handler, tmp_path):
    seen = []

    async def answer(request):
        seen.append((request.raw_path, request.headers["Proxy-Authorization"]))
        return web.Response(body=b"x")

    async with site(answer) as proxy:
        request = file_request("http://image.example/a.png", tmp_path / "a.part", proxy=proxy.url)
        request.headers["Proxy-Authorization"] = "Basic bmFtZTp3b3Jk"
        await handler.download_request(request)

    assert seen == [("http://image.example/a.png", "Basic bmFtZTp3b3Jk")]
