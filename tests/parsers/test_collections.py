from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import EntryError
from civitscrape.items import Collection, CollectionEntry, Tag
from civitscrape.parsers import collections

USER = {"id": 550012, "username": "lampwright"}
DETAIL = {
    "id": 7200, "name": "Harbour prize", "description": "<p>Slowly.</p>", "read": "Public", "write": "Review",
    "type": "Image", "nsfw": False, "nsfwLevel": 3, "image": None, "mode": "Contest", "metadata": {}, "userId": 550012,
    "availability": "Public", "tags": [{"id": 88001, "name": "first round", "filterableOnly": False}], "user": USER,
}  # fmt: skip
CARD = {
    "id": 7200, "name": "Lanterns", "read": "Public", "type": None, "userId": 550012, "user": USER, "nsfwLevel": 0,
    "mode": None, "createdAt": "2026-06-11T19:02:44.120Z", "_count": {"items": 42, "contributors": 1}, "images": [],
}  # fmt: skip
REST = {
    "id": 7200, "name": "Lanterns", "description": None, "type": "Model", "nsfwLevel": 1, "read": "Public",
    "isPublic": True, "itemCount": 42, "coverImageUrl": None, "user": USER,
}  # fmt: skip
PLACE = {"id": 5, "status": "ACCEPTED", "type": "image", "data": {"id": 91230001}}


def test_a_collection_has_its_rules_and_its_tags():
    assert collections.from_trpc(DETAIL) == [
        Collection(
            id=7200,
            name="Harbour prize",
            type="Image",
            creator="lampwright",
            description="<p>Slowly.</p>",
            read="Public",
            mode="Contest",
            level=3,
            tags=["first round"],
        ),
        Tag(id=88001, name="first round"),
    ]


def test_a_listed_collection_says_how_much_is_in_it():
    assert collections.from_trpc(CARD) == [
        Collection(id=7200, name="Lanterns", creator="lampwright", read="Public", item_count=42)
    ]


def test_the_rest_api_says_the_same_under_other_names():
    assert collections.from_rest(REST) == [
        Collection(id=7200, name="Lanterns", type="Model", creator="lampwright", read="Public", level=1, item_count=42)
    ]


@pytest.mark.parametrize("kind", ["image", "Post", "model"])
def test_a_place_in_a_collection_names_its_entry(kind):
    found = collections.place(PLACE | {"type": kind}, collection_id=7200, position=3)

    assert found == CollectionEntry(collection_id=7200, position=3, entry_kind=kind.lower(), entry_id=91230001)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (None, "id"),
        (PLACE | {"type": None}, "type"),
        (PLACE | {"type": "hologram"}, "type"),
        (PLACE | {"data": None}, "data.id"),
        (PLACE | {"data": {"id": "first"}}, "data.id"),
    ],
)
def test_a_place_that_does_not_say_of_what_is_refused(item, field):
    with pytest.raises(EntryError) as caught:
        collections.place(item, collection_id=7200, position=3)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({}, "id"),
        (DETAIL | {"name": 5}, "name"),
        (DETAIL | {"user": 5}, "user"),
        (DETAIL | {"tags": [{"id": 4}]}, "tags.0.name"),
        (CARD | {"_count": {"items": "many"}}, "itemCount"),
    ],
)
def test_a_field_of_another_type_is_named(entry, field):
    with pytest.raises(EntryError) as caught:
        collections.from_trpc(entry)

    assert caught.value.field == field


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(DETAIL.keys() | CARD.keys() | REST.keys())), anything)
def test_a_collection_with_anything_in_it_is_read_or_refused(key, value):
    for read, entry in ((collections.from_trpc, DETAIL), (collections.from_rest, REST)):
        with suppress(EntryError):
            read(entry | {key: value})
        with suppress(EntryError):
            read(value)
    with suppress(EntryError):
        collections.place(value, collection_id=7200, position=0)
