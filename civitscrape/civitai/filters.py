"""The site's filters and the spider arguments that stand for them: one table for addresses, arguments and requests.

The site writes ``modelVersionId``, a person types ``model_version_id=``: each table maps the argument to the site's
name. Not in any table, because a walk decides on them itself: the cursor, the size of a page, the rating level, and
what an answer is to hold (``limit``, ``cursor``, ``browsingLevel``, ``include``, ``withTags`` …).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from reprlib import repr as shown
from types import MappingProxyType

from civitscrape.exceptions import UnarchivableError

Pairs = Sequence[tuple[str, str]]
"""The query of an address: names and values in order, decoded."""

ID_MAX = 2**31 - 1
"""Greatest id of anything: the site keeps them as 32-bit integers (contract rest.md §5.2)."""

USERNAME = re.compile(r"[A-Za-z0-9_]+")
"""What ``/api/v1/images`` takes; anything else is a 400 (contract rest.md §7.1)."""

_ID = re.compile(r"[1-9][0-9]{0,9}")


def argument(name: str) -> str:
    """Turn the site's name of a filter into ours.

    >>> argument("modelVersionId"), argument("model3dId"), argument("excludedTagIds")
    ('model_version_id', 'model3d_id', 'excluded_tag_ids')
    """
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda letter: f"_{letter[0]}", name).lower()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(names: str, **others: str) -> Mapping[str, str]:
    return MappingProxyType({argument(name): name for name in names.split()} | others)


REST_IMAGE_FILTERS = _table("username modelVersionId modelId postId tags baseModels sort period", types="type")
"""Argument of spider ``images`` → parameter of ``/api/v1/images`` (rest.md §7.1)."""

REST_MODEL_FILTERS = _table(
    "query tag types baseModels checkpointType username sort period ids supportsGeneration fromPlatform earlyAccess "
    "archived fileFormats allowCommercialUse primaryFileOnly"
)
"""Argument of spider ``models`` → parameter of ``/api/v1/models`` (rest.md §5.1)."""

CREATOR_FILTERS = _table("query")
"""Argument of spider ``creators`` → parameter of ``/api/v1/creators`` (rest.md §8.1)."""

TAG_FILTERS = _table("query sort")
"""Argument of spider ``tags`` → parameter of ``/api/v1/tags`` (rest.md §8.2)."""

IMAGE_FEED = "image.getInfinite"
POST_FEED = "post.getInfinite"
MODEL_FEED = "model.getAll"

FEEDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        IMAGE_FEED: _table(
            "sort period periodMode userId username postId postIds modelId modelVersionId model3dId reviewId "
            "collectionId collectionTagId tags tools techniques baseModels types reactions ids imageId withMeta "
            "excludedTagIds excludedUserIds generation fromPlatform hideAutoResources hideManualResources followed "
            "hidden newCreators hideChallenges remixOfId remixesOnly nonRemixesOnly requiringMeta disablePoi "
            "disableMinor prioritizedUserIds pending publishedOnly scheduled notPublished poiOnly minorOnly "
            "pendingReviewOnly"
        ),
        POST_FEED: _table(
            "username sort period periodMode tags modelVersionId ids collectionId query followed draftOnly scheduled "
            "pending excludedTagIds excludedUserIds excludedModelIds excludedImageIds"
        ),
        MODEL_FEED: _table(
            "query tag username types status checkpointType baseModels sort period periodMode ids modelVersionIds "
            "favorites hidden needsReview earlyAccess supportsGeneration fromPlatform followed newCreators archived "
            "collectionId collectionTagId collectionItemStatus fileFormats pending availability disablePoi "
            "disableMinor isFeatured allowNoCredit allowCommercialUse allowDerivatives allowDifferentLicense "
            "excludedTagIds excludedUserIds excludedModelIds excludedImageIds rating"
        ),
    }
)
"""Procedure of spider ``feed`` → its arguments and their names on the site (trpc-and-pages.md §4.1, §4.2, §4.4)."""

FEED_FILTERS: Mapping[str, str] = MappingProxyType(
    {ours: name for table in FEEDS.values() for ours, name in table.items()}
)
"""Every argument of spider ``feed`` that is a filter → the site's name, whatever the procedure."""

LISTS = _words(
    "tags tools techniques base_models types reactions ids post_ids model_version_ids generation excluded_tag_ids "
    "excluded_user_ids excluded_model_ids excluded_image_ids prioritized_user_ids collection_item_status file_formats "
    "allow_commercial_use"
)
"""Arguments that take several values, with commas."""

NUMBERS = frozenset({name for name in FEED_FILTERS if re.search(r"(^|_)ids?$", name)} | {"tags", "tools", "techniques"})
"""Arguments that take ids; ``tags`` means ids of tags, ``tag`` the name of one."""

CHOICES = frozenset({"allow_no_credit", "allow_derivatives", "allow_different_license"})
"""Arguments that take ``true`` or ``false``, each of which asks for something."""

FLAGS = _words(
    "with_meta from_platform hide_auto_resources hide_manual_resources followed hidden new_creators hide_challenges "
    "remixes_only non_remixes_only requiring_meta disable_poi disable_minor pending published_only scheduled "
    "not_published poi_only minor_only pending_review_only draft_only favorites needs_review early_access "
    "supports_generation archived is_featured primary_file_only"
)
"""Arguments that are ``true`` or absent: ``false`` asks for nothing on the site either, or is misread as ``true``."""

_OURS = {name: ours for table in (FEED_FILTERS, REST_MODEL_FILTERS, CREATOR_FILTERS) for ours, name in table.items()}
_OURS |= {"tagname": "tag", "user": "username", "type": "types"}
_UNASKED = _words(
    "cursor limit page skip browsingLevel browsingMode nsfw include includeBaseModel includePG13 withTags flatMeta "
    "view section token authed dialog ref adid gclid fbclid _ direction"
)
_TRUE = frozenset({"true", "1", "yes", "on", "y", "enabled"})
_FALSE = frozenset({"false", "0", "no", "off", "n", "disabled"})


def is_printable(text: str) -> bool:
    """Tell whether a decoded text can be shown and typed; what was badly encoded cannot."""
    return text.isprintable() and "\ufffd" not in text


def identifier(text: str, what: str) -> str:
    """Check the id of something.

    Raises:
        UnarchivableError: it is none; ``what`` names it in the sentence.
    """
    if not _ID.fullmatch(text) or int(text) > ID_MAX:
        raise UnarchivableError(f"{what} {shown(text)} is not an id; ids are whole numbers from 1 to {ID_MAX}")
    return text


def read(pairs: Pairs, known: Iterable[str]) -> dict[str, str]:
    """Turn the query of an address into spider arguments.

    >>> read([("tags", "5"), ("baseModels", "Pony"), ("tags", "6"), ("cursor", "9")], {"tags", "base_models"})
    {'tags': '5,6', 'base_models': 'Pony'}

    Args:
        pairs: names and values as the site writes them, in order; empty values and cursors are passed over.
        known: arguments that are taken.

    Raises:
        UnarchivableError: a filter is unknown, contradicts itself, or has a value that cannot be one. A filter is never
            left out in silence, for the walk would bring more than was asked for.
    """
    known = frozenset(known)
    asked: dict[str, list[str]] = {}
    for name, value in pairs:
        if not value or name in _UNASKED or name.startswith("utm_"):
            continue
        ours = _OURS.get(name, "")
        if ours not in known:
            raise UnarchivableError(f"the filter {shown(name)} is not known here; leave it out of the address")
        found = asked.setdefault(ours, [])
        found.extend(one for one in _values(ours, name, value) if one not in found)
    for ours, values in asked.items():
        if len(values) > 1 and ours not in LISTS:
            raise UnarchivableError(f"the filter {ours} has {len(values)} different values; leave one in the address")
    return {ours: ",".join(values) for ours, values in asked.items() if values}


def _values(ours: str, name: str, value: str) -> list[str]:
    """Check one value of a filter; the ids of a list may come with commas (rest.md §5.1, §7.1)."""
    if not is_printable(value):
        raise UnarchivableError(f"the filter {name!r} holds characters that cannot be printed; write it anew")
    if ours in FLAGS | CHOICES:
        word = value.lower()
        if word not in _TRUE | _FALSE:
            raise UnarchivableError(f"the filter {name!r} is {shown(value)}; true or false was expected")
        return ["true"] if word in _TRUE else ["false"] if ours in CHOICES else []
    parts = [part.strip() for part in value.split(",")] if ours in LISTS else [value.strip()]
    parts = [part for part in parts if part]
    if ours == "username" and not all(USERNAME.fullmatch(part) for part in parts):
        raise UnarchivableError(f"the filter {name}: {shown(value)} is not a username; only letters, digits and _")
    if ours in NUMBERS:
        return [identifier(part, f"the filter {name}:") for part in parts]
    return parts
