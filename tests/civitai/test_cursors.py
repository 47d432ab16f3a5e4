"""What follows a page: on, again, the end, or a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.civitai.answers import Page
from civitscrape.civitai.cursors import Move, Step, after, further_back, seam

cursor_texts = st.sampled_from(["200|17", "400|17", "600|17", "a", ""])
cursors = st.none() | cursor_texts
pages = st.builds(Page, entries=st.lists(st.just({"id": 1}), max_size=3), next_cursor=cursors)
seen_cursors = st.sets(cursor_texts)


@given(pages, cursors, seen_cursors, st.booleans())
def test_a_page_with_a_cursor_never_ends_a_listing(page, cursor, seen, asked_again):
    step = after(page, cursor=cursor, seen=seen, asked_again=asked_again)

    assert (step.move is Move.END) <= (page.next_cursor is None)
    assert (step.move is Move.AGAIN) <= (page.next_cursor is None)


@given(pages, cursors, seen_cursors, st.booleans())
def test_a_cursor_is_followed_unless_it_was_there_before(page, cursor, seen, asked_again):
    step = after(page, cursor=cursor, seen=seen, asked_again=asked_again)

    repeats = page.next_cursor is not None and (page.next_cursor == cursor or page.next_cursor in seen)
    assert (step.move is Move.LOOP) == repeats
    assert (step.move is Move.ON) == (page.next_cursor is not None and not repeats)
    if step.move in {Move.ON, Move.LOOP}:
        assert step.cursor == page.next_cursor


@given(cursors, seen_cursors)
def test_an_empty_page_without_a_cursor_is_asked_for_once_more_where_it_was(cursor, seen):
    nothing = Page(entries=[], next_cursor=None)

    first = after(nothing, cursor=cursor, seen=seen, asked_again=False)
    second = after(nothing, cursor=cursor, seen=seen, asked_again=True)

    assert first == Step(Move.AGAIN, cursor)
    assert second == Step(Move.END)


def test_an_empty_page_with_a_cursor_is_gone_past():
    page = Page(entries=[], next_cursor="400|17")

    step = after(page, cursor="200|17", seen={"200|17"}, asked_again=False)

    assert step == Step(Move.ON, "400|17")


@given(st.dictionaries(cursors, pages))
def test_a_walk_over_any_site_comes_to_an_end(site):
    """Whatever cursors a site hands out, a walk asks for each at most twice."""
    cursor: str | None = None
    seen: set[str] = set()
    asked_again, asked = False, 0
    while asked <= 100:
        page = site.get(cursor, Page(entries=[], next_cursor=None))
        asked += 1
        step = after(page, cursor=cursor, seen=seen, asked_again=asked_again)
        if step.move in {Move.END, Move.LOOP}:
            break
        asked_again = step.move is Move.AGAIN
        if step.cursor is not None and step.move is Move.ON:
            cursor = step.cursor
            seen.add(cursor)

    assert asked <= 2 * 6


@given(st.integers(1, 10**6), st.integers(1, 200), st.integers(0, 200))
def test_a_seam_goes_on_and_holds_as_much_as_the_page_hid(asked, counted, shown):
    shown = min(shown, counted)

    found = seam(f"{asked + counted}|1767225600000", asked=f"{asked}|1767225600000", shown=shown)

    if counted < 4:
        assert found is None
        return
    assert found is not None
    offset = int(found.cursor.partition("|")[0])
    assert asked < offset < asked + counted
    assert not found.sure or asked + counted - offset > counted - shown


@pytest.mark.parametrize("cursor", ["98000021", '200|bdx:{"a":1}', "", "x|1", "-1|5"])
def test_cursors_of_other_forms_are_left_as_they_are(cursor):
    assert seam(cursor, asked=None, shown=200) is None
    assert further_back(cursor, by=100) is None


def test_a_step_back_ends_at_the_beginning():
    assert further_back("30|5", by=100) == "0|5"
    assert further_back("0|5", by=100) is None
