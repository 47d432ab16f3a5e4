"""What README and guides say of a crawl is true of the one that `make demo` runs, and of a few others."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.markdown import DOCS, GUIDE, README, TARGETS, blocks, text_of, tree, typed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.conftest import Demonstrated

pytestmark = pytest.mark.crawl


def queries(path: Path) -> list[str]:
    return [statement for block in blocks(path, "sql") for statement in block.split(";\n") if statement.strip()]


QUERIES = queries(GUIDE)
QUERIES += [word for words in typed(GUIDE) if words[0] == "sqlite3" for word in words if word.startswith("SELECT ")]


def pattern(branch: str) -> re.Pattern[str]:
    """Turn a branch of the tree into what matches the files that it stands for."""
    parts = re.split(r"(\{\w+\})", branch)
    sure = {"{ext}": r"\.(?!json)\w+"}
    return re.compile("".join(sure.get(part, "[^/.]+") if part[:1] == "{" else re.escape(part) for part in parts))


@pytest.mark.parametrize("path", [README, GUIDE], ids=["README", "guide"])
def test_the_tree_is_what_a_crawl_leaves(demo: Demonstrated, path: Path) -> None:
    patterns = [pattern(branch) for branch in tree(path)]

    unnamed = [file for file in demo.files if not any(one.fullmatch(file) for one in patterns)]
    unmet = [one.pattern for one in patterns if not any(one.fullmatch(file) for file in demo.files)]

    assert (unnamed, unmet) == ([], [])


def found(crawled: Demonstrated, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(crawled.output / "civitscrape.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_guide_finds_something(demo: Demonstrated, query: str) -> None:
    assert found(demo, query)


@pytest.mark.parametrize("query", queries(TARGETS))
def test_a_query_about_models_posts_and_votes_finds_something(varied: Demonstrated, query: str) -> None:
    assert found(varied, query)


def test_the_script_of_the_guide_writes_a_caption_beside_each_picture(demo: Demonstrated) -> None:
    (script,) = blocks(GUIDE, "python")
    connection = sqlite3.connect(demo.output / "civitscrape.sqlite")
    try:
        (expected,) = connection.execute(
            "SELECT count(*) FROM images WHERE type = 'image' AND path IS NOT NULL AND prompt > ''"
        ).fetchone()
    finally:
        connection.close()

    try:
        subprocess.run([sys.executable, "-c", script], cwd=demo.folder, check=True)
        captions = sorted(demo.output.rglob("*.txt"))
        assert len(captions) == expected
        assert all(caption.read_text("utf-8") for caption in captions)
    finally:
        for caption in demo.output.rglob("*.txt"):
            caption.unlink()


def test_the_readme_explains_every_column_of_the_report(demo: Demonstrated) -> None:
    (header,) = re.findall(r"^ *walk +(\w.*)$", demo.said, re.MULTILINE)

    explained = re.findall(r"^\| (\w+) \|", text_of(README), re.MULTILINE)

    assert explained[1:] == header.split()


def test_the_picture_shows_what_the_demo_says_today(demo: Demonstrated) -> None:
    picture = unescape(re.sub(r"<[^>]+>", "", text_of(DOCS / "demo.svg"))).replace("\N{NO-BREAK SPACE}", " ")
    (summary,) = re.findall(r"^\d+ entries, .* media requests$", demo.said, re.MULTILINE)
    (walk,) = re.findall(r"^ *lampwright .*complete", demo.said, re.MULTILINE)

    assert summary in picture, "run python -m docs.picture"
    assert walk.split() == re.findall(r"lampwright pg.*?complete", picture)[0].split()


def test_the_words_under_the_picture_are_those_of_the_run(demo: Demonstrated) -> None:
    (numbers,) = re.findall(r"^(\d+) entries, (\d+) new files", demo.said, re.MULTILINE)

    assert f"{numbers[0]} entries listed, {numbers[1]} files stored" in text_of(README)
