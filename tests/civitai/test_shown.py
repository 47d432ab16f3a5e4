"""Tags out of an image's page whose script has run, and the names that its own call tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from civitscrape.civitai.shown import CALL, SCRIPT, ShownTag, open_names, open_tags, require_bare
from civitscrape.exceptions import AnswerError, EnvelopeError


def link(href: str, title: str | None = "Score: 9", text: str = "woman") -> str:
    titled = "" if title is None else f' title="{title}"'
    return f'<div><button></button><a data-activity="tag-click:image" href="{href}"{titled}>{text}</a></div>'


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (link("/images?tags=4&amp;view=feed"), [ShownTag(id=4, score=9, text="woman")]),
        (link("/videos?tags=12&amp;view=feed", "Score: -3"), [ShownTag(id=12, score=-3, text="woman")]),
        (link("https://civitai.com/images?view=feed&amp;tags=4", None), [ShownTag(id=4, score=None, text="woman")]),
        (link("/images?tags=4", text=" open\n <b>flame</b> "), [ShownTag(id=4, score=9, text="open flame")]),
        (link("/images?tags=abc") + link("/images") + link("/images?tags=99999999999"), []),
        ('<a href="/images?tags=4" title="Score: 9">another link</a>', []),
        ("", []),
    ],
)
def test_tags_are_read_by_number_and_score(html, expected):
    assert open_tags(f"<html><body>{html}</body></html>") == expected


def test_names_come_by_number_in_either_encoding_and_errors_are_left_out():
    told = [
        {"result": {"data": {"json": {"id": 4, "name": "1girl", "type": "Label"}}}},
        {"result": {"data": '[{"id":1,"name":2},5,"2girls"]'}},
        {"result": {"data": {"json": None}}},
        {"error": {"json": {"message": "no"}}},
    ]

    assert open_names(json.dumps(told)) == {4: "1girl", 5: "2girls"}


def test_no_names_were_asked_where_all_are_known():
    assert open_names(None) == {}


def test_what_is_no_answer_of_the_site_is_said_to_be_none():
    with pytest.raises(EnvelopeError, match="gave no JSON"):
        open_names("<html>Just a moment</html>")


def test_the_script_speaks_to_nobody_but_the_page_s_own_host():
    assert "http" not in SCRIPT


OWN = f"https://civitai.com/api/trpc/{CALL}?input=%7B%7D"
BATCH = f"https://civitai.com/api/trpc/user.getSettings,{CALL}?batch=1&input=%7B%7D"
NONE: dict[str, Any] = {"result": {"data": {"json": []}}}
ABOVE = {"result": {"data": '[[1],{"id":2,"nsfwLevel":2},4]'}}
MILD = {"result": {"data": {"json": [{"id": 4, "nsfwLevel": 1}]}}}
WRONG = {"error": {"json": {"message": "no time", "code": -32603, "data": {"httpStatus": 500}}}}


@pytest.mark.parametrize(("url", "told"), [(OWN, NONE), (OWN, ABOVE), (BATCH, [WRONG, NONE])])
def test_a_page_without_tags_is_believed_where_its_own_call_tells_none_to_show(url, told):
    require_bare({"url": url, "status": 200, "text": json.dumps(told)})


@pytest.mark.parametrize(
    ("url", "status", "text", "words"),
    [
        (OWN, 500, "", "500"),
        (OWN, 500, "<html></html>", "500"),
        (OWN, 200, json.dumps(WRONG), "no time"),
        (BATCH, 207, json.dumps([NONE, WRONG]), "no time"),
        (BATCH, 200, json.dumps([NONE]), "1 results to 2 calls"),
        (OWN, 200, json.dumps(MILD), "none of the 1 tags"),
        (OWN, 200, '{"result": {"data": {"json": null}}}', "no list of tags"),
        (OWN, 0, "TimeoutError", "was not answered: TimeoutError"),
    ],
)
def test_a_page_without_tags_is_not_believed_where_its_own_call_fails_or_tells_some(url, status, text, words):
    with pytest.raises(AnswerError, match=words):
        require_bare({"url": url, "status": status, "text": text})


def test_a_page_that_does_not_tell_what_its_call_was_answered_is_not_believed():
    with pytest.raises(EnvelopeError, match="does not tell"):
        require_bare(None)
