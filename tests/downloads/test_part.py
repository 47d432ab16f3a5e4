from hashlib import sha256

import pytest

from civitscrape.downloads.part import HEAD_SIZE, PartFile


def test_the_hash_is_of_all_that_was_written(tmp_path):
    part = PartFile(str(tmp_path / "a.part"))

    part.write([b"lan", b"tern"])
    part.finish([b"s"])

    assert (tmp_path / "a.part").read_bytes() == b"lanterns"
    assert part.sha256 == sha256(b"lanterns").hexdigest()
    assert part.size == 8


def test_the_head_is_collected_over_small_pieces(tmp_path):
    body = bytes(range(256)) * 3
    part = PartFile(str(tmp_path / "a.part"))

    part.finish([body[:100], body[100:300], body[300:]])

    assert part.head == body[:HEAD_SIZE]


def test_a_missing_folder_is_made(tmp_path):
    part = PartFile(str(tmp_path / "parts" / "a.part"))

    part.finish([b"x"])

    assert (tmp_path / "parts" / "a.part").exists()


def test_a_store_that_is_gone_is_not_made_again(tmp_path):
    part = PartFile(str(tmp_path / "store" / "parts" / "a.part"))

    with pytest.raises(FileNotFoundError):
        part.finish([b"x"])

    assert list(tmp_path.iterdir()) == []


def test_a_leftover_of_an_earlier_run_is_written_over(tmp_path):
    path = tmp_path / "a.part"
    path.write_bytes(b"a longer leftover")

    PartFile(str(path)).finish([b"new"])

    assert path.read_bytes() == b"new"


def test_a_discarded_part_stays_away_when_a_late_write_comes(tmp_path):
    part = PartFile(str(tmp_path / "a.part"))
    part.write([b"x"])

    part.discard()
    part.finish([b"y"])

    assert list(tmp_path.iterdir()) == []
