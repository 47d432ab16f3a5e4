"""What the public API gives as well as a feed of tRPC does, for those whom the feed refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civitscrape.civitai.filters import IMAGE_FEED, REST_IMAGE_FILTERS
from civitscrape.spiders.listings.base import OURS

if TYPE_CHECKING:
    from civitscrape.ledger import Walk


def otherwise(walk: Walk) -> bool:
    """Turn a walk of the image feed into one of the images API; tell whether all of its filters are known there.

    >>> from civitscrape.ledger import Walk
    >>> walk = Walk(run_id="r", source="trpc.image.getInfinite", target="post:7", level=3, params={"postId": 7})
    >>> otherwise(walk), walk.source, walk.params
    (True, 'rest.images', {'postId': 7})
    """
    if walk.source != f"trpc.{IMAGE_FEED}":
        return False
    params = dict(walk.params)
    types = params.pop("types", None)
    if types and len(types) == 1:
        params["type"] = types[0]
    if params.keys() - set(REST_IMAGE_FILTERS.values()) - OURS:
        return False
    walk.source, walk.params = "rest.images", params
    return True
