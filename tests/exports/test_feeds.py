"""A feed that a full disk broke off is cut to its whole rows."""

from __future__ import annotations

import csv
import json

import pytest

from civitscrape.exports.feeds import cut_to_rows

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
