"""The feeds of a crawl: one per item class and format, no column ever lost."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from scrapy.exporters import CsvItemExporter

from civitscrape.items import Image

FEEDS: dict[str, dict[str, Any]] = {
    f"images.{name}": {
        "format": feed_format,
        "item_classes": [Image],
        "fields": [one.name for one in fields(Image) if one.name != "files"],
        "encoding": "utf-8",
    }
    for name, feed_format in (("csv", "csv"), ("jsonl", "jsonlines"))
}
"""File name and options, as Scrapy's ``FEEDS`` takes them."""


class FlatCsvExporter(CsvItemExporter):
    """Write lists and objects as JSON into their cell, and times and texts as they are."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Turn one value into what its cell holds."""
        if isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False)
        return super().serialize_field(field, name, value)
