"""The log shows everything but the key."""

from __future__ import annotations

import io
import logging

import pytest

from civitscrape.extensions.log import MASK, mask

KEY = "d41d8cd98f00b204"


@pytest.fixture
def written() -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    mask(handler, lambda: {KEY, f"{KEY}-renewed"})
    logger = logging.getLogger("tests.masked")
    logger.handlers.clear()
    logger.addHandler(handler)
    return logger, stream


def test_the_key_is_covered_wherever_it_stands(written):
    logger, stream = written

    logger.warning("Bearer %s went to %s", KEY, {"url": f"https://civitai.com?token={KEY}"})

    assert stream.getvalue() == f"WARNING Bearer {MASK} went to {{'url': 'https://civitai.com?token={MASK}'}}\n"


def test_a_traceback_is_covered_too(written):
    logger, stream = written

    try:
        int(KEY)
    except ValueError:
        logger.exception("it broke")

    assert f"invalid literal for int() with base 10: '{MASK}'" in stream.getvalue()
    assert KEY not in stream.getvalue()


def test_a_secret_that_begins_with_another_is_covered_whole(written):
    logger, stream = written

    logger.warning("it is now %s-renewed", KEY)

    assert stream.getvalue() == f"WARNING it is now {MASK}\n"


def test_a_secret_that_came_while_the_crawl_ran_is_covered_too():
    stream, secrets = io.StringIO(), {KEY}
    handler = logging.StreamHandler(stream)
    mask(handler, lambda: secrets)

    secrets.add("another-secret")
    handler.handle(logging.makeLogRecord({"msg": "another-secret"}))

    assert stream.getvalue() == f"{MASK}\n"


def test_without_a_key_nothing_is_covered():
    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(message)s")
    handler.setFormatter(formatter)

    mask(handler, set)

    assert handler.formatter is formatter
