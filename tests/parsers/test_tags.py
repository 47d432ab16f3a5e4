from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import EntryError
from civitscrape.items import ImageTag, Tag, TagName
from civitscrape.parsers import tags

VOTE = {
    "score": 9, "upVotes": 1, "downVotes": 2, "automated": True, "needsReview": False, "concrete": True,
    "lastUpvote": None, "id": 4, "type": "Label", "nsfwLevel": 1, "name": "anime",
}  # fmt: skip


def test_the_tags_of_a_page_are_shown_and_have_their_votes():
    found = tags.from_votes(7, [VOTE])

    assert found == [
        Tag(id=4, name="anime", type="Label", level=1),
        ImageTag(image_id=7, tag_id=4, score=9, up_votes=1, down_votes=2, automated=True, shown=True),
    ]


def test_a_page_tells_scores_alone_and_names_only_where_they_are_news():
    found = tags.from_page(7, [(4, 9), (5, None)], {5: "1girl"})

    assert found == [
        ImageTag(image_id=7, tag_id=4, score=9, shown=True),
        Tag(id=5, name="1girl"),
        ImageTag(image_id=7, tag_id=5, shown=True),
    ]


def test_an_image_without_tags_has_none():
    assert tags.from_votes(7, []) == []


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (None, "tags"),
        ({"error": "busy"}, "tags"),
        ([VOTE, "anime"], "tags.1"),
        ([VOTE | {"id": None}], "tags.0.id"),
        ([VOTE | {"name": ""}], "tags.0.name"),
        ([VOTE, VOTE | {"upVotes": "many"}], "tags.1.upVotes"),
        ([VOTE | {"automated": "yes"}], "tags.0.automated"),
    ],
)
def test_votes_that_are_none_are_named_with_their_image(answer, field):
    with pytest.raises(EntryError, match=f"entry 7: {field} is") as caught:
        tags.from_votes(7, answer)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": 4, "name": "anime", "type": "Label"}, Tag(id=4, name="anime", type="Label")),
        ({"id": 4, "name": "anime", "nsfwLevel": 4, "isCategory": True}, Tag(id=4, name="anime", level=4)),
        ({"id": 4, "name": "anime", "unfeatured": False, "count": 0}, Tag(id=4, name="anime")),
        ({"id": 4, "name": "anime", "nsfwLevel": 0}, Tag(id=4, name="anime")),
    ],
)
def test_a_tag_of_the_vocabulary_has_its_number(entry, expected):
    assert tags.from_trpc(entry) == expected


@pytest.mark.parametrize("entry", [None, "anime", {"name": "anime"}, {"id": 4}, {"id": 4, "name": 5}])
def test_a_tag_without_a_number_or_a_name_is_refused(entry):
    with pytest.raises(EntryError):
        tags.from_trpc(entry)


def test_a_name_of_the_vocabulary_is_of_no_image():
    entry = {"name": "base model", "link": "https://civitai.com/api/v1/models?tag=base model"}

    assert tags.from_rest(entry) == TagName(name="base model", image_id=0)


@pytest.mark.parametrize("entry", [None, 7, {}, {"name": ""}, {"name": 5}])
def test_a_listing_without_a_name_is_refused(entry):
    with pytest.raises(EntryError, match="name is"):
        tags.from_rest(entry)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(VOTE)), inner, max_size=3),
    max_leaves=8,
)


@given(anything)
def test_anything_is_read_or_refused_but_never_crashes(value):
    for read in (tags.from_trpc, tags.from_rest, lambda one: tags.from_votes(7, one)):
        with suppress(EntryError):
            read(value)
