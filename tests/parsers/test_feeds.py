from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import EntryError
from civitscrape.items import Image, ImageResource, ImageTag, Post, Tag, VersionImage
from civitscrape.parsers.feeds import from_cover, from_feed

PAYLOADS = Path(__file__).parents[1] / "payloads" / "routes"
AT = "2026-11-20T18:30:00.000Z"
KEY = "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1"
MISSING = object()


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


@pytest.fixture
def index() -> dict[str, Any]:
    """Return an entry of the index, with tags, votes and generation data."""
    found: dict[str, Any] = payload("index")
    return found


@pytest.fixture
def database() -> dict[str, Any]:
    """Return the same image as an entry of the database."""
    found: dict[str, Any] = payload("database")
    return found


def of(kind: type, found: list[Any]) -> list[Any]:
    return [one for one in found if isinstance(one, kind)]


def image_of(entry: Any, **options: Any) -> Image:
    image = from_feed(entry, at=AT, **options)[0]
    assert isinstance(image, Image)
    return image


def put(entry: dict[str, Any], name: str, value: Any) -> None:
    entry[name] = value
    if value is MISSING:
        del entry[name]


def test_an_entry_of_the_index_gives_all_it_tells(index):
    found = from_feed(index, at=AT)

    assert found[0] == Image(
        id=98000001,
        key=KEY,
        creator="lampwright",
        post_id=22000001,
        post_index=3,
        width=832,
        height=1216,
        hash=index["hash"],
        level=2,
        created_at="2026-07-02T10:15:00.120Z",
        published_at="2026-07-02T10:15:00.120Z",
        base_model="SDXL 1.0",
        model_version_ids=[2900002, 2900005, 2900009],
        prompt="amber lantern on a rainy street",
        negative_prompt="fog",
        sampler="Euler a",
        steps=30,
        cfg_scale=6.5,
        seed=1938345220,
        size="832x1216",
        model="harbour_mix",
        meta=index["meta"],
        meta_state="visible",
        cry_count=3,
        laugh_count=1,
        like_count=210,
        heart_count=98,
        comment_count=4,
        votes_at=AT,
        tags=["anime", "harbor", "solo", "night"],
    )
    assert found[1] == Post(id=22000001, creator="lampwright", model_version_id=2900002)
    assert of(ImageResource, found) == [
        ImageResource(
            image_id=98000001,
            position=0,
            name="oldpaper",
            type="lora",
            weight=0.8,
            hash="3f9a0b7c3f",
            source="resources",
        )
    ]
    assert [one.version_id for one in of(VersionImage, found)] == [2900002, 2900005, 2900009]


def test_the_database_tells_when_it_was_made_and_no_base_model_of_its_own(database):
    image = image_of(database)

    assert image.created_at == "2026-07-02T10:02:44.318Z"
    assert image.published_at == "2026-07-02T10:15:00.120Z"
    assert image.base_model is None
    assert image.model_version_ids == [2900002, 2900005, 2900009]
    assert image.meta == database["meta"]["meta"]


def test_the_database_that_was_not_asked_for_versions_knows_nothing_of_them(database):
    database["modelVersionIds"] = []

    assert image_of(database).model_version_ids is None


def test_the_index_that_knows_of_no_version_says_so(index):
    index |= {"modelVersionIds": [], "modelVersionIdsManual": []}

    assert image_of(index).model_version_ids == []


def test_tags_come_with_votes_and_whether_the_page_of_the_image_shows_them(index):
    found = from_feed(index, at=AT)

    assert of(Tag, found)[3] == Tag(id=81, name="night", type="UserGenerated", level=1)
    assert of(ImageTag, found) == [
        ImageTag(image_id=98000001, tag_id=4, score=9, up_votes=1, down_votes=0, automated=True, shown=True),
        ImageTag(image_id=98000001, tag_id=5133, score=8, up_votes=0, down_votes=0, automated=True, shown=False),
        ImageTag(image_id=98000001, tag_id=5262, score=7, up_votes=0, down_votes=1, automated=True, shown=True),
        ImageTag(image_id=98000001, tag_id=81, score=3, up_votes=3, down_votes=0, automated=False, shown=True),
        ImageTag(image_id=98000001, tag_id=234268),
    ]


def test_numbers_of_tags_alone_are_tags_of_the_image_without_votes(database):
    found = from_feed(database, at=AT)

    assert [one.tag_id for one in of(ImageTag, found)] == [4, 5133, 5262, 81, 234268]
    assert of(Tag, found) == []
    assert image_of(database).votes_at is None


def test_votes_have_the_time_of_their_asking(index):
    image = from_feed(index)[0]

    assert isinstance(image, Image)
    assert image.votes_at is not None
    assert image.votes_at > AT


def test_the_newer_detector_does_without_the_older_but_not_in_everything(index):
    index["tags"] = [
        {"id": place, "name": name, "type": kind, "source": source, "score": 9, "concrete": place != 7}
        for place, (name, kind, source) in enumerate(
            [
                ("woman", "Label", "Rekognition"),
                ("harbor", "Label", "Rekognition"),
                ("gun", "Moderation", "Rekognition"),
                ("harbor2", "Label", "User"),
                ("solo", "Label", "WD14"),
                ("dusk", "Label", "Computed"),
                ("vague", "Label", "WD14"),
            ],
            start=1,
        )
    ]
    index["tagIds"] = []

    found = of(ImageTag, from_feed(index))

    assert [one.shown for one in found] == [True, False, True, True, True, True, False]


def test_without_the_newer_detector_the_older_is_shown(index):
    index["tags"] = [one for one in index["tags"] if one["source"] != "WD14"]

    found = of(ImageTag, from_feed(index))

    assert [one.shown for one in found if one.score is not None] == [True, True, True]


def test_a_page_shows_the_hundred_best_tags_at_most(index):
    index["tags"] = [
        {"id": number, "name": f"tag {number}", "source": "WD14", "score": number % 3} for number in range(1, 121)
    ]
    index["tagIds"] = []

    shown = {one.tag_id for one in of(ImageTag, from_feed(index)) if one.shown}

    assert len(shown) == 100
    assert set(range(1, 121)) - shown == {one for one in range(60, 121) if one % 3 == 0 and one > 60}


@pytest.mark.parametrize(
    ("hide", "has", "meta", "state"),
    [
        (MISSING, True, {"prompt": "a"}, "visible"),
        (MISSING, True, {"id": 98000001, "meta": {"prompt": "a"}}, "visible"),
        (MISSING, MISSING, {"prompt": "a"}, "visible"),
        (False, False, {"prompt": "a"}, "visible"),
        (MISSING, True, None, "not_asked"),
        (MISSING, False, None, "unknown"),
        (MISSING, False, {"id": 98000001, "meta": None}, "unknown"),
        (False, False, None, "absent"),
        (False, True, None, "not_asked"),
        (True, False, None, "hidden"),
        (True, True, {"prompt": "a"}, "hidden"),
        (MISSING, False, {"prompt": "a"}, "hidden"),
        (MISSING, MISSING, MISSING, "not_asked"),
        (MISSING, MISSING, None, "unknown"),
        (False, MISSING, None, "absent"),
    ],
)
def test_what_is_known_of_the_generation_data_is_told(index, hide, has, meta, state):
    for name, value in {"hideMeta": hide, "hasMeta": has, "meta": meta}.items():
        put(index, name, value)

    found = from_feed(index, at=AT)

    image = found[0]
    assert isinstance(image, Image)
    assert image.meta_state == state
    assert (image.prompt, image.meta) == (("a", {"prompt": "a"}) if state == "visible" else (None, None))


def test_hidden_generation_data_leave_no_resources_behind(index):
    index["hideMeta"] = True

    found = from_feed(index, at=AT)

    assert {one.source for one in of(ImageResource, found)} == {"detected"}


@pytest.mark.parametrize(
    ("user", "creator"),
    [({"username": "lampwright"}, "lampwright"), ({"username": 7}, "7"), ({"username": None}, None), (None, None)],
)
def test_the_creator_is_a_name_or_nobody(index, user, creator):
    index["user"] = user

    assert image_of(index).creator == creator


@pytest.mark.parametrize("level", [0, None, MISSING])
def test_an_unrated_image_has_no_level(index, level):
    put(index, "nsfwLevel", level)

    assert image_of(index).level is None


def test_a_size_that_only_the_file_tells_is_taken(index):
    index |= {"width": None, "height": None}

    image = image_of(index)

    assert (image.width, image.height) == (832, 1216)


def test_an_old_address_is_kept_and_a_foreign_one_is_its_own_key(index):
    index["url"] = "https://elsewhere.example/harbour.png"

    image = image_of(index)

    assert image.key == image.url == "https://elsewhere.example/harbour.png"


def test_an_address_of_the_configured_cdn_is_not_foreign(index):
    index["url"] = "https://mirror.example/cdn/harbour-7/original=true/harbour-7.jpeg"

    assert image_of(index, media_url="https://mirror.example/cdn").key == "harbour-7"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", 7),
        ("type", "hologram"),
        ("nsfwLevel", 3),
        ("nsfwLevel", "PG"),
        ("postId", []),
        ("index", "first"),
        ("createdAt", 1782987242551),
        ("publishedAt", "soon"),
        ("meta", "a lantern"),
        ("hasMeta", 1),
        ("user", "lampwright"),
        ("user.username", {"username": []}),
        ("stats", 5),
        ("stats.likeCountAllTime", {"likeCountAllTime": "many"}),
        ("modelVersionIds.0", ["v1"]),
        ("modelVersionIdsManual", 5),
        ("modelVersionId", "v1"),
        ("tags", "harbour"),
        ("tags.0", ["harbour"]),
        ("tags.0.id", [{"name": "harbour"}]),
        ("tags.0.name", [{"id": 4}]),
        ("tags.1.score", [{"id": 4, "name": "a"}, {"id": 5, "name": "b", "score": "high"}]),
        ("tags.0.automated", [{"id": 4, "name": "a", "automated": 1}]),
        ("tagIds.1", [4, None]),
    ],
)
def test_a_field_of_another_type_is_named_with_its_entry(index, field, value):
    index[field.partition(".")[0]] = value

    with pytest.raises(EntryError, match="98000001") as caught:
        from_feed(index)

    assert caught.value.field == field


def test_a_cover_names_no_creator_and_its_hidden_data_are_dropped(database):
    cover = {name: one for name, one in database.items() if name not in {"user", "stats", "tagIds", "hasMeta"}}
    cover |= {"hideMeta": True, "meta": {"prompt": "a lantern"}, "entityType": "Image", "entityId": 98000001}

    image = from_cover(cover, at=AT)[0]

    assert isinstance(image, Image)
    assert (image.key, image.creator, image.meta, image.prompt) == (KEY, None, None, None)
    assert image.meta_state == "hidden"
    assert image.like_count is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted(payload("index").keys() | payload("database").keys() | {"hideMeta"})


@given(st.sampled_from(["index", "database"]), st.sampled_from(KEYS), anything)
def test_a_field_with_anything_in_it_is_read_or_named(name, key, value):
    entry = payload(name) | {key: value}

    with suppress(EntryError):
        from_feed(entry)


@given(anything | st.dictionaries(st.sampled_from(KEYS), anything))
def test_anything_is_read_or_refused_but_never_crashes(value):
    with suppress(EntryError):
        from_feed(value)
