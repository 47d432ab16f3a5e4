"""Many things in one call: what fails in passing is asked again, alone; what is not there is told."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from scrapy.http import TextResponse

from civitscrape.exceptions import AnswerError, EntryError
from civitscrape.ledger import Walk
from civitscrape.spiders.listings.base import Question
from civitscrape.spiders.listings.lookups import ImageLookup

SITE = "https://civitai.red"
FINE = [{"id": 1, "url": "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1", "type": "image"}, {"resources": []}, []]


def walk(*ids: int, cursor: str | None = None) -> Walk:
    return Walk(
        run_id="r", source=ImageLookup.source, target="image:x", level=31, params={"ids": [*ids]}, cursor=cursor
    )


def error(status: int, code: str) -> dict[str, Any]:
    return {"error": {"json": {"message": code, "code": -32000, "data": {"code": code, "httpStatus": status}}}}


def result(data: Any) -> dict[str, Any]:
    return {"result": {"data": {"json": data}}}


def answer(elements: list[Any]) -> TextResponse:
    procedures = ",".join(["image.get", "image.getGenerationData", "tag.getVotableTags"] * (len(elements) // 3))
    url = f"{SITE}/api/trpc/{procedures}?batch=1&input={quote('{}')}"
    body = json.dumps(elements).encode()
    return TextResponse(url, status=207, headers={"Content-Type": "application/json"}, body=body)


@pytest.fixture
def listing() -> ImageLookup:
    return ImageLookup(site=SITE, media_url="https://image.example/account")


def test_sixteen_images_fit_into_a_request(listing):
    request = listing.ask(SITE, walk(*range(1, 40)), Question(newest=False))

    assert request.url.count("image.get,") + request.url.count("image.get?") == 16


def test_what_failed_in_passing_is_asked_again_at_the_end(listing):
    elements = [*map(result, FINE), error(500, "INTERNAL_SERVER_ERROR"), *map(result, FINE[1:])]

    page = listing.open(answer(elements), walk(1, 2))

    assert [entry["id"] for entry in page.entries] == [1]
    assert page.next_cursor == "2"


def test_what_fails_alone_breaks_the_walk_with_the_site_s_words(listing):
    with pytest.raises(AnswerError, match="INTERNAL_SERVER_ERROR"):
        listing.open(answer([error(500, "INTERNAL_SERVER_ERROR"), *map(result, FINE[1:])]), walk(2, cursor="2"))


def test_an_image_that_is_not_there_is_an_entry_that_is_refused(listing):
    page = listing.open(answer([error(404, "NOT_FOUND"), *map(result, FINE[1:])]), walk(7))

    with pytest.raises(EntryError, match="no image 7"):
        listing.read(page.entries[0], walk(7))
