"""What comes again in another format takes the place of what was here: nothing of that is left beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from civitscrape.commands.main import app
from civitscrape.sandbox import Sandbox, pictures
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from civitscrape.sandbox.world import World
    from tests.crawls.archive import Archived

pytestmark = pytest.mark.crawl

AGAIN = {"username": NAME, "redownload": "yes"}
SMALL = {"username": NAME, "quality": "width=96", "posters": "yes"}
BESIDE = "json,tags"


def sight(*formats: str) -> World:
    """Build a world whose creator uploads one format; some of the images have one file."""
    return world(12, videos=2, shared=3, formats=formats, sizes=((160, 120),), video_sizes=((128, 96),))


def unexplained(archive: Archived) -> list[str]:
    """Name the files that no row names and that lie beside none that a row names."""
    named = archive.rows("SELECT path FROM media UNION SELECT path FROM images WHERE path IS NOT NULL")
    known = {row["path"] for row in named}
    known |= {f"{path}.txt" for path in known} | {f"{path.rpartition('.')[0]}.json" for path in known}
    here = {path.relative_to(archive.media).as_posix() for path in archive.media.rglob("*") if path.is_file()}
    return sorted(here - known)


def verify(archive: Archived) -> Any:
    return CliRunner().invoke(app, ["verify", "-s", f"OUTPUT_DIR={archive.folder}"])


async def test_an_original_in_another_format_takes_the_place_of_the_old_one(crawl) -> None:
    with Sandbox(sight("png")).in_thread() as sandbox:
        before = (await crawl(sandbox, "user", AGAIN, SIDECARS=BESIDE)).archive.files()
        sandbox.world = changed = sight("webp")
        crawled = await crawl(sandbox, "user", AGAIN, SIDECARS=BESIDE)

    archive = crawled.archive
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert archive.differences(changed.truth(NAME, 3)) == []
    assert {path.suffix for path in before} == {".png", ".mp4", ".txt"}
    assert {path.suffix for path in archive.files()} == {".webp", ".mp4", ".txt"}
    assert unexplained(archive) == []
    assert {row["replaced"] for row in archive.rows("SELECT replaced FROM media")} == {None}
    assert verify(archive).exit_code == 0


async def test_a_rendition_or_poster_in_another_format_takes_the_place_of_the_old_one(crawl, monkeypatch) -> None:
    drawn = pictures.rendition

    with Sandbox(sight("png")).in_thread() as sandbox:
        await crawl(sandbox, "user", SMALL, SIDECARS=BESIDE)
        monkeypatch.setattr(pictures, "rendition", lambda record, width, **_: drawn(record, width, webp=True))
        sandbox.world = sight("png")  # whose files are drawn anew
        crawled = await crawl(sandbox, "user", AGAIN | SMALL, SIDECARS=BESIDE)

    archive = crawled.archive
    found = archive.rows("SELECT * FROM media WHERE kind = 'poster' OR content_type LIKE 'image%'")
    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert {(row["content_type"], row["path"].rpartition(".")[2]) for row in found} == {("image/webp", "webp")}
    assert {path.suffix for path in archive.files()} == {".webp", ".mp4", ".txt"}
    assert unexplained(archive) == []
    assert verify(archive).exit_code == 0
