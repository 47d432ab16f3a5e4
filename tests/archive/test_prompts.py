"""The table of prompt words: a set for each image, replaced when its prompt changes, never mixed with other tags."""

from __future__ import annotations

import pytest

from civitscrape.archive import prompts, schema
from civitscrape.archive.commit import commit
from civitscrape.items import Image, MetaState
from civitscrape.parsers.prompts import words


def image(number: int, prompt: str | None) -> Image:
    meta = {"prompt": prompt} if prompt is not None else None
    state = MetaState.VISIBLE if meta else MetaState.UNKNOWN
    return Image(id=number, prompt=prompt, meta=meta, meta_state=state)


@pytest.fixture
def connection(archive):
    with archive.engine.begin() as connection:
        yield connection


def texts(connection, number: int) -> list[str | float]:
    return [one["text"] for one in prompts.tags(connection, [number]).get(number, [])]


def test_the_words_of_a_prompt_are_written_in_their_order(connection):
    commit(connection, [image(1, "fog, (harbour:1.2)"), image(2, None)], words=words)

    assert prompts.tags(connection, [1, 2]) == {1: [{"text": "fog", "weight": 1.0}, {"text": "harbour", "weight": 1.2}]}


def test_a_prompt_that_changes_replaces_its_words_as_a_set(connection):
    commit(connection, [image(1, "fog, sea, boat"), image(2, "rain")], words=words)

    commit(connection, [image(1, "snow")], words=words)

    assert texts(connection, 1) == ["snow"]
    assert texts(connection, 2) == ["rain"]


def test_an_answer_without_a_prompt_takes_no_words_away(connection):
    commit(connection, [image(1, "fog, sea")], words=words)

    commit(connection, [image(1, None)], words=words)

    assert texts(connection, 1) == ["fog", "sea"]


def test_a_prompt_that_stays_is_not_cut_again(connection):
    commit(connection, [image(1, "fog, sea")], words=words)

    def never(prompt: str) -> list[tuple[str, float]]:
        raise AssertionError(prompt)

    commit(connection, [image(1, "fog, sea")], words=never)

    assert texts(connection, 1) == ["fog", "sea"]


def test_prompts_of_an_older_archive_get_their_words_when_they_are_met_again(connection):
    commit(connection, [image(1, "fog, sea")])

    commit(connection, [image(1, "fog, sea")], words=words)

    assert texts(connection, 1) == ["fog", "sea"]
    assert connection.execute(schema.image_tags.select()).all() == []
