"""What a perfect archive holds of posts, collections, votes and resources, read from the world itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import Level
from civitscrape.sandbox import generation, tags, tools
from civitscrape.sandbox.ask import SFW
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.feed import MATURE, visible

if TYPE_CHECKING:
    from civitscrape.sandbox.accounts import Account
    from civitscrape.sandbox.posts import Post
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.world import World


def post_truth(world: World, post_id: int, *, mask: int = 31) -> dict[str, Any]:
    """Tell what a perfect archive holds of a post.

    Args:
        world: the sandbox's world.
        post_id: the post.
        mask: level bits that its images are asked for with, mild ones apart from the rest.

    Returns:
        The record under the names of the archive's columns; ``tags``; ``images``, their ids in the order of the post.

    Raises:
        KeyError: there is no such post.
    """
    return _post(world.posts[post_id], mask)


def posts_truth(world: World, username: str, *, mask: int = 31) -> list[dict[str, Any]]:
    """Tell of all posts of a creator that show an image of some levels, newest first.

    Raises:
        KeyError: there is no such creator.
    """
    user_id = world.named(username).user_id
    told = [_post(one, mask) for one in world.posts.values() if one.user_id == user_id]
    return sorted(
        (one for one in told if one["images"]), key=lambda one: (one["published_at"], one["id"]), reverse=True
    )


def _post(post: Post, mask: int) -> dict[str, Any]:
    return {
        "id": post.id,
        "title": post.title,
        "creator": None if post.vanished else post.username,
        "user_id": post.user_id,
        "model_version_id": post.version_id,
        "published_at": iso(post.published),
        "image_count": len([one for one in post.images if one.listed]),
        "level": int(post.level),
        "detail": post.detail,
        "tags": [{"id": one, "name": tags.TAGS[one].name} for one in post.tag_ids],
        "images": [one.id for one in post.images if _listed(one, mask)],
    }


def _listed(record: Record, mask: int) -> bool:
    """Tell whether an image comes out of a pass for the mild levels of a mask or one for the others."""
    return any(visible(record, Level(mask & one), combined=False) for one in (SFW, MATURE))


def collection_truth(
    world: World, collection_id: int, *, mask: int = 31, account: Account | None = None
) -> dict[str, Any] | None:
    """Tell what a perfect archive holds of a collection; null when whoever asks may not see it.

    Args:
        world: the sandbox's world.
        collection_id: the collection.
        mask: level bits that its entries are asked for with, mild ones apart from the rest.
        account: who is logged in.

    Returns:
        The record under the names of the archive's columns; ``entries``, ids of the accepted members in the curator's
        order, which is no order of ids.
    """
    found = world.collections.get(collection_id)
    if found is None or not found.readable(account):
        return None
    entries = [one.entry_id for one in found.accepted]
    if found.type == "Image":
        entries = [one for one in entries if _listed(world.records[one], mask)]
    elif found.type == "Post":
        entries = [one for one in entries if any(_listed(image, mask) for image in world.posts[one].images)]
    else:
        entries = [one for one in entries if world.models[one].level & mask]
    return {
        "id": found.id,
        "name": found.name,
        "type": found.type,
        "creator": found.username,
        "user_id": found.user_id,
        "read": found.read,
        "mode": found.mode,
        "level": int(found.level),
        "entries": entries,
    }


def votes_truth(world: World, image_id: int) -> list[dict[str, Any]]:
    """Tell of the votes on an image's tags, best score first: ``shown`` on its own page or only in bulk answers.

    Raises:
        KeyError: there is no such image.
    """
    listed = tags.votes(world.records[image_id])
    shown = {one.tag.id for one in tags.shown(listed)}
    return [
        {
            "tag_id": one.tag.id,
            "name": one.tag.name,
            "type": one.tag.type,
            "level": int(one.tag.level),
            "score": one.score,
            "up_votes": one.up,
            "down_votes": one.down,
            "automated": one.automated,
            "needs_review": one.needs_review,
            "last_upvote": None if one.upvoted_at is None else iso(one.upvoted_at),
            "source": one.source,
            "shown": one.tag.id in shown,
        }
        for one in listed
    ]


def resources_truth(world: World, image_id: int) -> dict[str, Any]:
    """Tell what an image was made with, as its own page does: ``resources``, ``tools``, ``techniques``.

    Raises:
        KeyError: there is no such image.
    """
    record = world.records[image_id]
    return {
        "process": generation.process(record),
        "resources": [
            {"model_version_id": one.version_id, "type": one.type, "weight": one.strength, "detected": one.detected}
            for one in generation.resources(record)
        ],
        "tools": [one._asdict() | {"name": tools.TOOLS[one.id].name} for one in tools.tools(record)],
        "techniques": [one._asdict() | {"name": tools.TECHNIQUES[one.id].name} for one in tools.techniques(record)],
    }
