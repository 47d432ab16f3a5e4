"""Prompts cut into words, as people write them on A1111, ComfyUI, NovelAI, for Pony and in plain sentences."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.parsers.prompts import LONGEST, words

SIGNS = r"ab1 ,()[]{}<>:|\_.;$" + "\n"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a harbour, fog", [("a harbour", 1.0), ("fog", 1.0)]),
        ("(word:1.2), (far : 0.5 )", [("word", 1.2), ("far", 0.5)]),
        ("((word)), [dull], {novel}", [("word", 1.21), ("dull", 0.9091), ("novel", 1.05)]),
        ("((word:1.2):1.5), (a, b:1.3)", [("word", 1.8), ("a", 1.3), ("b", 1.3)]),
        ("(red:1.2) hair", [("red hair", 1.2)]),
        ("(very) red hair, a (red:1.2) boat", [("very red hair", 1.1), ("a red boat", 1.2)]),
        ("(flower)s, (red:1.2)-haired", [("flowers", 1.1), ("red-haired", 1.2)]),
        ("(masterpiece:1.2)(best quality:0.9)", [("masterpiece", 1.2), ("best quality", 0.9)]),
        ("(sharp:1.4) (dull fog:0.5)", [("sharp", 1.4), ("dull fog", 0.5)]),
        ("((a))((b)), ((c)[d])", [("a", 1.21), ("b", 1.21), ("c", 1.21), ("d", 1.0)]),
        ("(a:1.2)b, c(d:1.2)", [("a", 1.2), ("b", 1.0), ("c", 1.0), ("d", 1.2)]),
        ("(a) BREAK (b) AND c", [("a", 1.1), ("b", 1.1), ("c", 1.0)]),
        ("(a, b:1.3) c [d, e] f", [("a", 1.3), ("b", 1.3), ("c", 1.0), ("d", 0.9091), ("e", 0.9091), ("f", 1.0)]),
        (r"star \(sky\), \[x\], a\b", [("star (sky)", 1.0), ("[x]", 1.0), (r"a\b", 1.0)]),
        ("sea <lora:ink:0.8> boat, <lora:a b:1:0.5>", [("sea", 1.0), ("boat", 1.0)]),
        ("sea BREAK boat AND fog :1.2 AND rain:0.5", [("sea", 1.0), ("boat", 1.0), ("fog", 1.0), ("rain", 1.0)]),
        ("BREAKFAST, HAND, SAND", [("BREAKFAST", 1.0), ("HAND", 1.0), ("SAND", 1.0)]),
        ("[cat:dog:0.5], [sea:0.3], [a|b]", [("cat", 1.0), ("dog", 1.0), ("sea", 1.0), ("a", 1.0), ("b", 1.0)]),
        ("{red|0.3::blue}, {2$$x|y}, __colour__ dress", [(one, 1.0) for one in ("red", "blue", "x", "y", "dress")]),
        ("score_9, score_8_up, long_hair", [(one, 1.0) for one in ("score_9", "score_8_up", "long_hair")]),
        ("Rain falls. It is 5.5 m, at 16:9!", [("Rain falls", 1.0), ("It is 5.5 m", 1.0), ("at 16:9", 1.0)]),
        ("Fog, fog ,  FOG , (fog:2)", [("Fog", 1.0)]),
        ("((open, [lone) ), end]", [("open", 1.21), ("lone", 1.21), ("end", 1.0)]),
        ("港の灯り、霧の夜, 🏮", [("港の灯り", 1.0), ("霧の夜", 1.0), ("🏮", 1.0)]),
        ("", []),
        (" , ,, ... ()", []),
    ],
)  # fmt: skip
def test_a_prompt_is_cut_into_its_words(prompt, expected):
    found = [tuple(one) for one in words(prompt)]

    assert found == expected


@given(st.text(alphabet=SIGNS, max_size=60) | st.text(max_size=60))
def test_any_text_gives_tidy_words_each_once(prompt):
    found = words(prompt)

    assert [one.text for one in found] == [" ".join(one.text.split()) for one in found if one.text]
    assert len({one.text.casefold() for one in found}) == len(found)
    assert all(math.isfinite(one.weight) for one in found)


@given(st.text(alphabet=SIGNS.replace("\\", ""), max_size=60))
def test_no_word_holds_a_bracket_that_was_not_escaped(prompt):
    assert not set("()[]{}") & set("".join(one.text for one in words(prompt)))


GROUPS = st.builds(
    lambda word, form: form.format(word),
    st.from_regex(r"[a-z]{2,6}", fullmatch=True),
    st.sampled_from(["({})", "(({}))", "({}:1.3)", "[{}]", "{{{}}}", "[({}:0.5)]"]),
)


@given(st.lists(GROUPS, min_size=1, max_size=8), st.sampled_from(["", " ", "\n", ", ", " BREAK ", " AND "]))
def test_groups_beside_each_other_are_the_words_that_commas_would_make_of_them(groups, between):
    assert words(between.join(groups)) == words(", ".join(groups))


@pytest.mark.parametrize("end", [",", ".", "。", "\n", ";"])
@pytest.mark.parametrize("offset", range(13))
def test_a_prompt_that_is_too_long_loses_whole_words(offset, end):
    found = words(" " * offset + f"lighthouse{end} " * LONGEST)

    assert [one.text for one in found] == ["lighthouse"]


def test_one_word_that_is_longer_than_all_that_is_read_is_none():
    assert words("a" * (LONGEST + 1)) == []
    assert words(f"{'a' * LONGEST}, fog") == [("a" * LONGEST, 1.0)]


@given(st.lists(st.from_regex(r"[a-z]{1,6}( [a-z]{1,6})?", fullmatch=True), unique=True, max_size=8))
def test_a_plain_list_comes_back_as_it_went_in(listed):
    assert [one.text for one in words(", ".join(listed))] == listed


@given(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(1, 30).map(lambda one: one / 10), st.integers(0, 3))
def test_weights_multiply_through_any_depth(word, weight, depth):
    (found,) = words(f"{'(' * depth}({word}:{weight}){')' * depth}")

    assert found == (word, round(weight * 1.1**depth, 4))


@pytest.mark.parametrize(
    "part", ["(", "(a", "[a|", "{a|", "<a:", "__a", "[a:", ":", ":1", "[" + ":" * 99, "AND ", "\\", "(a)", "(a:1)b"]
)
def test_a_hostile_prompt_is_cut_like_any_other(part):
    """Each of these took minutes with patterns that can read one text in two ways."""
    found = words(part * (2 * LONGEST // len(part)))

    assert sum(len(one.text) for one in found) <= LONGEST
