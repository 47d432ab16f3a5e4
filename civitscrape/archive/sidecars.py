"""The files written beside a media file: a view of the database, so that they say what the best answers said."""

# ruff: noqa: PTH103, PTH105, PTH120, PTH123 (texts instead of paths: this is done for every file, and takes half the time)

from __future__ import annotations

import json
import os
from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from civitscrape.archive import companions, paths, prompts, schema
from civitscrape.archive.database import in_chunks
from civitscrape.archive.fields import model_of
from civitscrape.archive.infotext import parameters
from civitscrape.archive.template import GRABBER
from civitscrape.exceptions import ArchiveError, ArgumentError
from civitscrape.items import APART
from civitscrape.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from civitscrape.archive.companions import Companion

NONE = "none"
BESIDE_TXT = ("txt", "caption", "caption-prompt")
"""Kinds that are all called ``{stem}.txt``, because whoever reads them looks for this name."""
KINDS = ("json", *BESIDE_TXT, "tags", "meta", NONE)
"""What the setting ``SIDECARS`` takes, several with commas."""

ADDRESS = "https://civitai.com/images/{}"


def kinds_of(text: str, template: str = "") -> tuple[str, ...]:
    """Read the setting ``SIDECARS``; the presets of CivitAI_Image_grabber bring its files along.

    >>> kinds_of("json, tags"), kinds_of("json", "grabber"), kinds_of("none", "grabber")
    (('json', 'tags'), ('json', 'meta'), ())

    Raises:
        ArgumentError: a kind is unknown, or two of them would be one file.
    """
    words = list(dict.fromkeys(word.strip() for word in str(text).split(",") if word.strip()))
    for word in words:
        if word not in KINDS:
            near = get_close_matches(word, KINDS)
            hint = f"did you mean {near[0]}?" if near else f"give one or more of {', '.join(KINDS)}"
            raise ArgumentError(f"setting SIDECARS: {text!r}: there is no kind {word!r}; {hint}")
    if not words or (NONE in words and len(words) > 1):
        raise ArgumentError(f"setting SIDECARS: {text!r}: give none alone, or one or more of {', '.join(KINDS[:-1])}")
    twins = [word for word in words if word in BESIDE_TXT]
    if len(twins) > 1:
        raise ArgumentError(
            f"setting SIDECARS: {text!r}: {' and '.join(twins)} are the same file, {{name}}.txt; give one"
        )
    if words == [NONE]:
        return ()
    return tuple(dict.fromkeys([*words, "meta"] if template in GRABBER else words))


def write(connection: Connection, store: Path, ids: Collection[int], *, kinds: Collection[str] = ("json",)) -> int:
    """Write the sidecars of images that have a file, where they are missing or say something else.

    Args:
        connection: inside a transaction.
        store: folder of the media.
        ids: numbers of images.
        kinds: which sidecars, of ``KINDS``.

    Returns:
        Number of files written.

    Raises:
        ArchiveError: a file cannot be written.
    """
    written = 0
    for chunk in in_chunks(ids):
        for path, record in records(connection, chunk):
            for name, content in contents(path, record, kinds):
                written += replace(paths.address(store, name), content)
            if "meta" in kinds:
                _drop_no_meta(store, path, record)
    return written


def write_of_renditions(
    connection: Connection, store: Path, owners: Mapping[str, int], *, kinds: Collection[str] = ("json",)
) -> int:
    """Write the sidecars of stored renditions: the record of the image, and what the file beside it is.

    Args:
        connection: inside a transaction.
        store: folder of the media.
        owners: keys of renditions, with the number of an image that each is one of.
        kinds: which sidecars, of ``KINDS``.

    Returns:
        Number of files written.

    Raises:
        ArchiveError: a file cannot be written.
    """
    written, media = 0, schema.media
    columns = (media.c.key, media.c.path, media.c.sha256, media.c.size, media.c.content_type)
    for chunk in in_chunks(owners):
        told = _told(connection, {owners[key] for key in chunk})
        query = sa.select(*columns).where(media.c.key.in_(chunk), media.c.path.is_not(None))
        for key, path, *values in connection.execute(query).all():
            if owners[key] not in told:
                continue
            file: dict[str, Any] = dict(zip(("sha256", "size", "content_type"), values, strict=True))
            file |= {"path": path, "rendition": key.rpartition(APART)[2]}
            # Where the original lies, or whether it is here at all, is the original's business.
            image = {name: value for name, value in told[owners[key]]["image"].items() if name != "path"}
            record = told[owners[key]] | {"image": image, "file": file}
            for name, content in contents(path, record, kinds):
                written += replace(paths.address(store, name), content)
    return written


def due(connection: Connection, places: Mapping[int, str], kinds: Collection[str]) -> dict[int, list[str]]:
    """Name the sidecars that images are to have: of texts only those that would say something.

    Args:
        connection: the archive; it is asked only where a text may be due.
        places: the path of each image's file.
        kinds: which sidecars, of ``KINDS``.
    """
    names = {number: [companions.JSON.of(path)] if "json" in kinds else [] for number, path in places.items()}
    texts = [kind for kind in kinds if kind != "json"]
    for chunk in in_chunks(places) if texts else ():
        for number, record in _told(connection, chunk).items():
            names[number] += [name for name, _ in contents(places[number], record, texts)]
    return names


def contents(path: str, record: dict[str, Any], kinds: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Give names and contents of the sidecars of a file; a text that would be empty is no file."""
    if "json" in kinds:
        yield companions.JSON.of(path), layout(record)
    for kind in kinds:
        if kind in TEXTS:
            companion, text = TEXTS[kind]
            content = text(record)
            if content:
                yield companion.of(path), f"{content}\n".encode(errors="replace")
    if "meta" in kinds:
        told = meta_lines(record["image"])
        companion = companions.META if told else companions.NO_META
        yield companion.of(path), (told or no_meta_lines(record["image"])).encode(errors="replace")


def _tags(record: dict[str, Any]) -> list[str]:
    """Name the tags that the site takes for true, the surest first, each on one line."""
    shown = (tag["name"] for tag in record["tags"] if tag.get("shown") is not False)
    return list(dict.fromkeys(filter(None, (" ".join(name.split()) for name in shown))))


def _one_line(record: dict[str, Any]) -> str:
    """Write the prompt as trainers read it: they take the first line alone."""
    return " ".join((record["image"]["prompt"] or "").split())


def _caption(record: dict[str, Any]) -> str:
    """Write the tags with commas between them; the prompt where there are none."""
    tags = (" ".join(tag.replace(",", " ").split()) for tag in _tags(record))
    return ", ".join(filter(None, tags)) or _one_line(record)


TEXTS: dict[str, tuple[Companion, Callable[[dict[str, Any]], str | None]]] = {
    "txt": (companions.TEXT, lambda record: parameters(record["image"])),
    "caption": (companions.TEXT, _caption),
    "caption-prompt": (companions.TEXT, _one_line),
    "tags": (companions.TAGS, lambda record: "\n".join(_tags(record))),
}
"""Kinds of text, with their files and what they say. Hydrus looks for ``{path}.txt`` and takes a tag a line."""


def meta_lines(image: dict[str, Any]) -> str | None:
    """Write generation data as readers of CivitAI_Image_grabber's files expect them, a value a line; None for none."""
    meta = {key: value for key, value in (image["meta"] or {}).items() if value not in (None, "")}
    if not meta:
        return None
    if "Model" not in meta and (model := model_of(image)) is not None:
        meta = {"Model": model} | meta
    return "".join(f"{key}: {value if isinstance(value, str) else to_json(value)}\n" for key, value in meta.items())


def no_meta_lines(image: dict[str, Any]) -> str:
    """Say where an image without generation data is to be seen.

    >>> print(no_meta_lines({"id": 7, "creator": "lampwright"}))
    This image came without generation data.
    URL: https://civitai.com/images/7?username=lampwright
    <BLANKLINE>
    """
    owner = f"?username={quote(image['creator'])}" if image["creator"] else ""
    return f"This image came without generation data.\nURL: {ADDRESS.format(image['id'])}{owner}\n"


def _drop_no_meta(store: Path, path: str, record: dict[str, Any]) -> None:
    """Take away our own word that there are no generation data, once there are."""
    target = paths.address(store, companions.NO_META.of(path))
    if meta_lines(record["image"]) and _says(target, no_meta_lines(record["image"]).encode()):
        os.unlink(target)  # noqa: PTH108 (as above)


def layout(record: dict[str, Any]) -> bytes:
    """Write a record as JSON, a line a value; Python's own indenting would not use its fast encoder.

    >>> print(layout({"image": {"id": 1, "prompt": "a harbour"}, "tags": [{"id": 4}]}).decode())
    {"image": {"id": 1,
     "prompt": "a harbour"},
     "tags": [{"id": 4}]}
    """
    try:
        return _LINES.encode(record).encode()
    except UnicodeEncodeError:  # half a character, which only escapes can write
        return _ESCAPED_LINES.encode(record).encode()


_LINES = json.JSONEncoder(ensure_ascii=False, separators=(",\n ", ": "))
_ESCAPED_LINES = json.JSONEncoder(separators=(",\n ", ": "))


def records(connection: Connection, ids: Collection[int]) -> list[tuple[str, dict[str, Any]]]:
    """Build what the sidecars of some images say, with the path of each image's file."""
    told = _told(connection, ids).values()
    return [(record["image"]["path"], record) for record in told if record["image"]["path"] is not None]


def _told(connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Build what is known of some images, whether they have a file or not."""
    images, tags, resources, media = schema.images, schema.image_tags, schema.image_resources, schema.media
    votes = [column for column in tags.c if not column.primary_key]
    query = (
        sa.select(tags.c.image_id, tags.c.tag_id.label("id"), schema.tags.c.name, schema.tags.c.type, *votes)
        .join(schema.tags, schema.tags.c.id == tags.c.tag_id)
        .where(tags.c.image_id.in_(ids))
        .order_by(tags.c.image_id, tags.c.score.desc(), tags.c.tag_id)
    )
    tags_of = _grouped(connection, query)
    query = (
        sa.select(resources).where(resources.c.image_id.in_(ids)).order_by(resources.c.image_id, resources.c.position)
    )
    resources_of = _grouped(connection, query)
    joined = sa.select(
        images,
        media.c.sha256.label("_sha256"),
        media.c.size.label("_size"),
        media.c.content_type.label("_content_type"),
    ).outerjoin(media, media.c.key == images.c.key)
    found: dict[int, dict[str, Any]] = {}
    names = schema.COLUMNS_OF["images"]
    answer = connection.execute(joined.where(images.c.id.in_(ids)))
    for *values, sha256, size, content_type in answer.all():
        image = dict(zip(names, values, strict=True))
        number = image["id"]
        file = {"sha256": sha256, "size": size, "content_type": content_type}
        own = {"tags": tags_of[number], "prompt_tags": [], "resources": resources_of[number]}
        found[number] = {"image": image, **own, "file": file}
    prompted = [number for number, record in found.items() if record["image"]["prompt"]]
    for number, words in prompts.tags(connection, prompted).items():
        found[number]["prompt_tags"] = words
    return found


def _grouped(connection: Connection, query: sa.Select[Any]) -> defaultdict[int, list[dict[str, Any]]]:
    """Ask, and gather by image what the answers say; what they do not know is left out."""
    gathered: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    result = connection.execute(query)
    _, *names = result.keys()
    for image_id, *values in result.all():
        known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        gathered[image_id].append(known)
    return gathered


def replace(target: str, content: bytes) -> bool:
    """Put content in place of a file in one step; False when it already says so.

    Raises:
        ArchiveError: it cannot be written.
    """
    try:
        if _says(target, content):
            return False
        fresh = f"{target}.part"
        try:
            _write(fresh, content)
        except FileNotFoundError:  # somebody has moved the folder away
            os.makedirs(os.path.dirname(target))
            _write(fresh, content)
        os.replace(fresh, target)
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror or error}") from error
    return True


def _says(target: str, content: bytes) -> bool:
    try:
        with open(target, "rb", buffering=0) as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def _write(path: str, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)
