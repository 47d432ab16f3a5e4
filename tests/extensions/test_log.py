"""The log shows everything but the key."""

from __future__ import annotations

import io
import logging

import pytest
from scrapy import Request
from scrapy.http import Response

from civitscrape.civitai.roles import Role, stamp
from civitscrape.extensions.log import MASK, mask

KEY = "d41d8cd98f00b204"
SIGNED = "https://s3.example/a.bin?X-Amz-Algorithm=AWS4&X-Amz-Signature=5ec7e7"


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
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    mask(handler, set)

    handler.handle(logging.makeLogRecord({"msg": "%s of %d", "args": (KEY, 3)}))

    assert stream.getvalue() == f"{KEY} of 3\n"


@pytest.mark.parametrize("as_mapping", [True, False])
@pytest.mark.parametrize(
    "meta",
    [
        stamp(Role.STORAGE, SIGNED),
        stamp(Role.MEDIA, SIGNED),
        stamp(Role.API, "https://civitai.com/") | {"download_to": "x.part", "redirect_urls": ["https://civitai.com/"]},
    ],
    ids=["storage", "media", "sent on"],
)
def test_a_signed_address_is_written_without_its_signature(meta, as_mapping):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    mask(handler, set)
    request = Request(SIGNED, meta=meta)
    answer = Response(SIGNED, status=500, request=request)

    told = {"args": ({"a": request, "b": answer},)} if as_mapping else {"args": (request, answer)}
    words = "%(a)s gave %(b)s" if as_mapping else "%s gave %s"
    handler.handle(logging.LogRecord("x", logging.DEBUG, "x.py", 1, words, told["args"], None))

    assert stream.getvalue() == "<GET https://s3.example/a.bin> gave <500 https://s3.example/a.bin>\n"
