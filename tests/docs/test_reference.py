"""The generated reference says what the code declares, and the documentation as a whole leaves nothing out."""

from __future__ import annotations

import doctest

import pytest

from civitscrape.civitai import filters
from docs import declarations, generate
from docs.declarations import settings_of
from tests.docs.markdown import DOCS, GUIDES, README, REFERENCE, text_of

PAGES = generate.pages()
GUIDE_TEXT = " ".join("".join(map(text_of, GUIDES)).split())

SITES_OWN = {
    "feed": filters.FEED_FILTERS,
    "images": filters.REST_IMAGE_FILTERS,
    "models": filters.REST_MODEL_FILTERS,
}
"""Spiders whose arguments are filters of the site, too many for the guide; the reference has them all."""


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_of_the_reference_is_what_make_docs_would_write(name: str) -> None:
    written = text_of(DOCS / "reference" / name)

    assert written == PAGES[name], "run make docs"


def test_the_reference_has_no_other_pages() -> None:
    assert {path.name for path in REFERENCE} == set(PAGES)


def test_every_spider_and_argument_is_in_the_guide_and_in_the_reference() -> None:
    guide, reference = GUIDE_TEXT, PAGES["arguments.md"]

    for name, spider in generate.spiders().items():
        assert f"`{name}` crawl" in guide, name
        assert f"## `{name}`" in reference
        for argument in spider.arguments.model_fields:
            assert f"{argument}=" in guide or argument in SITES_OWN.get(name, ()), argument
            assert f"| `{argument}` |" in reference, argument


@pytest.mark.parametrize("name", sorted(SITES_OWN))
def test_the_guide_leads_from_a_spider_with_the_site_s_own_filters_to_all_of_them(name: str) -> None:
    assert f"(reference/arguments.md#{name})" in GUIDE_TEXT


def test_every_command_is_in_the_readme_or_the_guide_and_in_the_reference() -> None:
    written, reference = text_of(README) + GUIDE_TEXT, PAGES["commands.md"]

    for name in generate.commands():
        assert f"civitscrape {name}" in written, name
        assert f"## `civitscrape {name}`" in reference, name


def test_every_setting_of_ours_is_in_the_reference_with_its_default() -> None:
    reference = PAGES["settings.md"]

    for setting in generate.own_settings():
        assert f"| `{setting.name}` |" in reference, setting.name


def test_a_setting_is_read_with_the_comments_around_it() -> None:
    source = (
        '# Pace. Slow\n\nDELAY = 2  # kind\nTABLE = {\n    # Not needed:\n    "a.b.C": None,  # really\n    D: 1,\n}\n'
    )

    delay, table, empty = settings_of(source + "EMPTY: list[str] = []\n")

    assert (delay.section, delay.value, delay.comment, delay.text) == ("Pace. Slow", "2", "kind", None)
    assert [(one.name, one.value, one.comment) for one in table.entries] == [("C", "None", "really"), ("D", "1", "")]
    assert table.remark == "Not needed:"
    assert (empty.name, empty.value) == ("EMPTY", "[]")


@pytest.mark.parametrize("module", [declarations, generate])
def test_the_examples_in_the_generator_are_true(module) -> None:
    result = doctest.testmod(module)

    assert result.attempted
    assert result.failed == 0
