"""A feed that a full disk broke off is cut to its whole rows."""

from __future__ import annotations

import csv
import io
import json

import pytest

from civitscrape.exports.feeds import FlatCsvExporter, FlatJsonLinesExporter, cut_to_rows
from civitscrape.items import Image

ROWS = ["id,prompt\r\n", '1,"a lantern, ""lit""\r\nat sea"\r\n', "2,waves\r\n"]


@pytest.mark.parametrize("length", range(len("".join(ROWS)) + 1))
def test_a_table_keeps_its_whole_rows_wherever_it_broke_off(tmp_path, length):
    whole = "".join(ROWS)
    path = tmp_path / "images.csv"
    path.write_bytes(whole[:length].encode())

    cut_to_rows(path)

    ends = [len("".join(ROWS[:count])) for count in range(len(ROWS) + 1)]
    assert len(path.read_bytes()) == max(end for end in ends if end <= length)
    with path.open(encoding="utf-8", newline="") as file:
        assert all(len(row) == 2 for row in csv.reader(file, strict=True))


@pytest.mark.parametrize("cut", [0, 1, 9])
def test_lines_of_json_keep_their_whole_lines(tmp_path, cut):
    lines = [json.dumps({"id": number, "prompt": 'a "lit" lantern"'}) + "\n" for number in range(3)]
    content = "".join(lines).encode()
    path = tmp_path / "images.jsonl"
    path.write_bytes(content[: len(content) - cut])

    cut_to_rows(path)

    assert path.read_text("utf-8") == "".join(lines if cut == 0 else lines[:2])


@pytest.mark.parametrize(
    "asked", [["id", "nosuch"], ["nosuch", "id", "prompt"], {"id": "number", "prompt": "text"}, ["id"]]
)
def test_a_feed_has_all_rows_whatever_fields_are_asked_for(asked):
    images = [Image(id=number, prompt=f"lantern {number}") for number in range(3)]
    table, lines = io.BytesIO(), io.BytesIO()

    for kind, file in ((FlatCsvExporter, table), (FlatJsonLinesExporter, lines)):
        exporter = kind(file, fields_to_export=asked)
        exporter.start_exporting()
        for image in images:
            exporter.export_item(image)
        exporter.finish_exporting()

    names = list(asked.values()) if isinstance(asked, dict) else asked
    told = {"id": "id", "number": "id", "prompt": "prompt", "text": "prompt"}
    rows = [{name: getattr(image, told[name]) for name in names if name in told} for image in images]
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == rows
    assert list(csv.DictReader(table.getvalue().decode().splitlines())) == [
        {name: str(row.get(name, "")) for name in names} for row in rows
    ]
