"""Recorded answers of tRPC and pages, and samples of the docs, are read without loss; models have their own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.civitai import pages, things
from civitscrape.exceptions import EnvelopeError
from civitscrape.items import Collection, Creator, Image, ImageTag, Post, Tag
from civitscrape.parsers import collections, creators, feeds, posts, tags
from civitscrape.parsers.images import from_detail
from tests.parsers import recorded
from tests.parsers.trpc_leaves import SAME, UNKEPT, lost, reason

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not recorded.REAL.is_dir(), reason=recorded.MISSING)

MODELS = "models have tests of their own"
ABOUT_US = "about whoever asks, or how the site runs"
NOT_ASKED = "nothing of it is archived"
NOT_READ = {
    "trpc-common-getEntityAccess-2025-09-mako1018.json": ABOUT_US,
    "trpc-model-getAll-item-2023-08.json": MODELS,
    "trpc-model-getAssociatedResourcesCardData-2025-09-mako1018.json": MODELS,
    "trpc-model-getByCategory-2023-07.json": MODELS,
    "trpc-model-getById-133005-2025-09-mako1018.json": MODELS,
    "trpc-model-getGallerySettings-133005-2025-09-mako1018.json": ABOUT_US,
    "trpc-modelVersion-getById-1759168-2025-09-mako1018.json": MODELS,
    "trpc-null-result-2025-09-mako1018.json": "comments, none of them",
    "trpc-response-headers-2025-09-mako1018.json": ABOUT_US,
    "trpc-system-getBrowsingSettingAddons-2025-09-mako1018.json": ABOUT_US,
    "docs-devsite-articles-2026-08.json": NOT_ASKED,
    "docs-devsite-enums-2026-08.json": ABOUT_US,
    "docs-devsite-errors-2026-08.json": "not an entry",
    "docs-devsite-images-2026-08.json": "read in test_real",
    "docs-devsite-images-newest-feedcursor-2026.json": "read in test_real",
    "docs-wiki-images-2023.json": "read in test_real",
    "docs-devsite-model-versions-2026-08.json": MODELS,
    "docs-devsite-model-versions-mini-2026-08.json": MODELS,
    "docs-devsite-models-2026-08.json": MODELS,
    "docs-devsite-users-2026-08.json": "the search for users is not asked",
    "docs-wiki-model-1102-2023.json": MODELS,
    "docs-wiki-models-textualinversion-2023.json": MODELS,
    "docs-wiki-modelversion-1318-2023.json": MODELS,
}
"""Recordings that no parser here reads, and why."""

FEED = ("trpc-image-getInfinite-2025-09-mako1018.json",)
GALLERY = (
    "trpc-image-getImagesAsPostsInfinite-2025-09-p1-mako1018.json",
    "trpc-image-getImagesAsPostsInfinite-2025-09-p2-mako1018.json",
)
GENERATION = (
    "trpc-image-getGenerationData-100641593-2025-09-mako1018.json",
    "trpc-image-getGenerationData-100649076-2025-09-mako1018.json",
)
CONTEST = (
    "trpc-image-getContestCollectionDetails-100649076-2025-09-mako1018.json",
    "trpc-image-getContestCollectionDetails-empty-2025-09-mako1018.json",
)
VOTES = (
    "trpc-tag-getVotableTags-100641593-2025-09-mako1018.json",
    "trpc-tag-getVotableTags-100649076-2025-09-mako1018.json",
)
POST, POSTS = "trpc-post-get-2026-01-atelierai.json", "trpc-post-getInfinite-2025-07-civitaisync.json"
TAG, TAGS = "trpc-tag-getById-2026-03-atelierai.json", "trpc-tag-getAll-2025-09-mako1018.json"
TAG_NAMES = ("docs-devsite-tags-2026-08.json", "docs-wiki-tags-2023.json")
CREATORS = ("docs-devsite-creators-2026-08.json", "docs-wiki-creators-2023.json")
COLLECTIONS, CREATOR = "docs-devsite-collections-2026-08.json", "trpc-user-getCreator-764940-2025-09-mako1018.json"
NOTES, DOCUMENT = "trpc-har-notes-2026-03.json", "index-image-document-2026-02-bitdex.json"
READ = {*FEED, *GALLERY, *GENERATION, *CONTEST, *VOTES, *TAG_NAMES, *CREATORS}
READ |= {POST, POSTS, TAG, TAGS, COLLECTIONS, CREATOR, NOTES}


def result(name: str) -> Any:
    return recorded.load(recorded.REAL / name)["result"]["data"]["json"]


def notes(name: str) -> Any:
    return recorded.load(recorded.REAL / NOTES)[name]


def test_every_recording_is_read_or_has_a_reason() -> None:
    names = {path.name for path in recorded.files("trpc-*.json", "docs-*.json")}

    assert READ & NOT_READ.keys() == set()
    assert names == READ | NOT_READ.keys()


def test_a_leaf_that_nobody_knows_yet_is_noticed() -> None:
    entry = {"id": 7, "nsfwLevel": 1, "stats": {"likeCountAllTime": 1, "sparkleCount": 2}, "user": {"username": "a"}}

    found = feeds.from_feed(entry)

    assert lost(entry, found) == ["stats.sparkleCount=2"]


@pytest.mark.parametrize("name", FEED)
def test_every_image_of_a_feed_is_read_without_loss(name: str) -> None:
    entries = result(name)["items"]

    for entry in entries:
        assert lost(entry, feeds.from_feed(entry)) == [], entry["id"]

    assert entries


def test_the_document_behind_the_index_is_read_without_loss() -> None:
    entry = recorded.load(recorded.REAL / DOCUMENT)
    # Inside the index, times are numbers; the site turns them into dates before it answers.
    del entry["publishedAt"]

    assert lost(entry, feeds.from_feed(entry)) == []


@pytest.mark.parametrize("name", GALLERY)
def test_every_post_of_a_gallery_is_read_without_loss_and_its_images_are(name: str) -> None:
    entries = result(name)["items"]

    for entry in entries:
        found = posts.from_gallery(entry)
        lone = {name: one for name, one in entry.items() if name not in {"publishedAt", "nsfwLevel"}}
        assert lost(lone, found) == [], entry["postId"]
        for image in entry["images"]:
            assert lost(image, feeds.from_feed(image)) == [], image["id"]
        assert [one.id for one in found if isinstance(one, Image)] == [one["id"] for one in entry["images"]]


@pytest.mark.parametrize("name", GENERATION)
def test_generation_data_are_read_without_loss(name: str) -> None:
    generation = result(name)
    number = int(name.split("-")[3])

    found: list[Any] = from_detail(None, generation, image_id=number)

    assert lost(generation, found) == []
    assert found[0].id == number
    assert found[0].meta_state == "visible"


def test_hidden_generation_data_leave_resources_tools_and_techniques() -> None:
    generation = notes("image.getGenerationData (meta hidden)")["result"]["data"]["json"]

    found: list[Any] = from_detail({"id": 122723126, "hideMeta": True}, generation)

    assert lost(generation, found) == []
    assert found[0].meta_state == "hidden"


@pytest.mark.parametrize("name", VOTES)
def test_every_tag_with_votes_is_read_without_loss(name: str) -> None:
    entries = result(name)

    found = tags.from_votes(7, entries)

    assert_votes(entries, found)


def test_a_tag_with_votes_of_another_year_is_read_without_loss() -> None:
    entry = notes("tag.getVotableTags item")

    found = tags.from_votes(7, [entry])

    assert_votes([entry], found)


def assert_votes(entries: list[dict[str, Any]], found: list[Any]) -> None:
    held = {"score": "score", "upVotes": "up_votes", "downVotes": "down_votes", "automated": "automated"}
    assert len(found) == 2 * len(entries)
    for entry, tag, vote in zip(entries, found[::2], found[1::2], strict=True):
        assert vote.image_id == 7
        assert vote.tag_id == tag.id
        missing = [
            f"{path}={value!r}"
            for path, value in recorded.leaves(entry)
            if not (path in SAME[Tag] and getattr(tag, SAME[Tag][path]) == value)
            and not (path in held and getattr(vote, held[path]) == value)
            and path not in UNKEPT[ImageTag]
        ]
        assert missing == []


def test_every_tag_of_the_vocabulary_is_read_without_loss() -> None:
    entries = [*result(TAGS)["items"], result(TAG)]

    for entry in entries:
        assert lost(entry, [tags.from_trpc(entry)]) == []


@pytest.mark.parametrize("name", TAG_NAMES)
def test_every_name_of_the_vocabulary_is_read(name: str) -> None:
    entries = recorded.load(recorded.REAL / name)["items"]

    assert [tags.from_rest(one).name for one in entries] == [one["name"] for one in entries]


@pytest.mark.parametrize("name", CREATORS)
def test_every_creator_of_a_listing_is_read_without_loss(name: str) -> None:
    for entry in recorded.load(recorded.REAL / name)["items"]:
        assert lost(entry, [creators.from_rest(entry)]) == []


def test_a_creator_of_a_page_is_read_without_loss() -> None:
    user = result(CREATOR)
    profile = pages.Profile(username=user["username"], exists=True, user=user, counts=None, counts_level=1)

    assert lost(user, [creators.from_profile(profile)]) == []


def test_a_post_is_read_without_loss() -> None:
    entry = result(POST)

    assert lost(entry, posts.from_trpc(entry)) == []


def test_every_post_of_a_listing_is_read_without_loss_and_its_images_are() -> None:
    for entry in result(POSTS)["items"]:
        assert lost(entry, posts.from_listing(entry)) == []
        for image in entry["images"]:
            assert lost(image, feeds.from_feed(image)) == []


def test_every_collection_of_the_docs_is_read_without_loss() -> None:
    listing, single, _ = recorded.load(recorded.REAL / COLLECTIONS)

    for entry in [*listing["items"], single]:
        assert lost(without_tags(entry), collections.from_rest(entry)) == []
    assert collections.from_rest(single)[1:] == [Tag(id=5, name="anime")]


@pytest.mark.parametrize("name", CONTEST)
def test_every_collection_of_a_contest_is_read_without_loss(name: str) -> None:
    for one in result(name)["collectionItems"]:
        entry = one["collection"]
        found: list[Any] = collections.from_trpc(entry)
        assert lost(without_tags(entry), found) == []
        assert found[0].tags == [tag["name"] for tag in entry["tags"]]


def without_tags(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in entry.items() if name != "tags"}


def test_the_page_of_a_model_is_opened() -> None:
    (path,) = recorded.files("html-nextdata-*.html")

    page = things.open_model_page(path.read_text())

    assert page.model is not None
    assert page.model["id"] == 4242


@pytest.mark.parametrize("path", recorded.files("html-*-head4000.html"), ids=lambda path: path.name)
@pytest.mark.parametrize("opened", [things.open_image_page, things.open_post_page, things.open_tag_page])
def test_a_page_that_was_cut_off_is_an_error(path: Any, opened: Callable[[str], Any]) -> None:
    with pytest.raises(EnvelopeError, match="without __NEXT_DATA__"):
        opened(path.read_text())


def test_no_row_of_the_tables_is_without_need() -> None:
    needed = {
        (kind, reason(kind, path))
        for kind, entries in every_entry().items()
        for entry in entries
        for path, _ in recorded.leaves({name: one for name, one in entry.items() if name not in {"meta", "images"}})
    }

    rows = {(kind, row) for kind in every_entry() for row in UNKEPT[kind]}

    assert rows - needed == set()


def every_entry() -> dict[type, list[dict[str, Any]]]:
    """Return every recorded entry under the kind of item that it becomes."""
    galleries = [one for name in GALLERY for one in result(name)["items"]]
    listed = result(POSTS)["items"]
    contests = [one["collection"] for name in CONTEST for one in result(name)["collectionItems"]]
    hidden = notes("image.getGenerationData (meta hidden)")["result"]["data"]["json"]
    return {
        Image: [
            *result(FEED[0])["items"],
            recorded.load(recorded.REAL / DOCUMENT),
            *[image for one in [*galleries, *listed] for image in one["images"]],
            *map(result, GENERATION),
            hidden,
        ],
        Post: [*galleries, *listed, result(POST)],
        Collection: [*recorded.load(recorded.REAL / COLLECTIONS)[0]["items"], *contests],
        Creator: [result(CREATOR)],
    }
