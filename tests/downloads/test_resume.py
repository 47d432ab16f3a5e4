"""Downloads that break off go on where they stopped, in the same run and in a later one."""

from __future__ import annotations

import asyncio
import os
import sys
from errno import EIO, ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from zlib import crc32

import pytest
from aiohttp import web
from scrapy.exceptions import DownloadCancelledError, ResponseDataLossError

from civitscrape.downloads import handler as handler_module
from civitscrape.downloads import journal, space
from civitscrape.downloads import part as part_module
from civitscrape.downloads.part import PartFile
from civitscrape.downloads.ranges import Source
from civitscrape.downloads.response import INSTEAD, RESUMED, FileResponse
from civitscrape.exceptions import ArchiveError, NoRoomError

from .conftest import file_request
from .ranged import BODY, Ranged
from .servers import site, wire

if TYPE_CHECKING:
    from collections.abc import Iterable

HALF = 3_000_000


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def broken(handler: Any, url: str, path: Path, **meta: Any) -> None:
    with pytest.raises(ResponseDataLossError):
        await handler.download_request(file_request(url, path, **meta))


async def test_a_broken_download_keeps_its_part_and_goes_on_in_the_same_run(handler, tmp_path):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        kept = (tmp_path / "a.part").stat().st_size

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert 0 < kept <= HALF
    assert served.asked == [(None, None), (f"bytes={kept}-", '"1f0a"')]
    assert (response.status, response.flags) == (200, [RESUMED])
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert (response.size, response.sha256, response.head) == (len(BODY), sha256(BODY).hexdigest(), BODY[:512])


async def test_a_broken_download_goes_on_in_a_later_run(make_handler, tmp_path):
    served = Ranged(breaks=[HALF, 4_500_000])
    async with site(served.answer) as server:
        for _ in range(2):
            async with make_handler() as handler:
                await broken(handler, server.url, tmp_path / "a.part", download_digests=("crc32",))
        async with make_handler() as handler:
            request = file_request(server.url, tmp_path / "a.part", download_digests=("crc32",))
            response = await handler.download_request(request)

    assert response.sha256 == sha256(BODY).hexdigest()
    assert response.digests["crc32"] == f"{crc32(BODY):08x}"
    assert served.sent <= 1.1 * len(BODY)
    assert handler.crawler.stats.get_value("civitscrape/resumed") == 1


@pytest.mark.parametrize(
    "change",
    [{"etag": '"2b"'}, {"body": BODY + b"more", "etag": '"2b"'}, {"ranges": False}],
    ids=["another tag", "another size", "a server without ranges"],
)
async def test_what_has_changed_starts_again(handler, tmp_path, change):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        for name, value in change.items():
            setattr(served, name, value)

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert (tmp_path / "a.part").read_bytes() == served.body
    assert response.sha256 == sha256(served.body).hexdigest()
    assert response.flags == []


PAGES = {
    "a page": ("text/html; charset=utf-8", b"<!DOCTYPE html><title>Just a moment...</title>"),
    "JSON": ("application/json", b'{"error":"Unauthorized"}'),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("later", [False, True], ids=["the same run", "a later run"])
async def test_a_page_with_status_200_leaves_the_part_to_the_next_try(make_handler, tmp_path, page, later):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        async with make_handler() as handler:
            await broken(handler, server.url, tmp_path / "a.part")
            kept, served.page = (tmp_path / "a.part").stat().st_size, page
            instead = await handler.download_request(file_request(server.url, tmp_path / "a.part"))
            served.page = None
            if not later:
                response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        if later:
            async with make_handler() as handler:
                response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert (instead.status, instead.body, instead.flags) == (200, page[1], [INSTEAD])
    assert served.asked == [(None, None), *[(f"bytes={kept}-", '"1f0a"')] * 2]
    assert (response.flags, response.sha256) == ([RESUMED], sha256(BODY).hexdigest())


async def test_json_that_has_changed_is_no_page_in_place_of_a_file(handler, tmp_path):
    served = Ranged(body=b'{"lanterns": "' + BODY, breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        served.page = PAGES["JSON"]

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert isinstance(response, FileResponse)
    assert (tmp_path / "a.part").read_bytes() == PAGES["JSON"][1]


@pytest.mark.parametrize(
    "lie",
    [
        {"Content-Range": "bytes 0-9/10"},
        {"Content-Range": f"bytes 5-{len(BODY) - 1}/{len(BODY)}"},
        {"Content-Range": "pages 1-2/3"},
        {"Content-Range": ""},
        {"ETag": '"2b"'},
        {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_a_part_is_never_put_together_with_what_does_not_fit(handler, tmp_path, retried, lie):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        served.lie = lie
        with pytest.raises(ResponseDataLossError, match="starts again") as caught:
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        gone = left(tmp_path)

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert isinstance(caught.value, retried)
    assert gone == []
    assert response.sha256 == sha256(BODY).hexdigest()
    assert served.asked[-1] == (None, None)


async def test_a_rest_that_ends_before_the_byte_it_names_is_never_a_whole_file(handler, tmp_path, retried):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        served.withheld = 100
        with pytest.raises(ResponseDataLossError, match=f"was to end at byte {len(BODY)}") as caught:
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        gone, served.withheld = left(tmp_path), 0

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert isinstance(caught.value, retried)
    assert gone == []
    assert response.sha256 == sha256(BODY).hexdigest()


async def test_of_a_file_that_was_announced_too_short_nothing_is_kept(handler, tmp_path):
    served = Ranged(withheld=100)
    async with site(served.answer) as server:
        with pytest.raises(ResponseDataLossError, match="more came than was announced"):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        gone, served.withheld = left(tmp_path), 0

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert gone == []
    assert served.asked == [(None, None)] * 2
    assert response.sha256 == sha256(BODY).hexdigest()


async def test_a_part_that_is_whole_already_is_known_by_416(make_handler, tmp_path):
    served = Ranged()
    async with site(served.answer) as server:
        async with make_handler() as handler:
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        async with make_handler() as handler:
            response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert served.asked[1] == (f"bytes={len(BODY)}-", '"1f0a"')
    assert (response.status, response.sha256) == (200, sha256(BODY).hexdigest())
    assert served.sent == len(BODY)


async def test_what_a_judge_finds_fault_with_is_not_kept_though_every_byte_came(make_handler, tmp_path, retried):
    served, told = Ranged(), []

    def judge(file: BinaryIO, head: bytes) -> str:
        told.append((file.read(), head))
        return "its end is missing"

    async with site(served.answer) as server:
        judged = file_request(server.url, tmp_path / "a.part", download_judge=judge)
        async with make_handler() as handler:
            with pytest.raises(retried, match="its end is missing"):
                await handler.download_request(judged)
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        async with make_handler() as handler:
            with pytest.raises(retried, match="its end is missing"):
                await handler.download_request(judged)

    assert [asked for asked, _ in served.asked] == [None, None, f"bytes={len(BODY)}-"]
    assert told == [(BODY, BODY[:512])] * 2
    assert left(tmp_path) == []


async def test_a_part_longer_than_the_file_starts_again(handler, tmp_path):
    served = Ranged(etag=None, modified="Sat, 01 Aug 2026 00:00:30 GMT", breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        served.body = BODY[:1_000_000]
        with pytest.raises(ResponseDataLossError, match="starts again"):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))

        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert response.sha256 == sha256(BODY[:1_000_000]).hexdigest()


async def test_a_date_serves_where_there_is_no_tag(handler, tmp_path):
    served = Ranged(etag='W/"weak"', modified="Sat, 01 Aug 2026 00:00:30 GMT", breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert served.asked[1][1] == "Sat, 01 Aug 2026 00:00:30 GMT"


async def test_without_tag_or_date_a_part_is_kept_only_for_a_file_whose_hash_is_known(handler, tmp_path):
    served = Ranged(etag=None, breaks=[HALF, HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        nothing = left(tmp_path)
        await broken(handler, server.url, tmp_path / "a.part", download_verified=True)
        response = await handler.download_request(file_request(server.url, tmp_path / "a.part", download_verified=True))

    assert nothing == []
    assert served.asked[2][1] is None
    assert served.asked[2][0] is not None
    assert response.sha256 == sha256(BODY).hexdigest()


async def test_a_little_is_not_kept(handler, tmp_path):
    served = Ranged(breaks=[5000])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")

    assert left(tmp_path) == []


async def test_another_answer_leaves_the_part_for_later(handler, tmp_path):
    served = Ranged(breaks=[HALF])
    busy: list[int] = []

    async def answer(request):
        if busy:
            return web.Response(status=busy.pop())
        return await served.answer(request)

    async with site(answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        busy.append(503)
        refused = await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        response = await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert refused.status == 503
    assert served.asked[-1][0] is not None
    assert response.sha256 == sha256(BODY).hexdigest()


async def test_a_small_file_has_no_journal_and_a_big_one_has_it_until_it_is_moved(handler, tmp_path):
    served = Ranged()
    async with site(served.answer) as server:
        await handler.download_request(file_request(server.url, tmp_path / "big.part"))
        served.body = BODY[:500_000]
        await handler.download_request(file_request(server.url, tmp_path / "small.part"))

    assert left(tmp_path) == ["big.part", "big.part.json", "small.part"]


async def test_a_journal_tells_no_signature(handler, tmp_path):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, f"{server.url}/a.bin?X-Amz-Signature=5ec7e7", tmp_path / "a.part")

    assert "5ec7e7" not in (tmp_path / "a.part.json").read_text()


async def test_a_part_that_another_process_writes_is_left_alone(handler, tmp_path):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        other = PartFile.found(str(tmp_path / "a.part"))
        assert other is not None
        assert other.resume()

        with pytest.raises(ArchiveError, match="is being written by another process"):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        other.finish([BODY[other.size :]])

    assert (tmp_path / "a.part").read_bytes() == BODY


class Failing(PartFile):
    """A part whose second write meets a full disk."""

    writes = 0

    def write(self, chunks: Iterable[bytes]) -> None:
        self.writes += 1
        if self.writes == 2:
            raise OSError(ENOSPC, "No space left on device")
        super().write(chunks)


async def test_what_comes_after_a_write_that_failed_is_not_written_into_its_place(
    handler, make_handler, tmp_path, monkeypatch
):
    served = Ranged()
    async with site(served.answer) as server:
        monkeypatch.setattr(handler_module, "PartFile", Failing)
        with pytest.raises(ArchiveError, match="cannot be written"):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))
        kept = (tmp_path / "a.part").read_bytes()
        monkeypatch.undo()

        async with make_handler() as later:
            response = await later.download_request(file_request(server.url, tmp_path / "a.part"))

    assert 0 < len(kept) < len(BODY)
    assert BODY.startswith(kept)
    assert response.sha256 == sha256(BODY).hexdigest()
    assert served.asked[1][0] == f"bytes={len(kept)}-"


async def test_a_file_that_is_too_large_keeps_nothing(handler, tmp_path):
    served = Ranged(breaks=[HALF])
    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")
        request = file_request(server.url, tmp_path / "a.part", download_maxsize=HALF + 1)
        with pytest.raises(DownloadCancelledError):
            await handler.download_request(request)

    assert left(tmp_path) == []


async def test_a_file_for_which_there_is_no_room_is_not_begun(handler, tmp_path, monkeypatch):
    monkeypatch.setattr(space, "free", lambda _: 71_100_000)
    served = Ranged()
    told = r"a\.part needs 5\.2 MB, and 67\.1 MB are to stay free .*; the disk has 71\.1 MB left; make room"
    async with site(served.answer) as server:
        with pytest.raises(NoRoomError, match=told):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))

    assert left(tmp_path) == []


def test_after_a_restart_of_the_machine_only_what_the_disk_had_is_believed(tmp_path, monkeypatch):
    part = str(tmp_path / "a.part")
    Path(part).write_bytes(BODY)
    journal.write(part, Source(url="http://s3.example/a"), 1000)
    same, told = journal.read(part), bool(journal.boot())

    monkeypatch.setattr(journal, "boot", lambda: "another")
    found = PartFile.found(part)

    assert same is not None
    assert same.safe == (len(BODY) if told else 1000)
    assert found is not None
    assert found.sha256 == sha256(BODY[:1000]).hexdigest()
    assert found.resume()
    found.finish([BODY[1000:]])
    assert Path(part).read_bytes() == BODY


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"synced": "x"}'])
def test_a_journal_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "a.part").write_bytes(b"lanterns")
    (tmp_path / "a.part.json").write_text(text)

    assert PartFile.found(str(tmp_path / "a.part")) is None


async def test_the_disk_is_asked_now_and_then_to_have_a_big_file_for_certain(handler, tmp_path, monkeypatch):
    monkeypatch.setattr(part_module, "SYNC_SECONDS", 0.0)
    monkeypatch.setattr(handler_module, "WRITE_SIZE", 256 * 1024)  # so that there are writes after the first one
    synced: list[int] = []
    sync = PartFile.sync

    def watched(part: PartFile) -> None:
        sync(part)
        synced.append(part._synced)

    monkeypatch.setattr(PartFile, "sync", watched)
    served = Ranged(breaks=[len(BODY) - 1000])

    async with site(served.answer) as server:
        await broken(handler, server.url, tmp_path / "a.part")

    assert synced
    assert all(0 < size < len(BODY) for size in synced)
    monkeypatch.setattr(journal, "boot", lambda: "another")
    entry = journal.read(str(tmp_path / "a.part"))
    assert entry is not None
    unread = 2 * handler_module.READ_SIZE  # what aiohttp has and does not give once the connection is broken
    assert len(BODY) - 1000 - unread <= entry.safe <= len(BODY) - 1000


async def test_a_disk_that_does_not_take_a_big_file_is_said_so(handler, tmp_path, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(EIO, "Input/output error")

    monkeypatch.setattr(part_module, "SYNC_SECONDS", 0.0)
    served = Ranged()
    async with site(served.answer) as server:
        monkeypatch.setattr(os, "fsync", refuse)

        with pytest.raises(ArchiveError, match=r"cannot be written.*Input/output error"):
            await handler.download_request(file_request(server.url, tmp_path / "a.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="a lock of POSIX")
@pytest.mark.parametrize("how", ["broken off", "cancelled"])
async def test_the_part_of_another_process_is_left_alone_however_the_transfer_ends(handler, tmp_path, how):
    import fcntl

    theirs = tmp_path / "a.part"
    head = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 9000000\r\n\r\n'
    with theirs.open("w+b") as other:
        other.write(b"theirs")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        async with wire(head, bytes(5_000_000), then="close" if how == "broken off" else "hang") as url:
            transfer = asyncio.ensure_future(handler.download_request(file_request(url, theirs)))
            if how == "cancelled":
                await asyncio.sleep(0.3)
                transfer.cancel()
            with pytest.raises((ArchiveError, ResponseDataLossError, asyncio.CancelledError)):
                await transfer

    assert theirs.read_bytes() == b"theirs"
