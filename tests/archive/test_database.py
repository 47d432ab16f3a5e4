"""The database opens or says why not, keeps order, and is shared by processes that lose nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from civitscrape.archive import schema, updates
from civitscrape.archive.database import Archive, from_row, open_engine, to_row, update_each, upsert
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image, ImageTag, Tag
from civitscrape.ledger import Media, Run, Walk
from tests.archive.asking import key_of, picture, put, row, rows

ROOT = Path(__file__).parent.parent.parent

WRITER = """
import sys
from civitscrape.archive.database import Archive
from civitscrape.archive.shelf import Fate, shelve
from tests.archive.asking import key_of, media_of, picture, put, walk_of

url, name = sys.argv[1:]
archive = Archive(url)
print("ready", flush=True)
sys.stdin.readline()
walk = walk_of(f"user:{name}")
for turn in range(25):
    shared, own = picture(1), picture(int(name) * 1000 + turn)
    walk.pages += 1
    put(archive, shared, media_of(shared), own, media_of(own), walk)
    fate = Fate(image_id=1, key=key_of(1), state="failed", error=name)
    archive.run_now(lambda connection: shelve(connection, None, [fate]))
archive.close()
"""
"""A process that commits page after page, with one image that all processes list and fail to fetch."""


OPENER = """
import sys
from civitscrape.archive.database import Archive

print("ready", flush=True)
sys.stdin.readline()
Archive(sys.argv[1]).close()
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def let_go(processes: list[subprocess.Popen[str]]) -> list[int]:
    """Wait until all processes are ready, let them go at once, and give their exit codes."""
    assert [one.stdout and one.stdout.readline() for one in processes] == ["ready\n"] * len(processes)
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in processes:
        one.communicate()
    return [one.returncode for one in processes]


def count(archive: Archive, table: sa.Table) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    return archive.run_now(lambda connection: connection.scalar(query)) or 0


def test_processes_that_write_at_once_neither_fail_nor_lose_anything(archive, url):
    writers = [start(WRITER, url, name) for name in ("1", "2", "3")]

    codes = let_go(writers)

    assert codes == [0, 0, 0]
    assert count(archive, schema.images) == 3 * 25 + 1
    assert [walk.pages for walk in rows(archive, Walk)] == [25, 25, 25]
    assert {media.key: media.attempts for media in rows(archive, Media)}[key_of(1)] == 3 * 25


def test_processes_may_open_a_new_database_at_once(url):
    openers = [start(OPENER, url) for _ in range(3)]

    codes = let_go(openers)

    assert codes == [0, 0, 0]


def test_a_commit_waits_while_another_process_writes(archive, tmp_path):
    other = sqlite3.connect(tmp_path / "civitscrape.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["COMMIT"])
    started = time.monotonic()

    release.start()
    put(archive, picture(7))

    assert time.monotonic() - started >= 0.3
    assert row(archive, Image).id == 7
    release.join()
    other.close()


def test_nobody_who_reads_holds_up_a_writer(archive, tmp_path):
    put(archive, picture(7))
    reading, writing = (
        sqlite3.connect(tmp_path / "civitscrape.sqlite", isolation_level=None, timeout=0) for _ in range(2)
    )
    reading.execute("BEGIN")
    before = reading.execute("SELECT id FROM images").fetchall()

    writing.execute("DELETE FROM images")  # an error if it had to wait

    assert reading.execute("SELECT id FROM images").fetchall() == before == [(7,)]
    assert rows(archive, Image) == []
    reading.close()
    writing.close()


async def test_what_is_asked_happens_in_the_order_of_the_asking(archive):
    images = [picture(7, like_count=number) for number in range(1, 51)]

    await asyncio.gather(*[archive.run(upsert, [image]) for image in images])

    assert row(archive, Image).like_count == 50


async def test_the_event_loop_turns_while_the_database_works(archive):
    turns = 0
    asked = asyncio.ensure_future(archive.run(lambda _: time.sleep(0.2)))

    while not asked.done():
        turns += 1
        await asyncio.sleep(0.01)

    assert turns > 5


async def test_closing_finishes_what_was_asked(url):
    archive = Archive(url)
    asked = [asyncio.ensure_future(archive.run(upsert, [picture(number)])) for number in range(20)]
    await asyncio.sleep(0)

    await asyncio.to_thread(archive.close)

    await asyncio.gather(*asked)
    again = Archive(url)
    assert count(again, schema.images) == 20
    again.close()


def test_a_database_that_is_opened_again_has_what_was_written(url):
    image = picture(
        7, meta={"prompt": "港の灯り 🏮"}, model_version_ids=[1, 2], nsfw=False, cfg_scale=6.5, seed=2**63 - 1
    )
    first = Archive(url)
    put(first, image)
    first.close()

    second = Archive(url)

    assert row(second, Image) == image
    second.close()


def test_a_missing_folder_is_made(tmp_path):
    archive = Archive(f"sqlite:///{tmp_path}/deep/er/civitscrape.sqlite")

    put(archive, picture(7))

    assert (tmp_path / "deep/er/civitscrape.sqlite").is_file()
    archive.close()


def test_missing_json_is_null_and_not_the_word(archive, tmp_path):
    put(archive, picture(7, meta=None, model_version_ids=None))

    other = sqlite3.connect(tmp_path / "civitscrape.sqlite")
    found = other.execute("SELECT meta IS NULL, model_version_ids IS NULL FROM images").fetchone()
    other.close()

    assert found == (1, 1)


def test_json_is_kept_with_its_letters(archive, tmp_path):
    put(archive, picture(7, meta={"prompt": "港 🏮"}))

    other = sqlite3.connect(tmp_path / "civitscrape.sqlite")
    (text,) = other.execute("SELECT meta FROM images").fetchone()
    other.close()

    assert text == '{"prompt": "港 🏮"}'


@pytest.mark.parametrize("dataclass", list(schema.DATACLASSES))
def test_every_table_has_the_fields_of_its_dataclass_in_their_order(archive, dataclass):
    found = sa.inspect(archive.engine).get_columns(schema.DATACLASSES[dataclass])

    assert [column["name"] for column in found] == list(schema.COLUMNS[dataclass])


def test_a_run_that_is_written_again_is_one_run(archive):
    run = Run(id="20261120T183000-x7k2", spider="user", arguments={"username": ["lampwright"]}, started_at="2026")
    archive.run_now(upsert, [run])

    archive.run_now(upsert, [replace(run, outcome="complete", counts={"listed": 12})])

    assert row(archive, Run) == replace(run, outcome="complete", counts={"listed": 12})


def test_an_update_with_a_parameter_too_few_is_an_error_and_changes_nothing(archive):
    put(archive, picture(7, path="lampwright/7.png"), picture(8, path="lampwright/8.png"))
    told = [{"_id": 7, "_path": "lampwright/seven.png"}, {"_id": 8}]

    with pytest.raises(KeyError, match="_path"):
        archive.run_now(update_each, updates.UPDATE_IMAGES, told)

    assert [image.path for image in rows(archive, Image)] == ["lampwright/7.png", "lampwright/8.png"]


def test_a_record_becomes_a_row_and_a_record_again(archive):
    vote = ImageTag(image_id=7, tag_id=5, score=0, up_votes=2, down_votes=1, automated=False, shown=True)
    put(archive, vote)

    found = archive.run_now(lambda connection: connection.execute(sa.select(schema.image_tags)).one())

    assert from_row(ImageTag, found) == vote
    assert found._asdict() == to_row(vote)


def test_a_disk_that_is_full_is_said_in_a_sentence_and_changes_nothing(archive):
    put(archive, Tag(id=1, name="harbour"))
    pages = archive.run_now(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())
    archive.run_now(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar())

    with pytest.raises(ArchiveError, match=r"civitscrape\.sqlite'?: database or disk is full"):
        put(archive, *[Tag(id=number, name="lantern " * 100) for number in range(500)])

    assert row(archive, Tag) == Tag(id=1, name="harbour")


def test_a_database_in_the_place_of_a_folder_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match=r"DATABASE_URL 'sqlite:///.*' cannot be opened: unable to open"):
        open_engine(f"sqlite:///{tmp_path}")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ArchiveError, match=r"DATABASE_URL 'sqlite:///.*' cannot be opened: .*file"):
        open_engine(f"sqlite:///{tmp_path}/file/civitscrape.sqlite")


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("lanterns\n" * 1000)

    with pytest.raises(ArchiveError, match="file is not a database"):
        open_engine(f"sqlite:///{file}")

    assert file.read_text() == "lanterns\n" * 1000


@pytest.mark.parametrize("url", ["mysql://me:secret@127.0.0.1/lanterns", "harbour://me:secret@127.0.0.1/lanterns"])
def test_a_database_that_we_do_not_speak_to_is_refused_without_its_password(url):
    with pytest.raises(ArchiveError, match=r"use an sqlite:/// or postgresql:// address") as raised:
        open_engine(url)

    assert "127.0.0.1/lanterns" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["", "lanterns", "me:secret@lanterns"])
def test_what_is_no_address_is_refused_without_its_password(url):
    with pytest.raises(ArchiveError, match=r"is no address; use an sqlite:/// or postgresql:// address") as raised:
        open_engine(url)

    assert "secret" not in str(raised.value)


def test_a_postgresql_that_cannot_be_reached_is_refused_without_its_password():
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:1/lanterns' cannot be opened: ") as raised:
        open_engine("postgresql://me:secret@127.0.0.1:1/lanterns")

    assert "secret" not in str(raised.value)
