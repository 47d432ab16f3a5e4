"""Things that a listing has no more, asked for one by one by their ids: gone, or only left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, levels, rest
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import EnvelopeError, NotFoundError
from civitscrape.ledger import Vanished
from civitscrape.parsers import images, models
from civitscrape.spiders.listings.base import OLDEST, Question, mapping, require_number, within_levels
from civitscrape.spiders.listings.lookups import Ids, ImageLookup, PostLookup

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.ledger import Walk

MASKS = (levels.SFW, levels.MATURE) * 2
"""Levels that an image is asked for under, each twice: an empty answer may also be a time-out of the site (§7.3)."""


def believed(page: Page, walk: Walk) -> Page:
    """Make sure that the site tells of things by their ids at all, by one that it has just listed.

    Raises:
        EnvelopeError: it does not have that either, so that nothing it says of the others can be believed.
    """
    control = walk.params.get("control")
    for entry in page.entries:
        nothing = "gone" in entry or entry.get("image", entry.get("post", entry)) is None
        if nothing and entry.get("id") == control:
            raise EnvelopeError(
                f"{walk.target}: the site has nothing under number {control}, which it lists; what it says of others "
                "by their numbers is not believed"
            )
    return page


class ImagesById(Ids):
    """``/api/v1/images?imageId=``: each image under both masks, since asking for R and more hides some PG (§4)."""

    source = "rest.images-by-id"
    kind = "image"
    together = 1
    any_level = True

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for the image at a cursor, ``ID`` or ``ID:TRY`` and the ids after it."""
        number, attempt, _ = self._place(question.cursor, walk)
        mark = f"{walk.run_id}-{attempt}" if attempt else question.mark
        return rest.images(site, {"imageId": number}, level=MASKS[attempt], sort=OLDEST, mark=mark)

    def open(self, response: Response, walk: Walk) -> Page:
        """Open the answer; an empty one is believed when all tries were empty."""
        number, attempt, left = self._place(walk.cursor, walk)
        found = answers.open_listing(response).entries
        for entry in found:
            require_number(walk, mapping(entry).get("id"), number)
        following = ",".join(map(str, left)) or None
        if found:
            return Page(entries=found, next_cursor=following)
        if attempt + 1 < len(MASKS):
            again = f"{number}:{attempt + 1}"
            return Page(entries=[], next_cursor=f"{again},{following}" if following else again)
        return believed(Page(entries=[{"id": number, "gone": True}], next_cursor=following), walk)

    def read(self, entry: Any, walk: Walk) -> list[Any]:  # noqa: ARG002 (the base class's signature)
        """Read an image, or that it is gone."""
        if "gone" in entry:
            return [Vanished(kind="image", entry_id=entry["id"])]
        return list(images.from_rest(entry, media_url=self.media_url, legacy=True))

    def _place(self, cursor: str | None, walk: Walk) -> tuple[int, int, list[int]]:
        """Read a cursor: the id, which try it is, the ids after it."""
        first, _, rest_of = (cursor or ",".join(map(str, walk.params["ids"]))).partition(",")
        number, _, attempt = first.partition(":")
        return int(number), int(attempt or 0), [int(one) for one in rest_of.split(",") if one]


class ImagesByIdWithLogin(ImageLookup):
    """``image.get``: sixteen images in a call, for those who have a key or cookies."""

    source = "trpc.images-by-id"
    any_level = True

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a batch, and see whether it can be believed."""
        return believed(super().open(response, walk), walk)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read an image, or that it is gone."""
        if entry["image"] is None:
            return [Vanished(kind="image", entry_id=entry["id"])]
        return super().read(entry, walk)


class PostsById(PostLookup):
    """``post.get``: fifty posts in a call; needs a key or cookies."""

    source = "trpc.posts-by-id"
    any_level = True

    def open(self, response: Response, walk: Walk) -> Page:
        """Open a batch, and see whether it can be believed."""
        return believed(super().open(response, walk), walk)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read a post, or that it is gone."""
        if entry["post"] is None:
            return [Vanished(kind="post", entry_id=entry["id"])]
        return super().read(entry, walk)


class ModelsById(Ids):
    """``/api/v1/models/{id}``, one after the other."""

    source = "rest.models-by-id"
    kind = "model"
    together = 1
    any_level = True

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask for the model at a cursor."""
        (number,), _ = self.ids(question.cursor, walk)
        return rest.model(site, number)

    def open(self, response: Response, walk: Walk) -> Page:
        """Open the model; that there is none is an answer, too."""
        (number,), left = self.ids(walk.cursor, walk)
        following = ",".join(map(str, left)) or None
        try:
            entry = answers.open_thing(response)
        except NotFoundError:
            return believed(Page(entries=[{"id": number, "gone": True}], next_cursor=following), walk)
        require_number(walk, entry.get("id"), number)
        return Page(entries=[entry], next_cursor=following)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read a model, or that it is gone."""
        if "gone" in entry:
            return [Vanished(kind="model", entry_id=entry["id"])]
        return within_levels(models.from_rest(entry, site=self.site, media_url=self.media_url), walk)


BY_ID = {
    ("image", False): ImagesById.source,
    ("image", True): ImagesByIdWithLogin.source,
    ("model", False): ModelsById.source,
    ("model", True): ModelsById.source,
    ("post", True): PostsById.source,
}
"""Source that tells of a kind of thing by its id, by whether there is a login; posts need one."""
