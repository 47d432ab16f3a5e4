"""The written documentation can be trusted: its commands would work, its links lead somewhere, its names exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from civitscrape.ledger import Outcome
from tests.docs.commands import check, check_argument, check_settings, is_known_name
from tests.docs.markdown import (
    DECISIONS,
    DOCS,
    GUIDE,
    GUIDES,
    README,
    REFERENCE,
    ROOT,
    WRITTEN,
    anchors,
    links,
    name_of,
    spans,
    text_of,
    typed,
)

COMMAND = re.compile(r"(make|uv|scrapy crawl|civitscrape)( |$)")
ARGUMENT = re.compile(r"(?:-a )?([a-z_]+)=(\S+)")
SETTING = re.compile(r"-s ([A-Z_]+)=(\S+)")
CAPITALS = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
FOLDERS = ("/root/", "/home/", "/tmp/", "/work/", "/Users/", "/var/folders/")
"""Beginnings of paths that are somebody's."""

EVERYTHING = [*WRITTEN, *REFERENCE]
SHIPPED = [*EVERYTHING, *sorted(DOCS.glob("*.py")), DOCS / "demo.svg"]

in_each_text = pytest.mark.parametrize("path", WRITTEN, ids=name_of)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that has what commands of the documentation name."""
    (tmp_path / "models").mkdir()
    (tmp_path / "list.txt").write_text("NAME\n", "utf-8")
    cookie = "civitai.com\tFALSE\t/\tTRUE\t0\ttheme\tdark"
    (tmp_path / "cookies.txt").write_text(f"# Netscape HTTP Cookie File\n{cookie}\n", "utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("words", [words for path in (README, *GUIDES) for words in typed(path)], ids=shlex.join)
def test_a_command_to_type_would_work(words: list[str]) -> None:
    check(words)


@pytest.mark.usefixtures("at_home")
@in_each_text
def test_commands_in_running_text_exist(path: Path) -> None:
    for span in spans(path):
        if COMMAND.match(span) and span not in {"make", "uv", "civitscrape"}:
            check([word for word in shlex.split(span) if word not in {"…", "--help"}])


@in_each_text
def test_arguments_and_settings_in_running_text_exist(path: Path) -> None:
    for span in spans(path):
        if found := ARGUMENT.fullmatch(span):
            check_argument(found[1], found[2])
        elif found := SETTING.fullmatch(span):
            check_settings({found[1]: found[2]})
        elif CAPITALS.fullmatch(span):
            assert is_known_name(span), span


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_relative_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        address, _, anchor = link.partition("#")
        if "://" in address:
            continue
        target = (path.parent / address).resolve() if address else path
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_nothing_names_a_path_of_this_machine(path: Path) -> None:
    text = text_of(path)

    theirs = [folder for folder in (*FOLDERS, f"{ROOT}/", f"{Path.home()}/") if len(folder) > 1 and folder in text]

    assert theirs == []


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_is_short_and_has_its_three_parts(path: Path) -> None:
    text = text_of(path)

    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    assert len(text.splitlines()) < 40


def test_every_decision_is_listed_under_its_title() -> None:
    index = text_of(DOCS / "README.md")

    for path in DECISIONS:
        number, title = text_of(path).split("\n")[0].removeprefix("# ").split(". ", 1)
        assert f"{number}. [{title}](decisions/{path.name})" in index


def test_the_guide_explains_every_outcome() -> None:
    guide = text_of(GUIDE)

    assert [outcome for outcome in Outcome if f"- `{outcome}`: " not in guide] == []


def test_the_changelog_has_the_version_of_the_project() -> None:
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]

    headings = re.findall(r"^## (\S+)", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)

    assert headings[:2] == ["Unreleased", version]
