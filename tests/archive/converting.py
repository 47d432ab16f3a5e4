"""An archive with pictures in it, and what is asked of it once they are converted."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from threading import Event
from typing import TYPE_CHECKING, Any

from PIL import Image as Picture

from civitscrape.archive import converter, formats, retagging
from civitscrape.archive.commit import mark_untold
from civitscrape.archive.conversions import Site
from civitscrape.archive.converter import Plan
from civitscrape.archive.pictures import hashing, riff, xmp
from civitscrape.archive.pictures.options import Options
from civitscrape.items import ImageTag, Tag
from civitscrape.ledger import Media, MediaState
from tests.archive.asking import key_of, link_to, media_of, picture, put, rows

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.archive.conversions import Done
    from civitscrape.archive.converter import Tally
    from civitscrape.archive.database import Archive

QUICK = Options(method=0)


def shelve(archive: Archive, store: Path, number: int, content: bytes, **fields: Any) -> str:
    """Store a picture under the extension that its first bytes tell; return its path."""
    found = formats.sniff(content[: formats.HEAD_SIZE])
    path = f"lampwright/{number}{found.extension if found else '.png'}"
    image = picture(number, path=path, **fields)
    stored = media_of(
        image,
        path=path,
        state=MediaState.STORED,
        size=len(content),
        sha256=sha256(content).hexdigest(),
        content_type=found.content_type if found else None,
    )
    put(archive, image, stored, link_to(image))
    file = store / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return path


def convert(archive: Archive, store: Path, stop: Event | None = None, **plan: Any) -> Tally:
    """Convert what a plan wants."""
    fields: dict[str, Any] = {"store": store, "options": QUICK} | plan
    return converter.run(archive, Plan(**fields), stop or Event(), ignore)


def retell(archive: Archive, store: Path, *ids: int) -> int:
    """Tell the files of images what the database says; return how many changed."""
    archive.run_now(mark_untold, ids)
    written = archive.run_now(retagging.prepare, store, ids, Site())
    return archive.run_now(retagging.book, store, written)


def ignore(done: Done) -> None:
    """Hear of a picture, and say nothing."""


def files(store: Path) -> list[str]:
    return sorted(str(one.relative_to(store)) for one in store.rglob("*") if one.is_file())


def media(archive: Archive, number: int) -> Media:
    return next(one for one in rows(archive, Media) if one.key == key_of(number))


def losses(archive: Archive, store: Path, originals: dict[int, bytes], *, look: bool = True) -> list[str]:
    """Say of which pictures neither the original nor a WebP of it is whole, or where the database says otherwise.

    Without ``look`` a WebP is told by its hash alone.
    """
    found = {one.key: one for one in rows(archive, Media)}
    return [
        f"image {number}: {flaw}"
        for number, content in originals.items()
        if (flaw := flaw_of(found[key_of(number)], store, content, look=look)) is not None
    ]


def flaw_of(row: Media, store: Path, original: bytes, *, look: bool = True) -> str | None:
    """Say why a picture is neither its original nor a WebP of it, or not as the database says; None where it is."""
    if row.webp_path is not None:
        made = (store / row.webp_path).read_bytes()
        if (len(made), sha256(made).hexdigest()) != (row.webp_size, row.webp_sha256):
            return "its WebP is not the one that was booked"
        if look and not _alike(made, original):
            return "its WebP is another picture"
        if row.path == row.webp_path:
            return None
    if row.path is None or (store / row.path).read_bytes() != original:
        return f"its original is not at {row.path}"
    return None


def _alike(made: bytes, original: bytes) -> bool:
    with Picture.open(BytesIO(made)) as new, Picture.open(BytesIO(original)) as old:
        return new.size == old.size and hashing.distance(hashing.look(old), hashing.look(new)) <= 8


def tag(archive: Archive, number: int, *names: str) -> None:
    """Tag an image."""
    for place, name in enumerate(names):
        put(archive, Tag(id=place + 1, name=name), ImageTag(image_id=number, tag_id=place + 1, score=10 - place))


def told(store: Path, path: str) -> xmp.Said:
    """Read what a WebP says."""
    packet = riff.read((store / path).read_bytes()).embedded.xmp
    assert packet is not None
    return xmp.read(packet)
