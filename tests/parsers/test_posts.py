from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import EntryError
from civitscrape.items import Image, Post, Tag
from civitscrape.parsers import posts

USER = {"id": 41207, "username": "lampwright", "deletedAt": None}
DETAIL = {
    "id": 20450077, "nsfw": False, "nsfwLevel": 3, "title": "Night docks & lanterns", "detail": "<p>Renders.</p>",
    "modelVersionId": 1204411, "modelVersion": {"id": 1204411}, "user": USER,
    "publishedAt": "2026-06-11T19:02:44.120Z", "availability": "Public",
    "tags": [{"id": 4, "name": "anime", "isCategory": True}, {"id": 81, "name": "night", "isCategory": False}],
    "collectionId": None,
}  # fmt: skip
IMAGE = {"id": 91230001, "userId": 41207, "url": "9b1d2f4e", "nsfwLevel": 1, "postId": 20450077, "type": "image"}
CARD = {
    "id": 20450077, "nsfwLevel": 3, "title": None, "publishedAt": "2026-06-11T19:02:44.120Z", "modelVersionId": None,
    "collectionId": None, "imageCount": 9, "user": USER, "stats": None, "images": [IMAGE], "cosmetic": None,
}  # fmt: skip
GROUP = {
    "postId": 20450077, "pinned": False, "nsfwLevel": 1, "modelVersionId": 1204411, "user": USER, "imageCount": 9,
    "publishedAt": "2026-06-12T00:00:00.000Z", "images": [IMAGE | {"user": USER, "index": 0}],
}  # fmt: skip


def images(found: list[Any]) -> list[Image]:
    return [one for one in found if isinstance(one, Image)]


def test_a_post_has_its_text_and_its_tags():
    found = posts.from_trpc(DETAIL)

    assert found == [
        Post(
            id=20450077,
            title="Night docks & lanterns",
            creator="lampwright",
            model_version_id=1204411,
            published_at="2026-06-11T19:02:44.120Z",
            level=3,
            detail="<p>Renders.</p>",
            tags=["anime", "night"],
            availability="Public",
        ),
        Tag(id=4, name="anime"),
        Tag(id=81, name="night"),
    ]


@pytest.mark.parametrize("title", [None, ""])
def test_a_title_that_is_empty_is_not_one_that_is_missing(title):
    (post, *_) = posts.from_trpc(DETAIL | {"title": title})

    assert isinstance(post, Post)
    assert post.title == title


def test_a_listed_post_comes_with_images_of_its_creator():
    found = posts.from_listing(CARD)

    assert found[0] == Post(
        id=20450077, creator="lampwright", published_at="2026-06-11T19:02:44.120Z", image_count=9, level=3
    )
    assert [(one.id, one.creator, one.meta_state) for one in images(found)] == [(91230001, "lampwright", "not_asked")]


def test_an_image_of_somebody_else_is_not_put_down_to_the_post_s_creator():
    found = posts.from_listing(CARD | {"images": [IMAGE | {"userId": 9}]})

    assert [one.creator for one in images(found)] == [None]


def test_a_post_of_a_gallery_tells_nothing_that_its_images_alone_say():
    found = posts.from_gallery(GROUP)

    assert found[0] == Post(id=20450077, creator="lampwright", model_version_id=1204411, image_count=9)
    assert [(one.id, one.post_index) for one in images(found)] == [(91230001, 0)]


def test_the_page_of_a_post_brings_the_order_of_its_images():
    found = posts.from_page(DETAIL, [IMAGE | {"index": 1}, IMAGE | {"id": 91230002, "index": 0}])

    assert isinstance(found[0], Post)
    assert [(one.id, one.post_index) for one in images(found)] == [(91230001, 1), (91230002, 0)]


@pytest.mark.parametrize(
    ("read", "entry", "field"),
    [
        (posts.from_trpc, DETAIL | {"id": None}, "id"),
        (posts.from_trpc, DETAIL | {"title": 5}, "title"),
        (posts.from_trpc, DETAIL | {"tags": [{"id": 4}]}, "tags.0.name"),
        (posts.from_listing, CARD | {"imageCount": "nine"}, "imageCount"),
        (posts.from_listing, CARD | {"images": [7]}, "images.0"),
        (posts.from_gallery, GROUP | {"postId": None}, "id"),
        (posts.from_gallery, None, "id"),
    ],
)
def test_a_field_of_another_type_is_named(read, entry, field):
    with pytest.raises(EntryError) as caught:
        read(entry)

    assert caught.value.field == field


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(DETAIL.keys() | CARD.keys() | GROUP.keys())), anything)
def test_a_post_with_anything_in_it_is_read_or_refused(key, value):
    for read, entry in ((posts.from_trpc, DETAIL), (posts.from_listing, CARD), (posts.from_gallery, GROUP)):
        with suppress(EntryError):
            read(entry | {key: value})
        with suppress(EntryError):
            read(value)
