from __future__ import annotations

import time
from collections import Counter

from civitscrape.items import Level
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.metas import SHAPES
from civitscrape.sandbox.records import generation_data
from civitscrape.sandbox.world import World, default_world
from tests.sandbox.conftest import WORLD


def test_equal_seeds_make_equal_worlds():
    again = World.build(seed=5, creators=WORLD.specs)

    assert again.records == WORLD.records


def test_another_seed_is_another_world():
    other = World.build(seed=6, creators=WORLD.specs)

    assert not {one.key for one in other.records.values()} & set(WORLD.keys)


def test_one_creators_size_does_not_move_anothers_entries():
    specs = [CreatorSpec(username="lampwright", images=3), *WORLD.specs[1:]]

    smaller = World.build(seed=5, creators=specs)

    assert smaller.creators["harbourmaster"] == WORLD.creators["harbourmaster"]


def test_marks_are_as_many_as_asked():
    records = WORLD.creators["lampwright"].records

    counts = Counter(str(one.type) for one in records if not one.ghost)

    assert counts == {"image": 74, "video": 4, "audio": 2}
    assert sum(one.ghost for one in records) == 6
    assert sum(one.deleted for one in records) == 3
    assert sum(one.hide_meta for one in records) == 5
    assert sum(one.childhood for one in records) == 3
    assert sum(one.combined_level != one.level for one in records) == 3
    assert sum(one.foreign for one in records) == 1
    assert len({one.key for one in records}) == len(records) - 1


def test_every_shape_of_generation_data_occurs():
    shapes = {one.shape for one in WORLD.creators["lampwright"].records}

    assert shapes == set(SHAPES)


def test_a_huge_seed_is_beyond_64_bits_and_survives_javascript():
    record = next(one for one in WORLD.records.values() if one.shape == "huge_seed")

    meta = generation_data(record)

    assert meta is not None
    assert meta["seed"] > 2**64
    assert int(float(meta["seed"])) == float(meta["seed"])


def test_some_drafts_are_published_after_younger_entries():
    records = WORLD.creators["lampwright"].records

    in_order_of_id = sorted(records, key=lambda one: one.id)

    assert list(records) != in_order_of_id
    assert [one.sort_at for one in records] == sorted(one.sort_at for one in records)


def test_new_images_are_newer_and_leave_the_old_ones_alone():
    grown = WORLD.with_images("lampwright", 7)

    old, new = WORLD.creators["lampwright"].records, grown.creators["lampwright"].records
    assert new[: len(old)] == old
    assert len(new) == len(old) + 7
    assert min(one.sort_at for one in new[len(old) :]) > max(one.sort_at for one in old)
    assert min(one.id for one in new[len(old) :]) > max(one.id for one in old)


def test_publishing_twice_makes_different_images():
    grown = WORLD.with_images("quiet_one", 2).with_images("quiet_one", 2)

    assert len({one.key for one in grown.creators["quiet_one"].records}) == 4


def test_deleted_images_are_nowhere():
    victim = WORLD.creators["harbourmaster"].records[3]

    smaller = WORLD.without(victim.id)

    assert victim.id not in smaller.records
    assert victim.key not in smaller.keys
    assert victim.id not in smaller.truth("harbourmaster", 31, hashes=False).ids


def test_truth_leaves_out_what_no_listing_shows():
    told = WORLD.truth("lampwright", 31, hashes=False)

    shown = {WORLD.records[one] for one in told.ids}
    assert not any(one.ghost or one.minor or one.poi for one in shown)
    assert len(told.ids) == 80 - 2 - 2


def test_truth_keeps_child_related_entries_because_the_passes_are_apart():
    told = WORLD.truth("lampwright", 31, hashes=False)

    assert sum(WORLD.records[one].childhood for one in told.ids) == 3


def test_truth_of_the_green_host_is_the_stricter_one():
    green = WORLD.truth("lampwright", 3, red=False, hashes=False)
    red = WORLD.truth("lampwright", 3, red=True, hashes=False)

    assert len(red.ids) - len(green.ids) == 3


def test_truth_knows_what_cannot_be_stored():
    told = WORLD.truth("lampwright", 31, hashes=False)

    assert len(told.gone) == 3
    assert len(told.stored) == len(told.images) - 3 - 1


def test_truth_shows_no_hidden_prompt():
    told = WORLD.truth("lampwright", 31, hashes=False)

    hidden = [one for one in told.images if one["hidden"]]
    assert hidden
    assert all(one["prompt"] is None and one["meta"] is None for one in hidden)


def test_announced_counts_depend_on_who_asks():
    anonymous = WORLD.truth("lampwright", 3, hashes=False).announced
    keyed = WORLD.truth("lampwright", 3, keyed=True, hashes=False).announced
    red = WORLD.truth("lampwright", 31, keyed=True, hashes=False).announced

    assert [one["mask"] for one in (anonymous, keyed, red)] == [1, 3, 31]
    assert anonymous["images"] < keyed["images"] < red["images"]


def test_the_demonstration_has_mostly_mild_labels():
    levels = Counter(one.level for one in default_world().records.values())

    assert levels[Level.PG] + levels[Level.PG13] > 2 * (levels[Level.R] + levels[Level.X] + levels[Level.XXX]) > 0


def test_a_large_world_is_built_at_once():
    start = time.monotonic()

    World.build(creators=[CreatorSpec(username="lampwright", images=20_000, videos=100, hidden=50, twins=20)])

    # About 0.3 s; the bound is for slow machines, and still far below anything quadratic.
    assert time.monotonic() - start < 4
