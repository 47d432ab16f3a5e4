"""The archive is opened once, by whoever keeps the books."""

from __future__ import annotations

import re

import pytest
from scrapy.utils.test import get_crawler

from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import Books, probe, run_id


def test_a_run_is_named_by_its_start_and_four_letters():
    names = {run_id() for _ in range(20)}

    assert all(re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{4}", name) for name in names)
    assert len(names) > 15


def test_a_folder_is_made_and_left_as_it_was(tmp_path):
    probe(tmp_path / "a" / "b", "OUTPUT_DIR")

    assert (tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_below_a_file_is_refused_in_the_systems_words(tmp_path):
    (tmp_path / "plain").touch()

    with pytest.raises(ArchiveError) as raised:
        probe(tmp_path / "plain" / "out", "MEDIA_STORE")

    below = str(tmp_path / "plain" / "out")
    assert str(raised.value) == f"setting MEDIA_STORE: {below!r} cannot be written: Not a directory"


def test_a_crawl_without_books_says_which_setting_lists_them():
    crawler = get_crawler(settings_dict={"EXTENSIONS": {}})

    with pytest.raises(RuntimeError, match=r"EXTENSIONS in settings\.py lists it first"):
        Books.of(crawler)
