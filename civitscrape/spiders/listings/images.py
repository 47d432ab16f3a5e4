"""Images by the REST API: of a creator, a version, a post, a tag, or any filters (contract rest.md §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.civitai import rest
from civitscrape.exceptions import EchoError
from civitscrape.items import Level, VersionImage
from civitscrape.parsers import images
from civitscrape.spiders.listings.base import (
    NEWEST,
    OLDEST,
    Listing,
    Question,
    filters_of,
    mapping,
    require_name,
    require_number,
)

if TYPE_CHECKING:
    from scrapy import Request

    from civitscrape.civitai.answers import Page
    from civitscrape.ledger import Walk


class RestImages(Listing):
    """``/api/v1/images``."""

    source = "rest.images"
    kind = "image"
    provable = True
    divisible = True
    overlapping = True  # the search engine counts entries (§7.3)
    legacy = False
    """Whether the site's older back end answers, which names other models and other times (§7.2)."""

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask with all filters of the walk, from the asked end."""
        return rest.images(
            site,
            filters_of(walk),
            level=walk.level,
            sort=NEWEST if question.newest else str(walk.params.get("sort") or OLDEST),
            cursor=question.cursor,
            mark=question.mark,
        )

    def require_echo(self, page: Page, walk: Walk) -> None:
        """Check the creator, the post and the tags: an unknown one of these is ignored by some back ends."""
        entries = [mapping(entry) for entry in page.entries]
        require_name(walk, ((one.get("id"), one.get("username")) for one in entries), walk.params.get("username"))
        post = walk.params.get("postId")
        for one in entries:
            if post is not None and one.get("postId") not in {None, int(post)}:
                raise EchoError(f"{walk.target}: asked for post {post}, the site gave entry {one.get('id')} of another")
        require_tags(walk, entries)

    def number(self, entry: Any) -> int | None:
        """Return the id of an image."""
        return images.entry_id(entry)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read an image with its tags, post and resources."""
        of_model = walk.params.get("modelId") is not None and walk.params.get("modelVersionId") is None
        records = images.from_rest(entry, media_url=self.media_url, legacy=self.legacy or of_model)
        return [*gallery(walk, self.number(entry)), *records]


class RestImage(RestImages):
    """``/api/v1/images?imageId=``: one image, whatever its level, with tags and reactions; another back end (§7.2)."""

    source = "rest.image"
    provable = False
    divisible = False
    legacy = True
    single = True
    sort = None

    def passes(self, mask: int) -> list[Level]:
        """Ask once, for its own level: asking for R and more hides some PG pictures (§4)."""
        return [Level(mask)]

    def require_echo(self, page: Page, walk: Walk) -> None:
        """Check that the image is the one asked for."""
        for entry in page.entries:
            require_number(walk, mapping(entry).get("id"), int(walk.params["imageId"]))


def gallery(walk: Walk, number: int | None) -> list[VersionImage]:
    """Tie an image to the version whose gallery it was found in."""
    version = walk.params.get("modelVersionId")
    if version is None or number is None:
        return []
    return [VersionImage(version_id=int(version), image_id=number, source="gallery")]


def require_tags(walk: Walk, entries: list[dict[str, Any]]) -> None:
    """Make sure that each entry carries one of the tags asked for.

    Raises:
        EchoError: one carries none of them, though it tells its tags.
    """
    asked = walk.params.get("tags")
    if not asked:
        return
    numbers = {int(one) for one in (asked if isinstance(asked, list) else str(asked).split(","))}
    for entry in entries:
        tags = entry.get("tags")
        if isinstance(tags, list) and tags and not numbers & {mapping(tag).get("id") for tag in tags}:
            raise EchoError(
                f"{walk.target}: asked for tags {sorted(numbers)}, the site gave entry {entry.get('id')} without them"
            )
