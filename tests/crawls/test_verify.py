"""An archive that a crawl made, damaged in every way, is whole again after `verify --mend` and the same crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.commands.main import app
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.worlds import ASK, NAME, world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

ORDERED = "SELECT id, path FROM images WHERE path IS NOT NULL ORDER BY id"


def verify(archive: Archived, *words: str) -> Any:
    return CliRunner().invoke(app, ["verify", *words, "-s", f"OUTPUT_DIR={archive.folder}"])


def stored(archive: Archived) -> list[Path]:
    return [archive.media / row["path"] for row in archive.rows(ORDERED)]


def damage(archive: Archived) -> None:
    """Do to each of some pictures what can happen to one."""
    missing, cut, flipped, moved, naked, nameless, *_ = stored(archive)
    missing.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    flipped.write_bytes(bytes(len(flipped.read_bytes())))
    moved.rename(archive.media / "where is this from.bin")
    naked.with_suffix(".json").unlink()
    nameless.unlink()
    nameless.with_suffix(".json").unlink()
    stray = archive.media / ".parts" / "left.part"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half a file")


async def test_after_mending_and_the_same_crawl_the_archive_equals_the_truth(crawl) -> None:
    sight = world(40)
    truth = sight.truth(NAME, 3)

    with Sandbox(sight).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", ASK)).archive
        whole = verify(archive)
        damage(archive)
        told, mended = verify(archive), verify(archive, "--mend")
        again = await crawl(sandbox, "user", ASK)
    after = verify(archive)

    assert [one.exit_code for one in (whole, told, mended, after)] == [0, 3, 3, 0], after.output
    assert again.outcome == "complete"
    assert again.report["requests"]["media"] == 4
    assert archive.differences(truth) == []
    assert sorted(path.name for path in archive.files() if path.name.endswith(".damaged")) == sorted(
        f"{path.name}.damaged" for path in stored(archive)[1:3]
    )


async def test_what_the_site_no_longer_has_is_kept_aside_and_called_gone(crawl) -> None:
    sight = world(12)

    with Sandbox(sight).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", ASK)).archive
        lost = stored(archive)[0]
        number = int(lost.stem)
        lost.write_bytes(b"half")
        verify(archive, "--mend")
        key = archive.rows("SELECT key FROM images WHERE id = ?", number)[0]["key"]
        sandbox.faults.add({"contains": key, "fault": "status", "status": 404})
        await crawl(sandbox, "user", ASK)

    [media] = archive.rows("SELECT state, path FROM media WHERE key = ?", key)
    assert (media["state"], media["path"]) == ("gone", None)
    assert lost.with_name(f"{lost.name}.damaged").read_bytes() == b"half"


async def test_model_files_are_found_put_back_and_fetched_again(crawl) -> None:
    sight = World.build(seed=7, creators=[CreatorSpec(username=NAME, models=3)])
    ask, key = {"username": NAME, "content": "models,files"}, {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}

    with Sandbox(sight).in_thread() as sandbox:
        archive = (await crawl(sandbox, "user", ask, **key)).archive
        found = archive.rows("SELECT id, path FROM model_files WHERE state = 'stored' ORDER BY id")
        first, second, third = (archive.media / row["path"] for row in found[:3])
        bodies = {path: path.read_bytes() for path in (first, second, third)}
        first.unlink()
        second.write_bytes(b"half")
        third.rename(archive.media / "downloads.bin")
        told, mended = verify(archive), verify(archive, "--mend")
        await crawl(sandbox, "user", ask, **key)
    after = verify(archive)

    assert [one.exit_code for one in (told, mended, after)] == [3, 3, 0], after.output
    assert {path: path.read_bytes() for path in bodies} == bodies
