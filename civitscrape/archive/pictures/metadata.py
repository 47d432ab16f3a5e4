"""What is embedded in a picture, carried over to where WebP's readers look for it.

=====================  ==============================================================================================
PNG ``parameters``     EXIF ``UserComment`` as A1111 writes it
PNG ``prompt``         EXIF ``Model``, as ``prompt:…``, where ComfyUI writes and reads it
PNG ``workflow``       EXIF ``Make``, as ``workflow:…``
other texts            XMP ``civitscrape:texts``, as JSON
EXIF, XMP, ICC         as they were, with the above added
=====================  ==============================================================================================
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from civitscrape.archive.pictures import comments, gif, jpeg, png, riff, tiff, xmp
from civitscrape.archive.pictures.source import Embedded, Source
from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

READERS: dict[str, Callable[[bytes], Source]] = {
    "image/png": png.read,
    "image/jpeg": jpeg.read,
    "image/gif": gif.read,
    "image/webp": riff.read,
}
"""What takes a picture apart, by content type."""

COMFY = {"prompt": tiff.MODEL, "workflow": tiff.MAKE}
"""Tags that ComfyUI uses in a WebP; its own readers look at all texts of the first directory."""

TEXTS_OF_COMFY = (tiff.IMAGE_DESCRIPTION, tiff.MAKE, tiff.MODEL)

_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the archive knows of a picture."""

    tags: list[str] = field(default_factory=list)
    """Names of its community tags, the surest first."""
    creator: str | None = None
    source: str | None = None
    """Address of its page."""
    record: dict[str, Any] | None = None
    """What a sidecar says."""


def parameters(embedded: Embedded) -> str | None:
    """Read A1111's text, from a PNG's keyword or from EXIF."""
    found = _text(embedded, "parameters")
    block = _block(embedded)
    if found is not None or block is None:
        return found
    comment = block.value(block.exif, tiff.USER_COMMENT)
    return comments.decode(comment, block.order) if comment is not None else None


def comfy(embedded: Embedded, name: str) -> str | None:
    """Read ComfyUI's ``prompt`` or ``workflow``, from a PNG's keyword or from EXIF."""
    found = _text(embedded, name)
    block = _block(embedded)
    if found is not None and "\0" not in found:
        return found
    if block is None:
        return None
    for tag in TEXTS_OF_COMFY:
        said = (block.value(block.image, tag) or b"").rstrip(b"\0").decode("utf-8", "replace")
        if said.startswith(f"{name}:"):
            return said.removeprefix(f"{name}:")
    return None


def carried(embedded: Embedded, about: About) -> Embedded:
    """Put into EXIF and XMP what a picture carries, and what the archive knows of it."""
    texts = list(embedded.texts)
    image, exif = _moved(texts)
    block, spoilt = _block(embedded), None
    if block is None and embedded.exif:
        spoilt = ("exif base64", b64encode(embedded.exif).decode())
    if block is not None:
        texts += _displaced(block, image, exif)
    if spoilt:
        texts.append(spoilt)
    said = xmp.Said(
        subjects=list(dict.fromkeys(filter(None, map(xmp.clean, about.tags)))),
        creators=list(filter(None, [about.creator and xmp.clean(about.creator)])),
        source=about.source,
        record=about.record,
        texts=texts,
    )
    added, kept = image or exif, block.content if block is not None else None
    return Embedded(
        exif=tiff.amend(block, image, exif) if added else kept,
        xmp=xmp.build(said, embedded.xmp) if said != xmp.Said() else embedded.xmp,
        icc=embedded.icc,
    )


def flaw(before: Embedded, after: Embedded, about: About) -> str | None:
    """Compare what a picture carried, and what is known of it, with what its WebP says; None if all is there."""
    if parameters(before) != parameters(after):
        return "the generation text was not read back as it was"
    for name in COMFY:
        was = comfy(before, name)
        if (was and plain(was)) != (comfy(after, name) or None) and was != comfy(after, name):
            return f"ComfyUI's {name} was not read back as it was"
    if before.icc != after.icc:
        return "the colour profile was not read back as it was"
    return _flaw_of_exif(before, after) or _flaw_of_xmp(before, after, about)


def plain(text: str) -> str:
    r"""Write JSON in ASCII, letter by letter: some readers of ComfyUI's tags take every byte for a letter.

    Beyond ASCII, JSON has letters inside its strings only, so nothing else changes; what is no JSON stays as it is.

    >>> plain('{"text": "港"}'), plain("港")
    ('{"text": "\\u6e2f"}', '港')
    """
    if text.isascii() or not _is_json(text):
        return text
    return _BEYOND_ASCII.sub(lambda sign: json.dumps(sign[0])[1:-1], text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _text(embedded: Embedded, name: str) -> str | None:
    return next((text for keyword, text in embedded.texts if keyword == name), None)


def _block(embedded: Embedded) -> tiff.Block | None:
    """Read the EXIF block; None when there is none, or it is broken."""
    if not embedded.exif:
        return None
    try:
        return tiff.parse(embedded.exif)
    except PictureError:
        return None


def _moved(texts: list[tuple[str, str]]) -> tuple[dict[int, tiff.Value], dict[int, tiff.Value]]:
    """Take out of some texts those that have a tag of their own; give the values of both directories."""
    image, exif = {}, {}
    for name, tag in COMFY.items():
        said = next((text for keyword, text in texts if keyword == name), None)
        if said is not None and "\0" not in said:
            texts.remove((name, said))
            image[tag] = tiff.Value(tiff.ASCII, f"{name}:{plain(said)}".encode() + b"\0")
    said = next((text for keyword, text in texts if keyword == "parameters"), None)
    if said is not None:
        texts.remove(("parameters", said))
        exif[tiff.USER_COMMENT] = tiff.Value(tiff.UNDEFINED, comments.encode(said))
    return image, exif


def _displaced(block: tiff.Block, image: dict[int, tiff.Value], exif: dict[int, tiff.Value]) -> list[tuple[str, str]]:
    """Read the values of a block that make room for others: they are kept as texts."""
    found = []
    for directory, values in ((block.image, image), (block.exif, exif)):
        for tag, new in values.items():
            old = block.value(directory, tag)
            if old is not None and old != new.content:
                found.append((f"exif {tag:#06x} base64", b64encode(old).decode()))
    return found


def _flaw_of_exif(before: Embedded, after: Embedded) -> str | None:
    """Every value that was there is there, but for those that made room."""
    was, now = _block(before), _block(after)
    if was is None:
        return None
    if now is None:
        return "its EXIF was not read back"
    made_room = {tiff.EXIF_DIRECTORY, tiff.USER_COMMENT, *COMFY.values()}
    for old, new in ((was.image, now.image), (was.exif, now.exif)):
        for tag in old.entries:
            if tag not in made_room and was.value(old, tag) != now.value(new, tag):
                return f"EXIF tag {tag:#06x} was not read back as it was"
    return None


def _flaw_of_xmp(before: Embedded, after: Embedded, about: About) -> str | None:
    said = xmp.read(after.xmp) if after.xmp and after.xmp != before.xmp else xmp.Said()
    if about.record is not None and said.record != json.loads(json.dumps(about.record, default=str)):
        return "the record was not read back as it was"
    if not {one for one in map(xmp.clean, about.tags) if one.strip()} <= set(said.subjects):
        return "the tags were not read back as they were"
    texts = list(before.texts)
    _moved(texts)
    if not set(texts) <= set(said.texts):
        return "the texts in it were not read back as they were"
    if before.xmp and not xmp.is_kept(before.xmp, after.xmp or b"", said):
        return "its XMP was not read back as it was"
    return None
