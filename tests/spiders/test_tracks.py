"""What a walk remembers of the names of models."""

from __future__ import annotations

from civitscrape.items import ImageResource
from civitscrape.ledger import Naming
from civitscrape.spiders.tracks import Names


def made_with(*versions: int, name: str | None = None) -> list[ImageResource]:
    return [
        ImageResource(image_id=1, position=place, model_version_id=one, name=name) for place, one in enumerate(versions)
    ]


def test_a_version_without_a_name_is_asked_for_once():
    names = Names()
    names.note(made_with(5, 6))

    asked = names.take(10)
    names.settle()
    names.note(made_with(5, 6, 7))

    assert asked == [5, 6]
    assert names.take(10) == [7]


def test_versions_that_are_named_already_and_resources_of_no_version_are_not_asked_for():
    names = Names()

    names.note([*made_with(5, name="Lantern"), ImageResource(image_id=1, position=0, hash="ab")])

    assert names.take(10) == []


def test_a_name_that_came_is_told_to_images_that_come_later():
    names = Names()
    names.note(made_with(5))
    names.learn([Naming(version_id=5, name="Lantern")])

    assert names.note(made_with(5, 8)) == [Naming(version_id=5, name="Lantern")]


def test_no_more_are_asked_for_than_fit_and_the_others_are_next():
    names = Names()
    names.note(made_with(5, 6, 7))

    assert (names.take(2), names.take(2)) == ([5, 6], [7])


def test_what_was_asked_for_in_vain_is_not_taken_for_answered():
    names = Names()
    names.note(made_with(5))

    names.take(10)

    assert names.asked == set()
