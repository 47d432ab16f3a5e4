"""A summary names what a tag led to and an earlier tag had brought."""

from __future__ import annotations

import csv
import io

import pytest

from civitscrape.archive import summaries
from tests.archive.asking import link_to, picture, put, walk_of

DAY = "20261120"


@pytest.fixture
def held(archive):
    """Put two pictures into an archive: both carry dusk, one of them came with lantern before."""
    one = picture(7, path="Model_Tag_Search/lantern/mix/7.png", url="https://image.civitai.com/x/7.jpeg", model="mix")
    other = picture(8, path="Model_Tag_Search/dusk/mix/8.png")
    later = [link_to(image, "tag:dusk") for image in (one, other)]
    for link in later:
        link.first_seen_at = "2026-02-02T00:00:00.000Z"
    put(archive, one, other, link_to(one, "tag:lantern"), *later, link_to(one, "user:lampwright"))
    return archive


def test_the_later_tag_has_a_table_and_the_earlier_has_none(held, tmp_path):
    put(held, walk_of("tag:dusk"), walk_of("tag:lantern"), walk_of("user:lampwright"))

    written = held.run_now(summaries.write, tmp_path, "20261120T183000-x7k2", DAY)

    assert written == ["Model_Tag_Search/dusk/summary_dusk_20261120.csv"]
    with io.StringIO((tmp_path / written[0]).read_text("utf-8")) as text:
        rows = list(csv.reader(text))
    assert rows == [
        ["Current Tag", "Previously Downloaded Tag", "Checkpoint Name", "Relative Image Path", "Download URL"],
        ["dusk", "lantern", "mix", "Model_Tag_Search/lantern/mix/7.png", "https://image.civitai.com/x/7.jpeg"],
    ]


def test_the_tags_of_another_run_are_left_alone(held, tmp_path):
    put(held, walk_of("tag:dusk", run_id="another"))

    assert held.run_now(summaries.write, tmp_path, "20261120T183000-x7k2", DAY) == []


@pytest.mark.parametrize("tag", ["../../x", "a/b", "CON", "x" * 300])
def test_a_hostile_tag_has_its_table_in_the_store(archive, tmp_path, tag):
    image = picture(7, path="7.png")
    later = link_to(image, f"tag:{tag}")
    later.first_seen_at = "2026-02-02T00:00:00.000Z"
    put(archive, image, link_to(image, "tag:dusk"), later, walk_of(f"tag:{tag}"))
    store = tmp_path / "media"

    written = archive.run_now(summaries.write, store, "20261120T183000-x7k2", DAY)

    assert [str(one.relative_to(store)) for one in store.rglob("*.csv")] == written
    assert len(written) == 1
