"""Batches of votes: what fails in passing is asked again, some times; the cursor holds fifty ids and never more."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.crawler import Crawler
from scrapy.http import TextResponse
from scrapy.statscollectors import StatsCollector

from civitscrape.exceptions import ArgumentError, LoginError
from civitscrape.ledger import Walk
from civitscrape.spiders.listings.base import Question
from civitscrape.spiders.listings.votes import Batch, VotesByBatch
from civitscrape.spiders.votes import TRIES, VotesArguments, VotesSpider

SITE = "https://civitai.com"
VOTE = {"id": 4, "name": "anime", "type": "Label", "nsfwLevel": 1, "score": 9, "upVotes": 1, "downVotes": 0}
IDS = st.lists(st.integers(1, 2**31), max_size=50, unique=True)


def error(status: int, code: str) -> dict[str, Any]:
    return {"error": {"json": {"message": code, "code": -32000, "data": {"code": code, "httpStatus": status}}}}


def result(data: Any) -> dict[str, Any]:
    return {"result": {"data": {"json": data}}}


BUSY, MISSING, LOGIN = error(500, "INTERNAL_SERVER_ERROR"), error(404, "NOT_FOUND"), error(401, "UNAUTHORIZED")


def walk(cursor: str) -> Walk:
    return Walk(run_id="r", source=VotesByBatch.source, target="votes:all", level=31, params={}, cursor=cursor)


def opened(cursor: str, *elements: dict[str, Any]) -> list[Any]:
    calls = Batch.read(cursor).calls()
    url = f"{SITE}/api/trpc/{','.join(procedure for procedure, _ in calls)}?batch=1&input={quote('{}')}"
    headers = {"Content-Type": "application/json"}
    response = TextResponse(url, status=207, headers=headers, body=json.dumps(elements).encode())
    return VotesByBatch(site=SITE, media_url="").open(response, walk(cursor)).entries


@given(st.integers(0, 2**31), IDS, IDS)
def test_a_cursor_comes_back_as_it_was_written(after, ids, doubtful):
    batch = Batch(after=after, ids=tuple(ids), doubtful=tuple(doubtful))

    assert Batch.read(str(batch)) == batch


def test_fifty_images_fit_into_a_request_and_its_cursor_is_short():
    batch = Batch(after=910000050, ids=tuple(range(910000001, 910000051)))

    request = VotesByBatch(site=SITE, media_url="").ask(
        SITE, walk(str(batch)), Question(newest=False, cursor=str(batch))
    )

    assert batch.room == 0
    assert request.url.count("tag.getVotableTags") == 50
    assert len(str(batch)) < 600


def test_what_is_told_of_each_image_is_told_apart():
    voted, bare, busy, there, gone = opened(
        "9: 1 2 3 4? 5?", result([VOTE]), result([]), BUSY, result({"id": 4}), MISSING
    )

    assert (voted.votes, voted.doubtful, voted.error) == ([VOTE], False, None)
    assert bare.doubtful
    assert busy.error is not None
    assert (there.votes, there.gone) == ([], False)
    assert (gone.gone, gone.error) == (True, None)


def test_who_is_refused_is_refused_for_all():
    with pytest.raises(LoginError):
        opened("9: 1 2", LOGIN, LOGIN)


def test_what_fails_in_passing_is_asked_again_and_given_up_after_some_times():
    spider = VotesSpider()
    spider.crawler = Crawler(VotesSpider)
    spider.crawler.stats = StatsCollector(spider.crawler)

    following = [str(spider._following(walk("9: 3 4?"), opened("9: 3 4?", BUSY, BUSY))) for _ in range(TRIES)]
    ended = walk("9:")
    spider._end(ended)

    assert following == ["9: 3 4?"] * (TRIES - 1) + ["9:"]
    assert (ended.state, ended.cursor) == ("broken", None)
    assert "votes of 2 images could not be had" in (ended.error or "")


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1.5d", "30 d", "999999d"])
def test_an_age_that_is_none_is_refused_with_an_example(age):
    with pytest.raises(ArgumentError, match="30d, 12h or 2w"):
        VotesArguments.read({"older_than": age})
