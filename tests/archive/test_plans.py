"""What is asked at the start of a run, of each page, of each file and at the end takes as long in a large archive.

SQLite is asked how it would look for the answers: by a key or an index, never row by row through a table. Its plans do
not depend on what is in the tables, as long as nobody has had them analysed; so a few rows will do, of each kind one.
"""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from civitscrape.archive import (
    commit,
    conversions,
    database,
    duplicates,
    fingerprints,
    looks,
    presence,
    replacing,
    report,
    schema,
    shelf,
    sidecars,
    tally,
    unfetched,
    updates,
    voting,
    walks,
)
from civitscrape.archive.claims import Claims
from civitscrape.archive.conversions import Done, Job, Site, Wanted
from civitscrape.archive.pictures.convert import Left
from civitscrape.items import (
    Collection,
    CollectionEntry,
    Creator,
    ImageResource,
    ImageTag,
    Model,
    ModelFile,
    ModelVersion,
    Post,
    Tag,
    TagName,
    VersionImage,
)
from civitscrape.ledger import (
    Announcement,
    Entry,
    Link,
    LocalFile,
    MediaState,
    Naming,
    Run,
    Vanished,
    WalkState,
)
from tests.archive.asking import LONG_AGO, TARGET, link_to, media_of, picture, put, walk_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.archive.database import Archive

RUN = "20261120T183000-x7k2"
IMAGE = picture(7, path="lampwright/7.png")
WANTED = picture(8)
NAMED: dict[str, Any] = {"source": "rest.models", "params": {"ids": [1, 2]}}

COARSE = frozenset({"media_state"})
"""Indexes that find most of a table at once: nearly every file is stored."""

FEW = frozenset({"media_webp_replaced", "media_replaced"})
"""Indexes of a few rows alone, which are read whole."""


def an_answer() -> list[Any]:
    """One record of everything that can be in an answer, as it would come a second time."""
    return [
        IMAGE,
        WANTED,
        *map(link_to, (IMAGE, WANTED)),
        Link(target_kind="user", target="lampwright", entry_kind="model", entry_id=1, first_seen_at=LONG_AGO),
        media_of(IMAGE, state=MediaState.STORED, path=IMAGE.path, fetched_at=LONG_AGO),
        media_of(WANTED, state=MediaState.FAILED, error="the CDN answered 500"),
        Creator(username="lampwright", user_id=4),
        Tag(id=4, name="lantern"),
        TagName(name="harbour", image_id=7),
        ImageTag(image_id=7, tag_id=4),
        ImageResource(image_id=7, position=0, model_version_id=11),
        VersionImage(version_id=11, image_id=7),
        Model(id=1, creator="lampwright"),
        ModelVersion(id=11, model_id=1),
        ModelFile(id=21, version_id=11, state=MediaState.FAILED),
        Post(id=3, creator="lampwright"),
        Collection(id=5),
        CollectionEntry(collection_id=5, position=0, entry_kind="image", entry_id=7),
        Naming(version_id=11, name="Amber Lantern XL"),
        Entry(kind="rest.image", entry_id="7", content={"id": 7}),
        walk_of(state=WalkState.COMPLETE),
        walk_of(state=WalkState.COMPLETE, **NAMED),
        walk_of("collection:5", state=WalkState.COMPLETE),
    ]


def fates() -> list[shelf.Fate]:
    """What became of files whose bytes never came: nothing is moved."""
    return [shelf.Fate(image_id=image.id, key=image.key or "", state=MediaState.GONE) for image in (IMAGE, WANTED)]


LEFT = [Done(job=Job(key=IMAGE.key or "", path="lampwright/7.png"), fate=Left(reason="it is a WebP already"))]
"""A picture that is not converted: nothing is written."""

CLAIMS = Claims(Path("nowhere"), RUN)
QUESTIONS: dict[str, Callable[[Any], object]] = {
    "adopt": lambda on: walks.adopt(on, walk_of(), CLAIMS),
    "adopt votes": lambda on: voting.adopt(on, walk_of("votes:all"), CLAIMS),
    "parts": lambda on: walks.parts(on, walk_of(), CLAIMS),
    "descendants": lambda on: walks.descendants(on, walk_of(id=1)),
    "is_whole": lambda on: walks.is_whole(on, walk_of(id=1, state=WalkState.SPLIT)),
    "last_whole": lambda on: walks.last_whole(on, walk_of()),
    "unfinished": lambda on: walks.unfinished(on, CLAIMS),
    "commands": lambda on: walks.commands(on, [RUN]),
    "media": lambda on: unfetched.media(on, "", 500),
    "of_posters": lambda on: unfetched.of_posters(on, "", 500),
    "of_models": unfetched.of_models,
    "replace_newest": lambda on: walks.replace_newest(on, walk_of(id=1)),
    "unmet": lambda on: walks.unmet(on, walk_of(id=1), "image", 0, 500),
    "base_models": lambda on: walks.base_models(on, TARGET),
    "claim": lambda on: commit.claim(on, [media_of(picture(7))], CLAIMS),
    "mark_vanished": lambda on: commit.mark_vanished(on, [Vanished(kind="image", entry_id=7)]),
    "leftovers": lambda on: unfetched.leftovers(on, TARGET, 3, 0, 500),
    "known": lambda on: walks.known(on, TARGET, "image", range(200)),
    "met": lambda on: walks.met(on, walk_of(id=1), "image", range(200)),
    "tags": lambda on: unfetched.tags(on, range(200)),
    "unnamed": lambda on: walks.unnamed(on, TARGET),
    "commit": lambda on: commit.commit(on, an_answer()),
    "run": lambda on: database.upsert(on, [Run(id=RUN, spider="user", arguments={}, started_at=LONG_AGO)]),
    "shelve": lambda on: shelf.shelve(on, Path("media"), fates(), beside=()),
    "twins": lambda on: shelf._twins(on, ["ab" * 32, "cd" * 32]),
    "pictures with a hash": lambda on: duplicates._named_so(on, [1, 2], None),
    "unseen": lambda on: looks.unseen(on, ""),
    "the path of an image": lambda on: database.update_each(
        on, updates.UPDATE_IMAGES, [{"_id": 7, "_path": "lampwright/7.png"}]
    ),
    "sidecars": lambda on: sidecars.records(on, range(200)),
    "remembered": lambda on: fingerprints.remembered(on, [LocalFile(path="/models/a", size=1, mtime_ns=1)]),
    "build": lambda on: report.build(on, RUN, LONG_AGO, {TARGET: Announcement(target=TARGET, exists=True)}),
    "walks_of": lambda on: tally.walks_of(on, RUN),
    "held": lambda on: tally.held(on, TARGET, 3),
    "last_moment": lambda on: tally.last_moment(on, RUN),
    "gone": lambda on: tally.gone(on, TARGET),
    "media_of": lambda on: tally.media_of(on, TARGET, 3, LONG_AGO),
    "media_of a walk": lambda on: tally.media_of(on, TARGET, 3, LONG_AGO, 1),
    "failures": lambda on: tally.failures(on, TARGET, 3, 100),
    "losses": lambda on: tally.losses(on, TARGET, 3),
    "unlisted": lambda on: tally.unlisted(on, TARGET, [walk_of(**NAMED)]),
    "unlisted of a collection": lambda on: tally.unlisted(on, "collection:5", []),
    "model_files": lambda on: tally.model_files(on, TARGET),
    "model_file_failures": lambda on: tally.model_file_failures(on, TARGET, 100),
    "leads": lambda on: conversions.leads(on, TARGET),
    "find": lambda on: conversions.find(on, Wanted(), Site()),
    "find one": lambda on: conversions.find(on, Wanted(keep=False), Site(), key=IMAGE.key),
    "find of a target": lambda on: conversions.find(on, Wanted(target=TARGET, only_tagged=True), Site()),
    "find again": lambda on: conversions.find(on, Wanted(again=True, copies=True), Site(), after="0"),
    "images_of": lambda on: list(conversions.images_of(on, [IMAGE.key or ""])),
    "book": lambda on: conversions.book(on, Path("media"), LEFT, keep=True, beside=()),
    "note": lambda on: conversions.note(on, LEFT),
    "sample": presence.sample,
    "spread": presence.spread,
    "sweep what was replaced": lambda on: replacing.sweep(on, Path("media")),
    "sweep": lambda on: conversions.sweep(on, Path("media")),
}

BY_STATE = frozenset({"media", "of_posters", "sample"})
"""The few files that did not come are what the index on the state is for; and it gives twenty stored ones at once."""

OF_ALL = frozenset({"count", "require"})
"""What counts everything, once, for a person who waits for it; and what asks two of the questions above."""


@pytest.fixture
def held(archive: Archive) -> Archive:
    """An archive that has everything once."""
    put(archive, *an_answer())
    return archive


def plans(archive: Archive, question: Callable[[Any], object]) -> list[str]:
    """Ask a question; return how SQLite goes about it, a step a line."""
    steps: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, __: Any, many: bool) -> None:
        rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
        steps.extend(row[-1] for row in rows)

    def ask(connection: sa.Connection) -> None:
        sa.event.listen(connection, "before_cursor_execute", explain)
        question(connection)

    archive.run_now(ask)
    return steps


def rows_by_rows(steps: list[str]) -> list[str]:
    """Find the steps that read a table of ours from its beginning to its end, or most of it."""
    scans = re.compile(r"SCAN (?:TABLE )?(\w+)")
    return [
        step
        for step in steps
        if ((found := scans.match(step)) and found[1] in schema.metadata.tables and not FEW.intersection(step.split()))
        or "AUTOMATIC" in step
        or any(name in step.split() for name in COARSE)
    ]


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_table_row_by_row(held, name):
    steps = plans(held, QUESTIONS[name])

    assert [one for one in rows_by_rows(steps) if name not in BY_STATE or "SEARCH media" not in one] == []


@pytest.mark.parametrize(
    "where",
    [
        schema.images.c.prompt == "a harbour",
        schema.media.c.state == MediaState.STORED,
        schema.links.c.target == "lampwright",
    ],
)
def test_a_question_that_does_is_found_out(held, where):
    steps = plans(held, lambda connection: connection.execute(sa.select(sa.func.count()).where(where)).all())

    assert len(rows_by_rows(steps)) == 1


@pytest.mark.parametrize("room", [walks, unfetched, tally, conversions, presence])
def test_no_question_of_these_rooms_is_forgotten(room):
    asking = {
        name
        for name, function in inspect.getmembers(room, inspect.isfunction)
        if function.__module__ == room.__name__ and "connection" in inspect.signature(function).parameters
    }

    forgotten = {name for name in asking if not name.startswith("_")} - {*QUESTIONS} - OF_ALL

    assert not forgotten, f"QUESTIONS lacks {', '.join(sorted(forgotten))}"


@pytest.mark.parametrize(
    "question",
    [
        partial(unfetched.leftovers, target=TARGET, level=3, after=0, size=500),
        partial(conversions.find, wanted=Wanted(target=TARGET), site=Site()),
    ],
    ids=["leftovers", "find"],
)
def test_what_comes_in_portions_is_found_in_order_and_not_sorted(held, question):
    steps = plans(held, question)

    assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
