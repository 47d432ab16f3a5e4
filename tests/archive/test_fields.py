"""What a template may say of an image is what the archive knows of it, whichever route told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import fields, naming
from civitscrape.archive.naming import Unnamed
from civitscrape.items import ImageResource, ImageTag, Model, ModelVersion, Post, PromptTag, Tag, VersionImage
from tests.archive.asking import link_to, picture, put

if TYPE_CHECKING:
    from civitscrape.archive.database import Archive

CHECKPOINT = [Model(id=11, name="Harbour Mix", type="Checkpoint"), ModelVersion(id=21, model_id=11, name="v2.0")]
LORA = [
    Model(id=12, name="Fog", type="LORA", creator="dunewalker"),
    ModelVersion(id=22, model_id=12, name="v1", base_model="Pony"),
]


def resource(version: int | None, kind: str, position: int = 0, name: str | None = None) -> ImageResource:
    return ImageResource(image_id=7, position=position, model_version_id=version, type=kind, name=name)


def ask(archive: Archive, *wanted: str) -> tuple[Any, ...]:
    found = archive.run_now(fields.fields_for, [7], wanted)[7]
    return tuple(found[name] for name in wanted)


def path_of(archive: Archive, template: str) -> str:
    return archive.run_now(naming.name, template, [Unnamed(id=7, extension=".png")])[7]


def test_a_post_tells_its_title_and_date(archive):
    put(archive, picture(7, post_id=3), Post(id=3, title="Lanterns", published_at="2026-05-01T00:00:00.000Z"))

    assert ask(archive, "post_title", "post_published_at") == ("Lanterns", "2026-05-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("ties", "model_version"),
    [
        ([resource(22, "lora"), resource(21, "checkpoint", 1)], "Harbour Mix v2.0"),
        ([resource(22, "lora"), VersionImage(version_id=21, image_id=7, source="showcase")], "Harbour Mix v2.0"),
        ([resource(22, "lora")], "Fog v1"),
        ([VersionImage(version_id=22, image_id=7, source="gallery")], "Fog v1"),
        ([resource(99, "checkpoint"), resource(22, "lora", 1)], "Fog v1"),
        ([resource(99, "checkpoint", 0, "far away")], "far away"),
        ([resource(None, "checkpoint", 0, "mix.safetensors")], "mix"),
        ([], None),
    ],
)
def test_the_version_of_an_image_is_its_checkpoint_or_what_comes_nearest(archive, ties, model_version):
    put(archive, picture(7), *CHECKPOINT, *LORA, *ties)

    assert ask(archive, "model_version") == (model_version,)


def test_the_version_that_a_post_was_posted_to_goes_before_what_it_was_made_with_beside_the_checkpoint(archive):
    put(archive, picture(7, post_id=3), Post(id=3, model_version_id=21), *CHECKPOINT, *LORA, resource(22, "lora"))

    assert ask(archive, "model_name", "version_id", "model_type") == ("Harbour Mix", 21, "Checkpoint")


@pytest.mark.parametrize(
    ("own", "base_model"),
    [(None, "Pony"), ("SDXL 1.0Pony", "Pony"), ("SDXL 1.0", "SDXL 1.0"), ("Flux.1 DFlux.1 D", "Flux.1 D")],
)
def test_of_base_models_that_run_together_it_is_that_of_the_version(archive, own, base_model):
    put(archive, picture(7, base_model=own), *LORA, resource(22, "lora"))

    assert ask(archive, "base_model", "model_creator") == (base_model, "dunewalker")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"type": "video", "level": 4}, ("Videos", "NSFW", "r")),
        ({"level": 2}, ("Images", "SFW", "pg13")),
        ({"level": None, "nsfw": False}, ("Images", "SFW", None)),
        ({"level": None, "nsfw": None}, ("Images", "NSFW", None)),
        ({"level": 0, "nsfw": None}, ("Images", "NSFW", None)),
    ],
)
def test_kind_and_rating_are_words(archive, told, expected):
    put(archive, picture(7, **told))

    assert ask(archive, "kind", "rating", "level_name") == expected


def test_tags_come_from_the_archive(archive):
    put(archive, picture(7), Tag(id=4, name="harbour"), Tag(id=5, name="dusk"))
    put(archive, ImageTag(image_id=7, tag_id=4), ImageTag(image_id=7, tag_id=5))

    assert ask(archive, "tags") == (["harbour", "dusk"],)


def test_an_image_has_all_the_fields_that_there_are_and_no_others_are_asked_for(archive):
    put(archive, picture(7))

    found = archive.run_now(fields.fields_for, [7, 8], ["id"])

    assert found.keys() == {7}
    assert set(fields.KNOWN) <= found[7].keys()


MIX = {"meta": {"Model": "mix", "prompt": "a harbour"}, "model": "mix", "prompt": "a harbour"}
VERSIONED = {"meta": {"civitaiResources": [{"type": "checkpoint", "modelVersionName": "v2.0"}]}, "base_model": "Pony"}
URN = {"meta": {"Model": "urn:air:sdxl:1@2"}, "model": "urn:air:sdxl:1@2", "base_model": "Pony"}


@pytest.mark.parametrize(
    ("target", "told", "path"),
    [
        ("user:lampwright", MIX | {"creator": "LampWright"}, "Username_Search/LampWright/mix/7.png"),
        ("model:11", MIX, "Model_ID_Search/11/mix/7.png"),
        ("version:21", VERSIONED, "Model_Version_ID_Search/21/v2.0/7.png"),
        ("tag:red lantern", MIX, "Model_Tag_Search/red lantern/model_12/mix/7.png"),
        ("post:3", URN, "Post_Search/3/Pony/7.png"),
        ("user:lampwright", {"meta": {"seed": 1}}, "Username_Search/lampwright/invalid_metadata/7.png"),
        ("user:lampwright", {}, "Username_Search/lampwright/no_metadata/7.png"),
        ("user:lampwright", {"type": "video"}, "Username_Search/lampwright/videos/7.png"),
        ("user:lampwright", {"type": "video"} | MIX, "Username_Search/lampwright/mix/7.png"),
    ],
)
def test_files_are_laid_out_as_the_grabber_does(archive, target, told, path):
    image = picture(7, **{"meta_state": "visible", **told})
    put(archive, image, link_to(image, target), *LORA, VersionImage(version_id=22, image_id=7, source="showcase"))

    assert path_of(archive, "grabber") == path


def test_the_grabber_s_layout_can_do_without_sorting(archive):
    image = picture(7, **MIX)
    put(archive, image, link_to(image, "user:lampwright"))

    assert path_of(archive, "grabber-unsorted") == "Username_Search/lampwright/7.png"


def test_words_of_the_prompt_are_a_field_apart_from_the_tags(archive):
    put(archive, picture(7), Tag(id=1, name="harbour"), ImageTag(image_id=7, tag_id=1))
    put(archive, PromptTag(image_id=7, position=1, text="sea"), PromptTag(image_id=7, position=0, text="fog"))

    assert ask(archive, "prompt_tags", "tags") == (["fog", "sea"], ["harbour"])
    assert path_of(archive, "{prompt_tags}/{id}{ext}") == "fog, sea/7.png"


def test_the_target_is_the_one_that_came_first(archive):
    image = picture(7)
    later = link_to(image, "tag:dusk")
    later.first_seen_at = "2026-02-02T00:00:00.000Z"
    put(archive, image, later, link_to(image, "user:lampwright"))

    assert ask(archive, "target_kind", "target") == ("user", "lampwright")


def test_the_rated_preset_sorts_by_kind_rating_and_version(archive):
    put(archive, picture(7, level=8), *CHECKPOINT, resource(21, "checkpoint"))

    assert path_of(archive, "rated") == "Images/NSFW/Harbour Mix v2.0/lampwright/7.png"
