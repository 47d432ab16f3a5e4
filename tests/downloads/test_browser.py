"""Which browser is taken, and what it does not load."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from civitscrape.downloads import browser
from civitscrape.exceptions import ArgumentError

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = ("civitai.com", "civitai.red")


def program(folder: Path, name: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without any browser."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    return tmp_path


def test_the_browser_that_a_setting_names_is_taken_first(bare):
    program(bare / "bin", "chromium-headless-shell")
    wished = program(bare / "elsewhere", "my-browser")

    assert browser.require({"BROWSER_EXECUTABLE": wished}) == wished


def test_the_small_build_comes_before_playwright_s_own_and_that_before_any_other(bare):
    other = program(bare / "bin", "google-chrome")
    found = [browser.require({"BROWSER_EXECUTABLE": ""})]
    program(bare / "playwright/chromium_headless_shell-1100/chrome-linux", "headless_shell")
    own = program(bare / "playwright/chromium_headless_shell-1200/chrome-linux", "headless_shell")
    found.append(browser.require({"BROWSER_EXECUTABLE": ""}))
    small = program(bare / "bin", "chromium-headless-shell")
    found.append(browser.require({"BROWSER_EXECUTABLE": ""}))

    assert found == [other, own, small]


@pytest.mark.parametrize(("wished", "words"), [("", "there is none"), ("no-such", "'no-such' is no program")])
@pytest.mark.usefixtures("bare")
def test_a_machine_without_one_is_told_how_to_get_one(wished, words):
    with pytest.raises(ArgumentError, match=words) as error:
        browser.require({"BROWSER_EXECUTABLE": wished})

    assert "apt install chromium-headless-shell" in str(error.value)


@pytest.mark.usefixtures("bare")
def test_without_the_extra_its_name_is_said(monkeypatch):
    monkeypatch.setattr(browser, "find_spec", lambda _: None)

    with pytest.raises(ArgumentError, match=r"civitscrape\[browser\]"):
        browser.require({"BROWSER_EXECUTABLE": ""})


@pytest.mark.parametrize(
    ("kind", "url", "expected"),
    [
        ("document", "https://civitai.com/images/7", False),
        ("script", "https://civitai.com/_next/static/a.js", False),
        ("fetch", "https://www.civitai.red/api/trpc/tag.getVotableTags", False),
        ("image", "https://image.civitai.com/a/b.jpeg", True),
        ("media", "https://civitai.com/a.mp4", True),
        ("font", "https://civitai.com/a.woff2", True),
        ("script", "https://tracker.example/t.js", True),
        ("script", "https://notcivitai.com/t.js", True),
    ],
)
def test_pictures_fonts_and_strangers_are_not_loaded(kind, url, expected):
    assert browser.is_unwanted(kind, url, HOSTS) is expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://me:secret@proxy.example:3128"},
         {"server": "http://proxy.example:3128", "username": "me", "password": "secret"}),
        ({"https_proxy": "proxy.example:3128"}, {"server": "http://proxy.example:3128"}),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": "civitai.com"}, None),
    ],
)  # fmt: skip
def test_the_browser_goes_through_the_proxy_of_the_environment(monkeypatch, environment, expected):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert browser.proxy("https://civitai.com") == expected


def test_what_a_dying_page_says_in_passing_is_not_logged_and_a_mistake_in_a_listener_is(caplog, monkeypatch):
    driver = logging.getLogger("playwright")
    monkeypatch.setattr(driver, "filters", [])
    died = pytest.importorskip("playwright.async_api").Error("Target page, context or browser has been closed")

    browser.quieten()
    driver.error("Error occurred in event listener", exc_info=died)
    driver.error("Error occurred in event listener", exc_info=KeyError("a mistake"))
    driver.error("without any error")

    assert "closed" not in caplog.text
    assert "a mistake" in caplog.text
    assert "without any error" in caplog.text
