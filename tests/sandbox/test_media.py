from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from civitscrape.sandbox import media
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.media import File, Files, Wish
from civitscrape.sandbox.world import World
from tests.sandbox.conftest import WORLD, Caller

RECORD = next(one for one in WORLD.creators["lampwright"].records if one.format == "png" and not one.deleted)


def original(caller: Caller, key: str, name: str = "x.jpeg") -> str:
    return f"{caller.sandbox.media_url}/{key}/original=true/{name}"


async def test_every_original_is_what_the_truth_says(caller: Caller):
    for told in WORLD.truth("lampwright", 31).images:
        if not told["foreign"]:
            reply = await caller.ask(original(caller, told["key"]))

            assert reply.status == (404 if told["deleted"] else 200)
            if not told["deleted"]:
                assert hashlib.sha256(reply.body).hexdigest() == told["sha256"]
                assert reply.headers["Content-Type"] == told["content_type"]
                assert len(reply.body) == told["size"] == int(reply.headers["Content-Length"])


async def test_the_name_is_cosmetic(caller: Caller):
    one = await caller.ask(original(caller, RECORD.key))
    other = await caller.ask(original(caller, RECORD.key, "anything-at-all.png"))

    assert one.body == other.body
    assert one.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=100-", (100, None)),
        ("bytes=-7", (-7, None)),
        ("bytes=5-999999999", (5, None)),
    ],
)
async def test_a_range_is_a_206_with_its_part(caller: Caller, asked, expected):
    whole = (await caller.ask(original(caller, RECORD.key))).body

    reply = await caller.ask(original(caller, RECORD.key), headers={"Range": asked})

    assert (reply.status, reply.body) == (206, whole[slice(*expected)])
    assert reply.headers["Content-Range"].endswith(f"/{len(whole)}")


async def test_a_range_beyond_the_end_is_416(caller: Caller):
    reply = await caller.ask(original(caller, RECORD.key), headers={"Range": "bytes=999999999-"})

    assert reply.status == 416
    assert reply.headers["Content-Range"].startswith("bytes */")


async def test_a_range_of_another_version_gives_the_whole(caller: Caller):
    whole = await caller.ask(original(caller, RECORD.key))

    same = await caller.ask(
        original(caller, RECORD.key), headers={"Range": "bytes=1-2", "If-Range": whole.headers["ETag"]}
    )
    other = await caller.ask(original(caller, RECORD.key), headers={"Range": "bytes=1-2", "If-Range": '"older"'})

    assert [same.status, other.status] == [206, 200]


async def test_an_unchanged_file_is_304(caller: Caller):
    whole = await caller.ask(original(caller, RECORD.key))

    again = await caller.ask(original(caller, RECORD.key), headers={"If-None-Match": whole.headers["ETag"]})

    assert (again.status, again.body) == (304, b"")


async def test_a_width_is_raised_to_the_ladder_and_never_enlarges(caller: Caller):
    reply = await caller.ask(f"{caller.sandbox.media_url}/{RECORD.key}/width=10/x.jpeg")
    webp = await caller.ask(f"{caller.sandbox.media_url}/{RECORD.key}/width=450,optimized=true/x.jpeg")

    assert media.parse(f"/{media.BUCKET}/k/width=10/x.jpeg") == Wish("k", 96, webp=False, still=False)
    assert [reply.headers["Content-Type"], webp.headers["Content-Type"]] == ["image/jpeg", "image/webp"]
    with Image.open(BytesIO(reply.body)) as picture:
        assert picture.width == RECORD.width


async def test_a_video_has_a_poster(caller: Caller):
    video = next(one for one in WORLD.records.values() if one.type == "video" and not one.deleted)
    params = "anim=false,transcode=true,width=450,original=false,optimized=true"

    poster = await caller.ask(f"{caller.sandbox.media_url}/{video.key}/{params}/x.jpeg")
    film = await caller.ask(f"{caller.sandbox.media_url}/{video.key}/transcode=true,width=450/x.mp4")

    assert [poster.headers["Content-Type"], film.headers["Content-Type"]] == ["image/jpeg", "video/mp4"]


@pytest.mark.parametrize("path", ["nothing", "a/b/c/d/e", "00000000-0000-4000-a000-000000000000/original=true/x.jpeg"])
async def test_an_unknown_key_is_404(caller: Caller, path):
    reply = await caller.ask(f"{caller.sandbox.media_url}/{path}")

    assert reply.status == 404


async def test_the_cdn_may_send_callers_to_its_cache(caller: Caller):
    caller.sandbox.site.quirks.redirect_media = True

    reply = await caller.ask(original(caller, RECORD.key))
    there = await caller.ask(reply.headers["Location"])

    assert reply.status == 302
    assert there.status == 200
    assert there.headers["Content-Type"] == "image/png"


async def test_a_deleted_entry_is_gone_from_the_cdn(caller: Caller):
    caller.sandbox.world = WORLD.without(RECORD.id)

    reply = await caller.ask(original(caller, RECORD.key))

    assert reply.status == 404


def test_files_are_kept_within_their_room():
    files = Files(room=1000)

    for place in range(10):
        files.keep(RECORD, Wish(str(place), None, webp=False, still=False), File(bytes(300), "image/png", ""))

    kept = [place for place in range(10) if files.kept(RECORD, Wish(str(place), None, webp=False, still=False))]
    assert kept == [7, 8, 9]


async def test_another_world_with_the_same_keys_has_its_own_bytes(caller: Caller):
    small = await caller.ask(original(caller, RECORD.key))
    larger = World.build(seed=WORLD.seed, creators=[replace(one, file_size=30_000) for one in WORLD.specs])
    caller.sandbox.world = larger

    large = await caller.ask(original(caller, RECORD.key))

    assert [len(small.body) < 30_000, len(large.body)] == [True, 30_000]


async def test_a_caller_who_hangs_up_disturbs_nobody(caller: Caller, caplog):
    world = World.build(creators=[CreatorSpec(username="a", images=1, file_size=20_000_000)])
    caller.sandbox.world = world
    key = world.creators["a"].records[0].key
    reader, writer = await asyncio.open_connection(caller.sandbox.host, caller.sandbox.port)
    writer.write(f"GET /{media.BUCKET}/{key}/original=true/x.jpeg HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    await reader.read(1000)
    writer.transport.abort()
    await asyncio.sleep(0.2)

    assert caller.sandbox.log.lines[-1].status == 0
    assert not caplog.records
