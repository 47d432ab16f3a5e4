"""A better answer comes in, a worse one goes by, and two are never mixed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations, product
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import registry

from civitscrape.archive import merge, schema
from civitscrape.archive.database import Archive, from_row, upsert
from civitscrape.items import Creator, Image, Mark, MetaState, VersionImage
from tests.archive.asking import picture, put, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

MARKS = schema.marks_of(Image)
COUNTS = [name for name, mark in MARKS.items() if mark is Mark.COUNT]
GENERATION = [name for name, mark in MARKS.items() if mark is Mark.GENERATION]
RANKS = list(MetaState)

LANTERNS: dict[str, Any] = {
    "prompt": "paper lanterns over a harbour",
    "negative_prompt": "fog",
    "sampler": "Euler a",
    "steps": 30,
    "cfg_scale": 6.5,
    "seed": 2**62,
    "size": "512x768",
    "model": "harbour mix",
    "meta": {"prompt": "paper lanterns over a harbour", "Clip skip": 2},
}
DUNES = {"prompt": "dunes at noon", "meta": {"prompt": "dunes at noon"}}
TOLD: dict[type, Any] = {int: 7, str: "told", float: 0.5, bool: True, object: {"told": 7}}


def generation_of(image: Image) -> dict[str, Any]:
    return {name: getattr(image, name) for name in GENERATION}


def filled() -> Image:
    """Make an image of which everything is told."""
    values = {column.name: TOLD[column.type.python_type] for column in schema.images.c}
    return Image(**values | {"id": 7, "model_version_ids": [7], "meta_state": MetaState.VISIBLE})


def test_a_null_never_replaces_a_value(archive):
    put(archive, filled())

    put(archive, Image(id=7, type="told"))

    assert row(archive, Image) == replace(filled(), gone_at=None)


def test_a_newer_value_replaces_an_older(archive):
    put(archive, picture(7, width=512, base_model="SD 1.5", tools=["Ink"], nsfw=True))

    put(archive, picture(7, width=768, base_model="SDXL 1.0", tools=[], nsfw=False))

    image = row(archive, Image)
    assert (image.width, image.base_model, image.tools, image.nsfw) == (768, "SDXL 1.0", [], False)


@pytest.mark.parametrize(("name", "worse"), list(product(COUNTS, [0, None])))
def test_a_zero_or_a_null_never_replaces_a_count(archive, name, worse):
    put(archive, picture(7, **{name: 41}))

    put(archive, picture(7, **{name: worse}))

    assert getattr(row(archive, Image), name) == 41


@pytest.mark.parametrize(("old", "new", "kept"), [(41, 40, 40), (None, 0, 0), (0, None, 0), (0, 3, 3)])
def test_a_count_follows_the_newest_answer_that_tells_one(archive, old, new, kept):
    put(archive, picture(7, like_count=old))

    put(archive, picture(7, like_count=new))

    assert row(archive, Image).like_count == kept


def test_the_first_known_value_stays(archive):
    put(archive, Creator(username="lampwright"))
    put(archive, Creator(username="lampwright", created_at="2023-02-01T00:00:00.000Z"))

    put(archive, Creator(username="lampwright", created_at="2024-05-06T00:00:00.000Z"))

    assert row(archive, Creator).created_at == "2023-02-01T00:00:00.000Z"


@pytest.mark.parametrize(("old", "new"), list(permutations(["showcase", "gallery", "detected"], 2)))
def test_the_closer_tie_of_an_image_to_a_version_wins_and_its_place_comes_later(archive, old, new):
    put(archive, VersionImage(version_id=1, image_id=7, source=old))

    put(archive, VersionImage(version_id=1, image_id=7, source=new, position=4))

    closer = min(old, new, key=["showcase", "gallery", "detected"].index)
    assert row(archive, VersionImage) == VersionImage(version_id=1, image_id=7, source=closer, position=4)


@pytest.mark.parametrize("meta", [None, {}])
def test_emptied_generation_data_never_replace_what_was_visible(archive, meta):
    put(archive, picture(7, **LANTERNS, meta_state=MetaState.VISIBLE))

    put(archive, picture(7, meta=meta, meta_state=MetaState.UNKNOWN))

    image = row(archive, Image)
    assert generation_of(image) == LANTERNS
    assert image.meta_state == MetaState.VISIBLE


def test_new_generation_data_replace_the_old_as_a_whole(archive):
    put(archive, picture(7, **LANTERNS))

    put(archive, picture(7, **DUNES))

    assert generation_of(row(archive, Image)) == dict.fromkeys(GENERATION) | DUNES


def test_a_shorter_form_of_the_same_generation_data_replaces_none_of_it(archive):
    cleaned = {"prompt": LANTERNS["meta"]["prompt"]}
    put(archive, picture(7, **LANTERNS))

    put(archive, picture(7, **LANTERNS | {"meta": cleaned}))

    assert row(archive, Image).meta == LANTERNS["meta"]


def test_a_longer_form_of_the_same_generation_data_replaces_it(archive):
    longer = LANTERNS["meta"] | {"ENSD": 31337}
    put(archive, picture(7, **LANTERNS))

    put(archive, picture(7, **LANTERNS | {"meta": longer}))

    assert row(archive, Image).meta == longer


def test_generation_data_that_changed_are_taken_though_they_are_shorter(archive):
    changed = LANTERNS | {"steps": 4, "meta": {"steps": 4}}
    put(archive, picture(7, **LANTERNS))

    put(archive, picture(7, **changed))

    assert generation_of(row(archive, Image)) == changed


EARLY, LATE = "2026-07-02T10:02:44.318Z", "2026-07-02T10:15:00.120Z"


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [(EARLY, LATE, EARLY), (LATE, EARLY, EARLY), (None, LATE, LATE), (LATE, None, LATE), (None, None, None)],
)
def test_the_earlier_time_of_making_is_the_true_one(archive, old, new, kept):
    put(archive, picture(7, created_at=old))

    put(archive, picture(7, created_at=new))

    assert row(archive, Image).created_at == kept


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ([4, 7], [4], [4, 7]),
        ([4], [4, 7], [4, 7]),
        ([4], [7], [7]),
        ([4], [], [4]),
        ([], None, []),
        (None, [], []),
        ([4], None, [4]),
    ],
)
def test_the_longer_list_of_versions_is_the_whole_one(archive, old, new, kept):
    put(archive, picture(7, model_version_ids=old))

    put(archive, picture(7, model_version_ids=new))

    assert row(archive, Image).model_version_ids == kept


def test_an_answer_without_meta_adds_nothing_to_the_data_of_another(archive):
    put(archive, picture(7, **DUNES))

    put(archive, picture(7, negative_prompt="rain", steps=20))

    assert generation_of(row(archive, Image)) == dict.fromkeys(GENERATION) | DUNES


def test_an_answer_without_meta_is_better_than_none(archive):
    put(archive, picture(7))

    put(archive, picture(7, prompt="dunes at noon", steps=20))

    assert generation_of(row(archive, Image)) == dict.fromkeys(GENERATION) | {"prompt": "dunes at noon", "steps": 20}


@pytest.mark.parametrize(("old", "new"), list(product(RANKS, RANKS)))
def test_a_state_of_the_generation_data_is_only_ever_bettered(archive, old, new):
    put(archive, picture(7, meta_state=old))

    put(archive, picture(7, meta_state=new))

    assert row(archive, Image).meta_state == min(old, new, key=RANKS.index)


def test_an_image_that_is_listed_again_is_gone_no_more(archive):
    put(archive, picture(7, gone_at="2026-11-20T18:30:00.000Z"))

    put(archive, picture(7))

    assert row(archive, Image).gone_at is None


def test_a_username_is_one_whatever_its_case(archive):
    put(archive, Creator(username="Lampwright", image_count=12))

    put(archive, Creator(username="LAMPWRIGHT", user_id=90001))

    assert row(archive, Creator) == Creator(username="Lampwright", image_count=12, user_id=90001)


def test_images_of_a_creator_are_found_whatever_the_case(archive):
    put(archive, picture(7, creator="Lampwright"), picture(8, creator="dunewalker"))
    query = sa.select(schema.images.c.id).where(schema.images.c.creator == "lampWRIGHT")

    found = archive.run_now(lambda connection: connection.execute(query).scalars().all())

    assert found == [7]


@pytest.mark.parametrize("dataclass", list(schema.DATACLASSES))
def test_every_table_has_its_statement_for_postgresql_too(dataclass):
    statement = merge.upsert(dataclass, "postgresql")

    text = str(statement.compile(dialect=registry.load("postgresql")()))

    assert f"INSERT INTO {schema.DATACLASSES[dataclass]}" in text
    assert "ON CONFLICT" in text


@pytest.fixture(scope="module")
def lasting(tmp_path_factory) -> Iterator[Archive]:
    archive = Archive(f"sqlite:///{tmp_path_factory.mktemp('merge') / 'civitscrape.sqlite'}")
    yield archive
    archive.close()


ANSWERS = st.builds(
    Image,
    id=st.just(7),
    width=st.sampled_from([None, 0, 512]),
    url=st.sampled_from([None, "", "港 🏮"]),
    nsfw=st.sampled_from([None, False, True]),
    model_version_ids=st.sampled_from([None, [], [1, 2]]),
    prompt=st.sampled_from([None, "", "a", "b"]),
    negative_prompt=st.sampled_from([None, "c", "d"]),
    cfg_scale=st.sampled_from([None, 0.0, 6.5]),
    meta=st.sampled_from([None, {}, {"prompt": "a"}, {"prompt": "half \ud83c"}]),
    meta_state=st.sampled_from(RANKS),
    like_count=st.sampled_from([None, 0, 1, 2**62]),
    comment_count=st.sampled_from([None, 0, 1]),
    gone_at=st.sampled_from([None, "2026-11-20T18:30:00.000Z"]),
)


def apply(connection: Connection, answers: list[Image]) -> list[Image]:
    """Merge answers into an empty table, each twice; tell how the record stood after each time."""
    connection.execute(sa.delete(schema.images))
    states = []
    for answer in answers:
        for _ in range(2):
            upsert(connection, [answer])
            states.append(from_row(Image, connection.execute(sa.select(schema.images)).one()))
    return states


@settings(deadline=None)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=5))
def test_whatever_the_answers_nothing_known_is_lost_or_mixed(lasting, answers):
    states = lasting.run_now(apply, answers)

    for answer, after, again in zip(answers, states[::2], states[1::2], strict=True):
        assert again == after
        assert after.gone_at == answer.gone_at
    for before, after in pairwise(states):
        lost = [name for name in MARKS if getattr(before, name, None) is not None and getattr(after, name) is None]
        assert set(lost) <= {*GENERATION, "gone_at"}
        assert [name for name in COUNTS if getattr(before, name) and not getattr(after, name)] == []
        assert RANKS.index(MetaState(after.meta_state)) <= RANKS.index(MetaState(before.meta_state))
        assert not before.meta or after.meta
        assert generation_of(after) in [generation_of(one) for one in (before, *answers)]


def test_other_images_are_left_alone(archive):
    put(archive, picture(7, width=512), picture(8, width=512))

    put(archive, picture(8, width=768))

    assert [image.width for image in rows(archive, Image)] == [512, 768]
