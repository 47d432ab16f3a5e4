"""A name that is safe stays as it is; one that is not becomes a safe one of its own."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import assume, given

from civitscrape.archive.names import BYTES, UNITS, extension, identifier, is_device, legal, safe
from tests.archive.hostile import DEVICES, breaks_windows_rule, hostile_text

LIMIT = 255


@given(hostile_text)
def test_a_safe_name_is_legal_on_windows_macos_and_linux(text):
    name = safe(text, LIMIT, BYTES)

    assert breaks_windows_rule(name) is None
    assert len(name.encode()) <= LIMIT
    assert unicodedata.is_normalized("NFC", name)


@given(hostile_text)
def test_a_name_that_is_already_safe_stays_as_it_is(text):
    name = safe(text, LIMIT, BYTES)

    again = safe(name, LIMIT, BYTES)

    assert again == name


@given(hostile_text, hostile_text)
def test_two_texts_share_a_name_only_if_they_are_the_same(one, other):
    assume(unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other))
    assume("~" not in one + other)

    names = {safe(one, LIMIT, BYTES), safe(other, LIMIT, BYTES)}

    assert len(names) == 2


@pytest.mark.parametrize("text", ["harbour_lights", "Ünal 7", "夜の港", "-dash", "~tilde", "console", "COM10"])
def test_a_harmless_text_is_its_own_name(text):
    name = safe(text, LIMIT, BYTES)

    assert name == text


def test_accents_are_composed():
    name = safe("U\u0308nal 7", LIMIT, BYTES)

    assert name == "Ünal 7"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("a/b", "a_b"),
        ("", "_"),
        ("..", "_"),
        (".hidden", "_hidden"),
        ("CON", "_CON"),
        ("aux.tar.gz", "_aux.tar.gz"),
        ("nul .txt", "_nul .txt"),
        ("LPT³", "_LPT³"),
        ("dots...", "dots"),
        ("  spaces  ", "spaces"),
        ("zero\u200bwidth", "zerowidth"),
        ("\u202egnp.exe", "gnp.exe"),
        ("bell\a", "bell_"),
        ("\ud83c", "_"),
        ("x" * 300, "x" * 246),
        ("🏮" * 64, "🏮" * 61),
    ],
)
def test_a_changed_text_ends_in_a_hash_of_what_it_was(text, head):
    name = safe(text, LIMIT, BYTES)

    assert re.fullmatch(rf"{re.escape(head)}~[0-9a-f]{{8}}", name)


def test_a_name_is_cut_by_the_measure_of_its_system():
    text = "🏮" * 64

    counted_by_linux, counted_by_windows = safe(text, 128, BYTES), safe(text, 128, UNITS)

    assert len(counted_by_linux.encode()) <= 128 < len(counted_by_windows.encode())
    assert counted_by_windows == text


@pytest.mark.parametrize(("name", "text"), [("id", "42"), ("key", "0b9ec4f2-8a4e-4b55-9a2b-0d1f6c3e7a90")])
def test_a_usual_identifier_is_its_own_name(name, text):
    found = identifier(name, text)

    assert found == text


@given(hostile_text.filter(bool), hostile_text.filter(bool))
def test_two_identifiers_never_share_a_name_whatever_their_case(one, other):
    assume(one != other)

    names = {identifier("id", text).casefold() for text in (one, other)}

    assert len(names) == 2


@given(hostile_text)
def test_an_extension_is_a_dot_with_letters_and_digits(text):
    found = extension(text)

    assert re.fullmatch(r"\.[A-Za-z0-9]{1,15}", found)


@given(hostile_text)
def test_a_legal_text_is_legal_again(text):
    once = legal(text)

    assert legal(once) == once


@given(hostile_text)
def test_a_device_is_what_microsoft_writes(text):
    expected = re.fullmatch(DEVICES, text, re.DOTALL) is not None

    assert is_device(text) == expected
