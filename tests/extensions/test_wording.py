"""Words for answers and items."""

from __future__ import annotations

import logging

import pytest
from scrapy import Request, Spider
from scrapy.http import Response

from civitscrape.extensions.wording import Wording

SPIDER = Spider("words")
ADDRESS = "https://civitai.com/7"


@pytest.mark.parametrize(("level", "told"), [(logging.DEBUG, True), (logging.INFO, False)])
def test_answers_and_items_have_words_only_where_somebody_reads_them(caplog, level, told):
    for name in ("scrapy.core.engine", "scrapy.core.scraper"):
        caplog.set_level(level, logger=name)
    answer = Response(ADDRESS)

    crawled = Wording().crawled(Request(ADDRESS), answer, SPIDER)
    scraped = Wording().scraped({}, answer, SPIDER)

    assert [crawled is not None, scraped is not None] == [told, told]
