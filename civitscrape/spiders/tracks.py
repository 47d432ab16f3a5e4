"""What is remembered of a walk while it is followed; the rest is in its row."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from civitscrape.civitai.answers import Page
from civitscrape.items import ImageResource
from civitscrape.ledger import Naming

if TYPE_CHECKING:
    from collections.abc import Iterable

REMEMBERED = 1000
"""Last entries of a walk that are remembered: the next page must begin with one of them, the newest hold them."""


@dataclass(slots=True)
class Names:
    """Names of the models that images tell by the number of a version alone."""

    known: dict[int, str] = field(default_factory=dict)
    """Name by version."""
    asked: set[int] = field(default_factory=set)
    """Versions that the site was asked for and has answered about; some have no name."""
    due: set[int] = field(default_factory=set)
    """Versions to be asked for with the next page."""
    pending: set[int] = field(default_factory=set)
    """Versions that are being asked for."""

    def note(self, records: Iterable[Any]) -> list[Naming]:
        """Note the versions of an image; return the names that are known, since this image has not been told them."""
        nameless = {
            one.model_version_id
            for one in records
            if isinstance(one, ImageResource) and one.name is None and one.model_version_id is not None
        }
        self.due |= nameless - self.asked
        return [Naming(version_id=one, name=self.known[one]) for one in sorted(nameless & self.known.keys())]

    def take(self, most: int) -> list[int]:
        """Return versions to be asked for now, at most so many."""
        taken = sorted(self.due)[:most]
        self.pending = {*taken}
        self.due -= self.pending
        return taken

    def learn(self, names: Iterable[Naming]) -> None:
        """Remember names, for images that are still to come."""
        self.known |= {one.version_id: one.name for one in names}

    def settle(self) -> None:
        """Note that all that was asked for was answered; what was not is asked for at the end of the walk."""
        self.asked |= self.pending


@dataclass(slots=True)
class Track:
    """What is remembered of a walk."""

    cursors: set[str] = field(default_factory=set)
    latest: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    sure: bool = True
    """Whether the next page must hold an entry of those before it."""
    back: int = 0
    """Steps back that were made to find such an entry."""
    newest: set[int] | None = None
    """Entries of the newest page; None before it was looked at."""
    unread: Page | None = None
    """The newest page, when it came with the first, until it is looked at."""
    missed: set[int] = field(default_factory=set)
    """Entries of the newest page that must be in the listing and have not come yet from the oldest end."""
    shared: set[int] = field(default_factory=set)
    """Those of them that have."""
    shown: dict[int, Any] = field(default_factory=dict)
    """Entries of the newest page, by number, that are kept and that the walk has not come to yet."""
    ended: bool = False
    """Whether the listing has ended, so that what is missed now was cut off."""
    names: Names = field(default_factory=Names)
    """Names of models that came with pages."""

    @property
    def joined(self) -> bool:
        """Whether the walk has come far enough into the newest page for nothing to lie between."""
        return self.newest is not None and len(self.shared) > len(self.newest) // 2
