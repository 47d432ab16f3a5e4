from __future__ import annotations

from dataclasses import replace

import pytest

from civitscrape.civitai.pages import Profile
from civitscrape.exceptions import EntryError
from civitscrape.items import Creator
from civitscrape.parsers.creators import from_profile, from_rest

PROFILE = Profile(
    username="LampWright",
    exists=True,
    user={
        "id": 41207,
        "username": "LampWright",
        "image": "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/a/width=96/LampWright.jpeg",
        "profilePicture": {"url": "5b7e0c1d-2f3a-4c5b-8d6e-9f0a1b2c3d4e"},
        "createdAt": "2023-03-12T20:53:46Z",
        "deletedAt": None,
    },
    counts={"modelCount": 2, "imageCount": 120, "videoCount": 3, "postCount": 14, "articleCount": 5},
    counts_level=1,
)


def test_a_profile_becomes_a_creator():
    assert from_profile(PROFILE) == Creator(
        username="LampWright",
        user_id=41207,
        image="https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/a/width=96/LampWright.jpeg",
        model_count=2,
        image_count=120,
        video_count=3,
        post_count=14,
        counts_level=1,
        created_at="2023-03-12T20:53:46.000Z",
    )


def test_counts_that_were_not_announced_cover_no_level():
    creator = from_profile(replace(PROFILE, counts=None))

    assert creator.image_count is None
    assert creator.counts_level is None


def test_a_count_that_is_missing_alone_is_unknown():
    creator = from_profile(replace(PROFILE, counts={"imageCount": 0}))

    assert creator.image_count == 0
    assert creator.post_count is None
    assert creator.counts_level == 1


@pytest.mark.parametrize(
    ("user", "image"),
    [
        ({"image": None, "profilePicture": {"url": "5b7e0c1d"}}, "5b7e0c1d"),
        ({"image": None, "profilePicture": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_avatar_is_whatever_picture_there_is(user, image):
    creator = from_profile(replace(PROFILE, user=user))

    assert creator.image == image


def test_a_deleted_account_tells_when():
    user = {"deletedAt": "2026-01-02T03:04:05.678Z"}

    assert from_profile(replace(PROFILE, user=user)).deleted_at == "2026-01-02T03:04:05.678Z"


def test_nobody_is_made_of_a_user_that_does_not_exist():
    with pytest.raises(EntryError, match="LampWright"):
        from_profile(replace(PROFILE, exists=False, user=None))


@pytest.mark.parametrize(("field", "value"), [("id", "x"), ("image", 5), ("createdAt", "yesterday")])
def test_a_field_of_another_type_is_named(field, value):
    with pytest.raises(EntryError, match=field) as caught:
        from_profile(replace(PROFILE, user={field: value}))

    assert caught.value.field == field


def test_a_creator_of_the_list_has_what_it_tells():
    link = "https://civitai.com/api/v1/models?username=lampwright"
    entry = {"username": "lampwright", "modelCount": 12, "link": link, "image": "https://image.civitai.com/a/b.jpeg"}

    found = from_rest(entry)

    assert found == Creator(
        username="lampwright", image="https://image.civitai.com/a/b.jpeg", link=link, model_count=12
    )


@pytest.mark.parametrize(("entry", "username"), [({"username": "quiet_one"}, "quiet_one"), ({"username": 7}, "7")])
def test_a_creator_without_models_or_avatar_is_one_all_the_same(entry, username):
    assert from_rest(entry) == Creator(username=username)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (None, "username"),
        ({"username": None}, "username"),
        ({"username": []}, "username"),
        ({"username": "a", "modelCount": "many"}, "modelCount"),
        ({"username": "a", "image": 5}, "image"),
    ],
)
def test_an_entry_of_the_list_that_is_none_is_refused(entry, field):
    with pytest.raises(EntryError) as caught:
        from_rest(entry)

    assert caught.value.field == field
