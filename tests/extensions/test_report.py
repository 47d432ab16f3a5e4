"""The report as people read it, on a terminal of any width, whatever the names in it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from civitscrape.extensions.report import show

CONTENT: dict[str, Any] = {
    "run": "20261120T183000-x7k2",
    "outcome": "incomplete",
    "reasons": ["walk 1 (pg+pg13) is broken at cursor '200|17': [red]not markup[/red]; run the same command again"],
    "counts": {"listed": 70, "stored": 60, "bytes": 1_500_000},
    "requests": {"api": 5, "page": 1, "media": 61},
    "paths": {"database": "/archive/[x]/civitscrape.sqlite", "report": "/archive/reports/run.json"},
    "targets": [
        {
            "target": "user:lampwright",
            "exists": True,
            "announced": {"image": 80, "video": 0},
            "announced_levels": ["pg"],
            "held": {"image": 70},
            "levels_not_asked": ["r", "x", "xxx"],
            "ask_with": "-a level=all",
            "walks": [
                {
                    "target": "user:lampwright",
                    "source": "rest.images",
                    "asks": "",
                    "levels": ["pg", "pg13"],
                    "announced": None,
                    "listed": 70,
                    "state": "broken",
                    "files": {"stored": 60, "had": 5, "gone": 2, "failed": 2, "refused": 1},
                }
            ],
        },
        {
            "target": "user:quiet_one",
            "exists": None,
            "announced": None,
            "announced_levels": [],
            "held": {},
            "levels_not_asked": [],
            "ask_with": None,
            "walks": [],
        },
    ],
}


def shown(width: int, content: dict[str, Any] = CONTENT) -> str:
    stream = io.StringIO()
    show(content, Console(file=stream, width=width))
    return stream.getvalue()


def test_a_walk_is_a_row_of_what_was_announced_listed_and_stored():
    text = shown(120)

    [row] = [line for line in text.splitlines() if line.strip().startswith("lampwright")]
    assert row.split() == ["lampwright", "pg+pg13", "unknown", "70", "60", "5", "2", "0", "1", "2", "broken"]


def test_the_outcome_its_reasons_and_what_was_not_asked_are_said():
    text = shown(200)

    assert "outcome: incomplete" in text
    assert CONTENT["reasons"][0] in text
    assert "user:lampwright: the site announces 80 images (70 here), 0 videos (0 here) rated pg" in text
    assert "not asked: r, x, xxx (-a level=all asks for them)" in text
    assert "user:quiet_one: what the site announces is unknown" in text
    assert "5 API calls, 1 pages, 61 media requests" in text


def test_what_became_webp_is_said_in_the_words_of_the_command():
    webp = {"converted": 3, "before": 4000, "after": 1000, "removed": 0, "left": {"it is animated": 2}}

    lines = [line for line in shown(200, CONTENT | {"webp": webp}).splitlines() if line.startswith("WebP: ")]

    assert lines == [
        "WebP: 3 converted: 4.0 kB became 1.0 kB (25 %), 3.0 kB saved",
        "WebP: 2 left as they are; the column webp_error of the table media says why:",
        "WebP:   2 of: it is animated",
    ]


@pytest.mark.parametrize("width", [20, 60, 500])
def test_paths_and_reasons_are_never_broken_or_taken_for_markup(width):
    text = shown(width)

    assert "/archive/[x]/civitscrape.sqlite" in text
    assert "[red]not markup[/red]" in text
