"""The tags that an image's page shows once its script has run (contract trpc-and-pages.md §6.4)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from parsel import Selector
from scrapy.http import TextResponse

from civitscrape.civitai import trpc
from civitscrape.civitai.encoding import decode
from civitscrape.exceptions import AnswerError, EnvelopeError
from civitscrape.items import Level

TAG = 'a[data-activity="tag-click:image"]'
"""The only handle of a tag that is not a matter of looks."""

CALL = "tag.getVotableTags"
"""What the page asks for its tags."""

SHOW_ALL = {"showAllTags": "true", "image-detail-open": "true"}
"""What the page reads from its local storage: without it, six tags are shown."""

SCRIPT = files(__package__).joinpath("shown.js").read_text(encoding="utf-8")
"""Run in the page with the numbers of tags whose names are known: waits for the tags, asks for the names of others."""

PATIENCE = 15_000
"""Milliseconds to wait for the tags of a page that has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTag:
    """One tag as a page shows it."""

    id: int
    """Number of the tag."""
    score: int | None
    """None while the site is not yet sure of the tag."""
    text: str
    """What the page calls it, which is not its name for some twenty tags."""


def open_tags(html: str) -> list[ShownTag]:
    """Read the tags of a page whose script has run, in its order; links without a number are none.

    >>> open_tags('<a data-activity="tag-click:image" href="/images?tags=4&amp;view=feed" title="Score: 9">woman</a>')
    [ShownTag(id=4, score=9, text='woman')]
    """
    found = []
    for link in Selector(html).css(TAG):
        numbers = parse_qs(urlsplit(link.attrib.get("href", "")).query).get("tags", [])
        score = re.fullmatch(r"Score:\s*(-?\d{1,9})", link.attrib.get("title", "").strip())
        if numbers and re.fullmatch(r"[1-9]\d{0,9}", numbers[0]):
            text = " ".join("".join(link.css("::text").getall()).split())
            found.append(ShownTag(id=int(numbers[0]), score=int(score[1]) if score else None, text=text))
    return found


def open_names(told: Any) -> dict[int, str]:
    """Read the names of tags, as a batch of ``tag.getById`` tells them; those that it does not tell are left out.

    Raises:
        EnvelopeError: it is not the answer to such a batch.
    """
    if not told:
        return {}
    try:
        results = json.loads(told)
    except ValueError as error:
        raise EnvelopeError("the page's own call for the names of tags gave no JSON") from error
    names: dict[int, str] = {}
    for one in results if isinstance(results, list) else []:
        match one:
            case {"result": {"data": data}}:
                match decode(data):
                    case {"id": int() as number, "name": str() as name}:
                        names[number] = name
    return names


def require_bare(call: Any) -> None:
    """Make sure that a page without tags has none to show, by the answer to its own call, asked once more.

    Raises:
        AnswerError: the call fails, or tells tags that the page does not show.
    """
    match call:
        case {"url": str() as url, "status": int() as status, "text": str() as text}:
            told = _told(url, status, text)
        case _:
            raise EnvelopeError("a page that shows no tags does not tell what its own call was answered")
    if not isinstance(told, list):
        raise EnvelopeError(f"the page's own call {CALL} gave no list of tags")
    levels = [one.get("nsfwLevel") for one in told if isinstance(one, dict)]
    # Those rated above PG are not shown on the host for safe works.
    if due := [one for one in levels if isinstance(one, int) and one & Level.PG]:
        raise EnvelopeError(f"the page shows none of the {len(due)} tags that its own call {CALL} tells")


def _told(url: str, status: int, text: str) -> Any:
    """Open what a page's own call was answered, which may be one of a batch; without an answer, status 0 and why."""
    if not status:
        raise AnswerError(f"the page's own call {CALL} was not answered: {text}")
    response = TextResponse(url, status=status, body=text, encoding="utf-8")
    procedures = unquote(urlsplit(url).path).rpartition("/")[2].split(",")
    if "batch" not in parse_qs(urlsplit(url).query):
        return trpc.open_result(response)
    result = trpc.open_batch(response)[procedures.index(CALL)]
    if isinstance(result, AnswerError):
        raise result
    return result
