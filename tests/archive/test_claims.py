"""A run is alive as long as its process is: what a killed one had claimed is free at once, and no clock is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from civitscrape.archive import commit, voting, walks
from civitscrape.archive.claims import Claims, folder_of
from civitscrape.exceptions import ArchiveError, BusyError
from civitscrape.items import Image
from civitscrape.ledger import Media, MediaState, WalkState
from tests.archive.asking import media_of, picture, put, rows, walk_of

OTHER = "20261121T100000-a1b2"

HOLD = """
import sys
from pathlib import Path
from civitscrape.archive.claims import Claims
claims = Claims(Path(sys.argv[1]), sys.argv[2])
claims.open()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(claims):
    """A run in another process, which can be killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(claims._folder), OTHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_run_is_alive_until_its_process_ends_however_it_ends(claims, other):
    before = claims.alive(OTHER)

    other.kill()
    other.wait()

    assert before
    assert not claims.alive(OTHER)


@pytest.mark.parametrize("run", [None, "20200101T000000-dead", "20261121T090000-q2m5"])
def test_nobody_an_unknown_run_and_the_run_itself_are_no_others(claims, run):
    assert not claims.alive(run)


def test_a_walk_that_another_run_is_at_is_left_to_it(archive, claims, other):
    put(archive, walk_of(run_id=OTHER, state=WalkState.RUNNING, cursor="200|1767225600000"))

    with pytest.raises(BusyError, match=f"run {OTHER} is at it right now"):
        archive.run_now(walks.adopt, walk_of(), claims)

    assert other.poll() is None


@pytest.mark.parametrize(("theirs", "mine"), [("all", "a"), ("all", "all"), ("a", "a"), ("a,b", "b"), ("a,b,c", "c,a")])
def test_votes_that_another_run_is_asking_for_are_left_to_it(archive, claims, other, theirs, mine):
    put(archive, walk_of(f"votes:{theirs}", run_id=OTHER, state=WalkState.RUNNING, params={"only": "stale"}))

    with pytest.raises(BusyError, match=f"run {OTHER} is at it right now .walk 1, votes:{theirs}"):
        archive.run_now(voting.adopt, walk_of(f"votes:{mine}"), claims)

    assert other.poll() is None


@pytest.mark.parametrize(("theirs", "mine", "left"), [("a", "all", {"a"}), ("a,b", "b,c", {"b"}), ("a", "b", set())])
@pytest.mark.usefixtures("other")
def test_of_votes_that_another_run_asks_for_in_part_the_rest_is_asked_for(archive, claims, theirs, mine, left):
    put(archive, walk_of(f"votes:{theirs}", run_id=OTHER, state=WalkState.RUNNING))
    put(archive, walk_of("votes:all", run_id=OTHER, state=WalkState.COMPLETE))

    walk, found = archive.run_now(voting.adopt, walk_of(f"votes:{mine}"), claims)

    assert (walk.id, found) == (3, dict.fromkeys(left, OTHER))


def test_votes_of_a_killed_run_are_left_to_nobody(archive, claims, other):
    put(archive, walk_of("votes:all", run_id=OTHER, state=WalkState.RUNNING))
    other.kill()
    other.wait()

    walk, left = archive.run_now(voting.adopt, walk_of("votes:a"), claims)

    assert (walk.target, left) == ("votes:a", {})


def test_a_walk_of_a_killed_run_is_taken_up_at_once(archive, claims, other):
    put(archive, walk_of(run_id=OTHER, state=WalkState.RUNNING, cursor="200|1767225600000"))
    other.kill()
    other.wait()

    walk = archive.run_now(walks.adopt, walk_of(), claims)

    assert (walk.id, walk.cursor, walk.run_id) == (1, "200|1767225600000", claims.run_id)


@pytest.mark.parametrize("state", MediaState)
def test_files_that_another_run_is_at_are_busy_as_long_as_they_are_not_fetched(archive, claims, other, state):
    mine, theirs = picture(1), picture(2)
    put(archive, media_of(mine, state=state), media_of(theirs, state=state, run_id=OTHER))

    busy = archive.run_now(commit.claim, [media_of(mine), media_of(theirs)], claims)

    open_ = state in {MediaState.WANTED, MediaState.FAILED}
    assert busy == ({theirs.key} if open_ else set())
    owners = {row.key: row.run_id for row in rows(archive, Media)}
    assert owners == {mine.key: claims.run_id if open_ else None, theirs.key: OTHER}
    assert other.poll() is None


def test_the_images_of_busy_files_are_marked(archive, claims, other):
    theirs = picture(2)
    put(archive, theirs, media_of(theirs, run_id=OTHER))

    standings = archive.run_now(commit.commit, [theirs, media_of(theirs)], claims)

    assert standings[2].busy
    assert [row.id for row in rows(archive, Image)] == [2]
    assert other.poll() is None


def test_locks_lie_beside_the_database_and_leave_nothing_behind(tmp_path):
    folder = folder_of(f"sqlite:///{tmp_path / 'civitscrape.sqlite'}", tmp_path / "output")
    lock = Claims(folder, "20261121T090000-q2m5")
    lock.open()
    held = list(folder.iterdir())

    lock.close()

    assert folder == tmp_path / "civitscrape.sqlite.locks"
    assert [path.name for path in held] == ["20261121T090000-q2m5.lock"]
    assert not folder.exists()


def test_a_folder_that_can_hold_no_locks_is_named(tmp_path):
    (tmp_path / "locks").write_text("a file", "utf-8")

    with pytest.raises(ArchiveError, match="cannot hold locks"):
        Claims(tmp_path / "locks", "20261121T090000-q2m5").open()
