"""The tRPC procedures that the sandbox knows, by name; a new one is a function and a line in ``TABLE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.sandbox import (
    trpc_collections,
    trpc_feed,
    trpc_images,
    trpc_models,
    trpc_people,
    trpc_posts,
    trpc_tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.site import Site

TABLE: dict[str, Callable[[Site, Ask, Input], Any]] = {
    "collection.getAllCollectionItems": trpc_collections.collection_get_all_collection_items,
    "collection.getAllUser": trpc_collections.collection_get_all_user,
    "collection.getById": trpc_collections.collection_get_by_id,
    "collection.getInfinite": trpc_collections.collection_get_infinite,
    "common.getEntityAccess": trpc_people.common_get_entity_access,
    "generation.getResourceDataByIds": trpc_models.generation_get_resource_data_by_ids,
    "hiddenPreferences.getHidden": trpc_people.hidden_preferences_get_hidden,
    "image.get": trpc_images.image_get,
    "image.getContestCollectionDetails": trpc_images.image_get_contest_collection_details,
    "image.getDetail": trpc_images.image_get_detail,
    "image.getEntitiesCoverImage": trpc_images.image_get_entities_cover_image,
    "image.getGenerationData": trpc_images.image_get_generation_data,
    "image.getImagesAsPostsInfinite": trpc_feed.image_get_images_as_posts_infinite,
    "image.getImagesForModelVersion": trpc_images.image_get_images_for_model_version,
    "image.getInfinite": trpc_feed.image_get_infinite,
    "image.getResources": trpc_images.image_get_resources,
    "model.getAll": trpc_models.model_get_all,
    "model.getById": trpc_models.model_get_by_id,
    "model.getGallerySettings": trpc_models.model_get_gallery_settings,
    "model.getModelsByHash": trpc_models.model_get_models_by_hash,
    "model.getSimple": trpc_models.model_get_simple,
    "model.getVersions": trpc_models.model_get_versions,
    "modelVersion.getById": trpc_models.model_version_get_by_id,
    "modelVersion.getVersionsByIds": trpc_models.model_version_get_versions_by_ids,
    "post.get": trpc_posts.post_get,
    "post.getContestCollectionDetails": trpc_posts.post_get_contest_collection_details,
    "post.getInfinite": trpc_posts.post_get_infinite,
    "post.getResources": trpc_posts.post_get_resources,
    "tag.getAll": trpc_tags.tag_get_all,
    "tag.getById": trpc_tags.tag_get_by_id,
    "tag.getTagWithModelCount": trpc_tags.tag_get_tag_with_model_count,
    "tag.getVotableTags": trpc_tags.tag_get_votable_tags,
    "technique.getAll": trpc_tags.technique_get_all,
    "tool.getAll": trpc_tags.tool_get_all,
    "user.getById": trpc_people.user_get_by_id,
    "user.getCreator": trpc_people.user_get_creator,
    "userProfile.get": trpc_people.user_profile_get,
    "userProfile.overview": trpc_people.user_profile_overview,
}

MUTATIONS = frozenset({"model.getModelsByHash"})
"""Procedures that only a POST calls (§1.1)."""

FEEDS = frozenset({"image.getInfinite", "image.getImagesAsPostsInfinite"})
"""Procedures that take a slot of the bulkhead each (§9)."""

EDGE_SECONDS = {
    "model.getAll": 60,
    "image.getResources": 180,
    "user.getCreator": 180,
    "tool.getAll": 3600,
    "technique.getAll": 3600,
}
"""How long the edge keeps an unbatched answer (§2.6)."""

_SCOPES = {
    "user": 1, "userProfile": 1, "model": 4, "modelVersion": 4, "image": 32, "post": 32, "tag": 32, "generation": 16384,
    "collection": 131072,
}  # fmt: skip


def scope(name: str) -> int | None:
    """Return the bit that an API key needs for a procedure; null where only a full key will do (§2.4)."""
    return _SCOPES.get(name.partition(".")[0])
