"""The site's own small vocabularies: rating bits, media types, and what is known of generation data."""

from __future__ import annotations

from enum import IntFlag, StrEnum


class Level(IntFlag):
    """Rating bits of the site (contract rest.md §4)."""

    PG = 1
    PG13 = 2
    R = 4
    X = 8
    XXX = 16
    BLOCKED = 32


class MediaType(StrEnum):
    """What an image entry really is (contract rest.md §7.4)."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class MetaState(StrEnum):
    """What is known about the generation data of an image; a later member never replaces an earlier one."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


class ResourceSource(StrEnum):
    """Where a resource of an image was read; the set from an earlier member replaces the set from a later one."""

    GENERATION = "generation"
    CIVITAI_RESOURCES = "civitaiResources"
    RESOURCES = "resources"
    DETECTED = "detected"
