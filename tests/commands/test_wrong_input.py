"""What is typed wrong is refused in one line, before anything is asked of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from civitscrape.sandbox import CreatorSpec, Sandbox, World
from tests.crawls.processes import CIVITSCRAPE, SCRAPY, project, run

if TYPE_CHECKING:
    from collections.abc import Iterator

CRAWL = (*SCRAPY, "crawl")
GET = (*CIVITSCRAPE, "get")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    world = World.build(seed=7, creators=[CreatorSpec(username="lampwright", images=1)])
    with Sandbox(world).in_thread() as running:
        yield running


WRONG: dict[str, tuple[tuple[str, ...], str, str]] = {
    "no username": (CRAWL, "user", "spider argument username: missing; as in: scrapy crawl user -a username=…"),
    "an empty username": (
        CRAWL,
        "user -a username=",
        "spider argument username: give one, as in: scrapy crawl user -a username=NAME",
    ),
    "a space in it": (
        CRAWL,
        "user -a username=a~b",
        "spider argument username: 'a b': only letters, digits and _, or a profile's address",
    ),
    "an unknown argument": (
        CRAWL,
        "user -a username=x -a levle=all",
        "spider argument levle: user does not know it; did you mean level?",
    ),
    "an unknown level": (
        CRAWL,
        "user -a username=x -a level=pgg",
        "spider argument level: 'pgg' is not a level; known are sfw, all, pg, pg13, r, x, xxx",
    ),
    "an unknown mode": (
        CRAWL,
        "user -a username=x -a mode=newest",
        "spider argument mode: 'newest': input should be 'all', 'new' or 'refresh'",
    ),
    "an unknown spider": (CRAWL, "usr -a username=x", "there is no spider 'usr'; known are "),
    "a file in the way": (
        CRAWL,
        "user -a username=x -s OUTPUT_DIR=scrapy.cfg/out",
        "setting OUTPUT_DIR: '{folder}/scrapy.cfg/out' cannot be written: Not a directory",
    ),
    "a path out of the store": (CRAWL, "user -a username=x -s MEDIA_PATH=../{id}", "media path template '../{id}': "),
    "no database": (
        CRAWL,
        "user -a username=x -s DATABASE_URL=nonsense",
        "DATABASE_URL 'nonsense' ",
    ),
    "another database": (
        CRAWL,
        "user -a username=x -s DATABASE_URL=mysql://h/d",
        "DATABASE_URL 'mysql://h/d'",
    ),
    "a question mark in the folder": (
        CRAWL,
        "user -a username=x -s OUTPUT_DIR=what?",
        "setting OUTPUT_DIR: '{folder}/what?': the address of a database cannot hold a ?",
    ),
    "a delay in words": (
        CRAWL,
        "user -a username=x -s API_DELAY=slow",
        "setting API_DELAY: 'slow': give a number, 0 or more",
    ),
    "get: a space in a name": (
        GET,
        "a~b",
        "spider argument username: 'a b': only letters, digits and _, or a profile's address",
    ),
    "get: an unknown argument": (
        GET,
        "x -a usrname=y",
        "spider argument usrname: user does not know it; did you mean username?",
    ),
    "get: a setting without a value": (GET, "x -s OUTPUT_DIR", "-s 'OUTPUT_DIR': write NAME=VALUE"),
    "get: a file in the way": (
        GET,
        "x -s MEDIA_STORE=scrapy.cfg/media",
        "setting MEDIA_STORE: '{folder}/scrapy.cfg/media' cannot be written: Not a directory",
    ),
}


@pytest.mark.parametrize(("command", "typed", "sentence"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_line_on_stderr_and_exit_code_1(tmp_path, sandbox, command, typed, sentence):
    folder = project(tmp_path)
    words = [word.replace("~", " ") for word in typed.split()]

    done = run(command, *words, folder=folder, settings=sandbox.settings())

    assert done.stdout == ""
    assert done.stderr.startswith("civitscrape: " + sentence.replace("{folder}", str(folder)))
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1
    assert list(sandbox.log.lines) == []


def test_get_without_a_name_shows_how_it_is_called(tmp_path, sandbox):
    done = run(GET, folder=tmp_path, settings=sandbox.settings())

    assert done.returncode == 2
    assert "Usage: civitscrape get" in done.stderr
    assert list(tmp_path.iterdir()) == []
