"""The public API: the addresses that are asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.civitai import rest
from civitscrape.civitai.roles import Role, role_of

if TYPE_CHECKING:
    from scrapy import Request

SITE = "https://civitai.com"
DIGEST = "0123456789ABCDEF" * 4


def ask(filters: dict[str, Any] | None = None, **options: Any) -> Request:
    about = {"level": 3, "sort": "Oldest", **options}
    return rest.images(SITE, {"username": "lampwright", **(filters or {})}, callback=print, **about)


def query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def test_the_first_page_is_asked_for_with_everything_that_an_entry_can_tell():
    request = ask()

    assert request.url == (
        f"{SITE}/api/v1/images?username=lampwright&limit=200&sort=Oldest&period=AllTime&browsingLevel=3"
        "&withMeta=true&flatMeta=true&withTags=true"
    )
    assert role_of(request) is Role.API


def test_the_bar_in_a_cursor_is_percent_encoded():
    request = ask(cursor="200|1744925337225")

    assert request.url.endswith("&cursor=200%7C1744925337225")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_any_cursor_reaches_the_site_as_it_came(cursor):
    request = ask({"type": "video"}, cursor=cursor)

    asked = dict(query(request.url))
    assert asked["cursor"] == cursor
    assert (asked["type"], asked["limit"]) == ("video", "200")
    assert len(query(request.url)) == len(asked)


@pytest.mark.parametrize("sort", ["Oldest", "Newest"])
def test_equal_questions_have_equal_addresses_and_no_key_in_them(sort):
    one, other = ask(sort=sort, cursor="a|b"), ask(sort=sort, cursor="a|b")

    assert one.url == other.url
    assert {"token", "key"}.isdisjoint(dict(query(one.url)))
    assert "Authorization" not in one.headers


def test_every_repetition_of_a_question_has_an_address_of_its_own():
    urls = [ask(cursor="200|17").url, ask(cursor="200|17", mark="run1").url]

    chains = [urls]
    for attempt in range(6):
        chains.append([rest.other_address(url, str(attempt)) for url in chains[-1]])

    addresses = [url for chain in chains for url in chain]
    asked = [dict(query(url)) for url in addresses]
    assert len(set(addresses)) == len(addresses)
    assert {(one["username"], one["cursor"], one["sort"], one["browsingLevel"]) for one in asked} == {
        ("lampwright", "200|17", "Oldest", "3")
    }
    assert all(190 < int(one["limit"]) <= 200 for one in asked)


def test_a_question_never_asks_for_less_than_one_entry():
    assert rest.other_address(f"{SITE}/api/v1/tags?limit=1", "a") == f"{SITE}/api/v1/tags?limit=1&_=a"


def test_a_mark_makes_another_address_of_the_same_question():
    plain, marked = ask(sort="Newest"), ask(sort="Newest", mark="run 1")

    assert marked.url != plain.url
    smaller = [(name, "199" if name == "limit" else value) for name, value in query(plain.url)]
    assert query(marked.url) == [*smaller, (rest.MARK, "run 1")]


def test_lists_are_repeated_and_what_is_none_is_left_out():
    request = rest.models(SITE, {"types": ["LORA", "VAE"], "tag": None, "ids": []}, nsfw=False, sort="Newest")

    asked = query(request.url)
    assert [pair for pair in asked if pair[0] in {"types", "tag", "ids"}] == [("types", "LORA"), ("types", "VAE")]
    assert {("nsfw", "false"), ("archived", "true"), ("limit", "100")} <= set(asked)


def test_a_filter_may_ask_for_less_than_archived_models():
    request = rest.models(SITE, {"archived": False}, nsfw=True, sort="Newest")

    assert {("archived", "false"), ("nsfw", "true")} <= set(query(request.url))


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (rest.model(SITE, 257749), "models/257749"),
        (rest.version(SITE, 290640), "model-versions/290640"),
        (rest.by_hash(SITE, "67AB2FD8EC"), "model-versions/by-hash/67AB2FD8EC"),
        (rest.collection(SITE, 104), "collections/104"),
        (rest.creators(SITE, {"query": "lamp"}, page=2), "creators?query=lamp&limit=200&page=2"),
        (rest.tags(SITE, {}, page=1), "tags?limit=200&page=1"),
    ],
)
def test_each_thing_has_its_address(request_, path):
    assert request_.url == f"{SITE}/api/v1/{path}"
    assert role_of(request_) is Role.API
    assert request_.dont_filter


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (rest.ids_by_hash(SITE, [DIGEST]), "model-versions/by-hash/ids"),
        (rest.versions_by_hash(SITE, [DIGEST]), "model-versions/by-hash"),
    ],
)
def test_hashes_are_posted_as_json(request_, path):
    assert (request_.method, request_.url) == ("POST", f"{SITE}/api/v1/{path}")
    assert json.loads(request_.body) == [DIGEST]
    assert request_.headers["Content-Type"] == b"application/json"
