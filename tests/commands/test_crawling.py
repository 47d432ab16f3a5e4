"""`scrapy crawl user` and `civitscrape get`: exit codes, feeds, and where everything goes."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from civitscrape.commands.get import pairs
from civitscrape.exceptions import ArgumentError
from civitscrape.items import Image
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.faults import Fault
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, SCRAPY, project, run
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from pathlib import Path

CRAWL = (*SCRAPY, "crawl", "user")
GET = (*CIVITSCRAPE, "get")
COLUMNS = [one.name for one in fields(Image)]
FOREIGN = {"path": "/xG1nkqKTMzGDvpLrqFT7WA/", "fault": Fault.STATUS, "status": 403, "times": 1}


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.crawl
@pytest.mark.parametrize(
    ("command", "typed", "faults", "code"),
    [
        (CRAWL, f"-a username={NAME}", [], 0),
        (CRAWL, "-a username=nobody_here", [], 1),
        (CRAWL, f"-a username={NAME}", [FOREIGN], 0),
        (GET, NAME, [], 0),
        (GET, f"https://civitai.com/user/{NAME}/images -a level=all", [], 0),
        (GET, "nobody_here", [], 1),
        (GET, NAME, [FOREIGN], 3),
        (GET, f"{NAME} -a max_items=2", [], 3),
    ],
)
def test_the_exit_code_tells_how_it_ended(tmp_path, command, typed, faults, code):
    with Sandbox(world(5), faults=faults).in_thread() as sandbox:
        done = run(command, *typed.split(), folder=project(tmp_path), settings=sandbox.settings())

    outcome = Archived(tmp_path / "output").latest_report()["outcome"]
    assert done.returncode == code
    assert outcome == {0: "complete", 1: "failed", 3: "incomplete"}[3 if faults else code]
    assert f"outcome: {outcome}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.crawl
@pytest.mark.parametrize(("option", "before"), [("-o", ""), ("-O", "what was there before\n")])
def test_feeds_of_ones_own_hold_everything_and_our_own_are_written_too(tmp_path, option, before):
    sight = world(30)
    folder = project(tmp_path)
    (folder / "all.csv").write_text(before)
    (folder / "all.jsonl").write_text(before)

    with Sandbox(sight).in_thread() as sandbox:
        words = ("-a", f"username={NAME}", option, "all.csv", option, "all.jsonl")
        done = run(CRAWL, *words, folder=folder, settings=sandbox.settings())

    with (folder / "all.csv").open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        rows = list(table)
    lines = [json.loads(line) for line in (folder / "all.jsonl").read_text("utf-8").splitlines()]
    ours = Archived(folder / "output").latest_feed()
    ids = sorted(sight.truth(NAME, 3).ids)
    assert done.returncode == 0, done.stderr
    assert table.fieldnames == COLUMNS
    assert {tuple(line) for line in lines} == {tuple(COLUMNS)}
    assert sorted(int(row["id"]) for row in rows) == sorted(line["id"] for line in lines) == ids
    assert sorted(int(row["id"]) for row in ours) == ids
    assert {line["id"]: line["path"] for line in lines} == {int(row["id"]): row["path"] for row in rows}


@pytest.mark.crawl
@pytest.mark.parametrize("name", ["elsewhere", "my archive #1, 50% {done} & ünal"])
def test_output_dir_moves_everything(tmp_path, name):
    sight = world(8)
    folder = project(tmp_path / "work")
    before = below(folder)

    with Sandbox(sight).in_thread() as sandbox:
        words = ("-a", f"username={NAME}", "-s", f"OUTPUT_DIR={tmp_path / name}")
        done = run(CRAWL, *words, folder=folder, settings=sandbox.settings())

    archive = Archived(tmp_path / name)
    assert done.returncode == 0, done.stderr
    assert below(folder) == before
    assert {path.name for path in (tmp_path / name).iterdir()} == {
        "civitscrape.sqlite", "feeds", "logs", "media", "reports",
    }  # fmt: skip
    assert archive.differences(sight.truth(NAME, 3)) == []
    assert len(archive.latest_feed()) == 8


@pytest.mark.crawl
def test_get_runs_from_any_folder_and_writes_into_it_alone(tmp_path):
    sight = world(5)

    with Sandbox(sight).in_thread() as sandbox:
        done = run(GET, NAME, "-s", "SIDECARS=none", folder=tmp_path, settings=sandbox.settings())

    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"output"}
    assert len(Archived(tmp_path / "output").files()) == 5
    assert list((tmp_path / "output" / "media").rglob("*.json")) == []


def test_a_word_with_equals_signs_in_it_is_cut_at_the_first():
    assert pairs(["DATABASE_URL=postgresql://h/d?a=b", "EMPTY="], "-s") == {
        "DATABASE_URL": "postgresql://h/d?a=b",
        "EMPTY": "",
    }


@pytest.mark.parametrize("word", ["level", "=all", ""])
def test_a_word_without_a_name_and_a_value_is_refused(word):
    with pytest.raises(ArgumentError, match="write NAME=VALUE"):
        pairs([word], "-a")
