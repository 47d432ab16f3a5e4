"""The project holds its own promises: who imports whom, what is called how, and what the top level holds."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "civitscrape"
MODULES = sorted(PACKAGE.rglob("*.py"))

NO_SCRAPY = ("parsers", "archive", "imports")
"""Rooms that know nothing of Scrapy at all."""

SHARED = {"items", "ledger", "exceptions", "json_text"}
"""Modules that every room may use."""

MAY_IMPORT = {
    "civitai": SHARED,
    "parsers": SHARED | {"civitai"},
    "archive": SHARED | {"civitai"},
    "downloads": SHARED,
    "exports": SHARED | {"archive"},
    "sandbox": {"items"},
    "spiders": SHARED | {"civitai", "parsers", "extensions"},
}
"""Rooms of the package, and what else of the package each may use; the rooms not named may use all."""


def imports(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = [module for module in MODULES if room_of(module) == room]

    foreign = {
        (str(module.relative_to(ROOT)), name)
        for module in modules
        for name in imports(module)
        if name.startswith("civitscrape.") and name.split(".")[1] not in MAY_IMPORT[room] | {room}
    }

    assert modules
    assert foreign == set()


@pytest.mark.parametrize("room", NO_SCRAPY)
def test_parsers_and_archive_know_nothing_of_scrapy(room: str) -> None:
    modules = [module for module in MODULES if room_of(module) == room]

    using = {module.name for module in modules if any(name.split(".")[0] == "scrapy" for name in imports(module))}

    assert using == set()


def test_the_site_knows_of_scrapy_only_requests_and_answers() -> None:
    allowed = {"scrapy", "scrapy.Request", "scrapy.http", "scrapy.http.Response", "scrapy.http.TextResponse"}

    used = {
        name
        for module in MODULES
        if room_of(module) == "civitai"
        for name in imports(module)
        if name.split(".")[0] == "scrapy"
    }

    assert used <= allowed


def test_a_spider_is_called_like_its_file_and_its_class() -> None:
    settings = Settings()
    settings.setmodule("civitscrape.settings")
    loader = SpiderLoader.from_settings(settings)

    named = {name: loader.load(name) for name in loader.list()}

    assert named
    for name, spider in named.items():
        assert spider.__module__ == f"civitscrape.spiders.{name}"
        assert spider.__name__ == f"{name.title()}Spider"


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}

    names = {module.stem for module in MODULES} | {folder.name for folder in PACKAGE.rglob("*") if folder.is_dir()}

    assert names & drawers == set()


def test_no_module_has_more_than_400_lines() -> None:
    lengths = {str(module.relative_to(ROOT)): len(module.read_text("utf-8").splitlines()) for module in MODULES}

    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_every_module_says_what_it_is_about_in_one_line() -> None:
    first_lines = {
        str(module.relative_to(ROOT)): (ast.get_docstring(ast.parse(module.read_text("utf-8"))) or "").split("\n")[0]
        for module in MODULES
    }

    assert {
        name for name, line in first_lines.items() if not line.endswith((".", ":")) or "module" in line.lower()
    } == set()


def test_the_top_level_holds_nothing_else() -> None:
    allowed = {
        "scrapy.cfg", "pyproject.toml", "uv.lock", "README.md", "CHANGELOG.md", "LICENSE", "Makefile",
        "civitscrape", "tests", "docs", "output",
    }  # fmt: skip

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in listed.splitlines()}

    assert {name for name in top if not name.startswith(".")} <= allowed
    assert [line for line in listed.splitlines() if line.startswith("output/")] == ["output/.gitignore"]
