"""What stands beside a file is what the database says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import schema, sidecars
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image, ImageResource, ImageTag, Tag
from tests.archive.asking import key_of, media_of, picture, put, rows

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.database import Archive

META = {"prompt": "港の灯り 🏮", "half \ud83c": ["\udfee", 'quo"te'], "seed": 2**80, "weight": 0.1, "nothing": None}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "media"


def keep(archive: Archive, number: int, **fields: Any) -> None:
    """Put an image into the archive whose file is stored."""
    image = picture(number, path=f"lampwright/{number}.png", **fields)
    fate = {"sha256": "5e" * 32, "size": 2041, "content_type": "image/png"}
    put(archive, image, media_of(image, state="stored", path=image.path, **fate))


def write(archive: Archive, store: Path, *numbers: int) -> int:
    return archive.run_now(sidecars.write, store, numbers)


def read(store: Path, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / f"lampwright/{number}.json").read_text("utf-8"))
    return found


def test_a_sidecar_says_of_an_image_what_the_database_says(archive, store):
    keep(archive, 7, prompt="港の灯り 🏮", meta=META, meta_state="visible", nsfw=False, model_version_ids=[1, 2])

    written = write(archive, store, 7)

    (image,) = rows(archive, Image)
    assert written == 1
    assert read(store, 7)["image"] == {name: getattr(image, name) for name in schema.COLUMNS[Image]}
    assert read(store, 7)["image"]["meta"] == META
    assert read(store, 7)["file"] == {"sha256": "5e" * 32, "size": 2041, "content_type": "image/png"}


def test_a_sidecar_lists_tags_with_their_votes_the_surest_first(archive, store):
    keep(archive, 7)
    put(archive, Tag(id=4, name="harbour"), Tag(id=5, name="dusk 🌆", type="Label"), Tag(id=6, name="elsewhere"))
    put(archive, ImageTag(image_id=7, tag_id=4, score=3), ImageTag(image_id=8, tag_id=6))
    put(archive, ImageTag(image_id=7, tag_id=5, score=12, up_votes=2, down_votes=0, automated=False))

    write(archive, store, 7)

    harbour, dusk = {"id": 4, "name": "harbour", "score": 3}, {"id": 5, "name": "dusk 🌆", "type": "Label"}
    assert read(store, 7)["tags"] == [
        dusk | {"score": 12, "up_votes": 2, "down_votes": 0, "automated": False},
        harbour,
    ]


def test_a_sidecar_lists_resources_in_their_order(archive, store):
    keep(archive, 7)
    names = ["harbour mix", "fog", "lantern glow"]
    resources = [ImageResource(image_id=7, position=position, name=name) for position, name in enumerate(names)]
    put(archive, *reversed(resources), ImageResource(image_id=8, position=0, name="elsewhere"))

    write(archive, store, 7)

    assert [(one["position"], one["name"]) for one in read(store, 7)["resources"]] == list(enumerate(names))


def test_an_image_of_which_nothing_more_is_known_has_a_sidecar_too(archive, store):
    keep(archive, 7)

    write(archive, store, 7)

    assert (read(store, 7)["tags"], read(store, 7)["resources"]) == ([], [])


def test_an_image_without_a_file_has_no_sidecar(archive, store):
    put(archive, picture(7))

    written = write(archive, store, 7)

    assert written == 0
    assert not store.exists()


def test_only_the_images_asked_for_get_one(archive, store):
    keep(archive, 6)
    keep(archive, 7)

    write(archive, store, 7)

    assert [one.name for one in (store / "lampwright").iterdir()] == ["7.json"]


def test_images_with_equal_bytes_have_a_sidecar_each(archive, store):
    keep(archive, 7)
    put(archive, picture(8, key=key_of(7), path="dunewalker/8.png"))

    write(archive, store, 7, 8)

    assert json.loads((store / "dunewalker/8.json").read_bytes())["file"]["size"] == 2041


def test_a_sidecar_that_already_says_so_is_left_alone(archive, store):
    keep(archive, 7, meta=META)
    write(archive, store, 7)
    before = (store / "lampwright/7.json").stat()

    written = write(archive, store, 7)

    after = (store / "lampwright/7.json").stat()
    assert written == 0
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_sidecar_is_written_again_when_the_database_says_more(archive, store):
    keep(archive, 7, like_count=3)
    keep(archive, 8)
    write(archive, store, 7, 8)
    put(archive, picture(7, like_count=4))

    written = write(archive, store, 7, 8)

    assert written == 1
    assert read(store, 7)["image"]["like_count"] == 4


def test_a_sidecar_that_somebody_changed_says_again_what_the_database_says(archive, store):
    keep(archive, 7)
    write(archive, store, 7)
    expected = read(store, 7)
    (store / "lampwright/7.json").write_text("{}")

    write(archive, store, 7)

    assert read(store, 7) == expected
    assert [one.name for one in (store / "lampwright").iterdir()] == ["7.json"]


@pytest.mark.parametrize("path", ["a.b/7.x.png", "a.b/7.png", "lampwright/港 🏮~1b2465d9_7.jpeg"])
def test_a_sidecar_has_the_name_of_its_file(archive, store, path):
    put(archive, picture(7, path=path))

    write(archive, store, 7)

    assert [str(one.relative_to(store)) for one in store.rglob("*.json")] == [f"{path.rpartition('.')[0]}.json"]


def test_many_sidecars_are_written_at_once(archive, store):
    numbers = range(1, 601)
    put(archive, *[picture(number, path=f"lampwright/{number}.png") for number in numbers])

    written = write(archive, store, *numbers)

    assert written == len(list((store / "lampwright").iterdir())) == 600


def test_a_sidecar_that_cannot_be_written_is_said(archive, store):
    keep(archive, 7)
    (store / "lampwright/7.json").mkdir(parents=True)

    with pytest.raises(ArchiveError, match=r"7\.json cannot be written: Is a directory"):
        write(archive, store, 7)


def test_a_folder_that_cannot_be_made_is_said(archive, store):
    keep(archive, 7)
    store.mkdir()
    (store / "lampwright").write_text("a file where a folder must be")

    with pytest.raises(ArchiveError, match=r"7\.json cannot be written: "):
        write(archive, store, 7)
