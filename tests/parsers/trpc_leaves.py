"""Where each leaf of a recorded answer of tRPC goes: into an item, or into a table that says why not."""

from __future__ import annotations

from typing import Any

from civitscrape.items import Collection, Creator, Image, ImageResource, ImageTag, Post, Tag
from civitscrape.parsers.generation import innermost
from tests.parsers import recorded

SAME: dict[type, dict[str, str]] = {
    Image: {
        "id": "id",
        "url": "key",
        "type": "type",
        "user.username": "creator",
        "postId": "post_id",
        "index": "post_index",
        "width": "width",
        "metadata.width": "width",
        "height": "height",
        "metadata.height": "height",
        "hash": "hash",
        "metadata.hash": "hash",
        "nsfwLevel": "level",
        "createdAt": "created_at",
        "publishedAt": "published_at",
        "baseModel": "base_model",
        "stats.cryCountAllTime": "cry_count",
        "stats.laughCountAllTime": "laugh_count",
        "stats.likeCountAllTime": "like_count",
        "stats.heartCountAllTime": "heart_count",
        "stats.commentCountAllTime": "comment_count",
        "tools": "tools",
        "techniques": "techniques",
    },
    Post: {
        "id": "id",
        "postId": "id",
        "title": "title",
        "detail": "detail",
        "user.username": "creator",
        "modelVersionId": "model_version_id",
        "modelVersion": "model_version_id",
        "publishedAt": "published_at",
        "imageCount": "image_count",
        "nsfwLevel": "level",
        "availability": "availability",
        "tags": "tags",
    },
    Collection: {
        "id": "id",
        "name": "name",
        "type": "type",
        "user.username": "creator",
        "description": "description",
        "read": "read",
        "mode": "mode",
        "nsfwLevel": "level",
        "itemCount": "item_count",
    },
    Tag: {"id": "id", "name": "name", "type": "type", "nsfwLevel": "level"},
    Creator: {
        "username": "username",
        "id": "user_id",
        "image": "image",
        "link": "link",
        "modelCount": "model_count",
        "createdAt": "created_at",
        "deletedAt": "deleted_at",
    },
}
"""Path of a leaf → field of the item that holds its very value."""

OURS = "the site's own machinery"
LOOKS = "how the site decorates it"
TOLD = "told as well by another leaf"
USER = "creators are told by their own pages"
CALLER = "about whoever asks"
IDS = "numbers of names that the image's own page tells"
FILE = "of the file, which is kept itself"
UNKEPT: dict[type, dict[str, str]] = {
    Image: {
        "name": "the name of the file on the uploader's disk",
        "hideMeta": "kept as the state of its generation data",
        "hasMeta": "kept as the state of its generation data",
        "hasPositivePrompt": TOLD,
        "onSite": OURS,
        "remixOfId": "the image that it was made from",
        "sortAt": TOLD,
        "sortAtUnix": TOLD,
        "existedAtUnix": OURS,
        "publishedAtUnix": TOLD,
        "mimeType": FILE,
        "metadata.size": FILE,
        "metadata.audio": FILE,
        "metadata.duration": FILE,
        "metadata.": OURS,
        "ingestion": OURS,
        "blockedFor": OURS,
        "scannedAt": OURS,
        "needsReview": OURS,
        "postTitle": "kept with the post",
        "modelVersionId": "kept with the post",
        "postedToId": "kept with the post",
        "availability": "public ones only are listed",
        "minor": OURS,
        "poi": OURS,
        "acceptableMinor": OURS,
        "aiNsfwLevel": OURS,
        "combinedNsfwLevel": OURS,
        "reactionCount": TOLD,
        "commentCount": TOLD,
        "collectedCount": TOLD,
        "stats.collectedCountAllTime": OURS,
        "stats.tippedAmountCountAllTime": OURS,
        "stats.dislikeCountAllTime": "always 0",
        "stats.viewCountAllTime": "always 0",
        "userId": USER,
        "user.": USER,
        "reactions": CALLER,
        "cosmetic": LOOKS,
        "thumbnailUrl": "null for all that was recorded",
        "toolIds": IDS,
        "toolIds[]": IDS,
        "techniqueIds": IDS,
        "process": "what the generation data say",
        "external": "null for all that was recorded",
        "canRemix": CALLER,
        "tools[].id": IDS,
        "tools[].icon": LOOKS,
        "tools[].domain": "the same for all images made with it",
        "tools[].priority": LOOKS,
        "tools[].notes": "null for all that was recorded",
        "techniques[].id": IDS,
        "techniques[].notes": "null for all that was recorded",
    },
    Post: {
        "user.": USER,
        "stats.": "sums over its images",
        "cosmetic": LOOKS,
        "collectionId": "the collection of a contest; null for all that was recorded",
        "cursorId": OURS,
        "pinned": "the choice of a model's creator",
        "sortAt": "of its images",
        "createdAt": "of its images",
        "review.": OURS,
    },
    Collection: {
        "isPublic": TOLD,
        "coverImageUrl": LOOKS,
        "user.id": USER,
        "userId": USER,
        "write": "who may add to it",
        "nsfw": TOLD,
        "image.": LOOKS,
        "metadata.": "rules of the contest",
        "availability": TOLD,
    },
    ImageTag: {
        "tagNsfw": "the level in words",
        "needsReview": OURS,
        "concrete": "true for all that was recorded",
        "lastUpvote": OURS,
    },
    Tag: {},
    Creator: {
        "muted": OURS,
        "bannedAt": OURS,
        "publicSettings.": LOOKS,
        "excludeFromLeaderboards": OURS,
        "links[].": "links that it shows on its profile",
        "stats.": "counts of other people's doings",
        "rank.": OURS,
        "_count.models": "the overview tells it for the levels that were asked",
        "cosmetics[].": LOOKS,
        "profilePicture.": LOOKS,
    },
}
"""What is left to the payload on purpose; a path with a dot at its end stands for everything below it."""


def reason(kind: type, path: str) -> str | None:
    """Return the row of the table that leaves a leaf out."""
    return next((row for row in UNKEPT[kind] if row == path or (row.endswith(".") and path.startswith(row))), None)


def among(path: str, value: Any, found: list[Any]) -> bool:
    """Tell whether one of the items beside the first holds a leaf of a list."""
    image = found[0]
    match path:
        case "tagIds" | "tags" | "resources" | "modelVersionIdsManual" | "modelVersionIds":
            return value in ([], None)
        case "tagIds[]":
            return any(isinstance(one, ImageTag) and one.tag_id == value for one in found)
        case "tags[].name":
            return value in image.tags and any(isinstance(one, Tag) and one.name == value for one in found)
        case "tags[].id":
            return any(isinstance(one, Tag) and one.id == value for one in found)
        case "modelVersionIds[]" | "modelVersionIdsManual[]":
            return value in image.model_version_ids
        case "tools[].name":
            return value in image.tools
        case "techniques[].name":
            return value in image.techniques
    return path.startswith("resources[].") and in_resources(path.removeprefix("resources[]."), value, found)


def in_resources(name: str, value: Any, found: list[Any]) -> bool:
    """Tell whether the resources of an image hold a leaf of one of them; two leaves go with the version."""
    resources = [one for one in found if isinstance(one, ImageResource)]
    match name:
        case "imageId":
            return all(one.image_id == value for one in resources)
        case "modelVersionId" | "versionId":
            return any(one.model_version_id == value for one in resources)
        case "strength":
            return any(one.weight == value for one in resources)
        case "modelName":
            return any(one.name == value for one in resources)
        case "modelType":
            return any(one.type == value.lower() for one in resources)
    return name in {"modelId", "versionName", "baseModel"}


def lost(entry: dict[str, Any], found: list[Any]) -> list[str]:
    """Return the leaves of an entry that its items do not hold."""
    item = found[0]
    kind = type(item)
    bare = {name: one for name, one in entry.items() if name not in {"meta", "images"}}
    missing = [
        f"{path}={value!r}"
        for path, value in recorded.leaves(bare)
        if not (path in SAME[kind] and getattr(item, SAME[kind][path]) == value)
        and not among(path, value, found)
        and reason(kind, path) is None
    ]
    if kind is Image and item.meta != innermost(entry.get("meta")):
        missing.append("meta")
    return missing
