"""When a listing ends, repeats itself or was cut short: what the site does not say, worked out (DESIGN section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from civitscrape.civitai.answers import Page


class Move(Enum):
    """What to do after a page."""

    ON = "ask for the next page"
    AGAIN = "ask for the same page under another address"
    END = "the listing has ended"
    LOOP = "the cursor was there before; the listing would never end"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do after a page, and at which cursor."""

    move: Move
    cursor: str | None = None


def after(page: Page, *, cursor: str | None, seen: Collection[str], asked_again: bool) -> Step:
    """Decide what follows a page that was asked for at ``cursor``.

    A short page is not the end, nor is an empty one that has a cursor. An empty page without one looks like the end,
    but is also what a time-out of the site looks like (rest.md §7.3): it is asked again once.

    Args:
        page: the page.
        cursor: where it was asked for; None for the first.
        seen: cursors that this walk has already followed.
        asked_again: whether this page was already asked for a second time.
    """
    if page.next_cursor is None:
        again = not page.entries and not asked_again
        return Step(Move.AGAIN, cursor) if again else Step(Move.END)
    if page.next_cursor == cursor or page.next_cursor in seen:
        return Step(Move.LOOP, page.next_cursor)
    return Step(Move.ON, page.next_cursor)
