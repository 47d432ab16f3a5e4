"""A small archive made by hand: rows and the files that they speak of, and a check of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from civitscrape.archive import schema, sidecars
from civitscrape.archive.database import Archive
from civitscrape.archive.verify.checking import Check, Scope
from civitscrape.archive.verify.mending import Workshop
from civitscrape.items import Image, ModelFile
from civitscrape.ledger import MediaState
from tests.archive.asking import key_of, link_to, media_of, picture, put, rows

if TYPE_CHECKING:
    from civitscrape.archive.verify.findings import Findings

PNG = b"\x89PNG\r\n\x1a\n"


def bytes_of(number: int) -> bytes:
    return PNG + b"a picture of lanterns, number %d" % number


@dataclass
class Shelf:
    """An archive with a store."""

    archive: Archive
    store: Path

    def shelve(self, number: int, content: bytes | None = None, **fields: Any) -> Path:
        """Archive a picture with its file; return the file."""
        body = bytes_of(number) if content is None else content
        path = f"lampwright/{number}.png"
        image = picture(number, **{"path": path, "type": "image", **fields})
        told = {"path": path, "size": len(body), "sha256": sha256(body).hexdigest(), "content_type": "image/png"}
        put(self.archive, image, media_of(image, state=MediaState.STORED, **told), link_to(image))
        return self.write(path, body, number)

    def share(self, number: int, with_number: int, path: str | None = None) -> Path:
        """Archive another picture of the same bytes, linked under a name of its own."""
        image = picture(number, key=key_of(with_number), path=path or f"lampwright/{number}.png", type="image")
        put(self.archive, image, link_to(image))
        target = self.store / f"lampwright/{number}.png"
        target.hardlink_to(self.store / f"lampwright/{with_number}.png")
        self.archive.run_now(lambda connection: sidecars.write(connection, self.store, [number]))
        return target

    def shelve_file(self, number: int, content: bytes, **fields: Any) -> Path:
        """Archive a model file."""
        told = {
            "version_id": 29,
            "name": "lantern.safetensors",
            "state": MediaState.STORED,
            "path": f"models/29/{number}-lantern.safetensors",
            "sha256": sha256(content).hexdigest(),
            "size_kb": len(content) / 1024,
        }
        put(self.archive, ModelFile(id=number, **{**told, **fields}))
        return self.write(f"models/29/{number}-lantern.safetensors", content)

    def write(self, path: str, content: bytes, beside: int | None = None) -> Path:
        target = self.store / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        if beside is not None:
            self.archive.run_now(lambda connection: sidecars.write(connection, self.store, [beside]))
        return target

    def tell(self, table: str, values: dict[str, Any]) -> None:
        """Change all rows of a table."""
        self.archive.run_now(
            lambda connection: connection.execute(sa.update(schema.metadata.tables[table]).values(values))
        )

    def check(self, **how: Any) -> Findings:
        shop = Workshop(
            store=self.store, template=how.pop("template", "{creator}/{id}{ext}"), kinds=how.pop("kinds", ("json",))
        )
        check = Check(self.archive, Scope(shop=shop, **how))
        check.total()
        check.run(lambda _files, _size: None)
        return check.findings

    def files(self) -> dict[str, bytes]:
        """Read every file but the sidecars."""
        found = (one for one in self.store.rglob("*") if one.is_file() and one.suffix != ".json")
        return {one.relative_to(self.store).as_posix(): one.read_bytes() for one in found}

    def paths(self) -> dict[int, str | None]:
        return {image.id: image.path for image in rows(self.archive, Image)}


@pytest.fixture
def shelf(tmp_path: Path, archive: Archive) -> Shelf:
    return Shelf(archive, tmp_path / "media")


def counted(findings: Findings) -> dict[str, tuple[int, int]]:
    """Count what was found and what was mended, by kind."""
    return {str(kind): (group.found, group.mended) for kind, group in findings.groups.items()}
