"""When a listing ends, repeats itself or was cut short: what the site does not say, worked out (DESIGN section 9)."""

from __future__ import annotations

import re
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


OFFSET = re.compile(r"(\d+)(\|\d+)")
"""The form of a cursor that counts entries: ``<offset>|<unix ms>``; the others begin at an entry (rest.md §7.3)."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Where the next page is asked for, so that it begins with what the last one ended with."""

    cursor: str
    sure: bool
    """Whether the next page must hold an entry of the last; a page that shows too few of its entries cannot tell."""


def seam(cursor: str, *, asked: str | None, shown: int) -> Seam | None:
    """Lay the next page over the end of the last, where cursors count entries.

    Such a cursor moves past entries that are still there as soon as one before it is deleted; a page that begins with
    an entry of the page before it shows that nothing was. The site leaves out entries after it has counted them, so
    the overlap is one more than are missing from the page.

    >>> seam("200|1767225600000", asked=None, shown=200)
    Seam(cursor='199|1767225600000', sure=True)
    >>> seam("98000021", asked=None, shown=20) is None
    True

    Args:
        cursor: what the site gave for the next page.
        asked: where the last page was asked for; None for the first.
        shown: entries in the last page.
    """
    found, before = OFFSET.fullmatch(cursor), OFFSET.fullmatch(asked or "0|0")
    if found is None or before is None:
        return None
    counted = int(found[1]) - int(before[1])
    longest = counted // 4
    overlap = min(counted - min(shown, counted) + 1, longest)
    if overlap < 1:
        return None
    return Seam(f"{int(found[1]) - overlap}{found[2]}", sure=counted - shown < longest)


def further_back(cursor: str, *, by: int) -> str | None:
    """Step back from a page that shows nothing of the one before it; None where there is no way back.

    >>> further_back("199|1767225600000", by=100)
    '99|1767225600000'
    """
    found = OFFSET.fullmatch(cursor)
    if found is None or int(found[1]) == 0:
        return None
    return f"{max(0, int(found[1]) - by)}{found[2]}"


LISTED = 4
"""Words of a cursor that are repeated to people."""


def brief(cursor: str) -> str:
    """Shorten a cursor that lists ids, as that of a batch does, for people.

    >>> brief("50: 11 12 13 14 15")
    '50: 11 12 13 … (2 more)'
    """
    words = cursor.split()
    return cursor if len(words) <= LISTED else f"{' '.join(words[:LISTED])} … ({len(words) - LISTED} more)"
