"""Models of every route: what is told is kept, what is odd costs nothing else, what has no number is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from reprlib import repr as shown
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.exceptions import EntryError
from civitscrape.items import (
    Creator,
    Image,
    ImageTag,
    Model,
    ModelFile,
    ModelVersion,
    Tag,
    VersionImage,
)
from civitscrape.parsers import models
from tests.parsers import model_entries as entries
from tests.parsers import recorded

SITE = "https://site.example"
WHERE = {"site": SITE, "media_url": entries.MEDIA}

ROUTES = [
    (models.from_rest, entries.listed),
    (models.from_rest, entries.detailed),
    (models.from_trpc, entries.by_trpc),
    (models.from_trpc_listing, entries.by_listing),
    (models.from_version, entries.by_number),
    (models.version_from_trpc, entries.by_number),
]


def of(kind: type, found: list[Any]) -> list[Any]:
    return [one for one in found if isinstance(one, kind)]


def model_of(entry: Any, read: Any = models.from_rest) -> Model:
    model = read(entry, **WHERE)[0]
    assert isinstance(model, Model)
    return model


def version_of(**fields: Any) -> Any:
    return of(ModelVersion, models.from_rest(entries.listed(modelVersions=[entries.version(**fields)]), **WHERE))[0]


def test_a_listed_model_gives_everything_it_tells():
    found = models.from_rest(entries.listed(), **WHERE)

    assert found[0] == Model(
        id=1400001,
        name="Amber Lantern XL",
        description="<p>A warm light.</p>",
        type="LORA",
        nsfw=False,
        level=3,
        tags=["style", "lantern"],
        creator="lampwright",
        user_id=550012,
        download_count=40121,
        thumbs_up_count=3311,
        thumbs_down_count=14,
        comment_count=207,
        tipped_amount_count=5120,
        availability="Public",
        poi=False,
        minor=False,
        sfw_only=False,
        allow_no_credit=True,
        allow_commercial_use=["Image", "RentCivit"],
        allow_derivatives=True,
        allow_different_license=False,
        base_models=["SDXL 1.0", "SD 1.5"],
        published_at="2026-02-03T09:00:00.000Z",
    )
    assert found[1] == ModelVersion(
        id=2900002,
        model_id=1400001,
        position=0,
        name="v2.0",
        description="<p>Retrained on a wider set.</p>",
        base_model="SDXL 1.0",
        base_model_type="Standard",
        trained_words=["amber lantern"],
        published_at="2026-07-02T10:15:00.120Z",
        download_url=f"{SITE}/api/download/models/2900002",
        availability="Public",
        level=3,
        download_count=18233,
        thumbs_up_count=1402,
        thumbs_down_count=6,
    )
    assert found[2] == ModelFile(
        id=3100001,
        version_id=2900002,
        name="amberLantern_v2.safetensors",
        type="Model",
        size_kb=223231.3515625,
        is_primary=True,
        format="SafeTensor",
        fp="fp16",
        pruning="pruned",
        sha256=entries.SHA256.lower(),
        autov1="5d3a19c0",
        autov2="9c1f5b7e0a",
        blake3=entries.SHA256[::-1].lower(),
        crc32="7e21b0c4",
        download_url=f"{SITE}/api/download/models/2900002?fileId=3100001",
        pickle_scan="Success",
        virus_scan="Success",
        scanned_at="2026-07-02T10:20:31.900Z",
    )
    assert found[-1] == Creator(username="lampwright", user_id=550012, image="avatar")


def test_a_model_by_its_number_tells_of_images_without_their_numbers():
    found = models.from_rest(entries.detailed(), **WHERE)

    version, older = of(ModelVersion, found)
    assert [one.id for one in of(Image, found)] == [98000001, 98000002]
    assert (version.created_at, version.status) == ("2026-07-01T22:41:09.003Z", "Published")
    assert (older.download_url, older.position) == (None, 1)


def test_a_version_tells_a_part_of_its_model():
    found = models.from_version(entries.by_number(), **WHERE)

    assert found[0] == Model(id=1400001, name="Amber Lantern XL", type="LORA", nsfw=False, poi=False, partial=True)
    (version,) = of(ModelVersion, found)
    assert (version.model_id, version.usage_control) == (1400001, "Download")
    assert version.air == "urn:air:sdxl:lora:civitai:1400001@2900002"


def test_a_version_without_its_model_gives_no_model():
    entry = entries.by_number()
    del entry["model"]

    found = models.from_version(entry, **WHERE)

    assert of(Model, found) == []
    assert of(ModelVersion, found)[0].model_id == 1400001


def test_trpc_tells_numbers_of_tags_and_files_as_lists():
    found = models.from_trpc(entries.by_trpc(), **WHERE)

    model, file = found[0], of(ModelFile, found)[0]
    assert isinstance(model, Model)
    assert (model.tags, model.base_models) == (["style", "lantern"], ["SDXL 1.0", "SD 1.5"])
    assert (model.download_count, model.tipped_amount_count) == (40121, 5120)
    assert of(Tag, found) == [Tag(id=3673, name="style"), Tag(id=81, name="lantern")]
    assert (file.sha256, file.is_primary) == (entries.SHA256.lower(), None)


def test_a_model_by_trpc_has_a_publication_of_its_own():
    entry = entries.by_trpc(publishedAt="2026-02-03T08:59:00.000Z")

    model = model_of(entry, models.from_trpc)

    assert model.published_at == "2026-02-03T08:59:00.000Z"


def test_a_listing_of_trpc_tells_one_version_and_no_names_of_tags():
    found = models.from_trpc_listing(entries.by_listing(), **WHERE)

    model, version, image = found[0], of(ModelVersion, found)[0], of(Image, found)[0]
    assert isinstance(model, Model)
    assert (model.tags, model.created_at, model.tipped_amount_count) == (None, "2026-02-03T08:15:00.000Z", None)
    assert (version.position, version.model_id, version.download_url) == (0, 1400001, None)
    assert (image.id, image.key, image.creator) == (98000001, "05d75c81-6d4e-4b0a-9a55-0c8e2f7d91a1", "lampwright")
    assert of(ImageTag, found) == [ImageTag(image_id=98000001, tag_id=4), ImageTag(image_id=98000001, tag_id=5133)]
    assert of(VersionImage, found) == [VersionImage(version_id=2900002, image_id=98000001, source="showcase")]


def test_an_empty_list_of_numbers_says_nothing_of_names():
    model = model_of(entries.by_listing(tags=[]), models.from_trpc_listing)

    assert model.tags is None


def test_a_deleted_account_that_still_has_its_name_is_kept_with_the_time():
    person = {"id": 5, "username": "dunes", "image": None, "deletedAt": "2026-05-01T00:00:00.000Z"}

    found = models.from_trpc(entries.by_trpc(user=person), **WHERE)

    assert of(Creator, found) == [Creator(username="dunes", user_id=5, deleted_at="2026-05-01T00:00:00.000Z")]


def test_a_version_that_names_its_creator_gives_them_to_its_model():
    found = models.from_version(entries.by_number(creator={"username": "dunes", "image": None}), **WHERE)

    assert of(Model, found)[0].creator == "dunes"
    assert of(Creator, found) == [Creator(username="dunes")]


def test_an_avatar_may_be_a_picture_of_the_site():
    entry = entries.by_listing(user={"id": 5, "username": "dunes", "image": None, "profilePicture": {"url": "1f0a"}})

    found = models.from_trpc_listing(entry, **WHERE)

    assert of(Creator, found) == [Creator(username="dunes", user_id=550012, image="1f0a")]


def test_a_version_by_trpc_tells_of_its_model_and_its_account():
    model = {"id": 5, "name": "Lantern", "type": "LORA", "user": {"id": 9}, "publishedAt": "2026-02-03T09:00:00.000Z"}
    entry = {"id": 7, "name": "v1", "model": model, "files": None, "earlyAccessEndsAt": "2026-12-01T00:00:00.000Z"}

    found = models.version_from_trpc(entry, **WHERE)

    assert found == [
        Model(id=5, name="Lantern", type="LORA", user_id=9, published_at="2026-02-03T09:00:00.000Z", partial=True),
        ModelVersion(id=7, model_id=5, name="v1", early_access_ends_at="2026-12-01T00:00:00.000Z"),
    ]


@pytest.mark.parametrize("person", [None, {"username": None, "image": None}, {"username": "unknown"}], ids=str)
def test_a_deleted_account_is_nobody(person):
    found = models.from_rest(entries.listed(creator=person), **WHERE)

    assert of(Creator, found) == []
    assert model_of(entries.listed(creator=person)).creator is None


def test_a_model_of_the_site_s_own_account_has_no_creator():
    entry = entries.listed()
    del entry["creator"]

    model = model_of(entry)

    assert (model.creator, model.user_id) == (None, 550012)


def test_a_username_of_digits_may_be_a_number():
    found = models.from_rest(entries.listed(creator={"username": 12345}), **WHERE)

    assert of(Creator, found)[0].username == "12345"


@pytest.mark.parametrize(
    ("told", "uses"),
    [
        (["Image", "Rent"], ["Image", "Rent"]),
        (["None"], []),
        ([], []),
        ("{Image,RentCivit}", ["Image", "RentCivit"]),
        ('{"Image", "Sell"}', ["Image", "Sell"]),
        ("{}", []),
        ("Sell", ["Sell"]),
        ("None", []),
        (None, None),
        (7, None),
        ([7], None),
    ],
    ids=str,
)
def test_allowed_uses_are_a_list_in_whatever_form_they_came(told, uses):
    model = model_of(entries.listed(allowCommercialUse=told))

    assert model.allow_commercial_use == uses


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (["style"], ["style"]),
        ([{"name": "style"}, {"name": "lantern"}], ["style", "lantern"]),
        ([], []),
        ([4, 81], None),
        ([{"tag": "style"}, None], None),
        ("style", None),
        (None, None),
    ],
    ids=str,
)
def test_tags_are_names_or_objects_with_names(told, names):
    model = model_of(entries.listed(tags=told))

    assert model.tags == names


def test_hidden_counters_are_not_zeros():
    model = model_of(entries.listed(stats={"downloadCount": None, "thumbsUpCount": 0}))

    assert (model.download_count, model.thumbs_up_count) == (None, 0)


@pytest.mark.parametrize(
    ("told", "gate", "end"),
    [
        ({"paidAccess": None}, None, None),
        ({"paidAccess": {"permanent": True, "endsAt": None}}, {"permanent": True, "endsAt": None}, None),
        (
            {"paidAccess": {"endsAt": "2026-12-01T00:00:00Z", "timeframeDays": 7, "terms": {"download": {"price": 5}}}},
            {"permanent": False, "endsAt": "2026-12-01T00:00:00.000Z"},
            "2026-12-01T00:00:00.000Z",
        ),
        (
            {"paidAccess": {"endsAt": None, "timeframeDays": None, "terms": {}}},
            {"permanent": True, "endsAt": None},
            None,
        ),
        (
            {"paidAccess": {"endsAt": None, "timeframeDays": 7, "terms": {}}},
            {"permanent": False, "endsAt": None},
            None,
        ),
        ({"earlyAccessDeadline": "2026-12-01T00:00:00.000Z"}, None, "2026-12-01T00:00:00.000Z"),
        (
            {"earlyAccessDeadline": "2026-12-01T00:00:00.000Z", "paidAccess": {"permanent": False}},
            {"permanent": False, "endsAt": "2026-12-01T00:00:00.000Z"},
            "2026-12-01T00:00:00.000Z",
        ),
    ],
    ids=str,
)
def test_a_paid_gate_has_one_form_and_its_end(told, gate, end):
    version = version_of(**told)

    assert (version.paid_access, version.early_access_ends_at) == (gate, end)


@pytest.mark.parametrize(
    ("field", "told"),
    [("modelVersions", "none"), ("stats", 7), ("tags", 7), ("creator", "lampwright"), ("name", []), ("nsfw", "no")],
    ids=str,
)
def test_an_odd_field_of_a_model_costs_only_itself(field, told):
    model = model_of(entries.listed(**{field: told}))

    assert (model.id, model.type, model.level) == (1400001, "LORA", 3)


@pytest.mark.parametrize(("read", "make"), ROUTES)
@pytest.mark.parametrize("number", [None, "", "seven", 7.5, True, [], 2**63], ids=shown)
def test_what_has_no_number_is_refused(read, make, number):
    with pytest.raises(EntryError, match="id is") as caught:
        read(make(id=number), **WHERE)

    assert caught.value.field == "id"


@pytest.mark.parametrize("read", dict(ROUTES))
@pytest.mark.parametrize("entry", [None, 7, "entry", [1]])
def test_what_is_no_object_is_refused(read, entry):
    with pytest.raises(EntryError, match="an object was expected"):
        read(entry, **WHERE)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (entries.listed(modelVersions=[entries.version(), None]), "modelVersions.1"),
        (entries.listed(modelVersions=[entries.version(id=None)]), "modelVersions.0.id"),
        (entries.listed(modelVersions=[entries.version(files=[{"name": "a"}])]), "modelVersions.0.files.0.id"),
        (entries.listed(modelVersions=[entries.version(files=[entries.file(), "a"])]), "modelVersions.0.files.1"),
    ],
    ids=["version", "its number", "number of a file", "file"],
)
def test_a_part_without_a_number_is_named_with_its_place(entry, field):
    with pytest.raises(EntryError, match=f"entry 1400001: {field} is") as caught:
        models.from_rest(entry, **WHERE)

    assert (caught.value.field, caught.value.entry_id) == (field, 1400001)


@pytest.mark.parametrize(
    ("entry", "number"),
    [
        ({"id": 7}, 7),
        ({"id": "7"}, 7),
        ({"id": None}, None),
        ({"id": [7]}, None),
        ({}, None),
        (None, None),
        ([7], None),
    ],
    ids=str,
)
def test_the_number_of_a_refused_entry_is_told_where_it_can_be(entry, number):
    numbers = models.model_id(entry), models.version_id(entry)

    assert numbers == (number, number)


@pytest.mark.parametrize(("read", "make"), ROUTES)
def test_reading_a_model_leaves_its_entry_as_it_was(read, make):
    entry = make()
    before = json.dumps(entry)

    found = read(entry, **WHERE)

    assert found
    assert json.dumps(entry) == before


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()), st.just({}))


@given(data=st.data(), read_and_make=st.sampled_from(ROUTES), value=ODD)
def test_whatever_stands_in_one_place_the_model_is_read_or_refused(data, read_and_make, value):
    read, make = read_and_make
    entry = make()
    holder = data.draw(st.sampled_from([one for _, one in recorded.objects(entry) if one]))
    holder[data.draw(st.sampled_from(sorted(holder)))] = value

    with suppress(EntryError):
        found = read(entry, **WHERE)

        assert [one.id for one in of(Image, found)] == [one.image_id for one in of(VersionImage, found)]
