"""The images that model versions show of themselves into items (contract rest.md §5, §6; trpc-and-pages.md §4.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from civitscrape.civitai import media
from civitscrape.exceptions import EntryError
from civitscrape.items import Image, Item, MetaState, VersionImage
from civitscrape.parsers import images, lenient

_NUMBER = re.compile(r".*/([0-9]{1,18})(?:\.[A-Za-z0-9]+)?")


def of_version(
    pictures: list[Any],
    *,
    version_id: int | None,
    media_url: str,
    creator: str | None = None,
    user_id: int | None = None,
    placed: bool = True,
) -> list[Item]:
    """Return the images of a showcase, each followed by what comes with it and by its tie to the version.

    A picture without a number gives nothing, because it cannot be tied to anything: only the payload keeps it.
    The place is that among the pictures of this answer: answers for few levels leave the others out.

    Args:
        pictures: ``images`` of a version.
        version_id: number of the version, unless the pictures tell it themselves.
        media_url: CIVITAI_MEDIA_URL, so that a mirror's addresses are not foreign.
        creator: username of the model's creator, where known.
        user_id: number of that account; pictures of other accounts are not put down to the creator.
        placed: whether the pictures are the beginning of the showcase, or only some of it.
    """
    found: list[Item] = []
    for position, picture in enumerate(pictures):
        number = number_of(picture, media_url=media_url)
        if number is None:
            continue
        theirs = lenient.integer(picture, "userId") in {None, user_id}
        found += _records({**picture, "id": number, "username": creator if theirs else None}, media_url)
        version = lenient.integer(picture, "modelVersionId") or version_id
        if version is not None:
            place = position if placed else None
            found.append(VersionImage(version_id=version, image_id=number, position=place, source="showcase"))
    return found


def number_of(picture: Any, *, media_url: str = "") -> int | None:
    """Return the number of a showcase's image: its id, or the last name in its address (rest.md §5.2).

    >>> number_of({"url": "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/1f0a/width=450/98000001.jpeg"})
    98000001
    >>> number_of({"url": "https://elsewhere.example/98000001.jpeg"})
    """
    if not isinstance(picture, Mapping):
        return None
    url = lenient.text(picture, "url")
    number = lenient.integer(picture, "id")
    if number is None and url is not None and media.key_of(url, base=media_url) is not None:
        named = _NUMBER.fullmatch(urlsplit(url).path)
        number = int(named[1]) if named else None
    return number


def is_hidden(picture: Mapping[str, Any]) -> bool:
    """Tell whether an image carries generation data that its creator hid (rest.md §6.1)."""
    return picture.get("meta") is not None and (picture.get("hasMeta") is False or picture.get("hideMeta") is True)


def keepable(entry: Any) -> Any:
    """Return an entry as it may be kept: without the generation data that creators hid, else as it came.

    >>> keepable({"id": 1, "images": [{"meta": {"prompt": "a lantern"}, "hasMeta": False}]})
    {'id': 1, 'images': [{'meta': None, 'hasMeta': False}]}
    """
    if not isinstance(entry, Mapping):
        return entry
    if is_hidden(entry):
        return {**entry, "meta": None}
    parts = {name: [keepable(one) for one in lenient.values(entry, name)] for name in ("images", "modelVersions")}
    changed = {name: kept for name, kept in parts.items() if kept and kept != entry[name]}
    return {**entry, **changed} if changed else entry


def _records(picture: dict[str, Any], media_url: str) -> list[Item]:
    """Read a picture as an entry of the images API, and tell what is known of its generation data."""
    hidden = is_hidden(picture)
    if hidden:
        del picture["meta"]
    asked = "meta" in picture
    found = _read(picture, media_url)
    image = found[0]
    if isinstance(image, Image) and image.meta_state != MetaState.VISIBLE:
        has_meta = picture.get("hasMeta")
        if hidden:
            image.meta_state = MetaState.HIDDEN
        elif has_meta is True or (has_meta is None and not asked):
            image.meta_state = MetaState.NOT_ASKED
        else:
            image.meta_state = MetaState.UNKNOWN  # false stands for hidden and for absent ones alike
    return found


def _read(picture: dict[str, Any], media_url: str) -> list[Item]:
    """Read a picture, leaving out one odd field after the other."""
    picture = dict(picture)
    while True:
        try:
            return images.from_rest(picture, media_url=media_url)
        except EntryError as error:
            name = error.field.partition(".")[0]
            if name == "nsfwLevel" and picture.get(name) is None:
                name = "nsfw"  # where the label stood in 2023
            if name == "id" or name not in picture:
                raise
            del picture[name]
