from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import EntryError
from civitscrape.items import Image, ImageResource, Post, VersionImage
from civitscrape.parsers.images import from_detail

PAGE = json.loads((Path(__file__).parents[1] / "payloads" / "routes" / "page.json").read_text())


@pytest.fixture
def image() -> dict[str, Any]:
    """Return an answer of ``image.get``."""
    found: dict[str, Any] = json.loads(json.dumps(PAGE["image"]))
    return found


@pytest.fixture
def generation() -> dict[str, Any]:
    """Return an answer of ``image.getGenerationData``."""
    found: dict[str, Any] = json.loads(json.dumps(PAGE["generation"]))
    return found


def record(*answers: Any, **options: Any) -> Image:
    found = from_detail(*answers, **options)[0]
    assert isinstance(found, Image)
    return found


def test_an_image_has_what_both_answers_tell(image, generation):
    found = from_detail(image, generation)

    assert found[0] == Image(
        id=98000001,
        key="1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1",
        creator="lampwright",
        post_id=22000001,
        post_index=3,
        width=832,
        height=1216,
        hash=image["hash"],
        level=2,
        created_at="2026-07-02T10:02:44.318Z",
        published_at="2026-07-02T10:15:00.120Z",
        base_model="SDXL 1.0",
        model_version_ids=[2900002, 2900005, 2900009],
        tools=["ComfyUI"],
        techniques=["img2img"],
        prompt="amber lantern on a rainy street",
        negative_prompt="fog",
        sampler="Euler a",
        steps=30,
        cfg_scale=6.5,
        seed=1938345220,
        size="832x1216",
        model="harbour_mix",
        meta=generation["meta"],
        meta_state="visible",
        cry_count=3,
        laugh_count=1,
        like_count=210,
        heart_count=98,
        comment_count=4,
    )
    assert found[1] == Post(id=22000001, creator="lampwright")
    assert found[2:5] == [
        ImageResource(image_id=98000001, position=place, model_version_id=version, name=name, type=kind, weight=weight,
                      source="generation")
        for place, (version, name, kind, weight) in enumerate(
            [
                (2900002, "Harbour Mix", "checkpoint", None),
                (2900009, "Old Paper", "lora", 0.8),
                (2900005, "Rain", "locon", 0.4),
            ]
        )
    ]  # fmt: skip
    assert found[5:] == [
        VersionImage(version_id=one, image_id=98000001, source="detected") for one in (2900002, 2900005, 2900009)
    ]


def test_what_its_creator_hid_is_dropped_whatever_came(image, generation):
    image["hideMeta"] = True

    found = record(image, generation)

    assert (found.meta, found.prompt, found.seed, found.meta_state) == (None, None, None, "hidden")


def test_what_its_creator_hid_leaves_the_resources_that_the_page_shows(image, generation):
    image["hideMeta"] = True

    found = from_detail(image, generation)

    assert [one.name for one in found if isinstance(one, ImageResource)] == ["Harbour Mix", "Old Paper", "Rain"]


@pytest.mark.parametrize(
    ("flags", "meta", "state"),
    [
        ((False, True), {"prompt": "a"}, "visible"),
        ((False, False), None, "absent"),
        ((False, True), None, "absent"),
        ((None, True), None, "unknown"),
        ((None, False), None, "unknown"),
        ((True, False), None, "hidden"),
    ],
)
def test_what_is_known_of_the_generation_data_is_told(image, generation, flags, meta, state):
    image |= dict(zip(("hideMeta", "hasMeta"), flags, strict=True))
    generation["meta"] = meta

    assert record(image, generation).meta_state == state


@pytest.mark.parametrize(
    ("hide", "has", "state"), [(False, True, "not_asked"), (False, False, "absent"), (True, False, "hidden")]
)
def test_an_image_without_the_other_answer_tells_what_it_can(image, hide, has, state):
    image |= {"hideMeta": hide, "hasMeta": has}

    found = record(image, None)

    assert found.meta_state == state
    assert (found.tools, found.techniques, found.model_version_ids, found.base_model) == (None, None, None, None)


def test_generation_data_alone_tell_nothing_of_the_rest(generation):
    found = from_detail(None, generation, image_id=98000001)

    image = found[0]
    assert isinstance(image, Image)
    assert (image.id, image.key, image.creator, image.type) == (98000001, None, None, "image")
    assert (image.meta_state, image.seed) == ("visible", 1938345220)
    assert [one for one in found if isinstance(one, Post)] == []


def test_generation_data_of_a_video_alone_say_that_it_is_one(generation):
    generation["type"] = "video"

    assert record(None, generation, image_id=7).type == "video"


def test_empty_generation_data_alone_leave_open_whether_there_are_any(generation):
    del generation["meta"]

    assert record(None, generation, image_id=7).meta_state == "unknown"


@pytest.mark.parametrize("answers", [(None, None), (None, PAGE["generation"])])
def test_answers_that_do_not_say_of_which_image_are_refused(answers):
    with pytest.raises(EntryError, match="id is"):
        from_detail(*answers)


def test_several_checkpoints_tell_no_base_model(image, generation):
    generation["resources"][1]["modelType"] = "Checkpoint"

    assert record(image, generation).base_model is None


def test_without_resources_of_the_site_those_of_the_tool_are_kept(image, generation):
    generation["resources"] = []

    found = from_detail(image, generation)

    assert [(one.name, one.source) for one in found if isinstance(one, ImageResource)] == [("oldpaper", "resources")]
    assert record(image, generation).model_version_ids == []


def test_an_odd_resource_costs_only_itself(image, generation):
    generation["resources"] = ["odd", {"modelVersionId": "v1"}, {"versionId": 2900009, "strength": {}, "modelName": 7}]

    found = from_detail(image, generation)

    assert [one for one in found if isinstance(one, ImageResource)] == [
        ImageResource(image_id=98000001, position=0, model_version_id=2900009, source="generation")
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("createdAt", 5), ("hideMeta", "no"), ("nsfwLevel", 3), ("user", []), ("metadata", 5)],
)
def test_a_field_of_another_type_is_named_unless_nothing_hangs_on_it(image, generation, field, value):
    image[field] = value

    if field == "metadata":
        assert record(image, generation).width == 832
    else:
        with pytest.raises(EntryError, match=f"98000001: {field} is"):
            from_detail(image, generation)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(PAGE["generation"])), anything)
def test_generation_data_with_anything_in_them_are_read_or_named(key, value):
    with suppress(EntryError):
        from_detail(PAGE["image"], PAGE["generation"] | {key: value})


@given(anything, anything)
def test_anything_is_read_or_refused_but_never_crashes(one, other):
    with suppress(EntryError):
        from_detail(one, other, image_id=7)
