"""What the site tells of a creator: ``user.getCreator``, ``userProfile.get`` and ``userProfile.overview`` (§4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import MediaType
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.wire import Date

if TYPE_CHECKING:
    from civitscrape.items import Level
    from civitscrape.sandbox.building import Creator

NO_RANK = {"leaderboardRank": None, "leaderboardId": None, "leaderboardTitle": None, "leaderboardCosmetic": None}


def _stats(creator: Creator) -> dict[str, int]:
    return {
        "downloadCountAllTime": 0,
        "thumbsUpCountAllTime": len(creator.records),
        "followerCountAllTime": 10 + creator.user_id % 90,
        "reactionCountAllTime": 7 * len(creator.records),
        "uploadCountAllTime": 0,
        "generationCountAllTime": 0,
    }


def get_creator(creator: Creator) -> dict[str, Any]:
    """Tell of an account."""
    return {
        "id": creator.user_id,
        "image": None,
        "username": creator.username,
        "muted": False,
        "bannedAt": None,
        "deletedAt": None,
        "createdAt": Date(iso(creator.joined)),
        "publicSettings": {},
        "excludeFromLeaderboards": False,
        "links": [{"url": "https://harbour.invalid/lamps", "type": "Social"}],
        "stats": _stats(creator),
        "rank": NO_RANK,
        "cosmetics": [],
        "profilePicture": None,
        "creatorShopEnabled": False,
        "_count": {"models": sum(one.visible for one in creator.models)},
    }


def profile(creator: Creator) -> dict[str, Any]:
    """Tell what the profile page shows."""
    return {
        "id": creator.user_id,
        "username": creator.username,
        "deletedAt": None,
        "image": None,
        "profilePicture": None,
        "leaderboardShowcase": None,
        "createdAt": Date(iso(creator.joined)),
        "muted": False,
        "bannedAt": None,
        "cosmetics": [],
        "links": [{"id": creator.user_id, "url": "https://harbour.invalid/lamps", "type": "Social"}],
        "rank": NO_RANK,
        "stats": _stats(creator),
        "publicSettings": {},
        "creatorShopEnabled": False,
        "profile": {
            "bio": "Lanterns & water. </script> is only text here.",
            "coverImageId": None,
            "coverImage": None,
            "message": None,
            "messageAddedAt": None,
            "profileSectionsSettings": [],
            "privacySettings": {"showFollowerCount": True, "showFollowingCount": True, "showReviewsRating": True},
            "showcaseItems": [],
            "location": None,
            "nsfw": False,
            "userId": creator.user_id,
        },
    }


def overview(creator: Creator, cap: Level, *, collections: int = 0, articles: int = 0) -> dict[str, Any]:
    """Count what a creator published, for callers who may see the levels of ``cap``.

    Public collections and articles are counted by whoever knows the world.
    """
    shown = [one for one in creator.records if one.listed and one.level & cap]
    return {
        "id": creator.user_id,
        "modelCount": sum(one.visible and bool(one.level & cap) for one in creator.models),
        "imageCount": sum(one.type is MediaType.IMAGE for one in shown),
        "videoCount": sum(one.type is MediaType.VIDEO for one in shown),
        "postCount": len({one.post_id for one in shown}),
        "articleCount": articles,
        "bountyCount": 0,
        "bountyEntryCount": 0,
        "collectionCount": collections,
        "comicCount": 0,
        "model3dCount": 0,
        "hasReceivedReviews": False,
    }
