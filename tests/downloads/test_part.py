from hashlib import sha256

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


def test_missing_folders_are_made(tmp_path):
    part = PartFile(str(tmp_path / "harbour" / "lights" / "a.part"))

    part.finish([b"x"])

    assert (tmp_path / "harbour" / "lights" / "a.part").exists()


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
