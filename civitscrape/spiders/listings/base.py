"""What a listing is: an endpoint that gives entries page after page; a single thing is a page of one entry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from civitscrape.civitai import answers, cursors, levels
from civitscrape.civitai.trpc import Call
from civitscrape.exceptions import EchoError
from civitscrape.items import Image, VersionImage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.civitai.answers import Page
    from civitscrape.items import Level
    from civitscrape.ledger import Walk

OLDEST, NEWEST = "Oldest", "Newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which page of a walk is asked for."""

    newest: bool
    """From which end."""
    cursor: str | None = None
    """Cursor of the page; None for the first."""
    mark: str | None = None
    """Text that makes another address, where an answer kept by the edge is of no use."""
    beside: Sequence[Call] = ()
    """Calls that go in the same request; only feeds of tRPC take some."""


class Listing(ABC):
    """How one endpoint is walked; knows nothing of what was found before."""

    source: ClassVar[str]
    """Name of the endpoint in the table ``walks``, such as ``rest.images``."""
    kind: ClassVar[str]
    """What its entries are in the table ``links``: ``image``, ``model`` and so on."""
    provable: ClassVar[bool] = False
    """Whether its newest page shows that a walk from the oldest end was whole (DESIGN section 9)."""
    resumable: ClassVar[bool] = False
    """Whether the last cursor of a whole walk is where new entries will appear."""
    single: ClassVar[bool] = False
    """Whether it is one thing, and no listing at all."""
    overlapping: ClassVar[bool] = False
    """Whether its cursors may count entries, so that pages are laid over one another (``cursors.seam``)."""
    any_level: ClassVar[bool] = False
    """Whether things are asked for by their ids, whatever their level, and so from the host that shows all of them."""
    may_be_empty: ClassVar[bool] = False
    """Whether nothing is an ordinary answer, and no sign of a site in trouble."""
    divisible: ClassVar[bool] = False
    """Whether a walk that the site cut short can be split into parts."""
    brings_files: ClassVar[bool] = True
    """Whether the files of its pictures are fetched from what it tells of them."""
    sort: ClassVar[str | None] = OLDEST
    """Order of a walk from the oldest end; None where there is none to choose."""

    def __init__(self, *, site: str, media_url: str) -> None:
        self.site = site
        """Address that kept addresses begin with."""
        self.media_url = media_url

    @property
    def payload(self) -> str:
        """Kind of its entries in the table ``payloads``: the route and what it is, such as ``rest.image``."""
        return f"{self.source.partition('.')[0]}.{self.kind}"

    def passes(self, mask: int) -> list[Level]:
        """Split a mask of rating bits into the walks that bring all of it."""
        return levels.passes(mask)

    @abstractmethod
    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Build the request for a page, without a callback."""

    def open(self, response: Response, walk: Walk) -> Page:  # noqa: ARG002 (some listings look at the walk)
        """Open a page.

        Raises:
            AnswerError: the site refused, or the answer is no such page.
        """
        return answers.open_listing(response)

    def require_echo(self, page: Page, walk: Walk) -> None:  # noqa: B027 (most, not all, can be checked)
        """Make sure that a page speaks of what it was asked about; the site has given other things before.

        Raises:
            EchoError: an entry is of somebody or something else.
        """

    @abstractmethod
    def number(self, entry: Any) -> int | None:
        """Return the id of an entry, None where it has none."""

    def flaw(self, walk: Walk) -> str | None:
        """Say why a walk that came to its end cannot be called whole; None where it can.

        Orders that a person chose shift or lose entries between pages (rest.md §7.3, trpc-and-pages.md §4.1).
        """
        order = walk.params.get("sort")
        if MEETS in walk.params and walk.cursor is not None and not cursors.OFFSET.fullmatch(walk.cursor):
            return f"its newest half may lose an entry at each page, since its cursors begin at one ({walk.cursor!r})"
        if walk.pages < 2 or order in {None, self.sort} or {"until_known", MEETS} & walk.params.keys():  # noqa: PLR2004 (no page border)
            return None
        return f"sort={order} may lose entries between pages; leave the sort out for a listing that can be proven"

    def keepable(self, entry: Any) -> Any:
        """Return an entry as it may be kept: without what its creator hid, where a route sends it all the same."""
        return entry

    @abstractmethod
    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Turn an entry into records.

        Raises:
            EntryError: it lacks what it must have.
        """


MEETS, BRINGS, COVERS = "meets", "brings", "covers"
"""Parameters of the parts that a walk was split into: the walk whose entries the newest half must come to; the images
that a listing of posts stands for; whether it only reaches into what no part lists."""

LIMITS = frozenset({"max_items", "since", "until"})
"""Parameters by which a person takes a part of a listing only."""

OURS = frozenset({"sort", "site", "until_known", "control", MEETS, BRINGS, COVERS}) | LIMITS
"""Parameters of a walk that are no filters."""


def filters_of(walk: Walk) -> dict[str, Any]:
    """Return what a walk asks the site for, beside levels and order."""
    return {name: value for name, value in walk.params.items() if name not in OURS}


def require_name(walk: Walk, entries: Iterable[tuple[Any, Any]], asked: Any) -> None:
    """Make sure that all entries are of the creator that was asked for.

    Args:
        walk: whose listing it is, for the message.
        entries: id and username of each; unknown names pass.
        asked: the name; None when nobody was asked for.

    Raises:
        EchoError: an entry names somebody else.
    """
    if asked is None:
        return
    for number, name in entries:
        if name is not None and str(name).lower() not in {str(asked).lower(), "unknown"}:
            raise EchoError(
                f"{walk.target}: asked for the works of {asked!r}, the site gave entry {number} of {name!r}"
            )


def require_number(walk: Walk, found: Any, asked: int) -> None:
    """Make sure that a thing asked for by its id is that thing.

    Raises:
        EchoError: it is another.
    """
    if found != asked:
        raise EchoError(f"{walk.target}: asked for number {asked}, the site gave {found!r}")


def mapping(value: Any) -> dict[str, Any]:
    """Take a mapping as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def within_levels(records: Iterable[Any], walk: Walk) -> list[Any]:
    """Leave out, and count, pictures of levels that a walk does not ask for, and what ties them to a version."""
    records = list(records)
    images = [one for one in records if isinstance(one, Image)]
    out = {one.id for one in images if one.level and not one.level & walk.level}
    walk.hidden = (walk.hidden or 0) + len(out)

    def belongs(record: Any) -> bool:
        if isinstance(record, Image):
            return record.id not in out
        return not isinstance(record, VersionImage) or record.image_id not in out

    return [record for record in records if belongs(record)]
