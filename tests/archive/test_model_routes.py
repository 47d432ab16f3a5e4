"""A model that several routes tell of is one record, whatever the order in which they were asked."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.archive import schema
from civitscrape.items import Creator, Image, Model, ModelFile, ModelVersion, Tag, VersionImage
from civitscrape.parsers import models
from tests.archive.asking import put, row, rows
from tests.parsers import model_entries as entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.archive.database import Archive

WHERE = {"site": "https://site.example", "media_url": entries.MEDIA}
KINDS = (Model, ModelVersion, ModelFile, Image, VersionImage, Creator, Tag)

END = "2026-12-01T00:00:00.000Z"
GATE = {"permanent": False, "endsAt": END}
PRICED = {"endsAt": END, "timeframeDays": 7, "terms": {"download": {"price": 500}}, "sale": None}


def gated(entry: dict[str, Any], gate: dict[str, Any]) -> dict[str, Any]:
    """Put a paid gate in front of a model's newest version."""
    entry["modelVersions"][0] |= {"paidAccess": gate, "earlyAccessDeadline": END}
    return entry


WHOLE: dict[str, Callable[[], list[Any]]] = {
    "list": lambda: models.from_rest(gated(entries.listed(), GATE), **WHERE),
    "detail": lambda: models.from_rest(gated(entries.detailed(), GATE), **WHERE),
    "trpc": lambda: models.from_trpc(gated(entries.by_trpc(), PRICED), **WHERE),
}
PARTIAL: dict[str, Callable[[], list[Any]]] = {
    "list": lambda: models.from_rest(entries.listed(), **WHERE),
    "trpc": lambda: models.from_trpc(entries.by_trpc(), **WHERE),
    "listing": lambda: models.from_trpc_listing(entries.by_listing(), **WHERE),
    "version": lambda: models.from_version(entries.by_number(), **WHERE),
}
ROTATIONS = [[*list(PARTIAL)[turn:], *list(PARTIAL)[:turn]] for turn in range(len(PARTIAL))]


def keyed(records: list[Any]) -> dict[tuple[Any, ...], Any]:
    """Return records by their class and key."""
    keys = {kind: [column.name for column in schema.BY_CLASS[kind].primary_key] for kind in KINDS}
    return {(type(one), *(getattr(one, key) for key in keys[type(one)])): one for one in records if type(one) in keys}


def union(answers: list[list[Any]]) -> dict[tuple[Any, ...], Any]:
    """Return what the answers tell together: of each field the first value that is no null."""
    whole: dict[tuple[Any, ...], Any] = {}
    for records in answers:
        for key, one in keyed(records).items():
            told = whole.get(key, one)
            missing = {name.name: getattr(one, name.name) for name in fields(one) if getattr(told, name.name) is None}
            whole[key] = replace(told, **missing)
    return whole


def stored(archive: Archive) -> dict[tuple[Any, ...], Any]:
    return keyed([one for kind in KINDS for one in rows(archive, kind)])


@pytest.mark.parametrize("order", list(permutations(WHOLE)), ids=" ".join)
def test_a_model_told_by_three_routes_is_the_same_in_any_order(archive, order):
    for route in order:
        put(archive, *WHOLE[route]())

    found = stored(archive)

    assert found == union([make() for make in WHOLE.values()])
    assert {len(rows(archive, kind)) for kind in (ModelVersion, Image, VersionImage, Tag)} == {2}


@pytest.mark.parametrize("order", ROTATIONS, ids=" ".join)
def test_routes_that_tell_a_part_of_a_model_lose_nothing_of_it(archive, order):
    for route in order:
        put(archive, *PARTIAL[route]())

    found = stored(archive)

    expected = union([make() for make in PARTIAL.values()])
    # The best that any route knows of generation data, and the address besides the bare key.
    states = {key[1]: one.meta_state for key, one in found.items() if key[0] is Image}
    assert states == {98000001: "visible", 98000002: "hidden"}
    for key, one in expected.items():
        told = replace(one, meta_state=states[one.id]) if isinstance(one, Image) else one
        assert found[key] == told
    assert found.keys() == expected.keys()


def test_what_two_routes_both_tell_of_a_model_is_the_same():
    answers = {route: keyed(make()) for route, make in WHOLE.items()}

    for key, one in answers["list"].items():
        for other in (answers[route][key] for route in WHOLE if key in answers[route]):
            for name in (field.name for field in fields(one)):
                told = {repr(getattr(record, name)) for record in (one, other)}
                assert len(told - {"None"}) <= 1, f"{key}: {name}"


def test_a_publication_is_the_earliest_that_any_route_tells(archive):
    put(archive, *models.from_trpc(entries.by_trpc(publishedAt="2026-02-03T08:59:00.000Z"), **WHERE))

    put(archive, *models.from_rest(entries.listed(modelVersions=[entries.version()]), **WHERE))

    assert row(archive, Model).published_at == "2026-02-03T08:59:00.000Z"


def test_counts_that_fell_back_to_zero_never_replace_known_ones(archive):
    put(archive, *models.from_rest(entries.listed(), **WHERE))

    put(archive, *models.from_rest(entries.listed(stats={"downloadCount": 0, "thumbsUpCount": None}), **WHERE))

    model = row(archive, Model)
    assert (model.download_count, model.thumbs_up_count) == (40121, 3311)


def test_a_model_that_is_archived_and_then_not_is_an_ordinary_one(archive):
    put(archive, *models.from_rest(entries.listed(mode="Archived"), **WHERE))
    assert row(archive, Model).mode == "Archived"

    put(archive, *models.from_rest(entries.listed(), **WHERE))

    assert row(archive, Model).mode is None
