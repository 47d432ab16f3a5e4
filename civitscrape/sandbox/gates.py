"""What pages show instead of what a caller may not see; the data inside stays what it is (trpc-and-pages §6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from civitscrape.items import Level
from civitscrape.sandbox.ask import SFW, Colour

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask

UNRATED = "<h2>This content hasn't been rated yet</h2>"
LOGIN = '<h2>Log in to view</h2><a href="/login">Log in</a>'
ELSEWHERE = '<h2>Not shown here</h2><a href="https://civitai.red{path}">Continue on civitai.red</a>'


class Gate(NamedTuple):
    """How a page is shown."""

    card: str | None
    """HTML that stands in for the content; null when the content is shown."""
    listed: bool
    """Whether search engines may list the page."""


def gate(ask: Ask, level: int, *, nsfw: bool = False) -> Gate:
    """Decide what the body of a page about something of a level shows."""
    if ask.colour is Colour.GREEN:
        if not level:
            return Gate(UNRATED, listed=False)
        if ask.caller is None and level & Level.PG13 and not level & Level.PG and not nsfw:
            return Gate(LOGIN, listed=False)
        if nsfw or not level & (Level.PG if ask.caller is None else SFW):
            return Gate(ELSEWHERE.format(path=ask.path), listed=False)
        return Gate(None, listed=True)
    if ask.caller is None and not level & Level.PG:
        return Gate(LOGIN, listed=False)
    # The mature host leaves what is safe for work to the other one.
    return Gate(None, listed=level & ~SFW > 0)
