"""What a crawl left, read the way an outside script would, and held against the sandbox's truth."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from civitscrape.sandbox.truth import Truth

EXTENSIONS = {"png": ".png", "jpeg": ".jpeg", "webp": ".webp", "gif": ".gif", "mp4": ".mp4", "mp3": ".mp3"}
SAME_NAME = (
    "key", "type", "post_id", "width", "height", "hash", "base_model", "prompt", "negative_prompt", "meta",
    "model_version_ids",
)  # fmt: skip


class Archived:
    """An output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "media"

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        connection = sqlite3.connect(self.folder / "civitscrape.sqlite")
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def latest_report(self) -> dict[str, Any]:
        newest = max((self.folder / "reports").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        content: dict[str, Any] = json.loads(newest.read_text("utf-8"))
        return content

    def latest_feed(self) -> list[dict[str, str]]:
        newest = max((self.folder / "feeds" / "user").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        with (newest / "images.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def files(self) -> list[Path]:
        return sorted(path for path in self.media.rglob("*") if path.is_file() and path.suffix != ".json")

    def everything(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def differences(self, truth: Truth) -> list[str]:
        """Say in which ways this archive is not the truth; empty when it is."""
        found = {row["id"]: row for row in self.rows("SELECT * FROM images")}
        wrong = [f"image {number} is missing" for number in truth.ids if number not in found]
        wrong += [f"image {number} is too much" for number in found if number not in set(truth.ids)]
        tags, media = self._tags(), {row["key"]: row for row in self.rows("SELECT * FROM media")}
        for one in truth.images:
            row = found.get(one["id"])
            if row is not None:
                wrong += [f"image {one['id']}: {flaw}" for flaw in self._flaws(one, row, tags, media)]
        parts = [path for path in self.everything() if path.suffix == ".part"]
        return wrong + [f"{path} was left behind" for path in parts]

    def _tags(self) -> dict[int, list[dict[str, Any]]]:
        gathered: dict[int, list[dict[str, Any]]] = {}
        query = "SELECT image_id, tag_id AS id, name FROM image_tags JOIN tags ON tags.id = tag_id"
        for row in self.rows(query):
            gathered.setdefault(row.pop("image_id"), []).append(row)
        return gathered

    def _flaws(
        self,
        one: dict[str, Any],
        row: dict[str, Any],
        tags: dict[int, list[dict[str, Any]]],
        media: dict[str, dict[str, Any]],
    ) -> list[str]:
        here = {**row, "meta": json.loads(row["meta"] or "null")}
        here["model_version_ids"] = sorted(json.loads(row["model_version_ids"] or "[]"))  # no route keeps an order
        expected = {name: one[name] for name in SAME_NAME if name not in {"prompt", "negative_prompt"}}
        expected["model_version_ids"] = sorted(one["model_version_ids"])
        expected["base_model"] = one["base_model"] or None
        expected["creator"], expected["created_at"] = one["creator"], one["listed_at"]
        if isinstance(one["prompt"], str):
            expected["prompt"] = one["prompt"]
        if isinstance(one["negative_prompt"], str):
            expected["negative_prompt"] = one["negative_prompt"]
        for name, value in one["stats"].items():
            column = f"{name.removesuffix('Count')}_count"
            if column in row:
                expected[column] = value
        flaws = [f"{name} is {here[name]!r}, not {value!r}" for name, value in expected.items() if here[name] != value]

        def by_id(tag: dict[str, Any]) -> int:
            return int(tag["id"])

        if sorted(tags.get(one["id"], []), key=by_id) != sorted(one["tags"], key=by_id):
            flaws.append(f"tags are {tags.get(one['id'])}, not {one['tags']}")
        return flaws + self._file_flaws(one, row, media[one["key"]])

    def _file_flaws(self, one: dict[str, Any], row: dict[str, Any], media: dict[str, Any]) -> list[str]:
        if one["deleted"]:
            return [] if (media["state"], row["path"]) == ("gone", None) else [f"deleted, but {media['state']}"]
        if row["path"] is None:
            return [f"has no file; its media row says {media['state']}: {media['error']}"]
        path = self.media / row["path"]
        body = path.read_bytes()
        digest = hashlib.sha256(body).hexdigest()
        flaws = [] if digest == one["sha256"] == media["sha256"] else [f"bytes differ: {digest}"]
        if len(body) != media["size"]:
            flaws.append(f"size {media['size']} in the database, {len(body)} on disk")
        if path.suffix != EXTENSIONS[one["format"]]:
            flaws.append(f"is {one['format']} but called {path.name}")
        sidecar = json.loads(path.with_suffix(".json").read_text("utf-8"))
        if sidecar["image"]["id"] != one["id"] or [tag["id"] for tag in sidecar["tags"]] != sorted(
            tag["id"] for tag in one["tags"]
        ):
            flaws.append("the sidecar says something else")
        return flaws
