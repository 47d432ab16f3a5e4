"""Images of showcases: their numbers, their levels, and generation data that their creators hid."""

from __future__ import annotations

import json
from reprlib import repr as shown
from typing import Any

import pytest

from civitscrape.items import Image, ImageResource, VersionImage
from civitscrape.parsers import models, showcases
from tests.parsers import model_entries as entries

SITE = "https://site.example"
WHERE = {"site": SITE, "media_url": entries.MEDIA}


def of(kind: type, found: list[Any]) -> list[Any]:
    return [one for one in found if isinstance(one, kind)]


def image_of(**fields: Any) -> Any:
    return of(Image, models.from_version(entries.by_number(images=[entries.picture(7, **fields)]), **WHERE))[0]


def test_the_images_of_a_listed_model_are_its_creator_s_and_tied_in_order():
    found = models.from_rest(entries.listed(), **WHERE)

    images = of(Image, found)
    assert [(one.id, one.creator, one.level, one.meta_state) for one in images] == [
        (98000001, "lampwright", 1, "not_asked"),
        (98000002, "lampwright", 2, "unknown"),
    ]
    assert of(VersionImage, found) == [
        VersionImage(version_id=2900002, image_id=98000001, position=0, source="showcase"),
        VersionImage(version_id=2900002, image_id=98000002, position=1, source="showcase"),
    ]


def test_generation_data_of_a_showcase_are_kept():
    found = models.from_version(entries.by_number(), **WHERE)

    image = of(Image, found)[0]
    assert (image.prompt, image.seed, image.meta_state) == ("amber lantern", 1938345220, "visible")
    assert image.meta == entries.META
    assert of(ImageResource, found) == [
        ImageResource(image_id=98000001, position=0, name="lantern", type="lora", source="resources")
    ]


@pytest.mark.parametrize("mark", [{"hasMeta": False}, {"hideMeta": True}], ids=str)
def test_generation_data_that_their_creator_hid_are_dropped(mark):
    image = image_of(**({"meta": entries.META} | mark))

    assert (image.meta, image.prompt, image.meta_state) == (None, None, "hidden")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"hasMeta": True}, "not_asked"),
        ({"hasMeta": True, "meta": None}, "not_asked"),
        ({"hasMeta": False}, "unknown"),
        ({"hasMeta": False, "meta": None}, "unknown"),
        ({"hasMeta": None}, "not_asked"),
        ({"hasMeta": None, "meta": None}, "unknown"),
        ({"hasMeta": None, "meta": {"id": 7, "meta": None}}, "unknown"),
        ({"hasMeta": None, "meta": "a lantern"}, "unknown"),
        ({"hasMeta": None, "meta": {"id": 7, "meta": {"prompt": "a lantern"}}}, "visible"),
    ],
    ids=str,
)
def test_what_is_known_of_generation_data_follows_from_what_came(told, state):
    image = image_of(**told)

    assert image.meta_state == state
    assert (image.meta is not None) is (state == "visible")


@pytest.mark.parametrize(
    "entry", [entries.by_number(), entries.listed(modelVersions=[entries.by_number()])], ids=["version", "model"]
)
def test_what_is_kept_of_an_entry_has_no_hidden_generation_data(entry):
    before = json.dumps(entry)

    kept = showcases.keepable(entry)

    images = (kept.get("modelVersions") or [kept])[0]["images"]
    assert [one["meta"] for one in images] == [entries.META, None]
    assert json.dumps(entry) == before
    assert models.from_rest(kept, **WHERE)[0] == models.from_rest(entry, **WHERE)[0]


@pytest.mark.parametrize("entry", [entries.listed(), entries.by_trpc(), {"id": 1}, None, [1], "entry"], ids=shown)
def test_an_entry_with_nothing_hidden_is_kept_as_it_came(entry):
    kept = showcases.keepable(entry)

    assert kept is entry


def test_a_picture_without_a_number_gives_nothing_and_the_places_of_the_others_stay():
    nameless = entries.picture(5, url="https://elsewhere.example/5.jpeg")
    pictures = [nameless, None, entries.picture(6, url=f"{entries.MEDIA}/a/b.jpeg"), entries.picture(7)]

    found = models.from_version(entries.by_number(images=pictures), **WHERE)

    assert of(VersionImage, found) == [VersionImage(version_id=2900002, image_id=7, position=3, source="showcase")]
    assert [one.id for one in of(Image, found)] == [7]


def test_a_mirror_s_addresses_tell_numbers_too():
    address = "https://mirror.example/media/1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1/original=true/7.jpeg"

    found = models.from_version({"id": 1, "images": [{"url": address}]}, site=SITE, media_url="https://mirror.example")

    image = of(Image, found)[0]
    assert (image.id, image.key) == (7, "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1")


@pytest.mark.parametrize(
    ("told", "level", "nsfw"),
    [
        ({"nsfwLevel": 16}, 16, None),
        ({"nsfwLevel": 0}, None, None),
        ({"nsfwLevel": 3}, None, None),
        ({"nsfwLevel": "Mature"}, 4, None),
        ({"nsfwLevel": None, "nsfw": "Soft"}, 2, True),
        ({"nsfwLevel": None, "nsfw": False}, None, False),
        ({"nsfwLevel": None, "nsfw": "Sometimes"}, None, None),
    ],
    ids=str,
)
def test_the_level_of_a_picture_is_read_from_bits_and_old_labels(told, level, nsfw):
    image = image_of(**told)

    assert (image.level, image.nsfw) == (level, nsfw)


@pytest.mark.parametrize(
    "odd", [{"width": "wide"}, {"url": 7, "id": 7}, {"stats": 5}, {"tags": "harbour"}, {"postId": []}], ids=str
)
def test_an_odd_field_of_a_picture_costs_only_itself(odd):
    image = image_of(**odd)

    assert (image.id, image.height) == (7, 1216)
    assert image.width is None or "width" not in odd


def test_a_picture_of_another_account_is_not_the_creator_s():
    entry = entries.by_listing()
    entry["images"][0]["userId"] = 9

    found = models.from_trpc_listing(entry, **WHERE)

    assert of(Image, found)[0].creator is None
