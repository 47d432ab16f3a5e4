"""``tag.*`` and the vocabularies of tools and techniques (§4.3, §4.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civitscrape.sandbox import feed_items, people, tags, tools
from civitscrape.sandbox.inputs import FLAG, ID, NUMBER, NUMBERS, TEXT, TEXTS, Rule, check
from civitscrape.sandbox.wire import Date

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.site import Site
    from civitscrape.sandbox.tags import Tag

TYPES = ("UserGenerated", "Label", "Moderation", "System")
SORTS = ("Most Models", "Most Images", "Most Posts", "Most Articles", "Most Hidden")
MOST_TAGS = 100
RULES = {
    "limit": Rule("number", least=1, most=200),
    "page": Rule("number", least=0),
    "query": TEXT,
    "types": Rule("array", values=TYPES),
    "entityType": TEXTS,
    "modelId": NUMBER,
    "excludedTagIds": NUMBERS,
    "unlisted": FLAG,
    "categories": FLAG,
    "sort": Rule("string", values=SORTS),
    "nsfwLevel": NUMBER,
    "include": Rule("array", values=("nsfwLevel", "isCategory")),
}


def tag_get_votable_tags(site: Site, ask: Ask, given: Input) -> list[Input]:
    """``tag.getVotableTags``: what an image's own page shows, or a model's tags; nothing for unknown ids (§10.5)."""
    check(given, ID | {"type": Rule("string", required=True, values=("image", "model")), "take": NUMBER})
    if given["type"] == "model":
        return _of_model(site, given["id"])
    record = site.world.records.get(given["id"])
    if record is None:
        return []
    user = ask.caller
    voted = frozenset(one for one in record.tag_ids if user and people.voted(user.user_id, record, one))
    # The bound is set before the filter, so fewer may come back than there are.
    listed = tags.votes(record)[: given.get("take", MOST_TAGS)]
    return [
        feed_items.vote(one) | ({"vote": 1} if one.tag.id in voted else {}) for one in tags.shown(listed, upvoted=voted)
    ]


def _of_model(site: Site, number: int) -> list[Input]:
    model = site.world.models.get(number)
    return [
        {
            "score": 5 + model.seed % 7,
            "upVotes": 0,
            "downVotes": 0,
            "needsReview": False,
            "id": one,
            "type": "UserGenerated",
            "nsfwLevel": 0,
            "name": tags.TAGS[one].name,
        }
        for one in sorted(model.tag_ids if model else ())
        if model
    ]


def tag_get_by_id(_site: Site, _ask: Ask, given: Input) -> Input | None:
    """``tag.getById``: null for an unknown one."""
    check(given, ID)
    found = tags.TAGS.get(given["id"])
    return {"id": found.id, "name": found.name, "type": found.type} if found else None


def tag_get_all(_site: Site, _ask: Ask, given: Input) -> Input:
    """``tag.getAll``: a page of the vocabulary; without ``query`` only featured PG tags; nothing is counted."""
    check(given, RULES)
    limit, page = given.get("limit", 20), given.get("page", 1)
    include = given.get("include", ())
    found = [one for one in listed(given.get("query")) if _asked(one, given)]
    start = max(page - 1, 0) * limit
    return {
        "items": [
            {"id": one.id, "name": one.name}
            | ({"isCategory": one.category} if "isCategory" in include else {})
            | ({"nsfwLevel": int(one.level)} if "nsfwLevel" in include else {})
            for one in found[start : start + limit]
        ],
        "totalItems": 0,
        "currentPage": page,
        "pageSize": limit,
        "totalPages": 1,
    }


def listed(query: str | None) -> list[Tag]:
    """List tags whose names begin with a text; without one the featured tags, all of them PG."""
    if query:
        return [one for one in tags.TAGS.values() if one.name.lower().startswith(query.lower())]
    return [one for one in tags.TAGS.values() if one.level == 1 and one.type != tags.MODERATION]


def _asked(one: Tag, given: Input) -> bool:
    return (
        (not given.get("types") or one.type in given["types"])
        and (given.get("categories") is None or one.category is given["categories"])
        and one.id not in given.get("excludedTagIds", ())
        and (given.get("nsfwLevel") is None or bool(int(one.level) & given["nsfwLevel"]))
    )


def tag_get_tag_with_model_count(_site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``tag.getTagWithModelCount``: a name's id, in a list of one or none."""
    check(given, {"name": Rule("string", required=True)})
    found = tags.named(given["name"])
    return [{"id": found.id, "name": found.name, "unfeatured": False, "count": 0}] if found else []


def tool_get_all(_site: Site, _ask: Ask, _given: Input) -> list[Input]:
    """``tool.getAll``."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "icon": None,
            "type": "Image",
            "priority": one.priority,
            "domain": one.domain,
            "company": one.company,
            "description": None,
            "metadata": {},
            "supported": False,
            "createdAt": Date("2024-05-16T16:03:14.611Z"),
            "alias": None,
        }
        for one in tools.TOOLS.values()
    ]


def technique_get_all(_site: Site, _ask: Ask, _given: Input) -> list[Input]:
    """``technique.getAll``."""
    return [one._asdict() for one in tools.TECHNIQUES.values()]
