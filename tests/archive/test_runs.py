"""A run is found by the beginning of its name, and a run that wrote no report is told from its rows."""

from __future__ import annotations

import pytest

from civitscrape.archive import runs
from civitscrape.exceptions import ArgumentError
from civitscrape.ledger import Run, WalkState
from tests.archive.asking import put, walk_of

NAMES = ("20261120T183000-x7k2", "20261120T183000-a001", "20261121T070000-b002")


@pytest.fixture
def ran(archive):
    for place, name in enumerate(NAMES):
        started = f"2026-11-2{place}T07:00:00.000Z"
        put(archive, Run(id=name, spider="user", arguments={}, started_at=started, command="scrapy crawl user"))
    return archive


@pytest.mark.parametrize(
    ("word", "name"), [(None, NAMES[2]), ("20261121", NAMES[2]), ("20261120T183000-a", NAMES[1]), (NAMES[0], NAMES[0])]
)
def test_a_run_is_found_by_the_beginning_of_its_name(ran, word, name):
    assert ran.run_now(runs.find, word).id == name


def test_a_name_that_begins_another_is_found_all_the_same(ran):
    put(ran, Run(id="20261121", spider="user", arguments={}, started_at="2026-11-01T07:00:00.000Z"))

    assert ran.run_now(runs.find, "20261121").id == "20261121"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("20261120", f"run '20261120': several begin so, give more of its name: {NAMES[1]}, {NAMES[0]}"),
        ("20261121T070000-b003", f"run '20261121T070000-b003': there is none; did you mean {NAMES[2]}?"),
        ("x", f"run 'x': there is none; the latest are {NAMES[2]}, {NAMES[1]}, {NAMES[0]}, and --list names all"),
        ("%", "run '%': there is none; the latest are "),
        ("", "run '': several begin so"),
    ],
)
def test_a_run_that_is_not_clear_is_refused_with_those_that_there_are(ran, word, sentence):
    with pytest.raises(ArgumentError) as refusal:
        ran.run_now(runs.find, word)

    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("word", [None, "2026"])
def test_an_archive_without_runs_says_so(archive, word):
    with pytest.raises(ArgumentError, match="the archive has no run yet; `civitscrape get` makes one"):
        archive.run_now(runs.find, word)


def test_runs_are_listed_the_latest_first(ran):
    assert [run.id for run in ran.run_now(runs.listed)] == [NAMES[2], NAMES[1], NAMES[0]]


def test_a_run_without_a_report_is_told_with_its_walks_and_their_cursors(ran):
    put(ran, walk_of(run_id=NAMES[0], state=WalkState.RUNNING, cursor="200|17", pages=3, entries=600))
    run = ran.run_now(runs.find, NAMES[0])

    told = ran.run_now(runs.told, run)

    [walk] = told["walks"]
    assert (told["outcome"], told["command"]) == ("unfinished", "scrapy crawl user")
    assert (walk["state"], walk["cursor"], walk["pages"], walk["listed"]) == ("running", "200|17", 3, 600)
    assert (walk["target"], walk["levels"]) == ("user:lampwright", ["pg", "pg13"])
