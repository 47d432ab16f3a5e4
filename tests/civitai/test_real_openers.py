"""Every recorded answer of the site is opened as it came, also of what is not archived."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scrapy.http import HtmlResponse, TextResponse

from civitscrape.civitai import answers, pages, trpc
from civitscrape.exceptions import AnswerError
from tests.parsers import recorded

pytestmark = pytest.mark.skipif(not recorded.REAL.is_dir(), reason=recorded.MISSING)

NO_ANSWERS = (
    "errors-collected",
    "expected-",
    "openapi-",
    "trpc-har-notes",
    "trpc-response-headers",
    "index-",
    "next-data",
)
"""Files that tell about answers, or were cut out of pages, and are none themselves."""

FILES = sorted(path.name for path in recorded.REAL.glob("*.json")) if recorded.REAL.is_dir() else []
PAGES = sorted(path.name for path in recorded.REAL.glob("*.html")) if recorded.REAL.is_dir() else []


def opened(content: Any, body: bytes) -> Any:
    """Open an answer by the door that its shape calls for."""
    response = TextResponse("https://civitai.com/api/x", body=body, headers={"Content-Type": "application/json"})
    if isinstance(content, dict) and "result" in content:
        return trpc.open_result(response)
    if isinstance(content, dict) and isinstance(content.get("items"), list):
        return answers.open_listing(response).entries
    return answers.open_thing(response) if isinstance(content, dict) else answers.open_json(response)


def inside(content: Any) -> Any:
    """Return what an envelope holds; dates and big numbers of tRPC stand in it as text."""
    match content:
        case {"result": {"data": {"json": data}}} | {"result": {"data": data}}:
            return data
        case {"items": list() as entries}:
            return entries
    return content


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(NO_ANSWERS)])
def test_a_recorded_answer_is_opened_without_loss(name: str) -> None:
    body = (recorded.REAL / name).read_bytes()
    content = json.loads(body, strict=False)

    found = opened(content, body)

    assert found == inside(content)


@pytest.mark.parametrize("name", PAGES)
def test_a_recorded_page_is_opened_or_refused_in_a_sentence(name: str) -> None:
    response = HtmlResponse("https://civitai.com/x", body=(recorded.REAL / name).read_bytes(), encoding="utf-8")

    said = ""
    try:
        found = "pageProps" in pages.next_data(response.text)["props"]
    except AnswerError as error:
        found, said = False, str(error)

    assert found or said.startswith(("page without __NEXT_DATA__", "the edge answered", "__NEXT_DATA__ is not JSON"))
