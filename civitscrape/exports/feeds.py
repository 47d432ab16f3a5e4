"""The feeds of a crawl: one per item class and format, no column ever lost."""

from __future__ import annotations

import os
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from scrapy.exporters import CsvItemExporter, JsonLinesItemExporter

from civitscrape.items import TABLES, Collection, Creator, Image, Model, ModelFile, ModelVersion, Post
from civitscrape.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scrapy import Spider

NESTED = frozenset({dict, list})
"""What a CSV cell holds as JSON."""

CARRIED = frozenset({"busy", "files", "partial"})
"""Fields that serve the pipelines alone."""

FEEDS: dict[str, dict[str, Any]] = {
    f"{TABLES[item]}.{suffix}": {
        "format": feed_format,
        "item_classes": [item],
        "fields": [one.name for one in fields(item) if one.name not in CARRIED],
        "encoding": "utf-8",
        # Pictures are what most crawls are for: a crawl that found none leaves a file that says so.
        "store_empty": item is Image,
    }
    for item in (Image, Model, ModelVersion, ModelFile, Post, Collection, Creator)
    for suffix, feed_format in (("csv", "csv"), ("jsonl", "jsonlines"))
}
"""File name and options, as Scrapy's ``FEEDS`` takes them."""


LETTERS = {"ensure_ascii": False}
"""Options of an encoder that writes as ``to_json`` does."""

_TIMES: WeakKeyDictionary[Spider, str] = WeakKeyDictionary()


def uri_params(params: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """Tell the time of a crawl's feeds, one for all of them; to the millisecond, lest two crawls share a file."""
    if spider not in _TIMES:
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        _TIMES[spider] = re.sub(r"[:.]", "-", moment.removesuffix("+00:00")) + "Z"
    return params | {"time": _TIMES[spider]}


class Columns(NamedTuple):
    """What goes into a feed of one class of flat items."""

    names: tuple[str, ...]
    read: Callable[[Any], tuple[Any, ...]]
    """Reads all of them from an item at once."""


def columns_of(item: Any, asked: Any) -> Columns | None:
    """Tell what of an item goes into a feed; None where Scrapy's own, slower way is needed."""
    if not is_dataclass(item) or isinstance(asked, dict):
        return None
    kind: type = type(item)
    return _columns(kind, tuple(asked or ()))


@cache
def _columns(kind: type, asked: tuple[str, ...]) -> Columns | None:
    known = tuple(one.name for one in fields(kind))
    names = asked or known
    # One name would be read as a bare value; and what is no field of the class stays empty.
    return Columns(names, attrgetter(*names)) if len(names) > 1 and set(names) <= {*known} else None


def flat(value: Any) -> Any:
    """Turn a value into what a CSV cell holds: lists and objects as JSON.

    >>> flat(["anime", "woman"]), flat(None), flat(3)
    ('["anime", "woman"]', '', 3)
    """
    if value is None:
        return ""
    return to_json(value) if type(value) in NESTED else value


class FlatCsvExporter(CsvItemExporter):
    """Write flat items field by field; going through an adapter takes five times as long for each."""

    def export_item(self, item: Any) -> None:
        """Write one row; the first one goes Scrapy's way, which writes the heads of the columns."""
        columns = None if self._headers_not_written else columns_of(item, self.fields_to_export)
        if columns is None:
            super().export_item(item)
        else:
            values = columns.read(item)
            self.csv_writer.writerow([to_json(one) if type(one) in NESTED else one for one in values])

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Turn one value into what its cell holds."""
        return super().serialize_field(field, name, flat(value))


class FlatJsonLinesExporter(JsonLinesItemExporter):
    """Write flat items field by field, as above."""

    def export_item(self, item: Any) -> None:
        """Write one line; what may need Scrapy's encoder gets it: options of a person's own, and their own items."""
        columns = columns_of(item, self.fields_to_export)
        if columns is None:
            super().export_item(item)
            return
        record = dict(zip(columns.names, columns.read(item), strict=True))
        ours = self._kwargs == LETTERS and type(item) in TABLES
        line = to_json(record) if ours else self.encoder.encode(record)
        self.file.write(line.encode(self.encoding or "utf-8", errors="replace") + b"\n")


def cut_to_rows(path: Path) -> None:
    """Take away the half of a row that a feed ends with when its disk is full; its name says which kind it is.

    Raises:
        OSError: the file cannot be read or cut.
    """
    csv = path.suffix == ".csv"
    whole = read = quotes = 0
    with path.open("rb") as file:
        for line in file:
            read += len(line)
            quotes += line.count(b'"')
            # Within a cell of CSV a line may end; its quotes are even in number only where a row does.
            if line.endswith(b"\n") and not (csv and quotes % 2):
                whole = read
    os.truncate(path, whole)
