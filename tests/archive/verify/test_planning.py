"""Whatever is seen, a plan never does away with the last copy of anything, and leaves alone what could not be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.archive.verify.planning import FETCH, Holding, Kind, Look, Settle, Sight, plan, rescue
from civitscrape.ledger import MediaState

NAMES = ("a/1.png", "a/2.png", "a/3.png", None)
sights = st.fixed_dictionaries({name: st.sampled_from(Sight) for name in NAMES if name})
holdings = st.builds(
    Holding,
    table=st.sampled_from(["media", "model_files"]),
    id=st.just("key"),
    state=st.sampled_from([*MediaState, None]),
    path=st.sampled_from(NAMES),
    names=st.dictionaries(st.integers(1, 3), st.sampled_from(NAMES)),
)


def seen(holding: Holding, sights: dict[str, Sight]) -> dict[str, Look]:
    return {path: Look(sight=sights[path], why=f"is {sights[path]}") for path in holding.paths()}


@given(holdings, sights)
def test_damaged_bytes_are_replaced_by_whole_ones_or_kept(holding, sights):
    looks = seen(holding, sights)

    found = plan(holding, looks)

    damaged = {path for path, look in looks.items() if look.sight is Sight.DAMAGED}
    assert found.source is None or looks[found.source].sight is Sight.WHOLE
    assert not found.place or found.source is not None
    if found.acts and found.source is None:
        assert set(found.aside) == damaged
    assert not set(found.place) & {path for path, look in looks.items() if look.sight is Sight.WHOLE}


@given(holdings, sights)
def test_nothing_is_given_up_while_some_of_it_cannot_be_read(holding, sights):
    looks = seen(holding, sights)

    found = plan(holding, looks)

    if any(look.sight is Sight.UNREADABLE for look in looks.values()):
        assert found.settle not in {Settle.FORGET, Settle.CLEAR}


@given(holdings, sights)
def test_all_is_well_only_when_everything_that_is_named_is_whole(holding, sights):
    looks = seen(holding, sights)

    found = plan(holding, looks)

    whole = bool(looks) and {look.sight for look in looks.values()} == {Sight.WHOLE}
    agrees = holding.state == MediaState.STORED and holding.path is not None and None not in holding.names.values()
    assert (not found.findings) == (whole and agrees)


@given(holdings, sights)
def test_bytes_from_elsewhere_go_under_every_name_that_lies_in_the_store(holding, sights):
    looks = seen(holding, sights)

    found = rescue(holding, looks, "elsewhere.png")

    inside = {path for path, look in looks.items() if look.sight is not Sight.OUTSIDE}
    assert set(found.place) == inside
    assert set(found.name) == {number for number, path in holding.names.items() if path not in inside}


@pytest.mark.parametrize("sight", [Sight.MISSING, Sight.DAMAGED])
def test_the_only_file_of_a_picture_is_to_be_fetched_again(sight):
    holding = Holding(table="media", id="key", state="stored", path="a/1.png", names={1: "a/1.png"})

    found = plan(holding, {"a/1.png": Look(sight=sight, why="is not as it was")})

    [finding] = found.findings
    assert (found.settle, finding.remedy) == (Settle.FORGET, FETCH)
    assert (finding.kind, finding.table, finding.id) == (Kind(str(sight)), "images", 1)
