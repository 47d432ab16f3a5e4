"""A list of names that a person may edit gains lines, and keeps its own."""

from __future__ import annotations

import pytest

from civitscrape.archive.namelist import NameList
from civitscrape.exceptions import ArchiveError


@pytest.mark.parametrize(
    ("there", "after"),
    [
        (None, b"tree\nsea\n"),
        (b"", b"tree\nsea\n"),
        (b"mine", b"mine\ntree\nsea\n"),
        (b"mine\r\ntree\r\n", b"mine\r\ntree\r\nsea\n"),
        (b"\xef\xbb\xbftree\n", b"\xef\xbb\xbftree\nsea\n"),
        (b"caf\xe9\nsea\n", b"caf\xe9\nsea\ntree\n"),
    ],
    ids=["no file", "empty", "no newline at its end", "of Windows", "byte order mark", "Latin-1"],
)
def test_names_are_added_once_and_lines_stay_what_they_are(tmp_path, there, after):
    path = tmp_path / "tags.txt"
    if there is not None:
        path.write_bytes(there)
    names = NameList(path)

    names.add(["tree", "sea", "tree"])
    names.add(["sea"])

    assert path.read_bytes() == after


def test_a_name_that_a_kill_cut_short_is_not_glued_to_the_next(tmp_path):
    path = tmp_path / "tags.txt"
    names = NameList(path)
    names.add(["tree"])
    with path.open("ab") as file:
        file.write(b"se")

    names.add(["sky"])

    assert path.read_bytes() == b"tree\nse\nsky\n"


def test_odd_names_become_one_line_and_are_known_again(tmp_path):
    odd = ["two\nlines", "half \ud83c", "", "port 港"]
    NameList(tmp_path / "tags.txt").add(odd)

    new = NameList(tmp_path / "tags.txt").add(odd)

    assert new == 0
    assert (tmp_path / "tags.txt").read_text("utf-8").splitlines() == ["two lines", "half \\ud83c", "port 港"]


def test_a_folder_in_its_place_is_named(tmp_path):
    (tmp_path / "tags.txt").mkdir()

    with pytest.raises(ArchiveError, match=r"tags\.txt' cannot be written: it is no ordinary file"):
        NameList(tmp_path / "tags.txt").add(["tree"])
