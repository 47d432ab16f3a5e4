"""What a template says is what a path becomes, and what it gets wrong is said before anything is fetched."""

from __future__ import annotations

import re

import pytest

from civitscrape.archive import fields
from civitscrape.archive.paths import render, validate
from civitscrape.archive.template import PRESETS, read
from civitscrape.exceptions import ArgumentError

RECORD = dict.fromkeys(fields.KNOWN) | {
    "id": 42,
    "ext": ".png",
    "creator": "lampwright",
    "base_model": "SDXL 1.0",
    "level": 0,
    "nsfw": False,
    "created_at": "2026-11-20T18:30:05.000Z",
    "tags": ["dusk", "harbour"],
}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{base_model|no-base-model}/{id}{ext}", "SDXL 1.0/42.png"),
        ("{model_name|no-model}/{id}{ext}", "no-model/42.png"),
        ("{model_name|creator|nobody}/{id}{ext}", "lampwright/42.png"),
        ("{model_name|post_title|nobody's}/{id}{ext}", "nobody's/42.png"),
        ("{model_name|}{id}{ext}", "42.png"),
        ("{creator?{creator}/}{id}{ext}", "lampwright/42.png"),
        ("{model_name?{model_name}/}{id}{ext}", "42.png"),
        ("{creator?by {creator}{model_name? with {model_name}}/}{id}{ext}", "by lampwright/42.png"),
        ("{nsfw?adult/}{id}{ext}", "42.png"),
        ("{level?level {level}/}{id}{ext}", "level 0/42.png"),
        ("{created_at:%Y-%m}/{id}{ext}", "2026-11/42.png"),
        ("{created_at:%Y/%m/%d}/{id}{ext}", "2026/11/20/42.png"),
        ("{created_at:%Hh%M}_{id}{ext}", "18h30_42.png"),
        ("{published_at:%Y|undated}/{id}{ext}", "undated/42.png"),
        ("{published_at:%Y|created_at:%Y|undated}/{id}{ext}", "2026/42.png"),
        ("{published_at:%Y}/{id}{ext}", "-unknown/42.png"),
        ("{tags}/{id}{ext}", "dusk, harbour/42.png"),
        ("{{{creator}}}/{id}{ext}", "{lampwright}/42.png"),
        ("flat", "42.png"),
        ("by-model", "SDXL 1.0/no-model/lampwright/42.png"),
    ],
)
def test_a_template_becomes_a_path(template, path):
    assert render(template, RECORD) == path


@pytest.mark.parametrize("template", [*PRESETS, *PRESETS.values()])
def test_a_preset_is_a_good_template(template):
    validate(template, known=fields.KNOWN)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("by_model", "no preset has this name; did you mean by-model?"),
        ("nonsense", "there are flat, by-model, rated, grabber"),
        ("{creatr?{id}/}{id}{ext}", "no field 'creatr'; did you mean creator"),
        ("{id|postid|x}{ext}", "no field 'postid'; did you mean post_id"),
        ("{creator|}/{id}{ext}", "has an empty part; that is when creator is not known"),
        ("{creator?x}/{id}{ext}", "has an empty part; that is when creator is not known"),
        ("{creator|..}/{id}{ext}", "begin with a dot"),
        ("{creator|a:b}/{id}{ext}", "not allowed"),
        ("{creator|a\\b}/{id}{ext}", "backslash"),
        ("{creator?../}{id}{ext}", "begin with a dot"),
        ("{creator?{id}{ext}}", "has an empty part"),
        ("{creator?{id}{ext}}.png", "must end in {ext}"),
        ("{creator?{id}/{ext}", "expected '}'"),
        ("{created_at:%B}/{id}{ext}", "a date's form"),
        ("{creator:%Y}/{id}{ext}", "a date's form"),
        ("{created_at:}/{id}{ext}", "a date's form"),
        ("{created_at:%Y/}/{id}{ext}", "empty part"),
        ("{ext}", "neither .. nor hidden names"),
        ("{id}/{ext}", "neither .. nor hidden names"),
        ("{creator|}{ext}", "neither .. nor hidden names; that is when creator is not known"),
        ("{id}{ext}\n", "'\\n' is a control character"),
        ("{creator}/\t{id}{ext}", "'\\t' is a control character"),
        ("{created_at:%Y\x00}/{id}{ext}", "'\\x00' is a control character"),
        ("{creator|a\u2028b}/{id}{ext}", "'\\u2028' is a control character"),
        ("".join(f"{{{name}?x}}" for name in fields.KNOWN[:7]) + "{id}{ext}", "asks about 7 fields; 6 are the most"),
    ],
)
def test_a_bad_template_is_refused_in_one_sentence(template, reason):
    with pytest.raises(ArgumentError, match=re.escape(reason)) as raised:
        validate(template, known=fields.KNOWN)

    assert str(raised.value).startswith(f"media path template {template!r}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("template", ["{model_name|x}/{id}{ext}", "{creator?{creator}/}{id}{ext}"])
def test_a_form_that_keeps_items_apart_by_itself_does_so_whatever_is_missing(template):
    forms = read(template).forms.values()

    assert {form.identifiers for form in forms} == {frozenset({"id"})}


def test_what_would_be_put_among_the_model_files_is_put_beside_them():
    template = "{creator}/{post_id}/{id}{ext}"

    path = render(template, RECORD | {"creator": "Models", "post_id": 7})

    assert path == "_Models/7/42.png"
