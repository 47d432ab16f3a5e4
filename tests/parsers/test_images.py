from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from reprlib import repr as shown
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape import items
from civitscrape.exceptions import EntryError
from civitscrape.items import Image, ImageResource, ImageTag, Post, Tag, TagName, VersionImage
from civitscrape.parsers.images import entry_id, from_rest

PAYLOADS = Path(__file__).parents[1] / "payloads" / "images"
NAMES = sorted(path.name.removesuffix(".items.json") for path in PAYLOADS.glob("*.items.json"))

MISSING = object()


def of(kind: type, found: list[Any]) -> list[Any]:
    return [one for one in found if isinstance(one, kind)]


def image_of(entry: Any, **options: Any) -> Image:
    image = from_rest(entry, **options)[0]
    assert isinstance(image, Image)
    return image


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_gives_the_items_beside_it(name):
    entry = json.loads((PAYLOADS / f"{name}.json").read_text())
    expected = [
        getattr(items, kind)(**fields)
        for one in json.loads((PAYLOADS / f"{name}.items.json").read_text())
        for kind, fields in one.items()
    ]

    found = from_rest(entry)

    assert found == expected


def test_reading_an_entry_leaves_it_as_it_was(entry):
    before = json.dumps(entry)

    found = from_rest(entry)

    assert found
    assert json.dumps(entry) == before


def test_an_entry_with_nothing_but_its_id_is_an_image():
    found = from_rest({"id": 7})

    assert found == [Image(id=7)]


@pytest.mark.parametrize("value", [MISSING, None, "", "seven", "7.0", 7.5, 7.0, True, [], {}, 2**63, "9" * 5000])
def test_an_entry_without_a_whole_number_as_id_is_refused(entry, value):
    entry["id"] = value
    if value is MISSING:
        del entry["id"]

    with pytest.raises(EntryError, match="id is") as caught:
        from_rest(entry)

    assert caught.value.field == "id"


@pytest.mark.parametrize("entry", [None, 7, "entry", [], [1]])
def test_what_is_no_object_is_refused(entry):
    with pytest.raises(EntryError, match="an object was expected"):
        from_rest(entry)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", {}),
        ("url", 7),
        ("hash", 7),
        ("width", "wide"),
        ("height", 1.5),
        ("postId", []),
        ("type", "hologram"),
        ("type", 1),
        ("nsfw", 1),
        ("nsfw", "Sometimes"),
        ("browsingLevel", "all"),
        ("createdAt", 1782987242551),
        ("createdAt", "2025-03-19T0829:50.1337521Z"),
        ("createdAt", "0001-01-01T00:00:00+14:00"),
        ("username", ["lampwright"]),
        ("username", True),
        ("baseModel", {"name": "SDXL"}),
        ("modelVersionIds", 5),
        ("modelVersionIds.1", [1, None]),
        ("modelVersionIds.0", ["v1"]),
        ("meta", "a lantern"),
        ("meta", []),
        ("meta", {"id": 1, "meta": "a lantern"}),
        ("stats", 5),
        ("tags", "harbour"),
        ("tags.0", [[]]),
        ("tags.0", [{}]),
        ("tags.0.id", [{"id": "four", "name": "anime"}]),
        ("tags.1.name", [{"id": 4}, {"id": 5, "name": 5}]),
    ],
    ids=shown,
)
def test_a_field_of_another_type_is_named_with_its_entry_and_value(entry, field, value):
    entry[field.partition(".")[0]] = value

    with pytest.raises(EntryError, match="98000001") as caught:
        from_rest(entry)

    assert caught.value.field == field
    assert caught.value.entry_id == 98000001
    assert f"{field} is " in str(caught.value)


@pytest.mark.parametrize("name", ["cryCount", "laughCount", "likeCount", "heartCount", "commentCount"])
@pytest.mark.parametrize("value", ["many", "12", 1.5, True, {}, 2**64])
def test_a_counter_that_is_no_number_is_named(entry, name, value):
    entry["stats"][name] = value

    with pytest.raises(EntryError, match=rf"stats\.{name} is") as caught:
        from_rest(entry)

    assert caught.value.field == f"stats.{name}"


@pytest.mark.parametrize("stats", [MISSING, None, {}, {"likeCount": None}])
def test_counters_that_are_not_there_are_unknown_and_not_zero(entry, stats):
    entry["stats"] = stats
    if stats is MISSING:
        del entry["stats"]

    image = image_of(entry)

    assert image.like_count is None
    assert image.comment_count is None


def test_a_counter_of_zero_is_zero(entry):
    entry["stats"]["cryCount"] = 0

    assert image_of(entry).cry_count == 0


@pytest.mark.parametrize(
    ("browsing_level", "nsfw_level", "level"),
    [
        (1, "None", 1),
        (2, "Soft", 2),
        (4, "Mature", 4),
        (8, "X", 8),
        (16, "X", 16),
        (32, "Blocked", 32),
        (0, "None", None),
        (None, "None", 1),
        (None, "Soft", 2),
        (None, "Mature", 4),
        (None, "X", 8),
        (None, "Blocked", 32),
        (None, 16, 16),
        (None, 0, None),
        (None, None, None),
        (3, "Soft", 2),
        ("2", "None", 2),
        (8, "A label of tomorrow", 8),
    ],
)
def test_the_level_is_the_bit_or_else_the_label(entry, browsing_level, nsfw_level, level):
    entry |= {"browsingLevel": browsing_level, "nsfwLevel": nsfw_level}

    assert image_of(entry).level == level


@pytest.mark.parametrize(
    ("browsing_level", "nsfw_level"), [(None, "Tepid"), (None, 3), (None, True), (None, {}), (3, None)]
)
def test_a_level_that_nothing_explains_is_refused(entry, browsing_level, nsfw_level):
    entry |= {"browsingLevel": browsing_level, "nsfwLevel": nsfw_level, "nsfw": False}

    with pytest.raises(EntryError, match="rating bit"):
        from_rest(entry)


@pytest.mark.parametrize(
    ("username", "creator"), [("lampwright", "lampwright"), (7, "7"), ("unknown", None), (None, None)]
)
def test_the_creator_is_a_name_or_nobody(entry, username, creator):
    entry["username"] = username

    found = from_rest(entry)

    assert [one.creator for one in of(Image, found) + of(Post, found)] == [creator, creator]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://image.civitai.com/a/width=450/a.jpeg", "image"),
        ("https://image.civitai.com/a/width=450/a.MP4?x=.png", "video"),
        ("https://image.civitai.com/a/width=450/a.webm", "video"),
        ("https://image.civitai.com/a/width=450/a.mp3", "audio"),
        ("https://image.civitai.com/a/width=450/a.wav", "audio"),
        ("http://[broken/a.mp4", "image"),
        (None, "image"),
    ],
)
def test_an_old_entry_without_a_type_has_that_of_its_extension(entry, url, expected):
    del entry["type"]
    entry["url"] = url

    assert image_of(entry).type == expected


def test_the_type_told_wins_over_the_extension(entry):
    entry["type"] = "video"

    assert image_of(entry).type == "video"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-02T10:15:00.120Z", "2026-07-02T10:15:00.120Z"),
        ("2026-07-02T10:15:00Z", "2026-07-02T10:15:00.000Z"),
        ("2026-07-02T12:15:00.120456+02:00", "2026-07-02T10:15:00.120Z"),
        ("2026-07-02 10:15:00", "2026-07-02T10:15:00.000Z"),
        ("2026-07-02", "2026-07-02T00:00:00.000Z"),
        (None, None),
    ],
)
def test_times_come_out_in_one_form(entry, text, expected):
    entry["createdAt"] = text

    assert image_of(entry).created_at == expected


def test_a_listing_tells_no_publication(entry):
    assert image_of(entry).published_at is None


@pytest.mark.parametrize(
    ("meta", "meta_asked", "state"),
    [
        ({"prompt": "a lantern"}, True, "visible"),
        ({"prompt": "a lantern"}, False, "visible"),
        ({}, True, "visible"),
        (None, True, "unknown"),
        (None, False, "not_asked"),
        (MISSING, True, "unknown"),
        (MISSING, False, "not_asked"),
        ({"id": 98000001, "meta": None}, True, "unknown"),
        ({"id": 98000001, "meta": None}, False, "unknown"),
        ({"id": 98000001, "meta": {"prompt": "a lantern"}}, True, "visible"),
    ],
)
def test_what_is_known_of_the_generation_data_is_told(entry, meta, meta_asked, state):
    entry["meta"] = meta
    if meta is MISSING:
        del entry["meta"]

    image = image_of(entry, meta_asked=meta_asked)

    assert image.meta_state == state
    assert (image.meta is not None) == (state == "visible")


def test_a_foreign_address_is_its_own_key(entry):
    entry["url"] = "https://elsewhere.example/harbour.png"

    assert image_of(entry).key == "https://elsewhere.example/harbour.png"


def test_an_address_of_the_configured_cdn_is_not_foreign(entry):
    entry["url"] = "https://mirror.example/cdn/harbour-7/original=true/harbour-7.jpeg"

    assert image_of(entry, media_url="https://mirror.example/cdn").key == "harbour-7"


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_base_model_is_none(entry, value):
    entry["baseModel"] = value

    assert image_of(entry).base_model is None


def test_the_legacy_route_s_base_model_is_the_name_of_a_group_and_is_left_out(entry):
    entry["baseModel"] = "SDXL"

    assert image_of(entry, legacy=True).base_model is None
    assert image_of(entry).base_model == "SDXL"


def test_versions_come_in_one_order_whatever_the_route_s(entry):
    entry["modelVersionIds"] = [9, 4, 9, 7]

    assert image_of(entry).model_version_ids == [4, 7, 9]


def test_tags_with_and_without_numbers_are_kept_once(entry):
    entry["tags"] = [{"id": 4, "name": "anime"}, "dusk", {"name": "dusk"}, {"id": "4", "name": "anime"}, 9, {"id": 11}]

    found = from_rest(entry)

    assert of(Tag, found) == [Tag(id=4, name="anime")]
    assert [one.tag_id for one in of(ImageTag, found)] == [4, 9, 11]
    assert of(TagName, found) == [TagName(name="dusk", image_id=98000001)]
    assert of(Image, found)[0].tags == ["anime", "dusk"]


def test_detected_versions_are_resources_only_where_no_list_names_any(entry):
    del entry["meta"]["civitaiResources"]
    entry["meta"]["prompt"] = "a lantern <lora:oldpaper:0.5>"

    found = from_rest(entry)

    assert of(ImageResource, found) == [
        ImageResource(image_id=98000001, position=0, model_version_id=2900002, source="detected"),
        ImageResource(image_id=98000001, position=1, model_version_id=2900003, source="detected"),
    ]


def test_each_detected_version_is_linked_once(entry):
    entry["modelVersionIds"] = [5, "6", 5]

    found = from_rest(entry)

    assert of(VersionImage, found) == [
        VersionImage(version_id=5, image_id=98000001, source="detected"),
        VersionImage(version_id=6, image_id=98000001, source="detected"),
    ]


def test_a_text_cut_through_a_character_can_be_stored(entry):
    entry["meta"]["prompt"] = "a lantern \ud83c"
    entry["tags"] = [{"id": 4, "name": "a\0b"}]

    image = image_of(entry)

    assert image.prompt == "a lantern \ufffd"
    assert image.tags == ["a\ufffdb"]


def test_the_error_does_not_repeat_an_endless_value(entry):
    entry["url"] = {"x": "y" * 100_000}

    with pytest.raises(EntryError) as caught:
        from_rest(entry)

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": 7, "url": 5}, 7),
        ({"id": "7"}, 7),
        ({"id": "", "meta": {"id": 8}}, 8),
        ({"id": True}, None),
        ({"id": 2**63}, None),
        ({"id": "9" * 5000}, None),
        ({"meta": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_id_of_a_refused_entry_is_told_as_well_as_it_can_be(entry, expected):
    assert entry_id(entry) == expected


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted(json.loads((PAYLOADS / "flat-2026.json").read_text()))


@given(st.sampled_from(KEYS), anything)
def test_a_field_with_anything_in_it_is_read_or_named(key, value):
    entry = json.loads((PAYLOADS / "flat-2026.json").read_text()) | {key: value}

    with suppress(EntryError):
        from_rest(entry)


@given(anything | st.dictionaries(st.sampled_from(KEYS), anything))
def test_anything_is_read_or_refused_but_never_crashes(value):
    with suppress(EntryError):
        from_rest(value)
    entry_id(value)
