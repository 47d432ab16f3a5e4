"""All listings by the name of their source, which the table ``walks`` holds."""

from __future__ import annotations

from civitscrape.spiders.listings.base import Listing  # noqa: TC001 (a part of the public face)
from civitscrape.spiders.listings.byid import ImagesById, ImagesByIdWithLogin, ModelsById, PostsById
from civitscrape.spiders.listings.feeds import CollectionFeed, CollectionOrder, ImageFeed, ModelFeed, PostFeed
from civitscrape.spiders.listings.hashes import ByHash, HashIds, HashVersions
from civitscrape.spiders.listings.images import RestImage, RestImages
from civitscrape.spiders.listings.lookups import ImageLookup, PostLookup, VersionNames
from civitscrape.spiders.listings.models import RestModel, RestModels, RestVersion
from civitscrape.spiders.listings.things import Collection, ImagePage, PostPage, TagPage
from civitscrape.spiders.listings.vocabularies import Creators, Tags
from civitscrape.spiders.listings.votes import VotesByBatch

LISTINGS: dict[str, type[Listing]] = {
    one.source: one
    for one in (
        RestImages,
        RestImage,
        RestModels,
        RestModel,
        RestVersion,
        HashIds,
        HashVersions,
        ByHash,
        Creators,
        Tags,
        ImagePage,
        PostPage,
        TagPage,
        Collection,
        ImageFeed,
        ImageLookup,
        PostLookup,
        VersionNames,
        PostFeed,
        ModelFeed,
        CollectionFeed,
        CollectionOrder,
        ImagesById,
        ImagesByIdWithLogin,
        ModelsById,
        PostsById,
        VotesByBatch,
    )
}
"""Class of each source."""
