"""What ``GET /api/v1/models`` can be asked, read as the site's schema reads it (contract rest.md §5.1)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from civitscrape.sandbox.vocabulary import ENUMS
from civitscrape.sandbox.zod import Reader, option, too_big, too_small, wrong_type

if TYPE_CHECKING:
    from multidict import MultiMapping

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.zod import Issue

MOST_PER_PAGE = 100
SORTS = (
    "Highest Rated", "Most Downloaded", "Most Liked", "Most Discussed", "Most Collected", "Most Images", "Newest",
    "Oldest",
)  # fmt: skip
PERIODS = ("Day", "Week", "Month", "Year", "AllTime")
AVAILABILITIES = ("Public", "Unsearchable", "Private", "EarlyAccess")
STATUSES = (
    "Draft", "Training", "Published", "Scheduled", "Unpublished", "UnpublishedViolation", "GatherInterest", "Deleted",
)  # fmt: skip
COMMERCIAL_USES = ("None", "Image", "RentCivit", "Rent", "Sell")
FILE_FORMATS = ("SafeTensor", "PickleTensor", "GGUF", "Diffusers", "Core ML", "ONNX", "Other")
UNUSABLE = {
    **dict.fromkeys(
        ("allowNoCredit", "allowDerivatives", "allowDifferentLicense", "pending", "disablePoi", "disableMinor"),
        "boolean",
    ),
    **dict.fromkeys(("isFeatured", "poiOnly", "minorOnly"), "boolean"),
    **dict.fromkeys(("browsingLevel", "collectionId", "collectionTagId"), "number"),
    **dict.fromkeys(("excludedUserIds", "excludedTagIds", "excludedImageTagIds", "excludedModelIds"), "array"),
}
"""Parameters that no text can satisfy: they are typed as what JSON alone can say."""

_NUMBER = re.compile(r"\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a listing of models is asked for; null means all."""

    limit: int = MOST_PER_PAGE
    page: int | None = None
    cursor: str | None = None
    query: str | None = None
    ids: frozenset[int] | None = None
    version_ids: frozenset[int] | None = None
    username: str | None = None
    """As it was given."""
    tag: str | None = None
    types: frozenset[str] | None = None
    base_models: frozenset[str] | None = None
    checkpoint_type: str | None = None
    sort: str = "Highest Rated"
    period: str = "AllTime"
    """``AllTime`` too when only statistics are asked of the period."""
    nsfw: bool = False
    primary_only: bool = False
    personal: bool = False
    """Whether a list of the caller's own is named, which needs a session."""
    own_list: bool = False
    """Whether only such a list is wanted."""
    file_formats: frozenset[str] | None = None
    commercial_uses: frozenset[str] | None = None
    availability: str | None = None
    archived: bool = False
    generates: bool = False
    from_platform: bool = False
    early_access: bool = False
    followed: bool = False

    @property
    def general(self) -> bool:
        """Whether nothing is named that is wanted: then only versions that are public are shown."""
        return self.ids is None and self.username is None and not self.followed


def bounded(ask: Ask, name: str, issues: list[Issue], *, least: int, most: int | None = None) -> int | None:
    """Read a number of a query within bounds; None when it is not given, or is none, which is an issue."""
    if name not in ask.query:
        return None
    value = js_number(ask.query[name])
    if not math.isfinite(value):
        issues.append(not_a_number([name]))
        return None
    if most is not None and value > most:
        issues.append(too_big(name, most))
    if value < least:
        issues.append(too_small(name, least))
    return int(value)


def js_number(text: str) -> float:
    """Turn a text into a number as JavaScript does: nothing is 0, what is no number is NaN."""
    found = _NUMBER.fullmatch(text)
    return math.nan if found is None else float(found[1] or 0)


def not_a_number(path: list[str | int]) -> Issue:
    """Say that a value is NaN."""
    text = "Invalid input: expected number, received NaN"
    return {"expected": "number", "code": "invalid_type", "received": "NaN", "path": path, "message": text}


class _Reader(Reader):
    """Reads the types that only this route has."""

    def __init__(self, query: MultiMapping[str]) -> None:
        super().__init__(query)
        self._given = query

    def coerced(self, name: str, *, least: int, most: int | None = None) -> int | None:
        values = self._given.getall(name, [])
        if not values:
            return None
        value = js_number(",".join(values))
        if not math.isfinite(value):
            self.issues.append(not_a_number([name]))
            return None
        if most is not None and value > most:
            self.issues.append(too_big(name, most))
        if value < least:
            self.issues.append(too_small(name, least))
        return int(value)

    def coerced_list(self, name: str) -> frozenset[int] | None:
        values = self._given.getall(name, [])
        if not values:
            return None
        read = [js_number(part) for value in values for part in value.split(",")]
        self.issues.extend(not_a_number([name, place]) for place, one in enumerate(read) if not math.isfinite(one))
        return frozenset(int(one) for one in read if math.isfinite(one))

    def repeated(self, name: str, values: tuple[str, ...] | None = None, *, least: int = 1) -> frozenset[str] | None:
        """Read a parameter that is to be repeated for several values: a comma is part of a value."""
        given = self._given.getall(name, [])
        if not given:
            return None
        if len(given) < least:
            self.issues.append(wrong_type(name, "array", "string"))
            return None
        if values is not None:
            self.issues.extend(option(values, [name, place]) for place, one in enumerate(given) if one not in values)
        return frozenset(given)

    def loose(self, name: str) -> bool:
        """Read a loose boolean: any text is true, ``false`` too."""
        return bool(self._given.get(name))


def read(query: MultiMapping[str]) -> tuple[Wanted, Reader]:
    """Read the query of a listing; problems are among the ``issues`` of the reader."""
    reader = _Reader(query)
    limit = reader.coerced("limit", least=0, most=MOST_PER_PAGE)
    period, mode = reader.choice("period", PERIODS) or "AllTime", reader.choice("periodMode", ("published", "stats"))
    username, user = reader.text("username"), reader.text("user")
    tag, tag_name = reader.text("tag"), reader.text("tagname")
    favorites, hidden = reader.boolean("favorites"), reader.boolean("hidden")
    reader.choice("status", STATUSES)
    reader.boolean("newCreators")
    wanted = Wanted(
        limit=MOST_PER_PAGE if limit is None else limit,
        page=reader.coerced("page", least=1),
        cursor=reader.text("cursor") or None,
        query=reader.text("query") or None,
        ids=reader.coerced_list("ids"),
        version_ids=reader.coerced_list("modelVersionIds"),
        username=username or user or None,
        tag=tag or tag_name or None,
        types=reader.repeated("types", tuple(ENUMS["ModelType"])),
        base_models=reader.repeated("baseModels"),
        checkpoint_type=reader.choice("checkpointType", ("Trained", "Merge")),
        sort=reader.choice("sort", SORTS) or "Highest Rated",
        period="AllTime" if mode == "stats" else period,
        nsfw=reader.boolean("nsfw") or False,
        primary_only=reader.boolean("primaryFileOnly") or False,
        personal="favorites" in query or "hidden" in query,
        own_list=bool(favorites or hidden),
        file_formats=reader.repeated("fileFormats", FILE_FORMATS, least=2),
        commercial_uses=reader.repeated("allowCommercialUse", COMMERCIAL_USES),
        availability=reader.choice("availability", AVAILABILITIES),
        archived=reader.loose("archived"),
        generates=reader.loose("supportsGeneration"),
        from_platform=reader.loose("fromPlatform"),
        early_access=reader.loose("earlyAccess"),
        followed=reader.loose("followed"),
    )
    reader.issues.extend(
        wrong_type(name, expected, "string" if len(query.getall(name)) == 1 else "array")
        for name, expected in UNUSABLE.items()
        if name in query
    )
    return wanted, reader


def normalised(username: str) -> str:
    """Normalise a username as this one listing does: the first space is ``_``, other signs go, lower case."""
    return re.sub(r"[^A-Za-z0-9_]", "", username.replace(" ", "_", 1), flags=re.ASCII).lower()
