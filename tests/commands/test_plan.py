"""What is typed wrong for a plan is refused before anything is asked or written."""

from __future__ import annotations

import pytest

from civitscrape.commands.plan import plan
from civitscrape.exceptions import ArgumentError


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "give addresses, to see what a crawl would bring, or --paths alone"),
        ({"addresses": ["lampwright"], "paths": True}, "or --paths alone"),
        ({"addresses": ["lampwright"], "move": True}, "civitscrape plan --move: goes with --paths"),
        ({"paths": True}, "there is no archive in"),
        ({"paths": True, "setting": ["MEDIA_PATH={creatr}/{id}{ext}"]}, "no field 'creatr'; did you mean creator"),
        ({"addresses": ["lampwright"], "setting": ["SIDECARS=txt,caption"]}, "are the same file, {name}.txt; give one"),
        ({"addresses": ["lampwright"], "argument": ["levle=all"]}, "did you mean level?"),
        ({"addresses": ["a b"]}, "only letters, digits and _"),
    ],
)
def test_what_is_typed_wrong_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, typed, sentence):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ArgumentError) as raised:
        plan(**typed)

    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
