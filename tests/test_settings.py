"""The switches: from the environment, by their documented names, and safe as they come."""

from __future__ import annotations

import ast
import runpy
from itertools import pairwise
from pathlib import Path

import pytest
from scrapy.utils.conf import build_component_list

from civitscrape import settings
from civitscrape.commands.crawling import project_settings

SOURCE = Path(settings.__file__)
OURS = {
    "CIVITAI_URL": "https://mirror.example",
    "CIVITAI_MATURE_URL": "https://mature.example",
    "CIVITAI_MEDIA_URL": "https://cdn.example/bucket",
    "CIVITAI_STORAGE_HOSTS": "storage.example",
    "CIVITAI_API_KEY": "a-key",
    "CIVITAI_COOKIES": "__Secure-civ-token=a-session",
    "OUTPUT_DIR": "elsewhere",
    "DATABASE_URL": "sqlite:///x.sqlite",
    "MEDIA_STORE": "pictures",
    "MEDIA_PATH": "{id}{ext}",
    "SIDECARS": "none",
    "KEEP_PAYLOADS": "False",
    "WEBP_ENABLED": "True",
    "WEBP_QUALITY": "70",
    "WEBP_METHOD": "2",
    "WEBP_KEEP_ORIGINAL": "False",
    "WEBP_ONLY_TAGGED": "True",
    "BROWSER_EXECUTABLE": "my-browser",
    "BROWSER_PAGES": "2",
    "API_DELAY": "2.5",
    "MEDIA_CONCURRENCY": "3",
    "RETRY_AFTER_MAX": "60",
    "RETRY_BACKOFF": "0.5",
}


def read(monkeypatch, **environment: str) -> dict[str, object]:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(SOURCE))


def test_each_of_our_switches_can_be_set_from_the_environment(monkeypatch):
    plain, changed = read(monkeypatch), read(monkeypatch, **OURS)

    assert {name: changed[name] for name in OURS} == OURS
    assert [name for name in OURS if plain[name] == OURS[name]] == []


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    plain, empty = read(monkeypatch), read(monkeypatch, **dict.fromkeys(OURS, ""))

    assert {name: empty[name] for name in OURS} == {name: plain[name] for name in OURS}


def test_each_of_our_switches_is_documented_under_it():
    body = ast.parse(SOURCE.read_text("utf-8")).body
    documented = {
        node.targets[0].id
        for node, following in pairwise(body)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
    }

    assert documented == set(OURS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOWNLOAD_VERIFY_CERTIFICATES", True),
        ("REMOTE_CONTROL_ENABLED", False),
        ("TELNETCONSOLE_ENABLED", False),
        ("COOKIES_ENABLED", False),
        ("ROBOTSTXT_OBEY", True),
    ],
)
def test_what_scrapy_leaves_open_is_shut(name, value):
    assert project_settings({}).getbool(name) is value


def test_the_key_is_put_on_nearest_to_the_wire_and_failures_are_caught_farthest_from_it():
    order = [
        component if isinstance(component, str) else component.__name__
        for component in build_component_list(
            project_settings({}).get_component_priority_dict_with_base("DOWNLOADER_MIDDLEWARES")
        )
    ]

    named = [name for name in order if name in {"GiveUp", "Retry", "Pace", "Redirect", "Auth"}]
    assert named == ["GiveUp", "Retry", "Pace", "Redirect", "Auth"]
    assert not any("cookies" in name or "httpauth" in name for name in order)


def test_the_user_agent_says_what_this_is():
    agent = project_settings({})["USER_AGENT"]

    assert agent.startswith("civitscrape/")
    assert not any(word in agent for word in ("Mozilla", "Chrome", "Safari", "Gecko"))
