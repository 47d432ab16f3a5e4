"""What stands beside a file is what the database says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import companions, schema, sidecars
from civitscrape.archive.infotext import parameters
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image, ImageResource, ImageTag, PromptTag, Tag
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


def test_words_of_the_prompt_stand_apart_from_the_tags_in_their_order(archive, store):
    keep(archive, 7, prompt="fog, (港:1.2)", meta={"prompt": "fog, (港:1.2)"}, meta_state="visible")
    put(archive, Tag(id=4, name="harbour"), ImageTag(image_id=7, tag_id=4))
    put(
        archive, PromptTag(image_id=7, position=1, text="港", weight=1.2), PromptTag(image_id=7, position=0, text="fog")
    )

    found = write_kinds(archive, store, "json", "tags")

    assert read(store, 7)["prompt_tags"] == [{"text": "fog", "weight": 1.0}, {"text": "港", "weight": 1.2}]
    assert [one["name"] for one in read(store, 7)["tags"]] == ["harbour"]
    assert found["7.png.txt"] == "harbour\n"


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

    assert [read(store, 7)[name] for name in ("tags", "prompt_tags", "resources")] == [[], [], []]


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


GENERATION = {
    "prompt": "a harbour,\ndusk",
    "negative_prompt": "fog",
    "meta": {"prompt": "a harbour,\ndusk", "steps": 30, "cfgScale": 7.0, "Model": "mix", "x": "a, b", "resources": []},
    "meta_state": "visible",
}
KINDS = ("json", "txt", "tags", "meta")


def write_kinds(archive: Archive, store: Path, *kinds: str) -> dict[str, str]:
    archive.run_now(lambda connection: sidecars.write(connection, store, [7], kinds=kinds))
    return {one.name: one.read_text("utf-8") for one in (store / "lampwright").iterdir()} if store.exists() else {}


def tag(archive: Archive, number: int, name: str, **votes: Any) -> None:
    put(archive, Tag(id=number, name=name))
    put(archive, ImageTag(image_id=7, tag_id=number, **votes))


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("txt", "7.txt", 'a harbour,\ndusk\nNegative prompt: fog\nSteps: 30, CFG scale: 7, Model: mix, x: "a, b"\n'),
        ("tags", "7.png.txt", "paper lantern\nred, blue\n"),
        ("caption", "7.txt", "paper lantern, red blue\n"),
        ("caption-prompt", "7.txt", "a harbour, dusk\n"),
        (
            "meta",
            "7_meta.txt",
            "prompt: a harbour,\ndusk\nsteps: 30\ncfgScale: 7.0\nModel: mix\nx: a, b\nresources: []\n",
        ),
    ],
)
def test_each_kind_of_text_has_its_name_and_its_form(archive, store, kind, name, content):
    keep(archive, 7, **GENERATION)
    tag(archive, 4, "red, blue", score=3)
    tag(archive, 5, "paper\nlantern", score=12)
    tag(archive, 6, "umbrella", score=-8, shown=False)

    assert write_kinds(archive, store, kind) == {name: content}


@pytest.mark.parametrize("kind", ["txt", "tags", "caption", "caption-prompt"])
def test_a_text_that_would_be_empty_is_no_file(archive, store, kind):
    keep(archive, 7)

    assert write_kinds(archive, store, kind) == {}


def test_a_caption_of_an_image_without_tags_is_its_prompt(archive, store):
    keep(archive, 7, **GENERATION)

    assert write_kinds(archive, store, "caption") == {"7.txt": "a harbour, dusk\n"}


def test_what_has_no_generation_data_has_its_address_until_it_has_some(archive, store):
    keep(archive, 7)
    before = write_kinds(archive, store, "meta")
    keep(archive, 7, **GENERATION)

    after = write_kinds(archive, store, "meta")

    assert list(before) == ["7_no_meta.txt"]
    assert "URL: https://civitai.com/images/7?username=lampwright\n" in before["7_no_meta.txt"]
    assert list(after) == ["7_meta.txt"]


def test_a_note_of_ones_own_is_not_taken_away(archive, store):
    keep(archive, 7, **GENERATION)
    (store / "lampwright").mkdir(parents=True)
    (store / "lampwright/7_no_meta.txt").write_text("mine")

    assert write_kinds(archive, store, "meta")["7_no_meta.txt"] == "mine"


def test_all_kinds_lie_side_by_side_and_are_known_by_name(archive, store):
    keep(archive, 7, **GENERATION)
    tag(archive, 4, "harbour")

    found = write_kinds(archive, store, *KINDS)

    assert sorted(found) == ["7.json", "7.png.txt", "7.txt", "7_meta.txt"]
    assert {f"lampwright/{name}" for name in found} <= set(companions.texts("lampwright/7.png"))


def test_texts_follow_the_record(archive, store):
    keep(archive, 7, **GENERATION)
    tag(archive, 4, "harbour")
    write_kinds(archive, store, *KINDS)
    tag(archive, 5, "dusk", score=50)

    found = write_kinds(archive, store, *KINDS)

    assert found["7.png.txt"] == "dusk\nharbour\n"
    assert [one["name"] for one in read(store, 7)["tags"]] == ["dusk", "harbour"]


def test_the_names_of_the_grabber_s_checkpoints_stand_first(archive, store):
    keep(archive, 7, meta={"seed": 7}, meta_state="visible", base_model="Pony")

    assert write_kinds(archive, store, "meta") == {"7_meta.txt": "Model: Pony\nseed: 7\n"}


@pytest.mark.parametrize(
    ("meta", "line"),
    [
        ({"Steps": "20", "CFG scale": "7", "Seed": 2**80}, f"Steps: 20, CFG scale: 7, Seed: {2**80}"),
        ({"seed": 5, "clipSkip": 2, "sampler": "Euler a"}, "Sampler: Euler a, Seed: 5, Clip skip: 2"),
        ({"comfy": '{"prompt": {}}', "workflow": {}, "long": "x" * 600, "seed": 1}, "Seed: 1"),
        ({"Version": "f2.0.1", "RNG": "CPU", "seed": 1, "empty": ""}, "Seed: 1, Version: f2.0.1, RNG: CPU"),
    ],
)
def test_values_have_the_names_and_the_order_of_the_web_ui(meta, line):
    assert parameters({"meta": meta}) == line


def test_columns_stand_in_where_the_data_were_read_elsewhere():
    image = {"prompt": "dusk", "meta": None, "steps": 20, "cfg_scale": 6.5, "sampler": "Euler", "size": "512x768"}

    assert parameters(image) == "dusk\nSteps: 20, Sampler: Euler, CFG scale: 6.5, Size: 512x768"


@pytest.mark.parametrize(("meta", "prompt"), [(None, None), ({}, ""), ({"comfy": "{}"}, None)])
def test_nothing_is_said_of_nothing(meta, prompt):
    assert parameters({"prompt": prompt, "meta": meta}) is None
