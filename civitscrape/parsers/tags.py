"""Tags, and what people and detectors say of them on one image, into items (contract trpc-and-pages.md §4, §4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from civitscrape.items import ImageTag, Tag, TagName
from civitscrape.parsers import fields, parts

NO_IMAGE = 0
"""Image of a name that was found in the list of all tags; images are numbered from 1."""

_STYLES_AND_SUBJECTS = frozenset({"anime", "cartoon", "comics", "manga", "man", "woman", "men", "women"})
"""Names that an image's own page shows though only the older detector saw them (§4.3)."""

_SHOWN_MOST = 100
"""Tags that an image's own page asks for, the best first, before it leaves any out (§4.3)."""


def from_votes(image_id: int, entries: Any, *, at: str | None = None) -> list[Tag | ImageTag]:  # noqa: ARG001
    """Return the tags that an image's own page shows, with their votes.

    Args:
        image_id: number of the image.
        entries: answer of ``tag.getVotableTags``; also for an image without tags a list.
        at: when they were fetched; the caller notes it with the image, as none of these items holds it.

    Raises:
        EntryError: the answer is no list of tags, or a field does not hold what it should.
    """
    whole = {"id": image_id, "tags": entries}
    if not isinstance(entries, list):
        raise fields.wrong(whole, "tags", entries, "a list")
    return [
        item for place, one in enumerate(entries) for item in _votes(image_id, whole, f"tags.{place}", one, shown=True)
    ]


def from_page(image_id: int, shown: Iterable[tuple[int, int | None]], names: Mapping[int, str]) -> list[Tag | ImageTag]:
    """Return the tags that an image's page shows to everybody: their scores, since it does not tell votes (§6.4).

    Args:
        image_id: number of the image.
        shown: number and score of each tag.
        names: names by number, where they are news; what the page itself calls a tag is not its name.
    """
    found: list[Tag | ImageTag] = []
    for number, score in shown:
        if number in names:
            found.append(Tag(id=number, name=names[number]))
        found.append(ImageTag(image_id=image_id, tag_id=number, score=score, shown=True))
    return found


def of_image(image_id: int, entry: Mapping[str, Any]) -> list[Tag | ImageTag]:
    """Return the tags inside an image's entry: all with their votes, or numbers alone where it has no more.

    Feeds give every tag; which of them the image's own page shows follows from who set them (§4.3, §5).
    """
    listed = parts.listed(entry, "tags") or []
    shown = _shown(listed)
    found = [
        item
        for place, one in enumerate(listed)
        for item in _votes(image_id, entry, f"tags.{place}", one, shown=shown.get(place))
    ]
    told = {one.tag_id for one in found if isinstance(one, ImageTag)}
    numbers = dict.fromkeys(parts.integers(entry, "tagIds") or ())
    return found + [ImageTag(image_id=image_id, tag_id=one) for one in numbers if one not in told]


def from_trpc(entry: Any) -> Tag:
    """Return a tag of the vocabulary, from ``tag.getAll``, ``tag.getById`` or ``tag.getTagWithModelCount``.

    Raises:
        EntryError: a field does not hold what it should.
    """
    return _tag(fields.identity(entry), entry)


def named(entry: Mapping[str, Any], name: str = "tags") -> list[Tag] | None:
    """Return the tags in a list inside an entry, of numbers and names; None where there is no list.

    Raises:
        EntryError: a field does not hold what it should.
    """
    values = parts.listed(entry, name)
    if values is None:
        return None
    return [_inner(entry, f"{name}.{place}", value)[0] for place, value in enumerate(values)]


def from_rest(entry: Any) -> TagName:
    """Return the name in an entry of ``/api/v1/tags``, which has no number (contract rest.md §8.2).

    Raises:
        EntryError: there is no name.
    """
    whole = entry if isinstance(entry, Mapping) else {"name": entry}
    name = fields.text(whole, "name")
    if not name:
        raise fields.wrong(whole, "name", name, "a name")
    return TagName(name=name, image_id=NO_IMAGE)


def _tag(number: int, part: Mapping[str, Any], dot: str = "") -> Tag:
    name = fields.text(part, f"{dot}name")
    if not name:
        raise fields.wrong(part, f"{dot}name", name, "a name")
    level = fields.integer(part, f"{dot}nsfwLevel") or None
    return Tag(id=number, name=name, type=fields.text(part, f"{dot}type"), level=level)


def _inner(entry: Mapping[str, Any], place: str, value: Any) -> tuple[Tag, dict[str, Any]]:
    """Read a tag that stands somewhere in an entry; return it, and its fields under their dotted paths."""
    number = fields.part_identity(entry, place, value)
    part = {"id": entry.get("id")} | {f"{place}.{name}": one for name, one in value.items()}
    return _tag(number, part, f"{place}."), part


def _votes(
    image_id: int, entry: Mapping[str, Any], place: str, value: Any, *, shown: bool | None
) -> tuple[Tag, ImageTag]:
    """Read a tag with its votes; ``place`` is where it stands in the entry."""
    tag, part = _inner(entry, place, value)
    return tag, ImageTag(
        image_id=image_id,
        tag_id=tag.id,
        score=fields.integer(part, f"{place}.score"),
        up_votes=fields.integer(part, f"{place}.upVotes"),
        down_votes=fields.integer(part, f"{place}.downVotes"),
        automated=fields.boolean(part, f"{place}.automated"),
        shown=shown,
    )


def _shown(listed: list[Any]) -> dict[int, bool]:
    """Tell which tags of a whole list the image's own page shows, by place; empty where nothing tells who set them."""
    tags = {place: one for place, one in enumerate(listed) if isinstance(one, Mapping) and one.get("source")}
    newer = any(one["source"] == "WD14" for one in tags.values())
    best = sorted(tags, key=lambda place: (-_rank(tags[place], "score"), _rank(tags[place], "id")))[:_SHOWN_MOST]
    return {
        place: place in best
        and one.get("concrete") is not False
        and not (newer and one["source"] == "Rekognition" and not _stays(one))
        for place, one in tags.items()
    }


def _rank(tag: Mapping[str, Any], name: str) -> int:
    value = tag.get(name)
    return value if type(value) is int else 0


def _stays(tag: Mapping[str, Any]) -> bool:
    return tag.get("type") == "Moderation" or tag.get("name") in _STYLES_AND_SUBJECTS
