"""What is kept of an entry: its records, links, wanted files and the payload; and what a spider asks for at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.civitai import levels
from civitscrape.civitai.cookies import has_login
from civitscrape.exceptions import EntryError
from civitscrape.items import Image, Level, ModelFile
from civitscrape.ledger import Entry, MediaState
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider, host_for
from civitscrape.spiders.findings import link, wanted
from civitscrape.spiders.listings.registry import LISTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from civitscrape.ledger import Walk
    from civitscrape.spiders.arguments import WalkArguments
    from civitscrape.spiders.listings.base import Listing

NAMES = frozenset({"creator", "tag"})
"""Kinds that are names without numbers: counted here, since they are no items of the pipelines."""


class KeepingSpider(CivitaiSpider):
    """A spider that knows what it was asked for, and keeps entries accordingly."""

    args: WalkArguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refused: set[tuple[str, int]] = set()
        self._listings: dict[str, Listing] = {}

    @property
    def level(self) -> Level:
        """Rating bits that are asked for."""
        return self.args.level if isinstance(self.args, MediaArguments) else levels.ALL

    @property
    def downloads(self) -> bool:
        """Whether files are wanted, not records alone."""
        asked = isinstance(self.args, MediaArguments) and self.args.download != "none"
        return asked and self.args.mode != "refresh"

    @property
    def site(self) -> str:
        """The host for all passes of a target: the two hosts filter by different ratings (rest.md §2.1)."""
        return str(self.settings[host_for(self.level)])

    @property
    def pictures(self) -> bool:
        """Whether the files of pictures are wanted."""
        return True

    @property
    def files(self) -> bool:
        """Whether the model files themselves are wanted, not their records alone."""
        return False

    @property
    def logged_in(self) -> bool:
        """Whether the host knows who asks."""
        return has_login(self.settings, self.site)

    def images(self, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Choose who lists images: the public API, or the site's own feed where votes are asked for and to be had."""
        if not isinstance(self.args, MediaArguments) or self.args.votes == "no":
            return "rest.images", asked
        if not self.logged_in:  # which the extension Votes has said
            return "rest.images", asked
        one = asked.get("type")
        rest = {name: value for name, value in asked.items() if name != "type" and value is not None}
        return "trpc.image.getInfinite", rest | ({"types": [one]} if one else {})

    def listing(self, source: str) -> Listing:
        """Return how a source is walked."""
        if source not in self._listings:
            site, media_url = self.settings["CIVITAI_URL"], self.settings["CIVITAI_MEDIA_URL"]
            self._listings[source] = LISTINGS[source](site=site, media_url=media_url)
        return self._listings[source]

    def keep(self, entry: Any, walk: Walk, *, listed: bool = True) -> Iterator[Any]:
        """Turn one entry into all that is kept of it; ``listed`` where it was met on the way of the walk itself."""
        listing = self.listing(walk.source)
        number = listing.number(entry)
        try:
            records = listing.read(entry, walk)
        except EntryError as error:
            yield self._refuse(entry, walk, number, error)
            return
        yield from records
        if listing.kind in NAMES:
            self.crawler.stats.inc_value("civitscrape/listed")
        if listing.kind != "image" and number is not None:
            yield link(walk, listing.kind, number, listed=listed and not listing.single)
        for record in records:
            if isinstance(record, (Image, ModelFile)):  # most are links and tags
                yield from self._beside(record, walk, listing, listed=listed)
        if self.settings.getbool("KEEP_PAYLOADS"):
            yield Entry(kind=listing.payload, entry_id=str(number), content=listing.keepable(entry))

    def _beside(self, record: Image | ModelFile, walk: Walk, listing: Listing, *, listed: bool) -> Iterator[Any]:
        """Link a picture and want its file; want a model file where those were asked for."""
        if isinstance(record, Image):
            record.partial = not listing.brings_files
            record.rendition = self.rendition(record.type)
            record.poster = self.poster(record.type)
            yield link(walk, "image", record.id, listed=listed and listing.kind == "image" and not listing.single)
            if self.downloads and self.pictures and listing.brings_files:
                yield wanted(record, self.settings["CIVITAI_MEDIA_URL"])
        elif self.files and record.download_url:
            record.state = MediaState.WANTED

    def _refuse(self, entry: Any, walk: Walk, number: int | None, error: EntryError) -> Entry:
        """Count an entry that cannot be read, and keep it with the reason."""
        if (walk.source, number) not in self._refused:  # the check of a walk brings the newest once more
            self.crawler.stats.inc_value("civitscrape/refused")
            walk.refused = (walk.refused or 0) + 1
            self.logger.warning("%s: entry %s refused: %s", walk.target, number, error)
        if number is not None:
            self._refused.add((walk.source, number))
        kind = self.listing(walk.source).payload
        return Entry(kind=kind, entry_id=str(number), content=entry, refused=str(error))
