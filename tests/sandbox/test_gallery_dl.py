"""A released gallery-dl, unmodified, archives the sandbox under the site's own names: the sandbox is like the site."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from civitscrape.items import Level
from civitscrape.sandbox import pictures
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.content_truth import collection_truth, post_truth, posts_truth, votes_truth
from civitscrape.sandbox.proxy import Proxy
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from civitscrape.sandbox.records import Record

pytestmark = pytest.mark.skipif(
    find_spec("gallery_dl") is None, reason="gallery-dl is not installed; `uv sync` installs the development tools"
)

SITE = "https://civitai.red"
WORLD = World.build(
    seed=3,
    creators=[
        CreatorSpec(username="lampwright", images=130, videos=5, deleted=2, ghosts=4, minors=1, hidden=3, models=3),
        CreatorSpec(username="harbourmaster", images=24, videos=1),
    ],
)


class Left(NamedTuple):
    """What a run left behind."""

    hashes: list[str]
    """SHA-256 of each file."""
    notes: dict[int, Any]
    """Metadata that was written beside it, by image."""
    said: str


async def run(
    folder: Path, *paths: str, options: tuple[str, ...] = (), keyed: bool = True, quirks: Quirks | None = None
) -> Left:
    command = [sys.executable, "-m", "gallery_dl", "--config-ignore", "-D", str(folder / "files"), "--write-metadata"]
    command += ["-o", "sleep-request=0", "-o", "retries=0", "-o", "sort=Oldest", "-f", "{file[id]}.{extension}"]
    command += ["-o", "api-key=sandbox-key"] if keyed else []
    for option in options:
        command += ["-o", option]
    async with Sandbox(WORLD, quirks=quirks) as sandbox, Proxy(sandbox, folder / "ca.pem") as proxy:
        process = await asyncio.create_subprocess_exec(
            *command,
            *(SITE + path for path in paths),
            env={**os.environ, **proxy.environment()},
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        _, said = await process.communicate()
        assert proxy.refused == []
    files = sorted((folder / "files").iterdir())
    notes = [json.loads(one.read_text("utf-8")) for one in files if one.suffix == ".json"]
    return Left(
        hashes=sorted(hashlib.sha256(one.read_bytes()).hexdigest() for one in files if one.suffix != ".json"),
        notes={one["file"]["id"]: one for one in notes},
        said=said.decode(),
    )


def hashes(records: Iterable[Record]) -> list[str]:
    return sorted(hashlib.sha256(pictures.original(one)).hexdigest() for one in records if not one.deleted)


def of(ids: Iterable[int]) -> list[Record]:
    return [WORLD.records[one] for one in ids]


@pytest.mark.parametrize(("keyed", "mask"), [(True, 31), (False, 1)])
async def test_it_archives_a_creators_images_and_videos(tmp_path: Path, keyed, mask):
    left = await run(tmp_path, "/user/lampwright", keyed=keyed)

    told = WORLD.truth("lampwright", mask, red=True)
    assert left.hashes == sorted(one["sha256"] for one in told.stored), left.said
    assert left.said.count("404 Not Found") >= len(told.gone)


async def test_it_archives_a_post(tmp_path: Path):
    post = max(WORLD.posts.values(), key=lambda one: (len(one.images), one.id))

    left = await run(tmp_path, f"/posts/{post.id}")

    told = post_truth(WORLD, post.id)
    assert left.hashes == hashes(of(told["images"])), left.said
    assert {one["post"]["title"] for one in left.notes.values()} == {told["title"]}


async def test_it_archives_all_posts_of_a_creator(tmp_path: Path):
    left = await run(tmp_path, "/user/harbourmaster/posts", options=("sort=Newest",))

    told = posts_truth(WORLD, "harbourmaster")
    assert left.hashes == hashes(of(number for post in told for number in post["images"])), left.said


async def test_it_archives_the_showcases_of_a_model(tmp_path: Path):
    model = next(one for one in WORLD.creators["lampwright"].models if len(one.visible_versions) > 1)

    left = await run(tmp_path, f"/models/{model.id}")

    shown = [one for version in model.visible_versions for one in WORLD.showcases.get(version.id, ())[:20]]
    assert shown
    assert left.hashes == hashes(shown), left.said


async def test_it_archives_a_collection_of_images(tmp_path: Path):
    found = next(one for one in WORLD.collections.values() if one.type == "Image" and one.read == "Unlisted")

    left = await run(tmp_path, f"/collections/{found.id}")

    told = collection_truth(WORLD, found.id)
    assert told
    assert len({one.username for one in of(told["entries"])}) > 1
    assert left.hashes == hashes(of(told["entries"])), left.said
    assert {one["collection"]["name"] for one in left.notes.values()} == {found.name}


async def test_it_archives_a_collection_of_posts(tmp_path: Path):
    found = next(one for one in WORLD.collections.values() if one.type == "Post")

    left = await run(tmp_path, f"/collections/{found.id}", options=("sort=Newest",))

    told = collection_truth(WORLD, found.id)
    assert told
    images = [number for post in told["entries"] for number in post_truth(WORLD, post)["images"]]
    assert left.hashes == hashes(of(images)), left.said


@pytest.mark.parametrize("devalue", ["never", "always"])
async def test_it_archives_one_image_with_all_that_is_known_of_it(tmp_path: Path, devalue):
    record = next(
        one
        for one in WORLD.records.values()
        if one.level == Level.X and one.shape == "flat" and one.listed and not one.deleted
    )

    left = await run(
        tmp_path, f"/images/{record.id}", options=("metadata=generation,tags,post",), quirks=Quirks(devalue=devalue)
    )

    note = left.notes[record.id]
    assert left.hashes == hashes([record]), left.said
    assert note["post"]["id"] == record.post_id
    assert note["generation"]["meta"]["Model"]
    shown = {one["name"]: one["score"] for one in votes_truth(WORLD, record.id) if one["shown"]}
    assert {one["name"]: one["score"] for one in note["tags"]} == shown
