"""What tRPC tells of single images: the record, what it was made with, covers and contests (§4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import MediaType
from civitscrape.sandbox import curated, feed_items, generation, pictures, tools
from civitscrape.sandbox.collections import CONTEST
from civitscrape.sandbox.entries import iso
from civitscrape.sandbox.inputs import FLAG, ID, ProcedureError, Rule, check
from civitscrape.sandbox.models import popularity
from civitscrape.sandbox.records import MINUTE, generation_data, remix_of
from civitscrape.sandbox.tags import votes
from civitscrape.sandbox.wire import UNDEFINED, Date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.records import Record
    from civitscrape.sandbox.site import Site

MOST_SHOWN = 20
ENTITIES = (
    *("Model", "Article", "User", "Image", "Collection", "Bounty", "Tool", "Comic", "Model3D", "ModelVersion"),
    "Post",
)


def image_get(site: Site, _ask: Ask, given: Input) -> Input:
    """``image.get``: the record, whatever its level; neither data nor tags (§10.3)."""
    check(given, ID | {"withoutPost": FLAG})
    record = site.world.records.get(given["id"])
    # A ghost is what the database has no longer: still in the index, refused by its id.
    if record is None or record.ghost:
        raise ProcedureError("NOT_FOUND", f"No image with id {given['id']}")
    meta = feed_items.visible_meta(record)
    told = {
        "id": record.id,
        "name": record.name,
        "url": record.key,
        "height": record.height,
        "width": record.width,
        "index": record.post_index,
        "hash": record.hash,
        "hideMeta": record.hide_meta,
        "createdAt": Date(iso(record.created)),
        "mimeType": pictures.CONTENT_TYPES[record.format],
        "scannedAt": Date(iso(record.created + MINUTE)),
        "needsReview": None,
        "postId": record.post_id,
        "ingestion": "Scanned",
        "blockedFor": None,
        "type": record.type,
        "metadata": feed_items.metadata(record),
        "nsfwLevel": int(record.level),
        "minor": record.minor,
        "poi": record.poi,
        "acceptableMinor": False,
        "hasMeta": meta is not None,
        "hasPositivePrompt": bool(meta and meta.get("prompt")),
        "onSite": record.on_site,
        "remixOfId": remix_of(record),
        "profilePictureId": None,
        "availability": "Public",
        "publishedAt": Date(iso(record.sort_at)),
        "model3dId": None,
        "cosmetic": None,
        "user": feed_items.user(record),
        "stats": feed_items.stats(record),
        "reactions": [],
    }
    if given.get("withoutPost"):
        del told["publishedAt"]
    return told


def image_get_generation_data(site: Site, _ask: Ask, given: Input) -> Input:
    """``image.getGenerationData``: for any row that there is, shown or not (§10.4)."""
    check(given, ID)
    record = site.world.records.get(given["id"])
    if record is None:
        raise ProcedureError("NOT_FOUND", "Could not find entity")
    meta, remixed = generation.meta(record), remix_of(record)
    return {
        "type": record.type,
        "onSite": record.on_site,
        "process": generation.process(record),
        "meta": UNDEFINED if meta is None else meta,
        "displayKeys": ["prompt", "cfgScale", "steps", "sampler", "seed"] if record.on_site and meta else UNDEFINED,
        "resources": [
            _resource(site, record, one)
            for one in generation.resources(record)
            if one.version_id in site.world.versions
        ],
        "tools": [_tool(one) for one in tools.tools(record)],
        "techniques": [
            {"id": one.id, "name": tools.TECHNIQUES[one.id].name, "notes": one.notes}
            for one in tools.techniques(record)
        ],
        "external": UNDEFINED,
        "canRemix": meta is not None and record.type is MediaType.IMAGE,
        "remixOfId": UNDEFINED if remixed is None else remixed,
    }


def _tool(use: tools.Use) -> Input:
    tool = tools.TOOLS[use.id]
    head = {"id": tool.id, "name": tool.name, "icon": None, "domain": tool.domain}
    return head | {"priority": tool.priority, "notes": use.notes}


def _resource(site: Site, record: Record, one: generation.Resource) -> Input:
    version = site.world.versions[one.version_id]
    model = site.world.models[version.model_id]
    return {
        "imageId": record.id,
        "modelVersionId": one.version_id,
        "strength": UNDEFINED if one.strength is None else one.strength,
        "modelId": model.id,
        "modelName": model.name,
        "modelType": model.type,
        "versionId": one.version_id,
        "versionName": version.name,
        "baseModel": version.base_model,
    }


def detected(site: Site, record: Record) -> Iterator[Input]:
    """Tell of the versions of an image as ``image.getResources`` and ``post.getResources`` do, published ones only."""
    for one in generation.resources(record):
        version = site.world.versions.get(one.version_id)
        if version is None or not version.visible:
            continue
        model = site.world.models[version.model_id]
        counts = popularity(model)
        yield {
            "imageId": record.id,
            **dict.fromkeys(("reviewId", "reviewRating", "reviewDetails", "reviewCreatedAt")),
            "name": version.name,
            "modelVersionId": version.id,
            "modelVersionName": version.name,
            "modelVersionCreatedAt": Date(iso(version.created)),
            "modelId": model.id,
            "modelName": model.name,
            "modelThumbsUpCount": counts.thumbs_up,
            "modelThumbsDownCount": counts.thumbs_down,
            "modelDownloadCount": counts.downloads,
            "modelCommentCount": counts.comments,
            "modelType": model.type,
            "modelVersionBaseModel": version.base_model,
            "detected": one.detected,
        }


def image_get_resources(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``image.getResources``: the versions that an image was made with, without strengths."""
    check(given, ID)
    record = site.world.records.get(given["id"])
    return [] if record is None else list(detected(site, record))


def image_get_detail(site: Site, _ask: Ask, given: Input) -> Input:
    """``image.getDetail``: versions and tags by name, without strengths and scores."""
    check(given, ID)
    record = site.world.records.get(given["id"])
    if record is None:
        raise ProcedureError("NOT_FOUND", f"No image with id {given['id']}")
    return {
        "resources": [
            {
                "id": one["modelVersionId"],
                "modelVersion": {"id": one["modelVersionId"], "name": one["modelVersionName"]},
                "detected": one["detected"],
            }
            for one in detected(site, record)
        ],
        "tags": [
            {"automated": one.automated, "tag": {"id": one.tag.id, "name": one.tag.name, "isCategory": False}}
            for one in votes(record)
        ],
    }


def image_get_images_for_model_version(site: Site, _ask: Ask, given: Input) -> Input:
    """``image.getImagesForModelVersion``: a version's showcase under the version's number."""
    check(given, ID)
    number = given["id"]
    shown = [_covering(one, "ModelVersion", number) for one in site.world.showcases.get(number, ())[:MOST_SHOWN]]
    return {str(number): {"modelVersionId": number, "images": shown}} if shown else {}


def image_get_entities_cover_image(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``image.getEntitiesCoverImage``: one image an entity, and by ``Image`` a look-up of any number of images."""
    check(given, {"entities": Rule("array", required=True, of="object")})
    known = {"entityType": Rule("string", required=True, values=ENTITIES), "entityId": Rule("number", required=True)}
    for entity in given["entities"]:
        check(entity, known)
    wanted = dict.fromkeys((one["entityType"], one["entityId"]) for one in given["entities"])
    found = ((kind, entity_id, _cover(site, kind, entity_id)) for kind, entity_id in wanted)
    return [_covering(record, kind, entity_id) for kind, entity_id, record in found if record and not record.ghost]


def _cover(site: Site, kind: str, entity_id: int) -> Record | None:
    world = site.world
    if kind == "Image":
        return world.records.get(entity_id)
    if kind == "Post":
        return world.posts[entity_id].images[0] if entity_id in world.posts else None
    if kind == "Collection":
        return world.collections[entity_id].cover if entity_id in world.collections else None
    versions: tuple[int, ...] = ()
    if kind == "ModelVersion":
        versions = (entity_id,)
    elif kind == "Model" and entity_id in world.models:
        versions = tuple(one.id for one in world.models[entity_id].versions)
    return next((one for number in versions for one in world.showcases.get(number, ())), None)


def _covering(record: Record, kind: str, entity_id: int) -> Input:
    """Tell of a cover; the generation data comes raw, though its creator may have hidden it."""
    return {
        "id": record.id,
        "name": record.name,
        "url": record.key,
        "nsfwLevel": int(record.level),
        "width": record.width,
        "height": record.height,
        "hash": record.hash,
        "meta": generation_data(record),
        "hideMeta": record.hide_meta,
        "createdAt": Date(iso(record.created)),
        "mimeType": pictures.CONTENT_TYPES[record.format],
        "type": record.type,
        "metadata": feed_items.metadata(record),
        "scannedAt": Date(iso(record.created + MINUTE)),
        "needsReview": None,
        "userId": record.user_id,
        "index": record.post_index,
        "postId": record.post_id,
        "entityId": entity_id,
        "entityType": kind,
        "poi": record.poi,
        "minor": record.minor,
        "tags": feed_items.votable_tags(record),
        "cosmetic": None,
    }


def image_get_contest_collection_details(site: Site, ask: Ask, given: Input) -> Input:
    """``image.getContestCollectionDetails``: the contests that an image is in."""
    check(given, ID)
    members: list[Any] = [
        curated.contest_item(one, member, ask)
        for one in site.world.collections.values()
        if one.mode == CONTEST
        for member in one.members
        if member.entry_id == given["id"]
    ]
    post = site.world.posts.get(site.world.records[given["id"]].post_id) if members else None
    return {"collectionItems": members, "post": {"title": post.title, "detail": post.detail} if post else None}
